#pragma once

#include "gatehouse/core/ascii.hpp"

#include <cstddef>
#include <string>
#include <string_view>

// Steps of a JSON Pointer (RFC 6901), for naming the place at fault.
namespace gatehouse::policy {

inline std::string step(std::string_view member) {
    std::string escaped = "/";
    for (const char c : printable(member)) {
        if (c == '~') {
            escaped += "~0";
        } else if (c == '/') {
            escaped += "~1";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

inline std::string step(std::size_t index) {
    return "/" + std::to_string(index);
}

}  // namespace gatehouse::policy
