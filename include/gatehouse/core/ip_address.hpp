#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// An IPv4 or IPv6 address, most significant byte first.
struct IpAddress {
    bool v4 = false;
    std::array<std::uint8_t, 16> bytes{};  ///< IPv4: the first four

    bool operator==(const IpAddress&) const = default;
};

/// An address without brackets, port or zone index. ::ffff:192.0.2.1, as dual-stack sockets name
/// their IPv4 peers, is 192.0.2.1.
std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept;

/// As RFC 5952 has it: "192.0.2.1", "2001:db8::1".
std::string to_string(const IpAddress& address);

}  // namespace gatehouse
