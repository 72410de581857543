#pragma once

#include "gatehouse/http/request_head.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace gatehouse::http {

/// What becomes of a field on its way through (API Gateway developer guide, important notes for
/// REST APIs, column HTTP_PROXY; RFC 9110 7.6.1).
enum class Fate : std::uint8_t {
    pass,
    drop,       ///< connection-specific, or the service drops it
    remap,      ///< answers only: sent as x-amzn-Remapped-<name>
    overwrite,  ///< the gateway writes its own
};

/// HTTP_PROXY, towards the backend. `plain`: headerHandling "plain", where only what HTTP itself
/// requires is dropped. Fields that Connection names are dropped besides (NamedByConnection; Host,
/// framing and injected fields cannot be named away).
Fate request_fate(FieldId id, bool plain) noexcept;

/// HTTP_PROXY, towards the client.
Fate response_fate(FieldId id, bool plain) noexcept;

/// The fields of one head that its Connection names, so that they go with it (RFC 9110 7.6.1).
/// Borrows the fields.
class NamedByConnection {
  public:
    explicit NamedByConnection(std::span<const Field> fields) noexcept;

    bool has(std::string_view name) const noexcept;

  private:
    std::span<const Field> fields_;
    bool any_ = false;
};

}  // namespace gatehouse::http
