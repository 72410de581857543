#include "gatehouse/core/json_text.hpp"

#include "gatehouse/core/ascii.hpp"

namespace gatehouse {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_unit(std::uint32_t unit, std::string& out) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
        out += kHex[(unit >> shift) & 15];
}

void append_escaped(std::uint32_t point, std::string& out) {
    if (point < 0x10000) {
        append_unit(point, out);
        return;
    }
    append_unit(0xd800 + ((point - 0x10000) >> 10), out);
    append_unit(0xdc00 + ((point - 0x10000) & 0x3ff), out);
}

/// Takes one UTF-8 sequence off `text`, or one byte that is none, for which U+FFFD stands.
std::string_view take_sequence(std::string_view& text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const std::string_view sequence = text.substr(0, length);
    if (!is_utf8(sequence)) {
        text.remove_prefix(1);
        return "\xef\xbf\xbd";
    }
    text.remove_prefix(length);
    return sequence;
}

// Two to four bytes, and well formed.
std::uint32_t code_point(std::string_view sequence) noexcept {
    std::uint32_t point = static_cast<unsigned char>(sequence.front()) & (0x7fU >> sequence.size());
    for (const char c : sequence.substr(1))
        point = point << 6 | (static_cast<unsigned char>(c) & 0x3fU);
    return point;
}

}  // namespace

void append_json_string(std::string_view text, std::string& out, JsonCharset charset) {
    out += '"';
    while (!text.empty()) {
        const std::size_t run = count_plain(text);
        out += text.substr(0, run);
        text.remove_prefix(run);
        if (text.empty()) break;
        const char c = text.front();
        if (static_cast<unsigned char>(c) >= 0x80) {
            const std::string_view sequence = take_sequence(text);
            if (charset == JsonCharset::utf8) {
                out += sequence;
            } else {
                append_escaped(code_point(sequence), out);
            }
            continue;
        }
        text.remove_prefix(1);
        if (is_control(c)) {
            append_unit(static_cast<unsigned char>(c), out);
        } else {
            out += '\\';
            out += c;
        }
    }
    out += '"';
}

std::string make_utf8(std::string_view text) {
    if (is_utf8(text)) return std::string(text);
    std::string utf8;
    while (!text.empty())
        utf8 += take_sequence(text);
    return utf8;
}

}  // namespace gatehouse
