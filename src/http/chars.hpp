#pragma once

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/bytes16.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
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

/// The first byte that no field value has (RFC 9110 5.5: controls but the tab; obs-text passes), or
/// `end`. It reads each token of 1 KB, so sixteen bytes a step, and more once it is known for long.
inline const char* find_no_value(const char* at, const char* end) noexcept {
    for (;;) {
        int found = 16;
        while (end - at >= 16) {
            found = find_first(controls_of(load16(at)));
            at += found;
            if (found != 16) break;
            while (end - at >= 64 &&
                   find_first(controls_of(load16(at)) | controls_of(load16(at + 16)) |
                              controls_of(load16(at + 32)) | controls_of(load16(at + 48))) == 16)
                at += 64;
        }
        if (found == 16) {
            while (at != end && !is_control(*at))
                ++at;
        }
        if (at == end || *at != '\t') return at;
        ++at;
    }
}

/// The first ':' or the end.
inline const char* find_colon(const char* at, const char* end) noexcept {
    for (; end - at >= 16; at += 16) {
        const int found = find_first(reinterpret_cast<Bytes16>(load16(at) == ':'));
        if (found != 16) return at + found;
    }
    while (at != end && *at != ':')
        ++at;
    return at;
}

inline bool is_field_value(std::string_view value) noexcept {
    const char* begin = value.data();
    const char* end = begin + value.size();
    return find_no_value(begin, end) == end;
}

}  // namespace gatehouse::http
