#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::http {

/// A host and the digits of its port, which are empty when there is none.
struct Authority {
    std::string_view host;
    std::string_view port;
};

/// Takes `uri-host [":" port]` apart (RFC 9110 7.2): a name, an IPv4 address or an IPv6 address in
/// brackets; the port is at most 65535. No userinfo, no zone, no empty host. Views into `text`.
std::optional<Authority> parse_authority(std::string_view text) noexcept;

/// True when both name one place: letter case and the scheme's own port do not matter (RFC
/// 9110 4.2.3).
bool is_same_authority(const Authority& a, const Authority& b, std::uint32_t default_port) noexcept;

}  // namespace gatehouse::http
