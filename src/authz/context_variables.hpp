#pragma once

#include "gatehouse/authz/request_facts.hpp"

#include <string>
#include <string_view>

namespace gatehouse::authz {

/// Appends the value of a `context.…` name; `name` comes without that prefix.
/// @return false when it has no value for this request (nothing appended)
bool append_context_variable(const RequestFacts& facts, std::string_view name, std::string& out);

using AppendValue = bool (*)(const RequestFacts& facts, std::string& out);

/// Of a variable's whole name, "context.requestId": what appends its value, as
/// append_context_variable() does. Null: that depends on the authorizer's context, or there is no
/// such name.
AppendValue find_context_value(std::string_view name) noexcept;

/// Of a variable's whole name: its values are numbers, times, ids and the like, of our own making,
/// which have nothing to escape in any text.
bool is_plain_value(std::string_view name) noexcept;

/// True for the names of a REST API's `$context`, whether Gatehouse can ever have a value for them
/// or not.
bool is_context_variable(std::string_view name) noexcept;

}  // namespace gatehouse::authz
