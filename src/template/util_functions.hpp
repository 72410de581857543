#pragma once

#include "value.hpp"

#include <span>
#include <string_view>

// `$util`: six functions of one argument. [dg: api-gateway-mapping-template-reference]
namespace gatehouse::templates {

bool is_util_function(std::string_view name) noexcept;

/// The names, for a refusal.
std::string_view util_functions() noexcept;

/// Null for null. An argument that is no text counts as its text. Errc::template_failed for text
/// that cannot be decoded, Errc::json_… from parseJson.
Value call_util(Work& work, std::string_view name, const Value& argument);

}  // namespace gatehouse::templates
