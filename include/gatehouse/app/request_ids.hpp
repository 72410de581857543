#pragma once

#include "gatehouse/core/time.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace gatehouse::app {

/// The ids that one request carries.
struct RequestIds {
    std::array<unsigned char, 16> bytes{};  ///< of the UUID
    std::array<char, 36> request_id{};      ///< lower-case UUID v4 text
    std::array<char, 16> extended_id{};     ///< 15 base64 characters and '='
    std::array<char, 35> trace_id{};  ///< "Root=1-<8 hex of the time>-<24 hex>" without "Root="

    std::string_view request() const noexcept { return {request_id.data(), request_id.size()}; }

    std::string_view extended() const noexcept { return {extended_id.data(), extended_id.size()}; }

    std::string_view trace() const noexcept { return {trace_id.data(), trace_id.size()}; }
};

/// Makes request ids. One per worker: no lock. Names, not secrets: xoshiro256** seeded from the
/// system's randomness.
class IdSource {
  public:
    IdSource();
    explicit IdSource(std::uint64_t seed);

    /// Fills all ids; `client_id` is used for the request id when it is a UUID, as the service
    /// does.
    void make(RequestIds& ids, WallTime now, std::string_view client_id) noexcept;

  private:
    std::uint64_t next() noexcept;
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace gatehouse::app
