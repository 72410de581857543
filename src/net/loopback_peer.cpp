#include "gatehouse/net/loopback_peer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace gatehouse::net {
namespace {

// "0100007F:1F90": the address as the kernel holds it, in tcp6 behind 24 digits of ::ffff:.
std::string end_of(std::uint16_t port) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "0100007F:%04X", port);
    return text.data();
}

// Takes the next word of the line.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

}  // namespace

std::optional<uid_t> parse_loopback_owner(std::string_view table,
                                          std::uint16_t peer_port,
                                          std::uint16_t our_port) {
    const std::string local = end_of(peer_port);
    const std::string remote = end_of(our_port);
    while (!table.empty()) {
        std::string_view line = table.substr(0, table.find('\n'));
        table.remove_prefix(std::min(line.size() + 1, table.size()));
        take_word(line);  // sl
        if (!take_word(line).ends_with(local) || !take_word(line).ends_with(remote)) continue;
        for (int skipped = 0; skipped < 4; ++skipped)
            take_word(line);  // st, queues, timer, retransmits
        const std::string_view word = take_word(line);
        uid_t uid = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), uid);
        if (error == std::errc() && end == word.data() + word.size()) return uid;
    }
    return std::nullopt;
}

std::optional<uid_t> find_loopback_owner(std::uint16_t peer_port, std::uint16_t our_port) {
    for (const char* name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(name, std::ios::binary);
        const std::string table((std::istreambuf_iterator<char>(file)), {});
        if (const auto uid = parse_loopback_owner(table, peer_port, our_port)) return uid;
    }
    return std::nullopt;
}

}  // namespace gatehouse::net
