#include "gatehouse/core/ascii.hpp"

#include "gatehouse/core/bytes16.hpp"

#include <algorithm>

namespace gatehouse {
namespace {

bool is_continuation(unsigned char byte) noexcept {
    return (byte & 0xc0) == 0x80;
}

// Length of the well-formed sequence at the start of `text`, 0 when there is none (Unicode 15,
// table 3-7).
std::size_t sequence_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(at(i))) return 0;
    }
    if (lead == 0xe0 && at(1) < 0xa0) return 0;
    if (lead == 0xed && at(1) > 0x9f) return 0;
    if (lead == 0xf0 && at(1) < 0x90) return 0;
    if (lead == 0xf4 && at(1) > 0x8f) return 0;
    return length;
}

bool is_plain(char c) noexcept {
    return !is_control(c) && static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\';
}

}  // namespace

std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        c = ascii_lower(c);
    return lower;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::size_t count_plain(std::string_view text) noexcept {
    const char* at = text.data();
    const char* end = at + text.size();
    for (; end - at >= 16; at += 16) {
        const Bytes16 bytes = load16(at);
        const int found = find_first(
            reinterpret_cast<Bytes16>(bytes < 0x20) | reinterpret_cast<Bytes16>(bytes > 0x7e) |
            reinterpret_cast<Bytes16>(bytes == '"') | reinterpret_cast<Bytes16>(bytes == '\\'));
        if (found != 16) return static_cast<std::size_t>(at + found - text.data());
    }
    return static_cast<std::size_t>(std::find_if_not(at, end, is_plain) - text.data());
}

void append_printable(std::string& out, std::string_view text, std::size_t most) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string_view shown = text.substr(0, most);
    for (;;) {
        const std::size_t plain = count_plain(shown);
        out.append(shown, 0, plain);
        if (plain == shown.size()) break;
        const auto byte = static_cast<unsigned char>(shown[plain]);
        out += "\\x";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
        shown.remove_prefix(plain + 1);
    }
    if (text.size() > most) out += "…";
}

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    append_printable(out, text, most);
    return out;
}

}  // namespace gatehouse
