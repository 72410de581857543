#pragma once

#include "gatehouse/core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::routing {

/// One segment of a route's path.
struct Segment {
    enum class Kind : std::uint8_t { literal, parameter, greedy };
    Kind kind = Kind::literal;
    /// The literal as it is matched (normalised like a request path), or the parameter's name.
    std::string text;
};

/// A route key, e.g. "GET /pets/{id}".
struct RouteKey {
    std::string method;
    std::string path;
};

/// Splits "METHOD /path" at its one space. Method: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT or
/// ANY. Errc::config_invalid.
Result<RouteKey> parse_route_key(std::string_view text);

/// Parses a path template. A parameter is a whole segment; {name+} only last; names unique.
/// A literal is what a request could hold: nothing that http/target.hpp refuses, no wildcard.
/// No segments for "/". Errc::config_invalid with the reason.
Result<std::vector<Segment>> parse_template(std::string_view path);

}  // namespace gatehouse::routing
