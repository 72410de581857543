#include "gatehouse/core/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace gatehouse {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) noexcept {
    char terminated[INET6_ADDRSTRLEN] = {};
    // inet_pton would stop at a zero byte, and take what stands before it.
    if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    text.copy(terminated, text.size());
    IpAddress address;
    address.v4 = text.find(':') == std::string_view::npos;
    if (inet_pton(address.v4 ? AF_INET : AF_INET6, terminated, address.bytes.data()) != 1)
        return std::nullopt;
    if (address.v4 || !std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin()))
        return address;
    IpAddress mapped;
    mapped.v4 = true;
    std::copy_n(address.bytes.begin() + kMapped.size(), 4, mapped.bytes.begin());
    return mapped;
}

std::string to_string(const IpAddress& address) {
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(address.v4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
    return text;
}

}  // namespace gatehouse
