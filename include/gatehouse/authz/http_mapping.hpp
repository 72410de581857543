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

/// A status that answers can be mapped by, 200 to 599; 0: it is none.
int parse_answer_status(std::string_view text) noexcept;

/// The value of "overwrite:statuscode". Errc::config_invalid: no status, or one without content,
/// where what the backend sends behind its head would be taken for another answer.
Result<int> parse_new_status(std::string_view text);

/// The same of an answer, which has headers alone. Date and what --dev writes are Gatehouse's own.
Result<HttpDestination> parse_http_answer_destination(std::string_view text);

}  // namespace gatehouse::authz
