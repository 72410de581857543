#pragma once

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

// What client and upstream share: time, loopback addresses, and the little of HTTP that they read.
namespace gatehouse::bench {

std::uint64_t now_ns();

[[noreturn]] void die(const char* what);

sockaddr_in loopback(int port);

void no_delay(int fd);

/// Value of a field of a head; empty when it has none. Names in any letter case, since proxies
/// change it.
std::string_view find_field(std::string_view head, std::string_view name);

/// Content-Length of a head; nullopt when it has none.
std::optional<std::uint64_t> content_length(std::string_view head);

/// Bytes of a chunked body at the beginning of `bytes`: of the content, and of all; nullopt while
/// it is not whole.
struct Chunked {
    std::uint64_t content;
    std::size_t all;
};

std::optional<Chunked> measure_chunked(std::string_view bytes);

/// CPU time that a process's threads have had, by the scheduler's accounting, in ns.
std::uint64_t cpu_ns(int pid);

}  // namespace gatehouse::bench
