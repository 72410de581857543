#include "gatehouse/core/ascii.hpp"

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

void append_printable(std::string& out, std::string_view text, std::size_t most) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto is_plain = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f && c != '\\' && c != '"';
    };
    const std::string_view shown = text.substr(0, most);
    const auto odd = std::find_if_not(shown.begin(), shown.end(), is_plain);
    out.append(shown.begin(), odd);
    for (auto it = odd; it != shown.end(); ++it) {
        if (is_plain(*it)) {
            out += *it;
            continue;
        }
        const auto byte = static_cast<unsigned char>(*it);
        out += "\\x";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    if (text.size() > most) out += "…";
}

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    append_printable(out, text, most);
    return out;
}

}  // namespace gatehouse
