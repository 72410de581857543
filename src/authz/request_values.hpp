#pragma once

#include "gatehouse/authz/request_facts.hpp"

#include <string>
#include <string_view>

namespace gatehouse::authz {

/// Appends the value of a `method.request.…` name; `name` comes without that prefix: "header.X",
/// "querystring.X", "path.X", "multivalueheader.X", "multivaluequerystring.X". Query values are
/// decoded; the values of a multivalue name are joined with commas.
/// @return false when the request has no such value (nothing appended)
bool append_request_value(const RequestFacts& facts, std::string_view name, std::string& out);

/// True for the five forms above with a name that is not empty.
bool is_request_value(std::string_view name) noexcept;

}  // namespace gatehouse::authz
