#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>

namespace gatehouse::net {

/// Whose socket the other end of a connection over 127.0.0.1 is: TCP carries no credentials, and
/// whoever shares the machine can connect to a loopback port. Reads /proc/net/tcp and tcp6, so for
/// connections that are few. Nothing: not found, or no such file.
std::optional<uid_t> find_loopback_owner(std::uint16_t peer_port, std::uint16_t our_port);

/// The same, from the text of one of these files.
std::optional<uid_t> parse_loopback_owner(std::string_view table,
                                          std::uint16_t peer_port,
                                          std::uint16_t our_port);

}  // namespace gatehouse::net
