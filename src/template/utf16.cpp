#include "utf16.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::templates {
namespace {

std::size_t units(const CodePoint& point) noexcept {
    return point.value > 0xffff ? 2 : 1;
}

}  // namespace

CodePoint first_code_point(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 1 || length > text.size() || !is_utf8(text.substr(0, length))) return {lead, 1};
    char32_t value = lead & (0xffU >> (length + 1));
    for (const char c : text.substr(1, length - 1))
        value = (value << 6) | (static_cast<unsigned char>(c) & 0x3fU);
    return {value, length};
}

std::size_t utf16_length(std::string_view text) noexcept {
    std::size_t length = 0;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        length += units(point);
        text.remove_prefix(point.bytes);
    }
    return length;
}

std::optional<std::size_t> utf16_offset(std::string_view text, std::size_t unit) noexcept {
    std::size_t offset = 0;
    while (unit > 0 && offset < text.size()) {
        const CodePoint point = first_code_point(text.substr(offset));
        if (units(point) > unit) return std::nullopt;
        unit -= units(point);
        offset += point.bytes;
    }
    if (unit > 0) return std::nullopt;
    return offset;
}

}  // namespace gatehouse::templates
