#include "text.hpp"

#include <cstdint>

namespace gatehouse::forward {
namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";
constexpr char kLowerHex[] = "0123456789abcdef";

bool is_escape(std::string_view text, std::size_t i) noexcept {
    return text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
           hex_value(text[i + 2]) >= 0;
}

void encode(std::string& out, std::size_t start, bool keep_escapes) {
    const std::string_view text(out);
    const auto stays = [&](std::size_t i) {
        return is_unreserved(text[i]) || (keep_escapes && is_escape(text, i));
    };
    std::size_t encoded = 0;
    for (std::size_t i = start; i < text.size(); ++i)
        encoded += stays(i) ? 0 : 1;
    if (encoded == 0) return;
    // Backwards, so that no byte is overwritten before it was read. Escapes are looked for in bytes
    // that still stand.
    std::size_t from = out.size();
    out.resize(out.size() + 2 * encoded);
    std::size_t to = out.size();
    const std::size_t end = from;
    while (from > start) {
        const char c = out[--from];
        const bool escape = keep_escapes && c == '%' && is_escape({out.data(), end}, from);
        if (is_unreserved(c) || escape) {
            out[--to] = c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out[--to] = kUpperHex[byte & 15];
        out[--to] = kUpperHex[byte >> 4];
        out[--to] = '%';
    }
}

void append_unit(std::uint32_t unit, std::string& out) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
        out += kLowerHex[(unit >> shift) & 15];
}

void append_code_point(std::uint32_t point, std::string& out) {
    if (point < 0x10000) {
        append_unit(point, out);
        return;
    }
    append_unit(0xd800 + ((point - 0x10000) >> 10), out);
    append_unit(0xdc00 + ((point - 0x10000) & 0x3ff), out);
}

// Takes one UTF-8 sequence off `text`; U+FFFD and one byte for what is none.
std::uint32_t next_code_point(std::string_view& text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!is_utf8(text.substr(0, length))) {
        text.remove_prefix(1);
        return 0xfffd;
    }
    std::uint32_t point = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i)
        point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    text.remove_prefix(length);
    return point;
}

}  // namespace

void encode_from(std::string& out, std::size_t start) {
    encode(out, start, false);
}

void encode_rest_from(std::string& out, std::size_t start) {
    encode(out, start, true);
}

void append_json_string(std::string_view text, std::string& out) {
    out += '"';
    while (!text.empty()) {
        const char c = text.front();
        if (static_cast<unsigned char>(c) >= 0x80) {
            append_code_point(next_code_point(text), out);
            continue;
        }
        text.remove_prefix(1);
        if (is_control(c)) {
            append_unit(static_cast<unsigned char>(c), out);
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

}  // namespace gatehouse::forward
