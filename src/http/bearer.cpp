#include "gatehouse/http/bearer.hpp"

#include "gatehouse/core/ascii.hpp"

#include <array>
#include <cstddef>

namespace gatehouse::http {
namespace {

constexpr std::string_view kScheme = "bearer";

constexpr std::array<unsigned char, 256> make_outside() {
    std::array<unsigned char, 256> outside{};
    for (std::size_t i = 0; i < outside.size(); ++i) {
        const char c = static_cast<char>(i);
        outside[i] = !is_unreserved(c) && c != '+' && c != '/' ? 1 : 0;
    }
    return outside;
}

constexpr std::array<unsigned char, 256> kOutside = make_outside();

// RFC 6750, 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) noexcept {
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    if (text.empty()) return false;
    // Looked at once, and by four: tokens are long, and nearly all are fine.
    const auto is_outside = [from = text.data()](std::size_t i) -> unsigned {
        return kOutside[static_cast<unsigned char>(from[i])];
    };
    unsigned outside = 0;
    std::size_t at = 0;
    for (; text.size() - at >= 4; at += 4)
        outside |= is_outside(at) | is_outside(at + 1) | is_outside(at + 2) | is_outside(at + 3);
    for (; at < text.size(); ++at)
        outside |= is_outside(at);
    return outside == 0;
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
