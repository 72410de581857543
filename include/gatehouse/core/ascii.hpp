#pragma once

#include <string>
#include <string_view>

namespace gatehouse {

constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_alpha(char c) noexcept {
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/// Value of a hexadecimal digit, -1 for any other character.
constexpr int hex_value(char c) noexcept {
    if (is_digit(c)) return c - '0';
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// RFC 3986 2.3.
constexpr bool is_unreserved(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// RFC 9110 5.6.2 tchar.
constexpr bool is_tchar(char c) noexcept {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_tchar(c)) return false;
    }
    return !text.empty();
}

/// C0 controls and DEL; a tab counts.
constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
}

/// Equal when case is ignored and `_` counts as `-`: how CGI-style upstreams fold header names.
constexpr bool equals_folded(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const char x = a[i] == '_' ? '-' : ascii_lower(a[i]);
        const char y = b[i] == '_' ? '-' : ascii_lower(b[i]);
        if (x != y) return false;
    }
    return true;
}

/// Without spaces and tabs at both ends (OWS, RFC 9110 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

/// A lower-case copy, ASCII letters only.
std::string to_lower(std::string_view text);

/// True for well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, surrogates or values
/// above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// How many bytes at the beginning are printable ASCII and neither quote nor backslash: what stands
/// as it is in printable() and in a JSON string.
std::size_t count_plain(std::string_view text) noexcept;

/// The text with controls, non-ASCII bytes, quotes and backslashes as \xNN, cut after `most` input
/// bytes with "…": for putting outside bytes into a log line or an error detail.
std::string printable(std::string_view text, std::size_t most = 120);
void append_printable(std::string& out, std::string_view text, std::size_t most = 120);

}  // namespace gatehouse
