#pragma once

#include "gatehouse/core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::authz {

/// Where a parameter mapping of an HTTP API's integration goes: "append:header.X",
/// "overwrite:querystring.X", "remove:header.X", "overwrite:path".
struct HttpDestination {
    enum class Action : std::uint8_t { append, overwrite, remove };
    enum class Place : std::uint8_t { header, query, path };
    Action action = Action::append;
    Place place = Place::header;
    std::string name;  ///< of the header or the parameter
};

/// Errc::config_invalid: not of that form, or a header that the service does not let be mapped (API
/// Gateway developer guide, "Transforming API requests and responses", "Reserved headers").
Result<HttpDestination> parse_http_destination(std::string_view text);

}  // namespace gatehouse::authz
