#include "gatehouse/http/bearer.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/bytes16.hpp"

#include <algorithm>
#include <cstddef>

namespace gatehouse::http {
namespace {

constexpr std::string_view kScheme = "bearer";

bool is_b64char(char c) noexcept {
    return is_unreserved(c) || c == '+' || c == '/';
}

// 0xff for each byte that is none, as is_b64char() has it.
Bytes16 others_of(Bytes16 bytes) noexcept {
    // '+' to '9' but the comma, letters of either case, '_' and '~'.
    const Bytes16 fine = (reinterpret_cast<Bytes16>(bytes - '+' <= '9' - '+') &
                          reinterpret_cast<Bytes16>(bytes != ',')) |
                         reinterpret_cast<Bytes16>((bytes | 0x20) - 'a' <= 'z' - 'a') |
                         reinterpret_cast<Bytes16>(bytes == '_') |
                         reinterpret_cast<Bytes16>(bytes == '~');
    return ~fine;
}

// RFC 6750, 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) noexcept {
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    if (text.size() < 16) return !text.empty() && std::ranges::all_of(text, is_b64char);
    // Looked at once, since nearly all are fine; the last sixteen bytes overlap those before.
    const char* last = text.data() + text.size() - 16;
    Bytes16 others = others_of(load16(last));
    for (const char* at = text.data(); at < last; at += 16)
        others |= others_of(load16(at));
    return find_first(others) == 16;
}

}  // namespace

std::optional<std::string_view> find_bearer_token(std::string_view value) noexcept {
    if (!equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    value.remove_prefix(kScheme.size());
    // RFC 9110, 11.4: 1*SP between scheme and credential. A tab, or a comma with a second
    // credential behind it, is what another reader may take differently, so nothing is repaired
    // here.
    const std::size_t spaces = value.find_first_not_of(' ');
    if (spaces == 0 || spaces == std::string_view::npos) return std::nullopt;
    value.remove_prefix(spaces);
    if (!is_b64token(value)) return std::nullopt;
    return value;
}

}  // namespace gatehouse::http
