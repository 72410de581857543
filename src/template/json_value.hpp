#pragma once

#include "gatehouse/core/json.hpp"
#include "value.hpp"

#include <string_view>

namespace gatehouse::templates {

/// Parses a payload: strict as core/json.hpp (UTF-8, no duplicate members, no byte order mark,
/// bounded depth), but with members in their order and integers of any size, which a template
/// prints again. Objects become maps of Map::Kind::service, arrays lists that print as JSON.
/// Null after a fault, which is Errc::json_…
Value parse_value(Work& work, std::string_view text);

/// The same from a value that is parsed already: objects become maps of the given kind.
Value make_value(Work& work, const Json& json, Map::Kind kind, int depth = 0);

}  // namespace gatehouse::templates
