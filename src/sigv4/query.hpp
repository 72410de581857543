#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::sigv4 {

/// One query parameter, decoded.
struct Parameter {
    std::string name;
    std::string value;

    auto operator<=>(const Parameter&) const = default;
};

/// The path of a request target as it came; "/" for an empty one.
std::string_view path_of(std::string_view target) noexcept;

/// What stands behind the '?', or nothing.
std::string_view query_of(std::string_view target) noexcept;

/// The query's parameters in their order. '&' parts them, '+' is a space; a '%' that begins no
/// escape is itself.
std::vector<Parameter> read_parameters(std::string_view query);

/// Percent-encodes all but unreserved characters (RFC 3986 2.3), hex digits in capitals.
/// @param but  one more character that stays; 0: none
void append_encoded(std::string_view text, char but, std::string& out);

}  // namespace gatehouse::sigv4
