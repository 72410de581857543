#include "authority.hpp"

#include "chars.hpp"
#include "gatehouse/core/ascii.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::http {
namespace {

// RFC 3986 3.2.2 dec-octet, four of them.
bool is_ipv4(std::string_view text) noexcept {
    for (int part = 0; part < 4; ++part) {
        std::size_t digits = 0;
        unsigned value = 0;
        while (digits < text.size() && digits < 3 && is_digit(text[digits])) {
            value = value * 10 + static_cast<unsigned>(text[digits] - '0');
            ++digits;
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
        text.remove_prefix(digits);
        if (part == 3) break;
        if (text.empty() || text.front() != '.') return false;
        text.remove_prefix(1);
    }
    return text.empty();
}

// RFC 3986 3.2.2 IPv6address: eight groups, or fewer with one "::", the last two perhaps as an IPv4
// address.
bool is_ipv6(std::string_view text) noexcept {
    int groups = 0;
    bool elided = text.starts_with("::");
    if (elided) {
        text.remove_prefix(2);
    } else if (text.starts_with(':')) {
        return false;
    }
    while (!text.empty()) {
        std::size_t digits = 0;
        while (digits < text.size() && hex_value(text[digits]) >= 0)
            ++digits;
        if (digits < text.size() && text[digits] == '.') {
            if (!is_ipv4(text)) return false;
            groups += 2;
            break;
        }
        if (digits == 0 || digits > 4 || ++groups > 8) return false;
        text.remove_prefix(digits);
        if (text.empty()) break;
        if (text.front() != ':') return false;
        text.remove_prefix(1);
        if (text.empty()) return false;
        if (text.front() != ':') continue;
        if (elided) return false;
        elided = true;
        text.remove_prefix(1);
    }
    return elided ? groups < 8 : groups == 8;
}

bool is_port(std::string_view digits) noexcept {
    if (digits.size() > 5) return false;
    unsigned value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65535;
}

std::uint32_t port_or(std::string_view digits, std::uint32_t otherwise) noexcept {
    if (digits.empty()) return otherwise;
    std::uint32_t value = 0;
    for (const char c : digits)
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
    return value;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) noexcept {
    std::size_t host_size = 0;
    if (text.starts_with('[')) {
        const std::size_t bracket = text.find(']');
        if (bracket == std::string_view::npos) return std::nullopt;
        if (!is_ipv6(text.substr(1, bracket - 1))) return std::nullopt;
        host_size = bracket + 1;
    } else {
        while (host_size < text.size() && is_in(text[host_size], kName))
            ++host_size;
        if (host_size == 0) return std::nullopt;
    }
    const std::string_view host = text.substr(0, host_size);
    const std::string_view rest = text.substr(host_size);
    if (rest.empty()) return Authority{host, {}};
    // "host:" with no digits is RFC 3986's grammar and means the scheme's own port.
    if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
    return Authority{host, rest.substr(1)};
}

bool is_same_authority(const Authority& a,
                       const Authority& b,
                       std::uint32_t default_port) noexcept {
    return equals_ignoring_case(a.host, b.host) &&
           port_or(a.port, default_port) == port_or(b.port, default_port);
}

}  // namespace gatehouse::http
