#pragma once

#include "gatehouse/http/request_head.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace gatehouse::http {

/// The id of a field name, any case; FieldId::other for a name no rule knows. No allocation; a few
/// ns.
FieldId find_field_id(std::string_view name) noexcept;

/// Takes the field line at the front: field-name ":" OWS field-value OWS CRLF (RFC 9112 5, RFC 9110
/// 5.1 and 5.5), each part of it as it may be. The views of `field` point into `bytes`.
/// @return the bytes of the line; 0: no whole and valid one stands there
std::size_t take_field_line(std::string_view bytes, Field& field) noexcept;

/// The first field of that name (case ignored), or nullptr.
const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept;

const Field* find_field(std::span<const Field> fields, FieldId id) noexcept;

/// True when the comma-separated list in `value` has `token` (case ignored).
bool list_has_token(std::string_view value, std::string_view token) noexcept;

}  // namespace gatehouse::http
