#include "gatehouse/http/bearer.hpp"

#include "gatehouse/core/ascii.hpp"

namespace gatehouse::http {
namespace {

constexpr std::string_view kScheme = "bearer";

// RFC 6750, 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) noexcept {
    while (!text.empty() && text.back() == '=')
        text.remove_suffix(1);
    if (text.empty()) return false;
    for (const char c : text) {
        if (!is_unreserved(c) && c != '+' && c != '/') return false;
    }
    return true;
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
