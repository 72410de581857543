#include "text.hpp"

namespace gatehouse::forward {
namespace {

constexpr char kUpperHex[] = "0123456789ABCDEF";

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

}  // namespace

void encode_from(std::string& out, std::size_t start) {
    encode(out, start, false);
}

void encode_rest_from(std::string& out, std::size_t start) {
    encode(out, start, true);
}

}  // namespace gatehouse::forward
