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

/// Sixteen bytes that are looked at at once, by what the processor has for it.
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// RFC 9110 5.5: no control but the tab; obs-text passes. It reads each token of 1 KB, so sixteen
/// bytes a step: only where some byte may be a control is looked at each by itself.
inline bool is_field_value(std::string_view value) noexcept {
    Bytes16 most{};  // of what is left above 0x20: controls come out as 0xe0 and more
    Bytes16 dels{};
    const auto look = [&](const char* from) {
        Bytes16 bytes;
        std::memcpy(&bytes, from, sizeof bytes);
        const Bytes16 above = bytes - 0x20;
        most = above > most ? above : most;
        dels |= reinterpret_cast<Bytes16>(bytes == 0x7f);
    };
    char padded[sizeof(Bytes16)];
    std::memset(padded, ' ', sizeof padded);
    const bool is_short = value.size() < sizeof padded;
    if (is_short && !value.empty()) std::memcpy(padded, value.data(), value.size());
    look(is_short ? padded : value.data() + value.size() - sizeof padded);
    for (std::size_t at = 0; at + sizeof padded < value.size(); at += sizeof padded)
        look(value.data() + at);
    const Bytes16 found = reinterpret_cast<Bytes16>(most >= 0xe0) | dels;
    std::uint64_t halves[2];
    std::memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) == 0 ||
           std::ranges::all_of(value, [](char c) { return !is_control(c) || c == '\t'; });
}

}  // namespace gatehouse::http
