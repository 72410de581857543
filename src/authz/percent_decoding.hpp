#pragma once

#include "gatehouse/core/ascii.hpp"

#include <string_view>

namespace gatehouse::authz {

/// Takes one character off percent-encoded text. A percent sign that begins no escape stands for
/// itself.
inline char take_decoded(std::string_view& raw) noexcept {
    const char c = raw.front();
    if (c == '%' && raw.size() >= 3) {
        const int high = hex_value(raw[1]);
        const int low = hex_value(raw[2]);
        if (high >= 0 && low >= 0) {
            raw.remove_prefix(3);
            return static_cast<char>(high * 16 + low);
        }
    }
    raw.remove_prefix(1);
    return c;
}

/// The same in a query, where `+` is a space.
inline char take_query_decoded(std::string_view& raw) noexcept {
    const bool plus = raw.front() == '+';
    const char c = take_decoded(raw);
    return plus ? ' ' : c;
}

}  // namespace gatehouse::authz
