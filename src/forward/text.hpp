#pragma once

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace gatehouse::forward {

/// Appends "name: value\r\n". One growth of the string instead of four: this runs for every field
/// of every request.
inline void add_line(std::string& out, std::string_view name, std::string_view value) {
    const std::size_t start = out.size();
    out.resize(start + name.size() + value.size() + 4);
    char* to = out.data() + start;
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    *to++ = ':';
    *to++ = ' ';
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    to += value.size();
    *to++ = '\r';
    *to = '\n';
}

template <std::integral Number>
void add_number(std::string& out, Number value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

inline bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), is_control);
}

/// `c` as fold_name has it: lower case, `-` for `_`.
constexpr char fold(char c) noexcept {
    return c == '_' ? '-' : ascii_lower(c);
}

inline std::string fold_name(std::string_view name) {
    std::string folded(name);
    for (char& c : folded)
        c = fold(c);
    return folded;
}

/// True when `name`, folded, begins with `prefix`, which is folded already.
inline bool starts_with_folded(std::string_view name, std::string_view prefix) noexcept {
    if (name.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (fold(name[i]) != prefix[i]) return false;
    }
    return true;
}

/// Percent-encodes, in place, what follows `start`: every byte but unreserved ones (RFC 3986 2.3),
/// so that the text can be nothing but data wherever it stands in a path or query.
void encode_from(std::string& out, std::size_t start);

/// The same for text that is percent-encoded already: its escapes stay.
void encode_rest_from(std::string& out, std::size_t start);

}  // namespace gatehouse::forward
