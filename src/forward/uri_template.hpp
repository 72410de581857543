#pragma once

#include "gatehouse/core/result.hpp"
#include "gatehouse/forward/forward_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::forward {

/// A piece of an integration URI: text as it stands, or the name of a placeholder.
struct UriPiece {
    std::string text;
    bool placeholder = false;
};

/// An integration URI taken apart.
struct UriTemplate {
    Endpoint endpoint;
    std::vector<UriPiece> path;   ///< begins with '/'
    std::vector<UriPiece> query;  ///< without '?'
    bool has_query = false;
};

/// Parses "http://host:port/path/{name}?query={name}" (RFC 3986; http and https). Placeholders may
/// stand in path and query. User information, fragments, dot segments, empty inner segments and
/// whatever is not URI syntax are refused. Errc::config_invalid with the reason
Result<UriTemplate> parse_uri_template(std::string_view uri);

/// True for a path that would be taken from a client too: what goes to an upstream is held to the
/// same rules (http/target.hpp).
bool is_clean_path(std::string_view path);

}  // namespace gatehouse::forward
