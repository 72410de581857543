#pragma once

#include "gatehouse/http/request_head.hpp"

#include <span>
#include <string_view>

namespace gatehouse::http {

/// The id of a field name, any case; FieldId::other for a name no rule knows. No allocation; a few
/// ns.
FieldId find_field_id(std::string_view name) noexcept;

/// The first field of that name (case ignored), or nullptr.
const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept;

const Field* find_field(std::span<const Field> fields, FieldId id) noexcept;

/// True when the comma-separated list in `value` has `token` (case ignored).
bool list_has_token(std::string_view value, std::string_view token) noexcept;

}  // namespace gatehouse::http
