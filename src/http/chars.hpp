#pragma once

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// One table for every "which bytes may stand here" question of this folder: a load and a mask per
// byte.
namespace gatehouse::http {

using CharClass = std::uint8_t;

inline constexpr CharClass kToken = 1;  ///< tchar, RFC 9110 5.6.2
inline constexpr CharClass kPath = 2;   ///< pchar, RFC 3986 3.3, but for '%' and ';'
inline constexpr CharClass kQuery = 4;  ///< what a query may hold, see make_char_classes
inline constexpr CharClass kName = 8;   ///< a host name, see make_char_classes

constexpr bool is_sub_delim(char c) noexcept {
    return std::string_view("!$&'()*+,;=").find(c) != std::string_view::npos;
}

constexpr std::array<CharClass, 256> make_char_classes() noexcept {
    std::array<CharClass, 256> classes{};
    for (std::size_t i = 0; i < 0x80; ++i) {
        const char c = static_cast<char>(i);
        const bool pchar = is_unreserved(c) || is_sub_delim(c) || c == ':' || c == '@';
        CharClass bits = 0;
        if (is_tchar(c)) bits |= kToken;
        if (pchar && c != ';') bits |= kPath;
        // RFC 3986 3.4, and the two brackets: `filter[name]=x` is what many clients send, and no
        // upstream can take a bracket for anything else. A '%' stands for itself: the query is
        // data, forwarded byte for byte. The rest of what browsers leave raw there (`|`, `^`, `{`,
        // `}`, a back quote) stays outside, as RFC 3986 has it.
        if (pchar || c == '/' || c == '?' || c == '%' || c == '[' || c == ']') bits |= kQuery;
        // RFC 3986 3.2.2 reg-name without ',' and '%': a comma reads as two hosts where a recipient
        // joins repeated fields, and an encoded name would be another spelling of a name that an
        // API claims. No client sends either.
        if (is_unreserved(c) || (is_sub_delim(c) && c != ',')) bits |= kName;
        classes[i] = bits;
    }
    return classes;
}

inline constexpr std::array<CharClass, 256> kCharClasses = make_char_classes();

constexpr bool is_in(char c, CharClass wanted) noexcept {
    return (kCharClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

constexpr bool is_all(std::string_view text, CharClass wanted) noexcept {
    for (const char c : text) {
        if (!is_in(c, wanted)) return false;
    }
    return true;
}

/// RFC 9110 5.5: no control but the tab; obs-text passes. It reads each token of 1 KB, so eight
/// bytes a step: only where some byte may be a control is looked at each by itself.
inline bool is_field_value(std::string_view value) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    constexpr std::uint64_t kHighs = 0x8080808080808080;
    const auto is_fine = [](char c) { return !is_control(c) || c == '\t'; };
    const auto suspects = [&value](std::size_t at) {  // high bits of bytes below 0x20, and of 0x7f
        std::uint64_t word = 0;
        std::memcpy(&word, value.data() + at, sizeof word);
        const std::uint64_t dels = word ^ (kOnes * 0x7f);
        return ((word - kOnes * 0x20) & ~word) | ((dels - kOnes) & ~dels);
    };
    if (value.size() >= sizeof(std::uint64_t)) {
        const std::size_t last = value.size() - sizeof(std::uint64_t);
        std::uint64_t found = suspects(last);
        for (std::size_t at = 0; at < last; at += sizeof(std::uint64_t))
            found |= suspects(at);
        if ((found & kHighs) == 0) return true;
    }
    return std::ranges::all_of(value, is_fine);
}

}  // namespace gatehouse::http
