#include "name_query.hpp"

#include "gatehouse/core/limits.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <ares.h>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <poll.h>
#include <utility>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Two rounds, the second twice as long: within connectInMillis by default where there is one name
// server.
constexpr int kTimeoutMillis = 900;
constexpr int kRounds = 2;
// The C library tells no TTL.
constexpr std::chrono::seconds kUntold{10};

struct Servers {
    std::mutex mutex;
    std::string list;  ///< with commas between them; empty: the system's
};

// Never destroyed: a thread that is left behind may still come to it while the program ends.
Servers& configured() {
    static auto* const kServers = new Servers;
    return *kServers;
}

std::string servers() {
    const std::lock_guard lock(configured().mutex);
    return configured().list;
}

struct FreeChannel {
    void operator()(ares_channeldata* channel) const noexcept { ares_destroy(channel); }
};

using Channel = std::unique_ptr<ares_channeldata, FreeChannel>;

boost::system::error_code to_error(int status) {
    switch (status) {
        case ARES_SUCCESS:
            return {};
        case ARES_ENOTFOUND:
        case ARES_ENODATA:
            return asio::error::host_not_found;
        case ARES_ENOMEM:
            return asio::error::no_memory;
        default:
            return asio::error::host_not_found_try_again;
    }
}

Channel open_channel(const std::string& list) {
    static const int kReady = ares_library_init(ARES_LIB_INIT_ALL);
    if (kReady != ARES_SUCCESS) return nullptr;
    ares_options options{};
    options.timeout = kTimeoutMillis;
    options.tries = kRounds;
    ares_channel channel = nullptr;
    if (ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) != ARES_SUCCESS)
        return nullptr;
    Channel owned(channel);
    if (!list.empty() && ares_set_servers_ports_csv(channel, list.c_str()) != ARES_SUCCESS)
        return nullptr;
    return owned;
}

struct Query {
    NameAnswer answer;
    bool done = false;
};

void add_addresses(const ares_addrinfo& found, NameAnswer& answer) {
    int ttl = static_cast<int>(limits::kNameTimeMost.count());
    for (const ares_addrinfo_cname* name = found.cnames; name != nullptr; name = name->next)
        ttl = std::min(ttl, name->ttl);
    for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
        tcp::endpoint endpoint;
        if (node->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), node->ai_addr, node->ai_addrlen);
        endpoint.resize(node->ai_addrlen);
        const bool known = std::ranges::find(answer.found, endpoint) != answer.found.end();
        if (!known) answer.found.push_back(endpoint);
        ttl = std::min(ttl, node->ai_ttl);
    }
    answer.ttl = std::max(limits::kNameTimeLeast, std::chrono::seconds(ttl));
}

void on_answer(void* context, int status, int /*timeouts*/, ares_addrinfo* found) {
    Query& query = *static_cast<Query*>(context);
    query.done = true;
    query.answer.error = to_error(status);
    if (status == ARES_SUCCESS && found != nullptr) add_addresses(*found, query.answer);
    if (found != nullptr) ares_freeaddrinfo(found);
    if (!query.answer.error && query.answer.found.empty())
        query.answer.error = asio::error::host_not_found;
}

// Waits for the channel's sockets, of which there may be any number in the process: no select.
void await(ares_channeldata* channel) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int ready = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
    std::array<pollfd, ARES_GETSOCK_MAXNUM> waits{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const unsigned bits = static_cast<unsigned>(ready) >> i;
        const bool reads = (bits & 1U) != 0;
        const bool writes = (bits >> ARES_GETSOCK_MAXNUM & 1U) != 0;
        if (!reads && !writes) continue;
        waits[count++] = {
            sockets[i], static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0};
    }
    timeval most{kTimeoutMillis / 1000, kTimeoutMillis % 1000 * 1000};
    timeval left{};
    const timeval* wait = ares_timeout(channel, &most, &left);
    const auto millis = static_cast<int>(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
    ::poll(waits.data(), count, millis);
    for (std::size_t i = 0; i < count; ++i) {
        const bool reads = (waits[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
        const bool writes = (waits[i].revents & POLLOUT) != 0;
        ares_process_fd(
            channel, reads ? waits[i].fd : ARES_SOCKET_BAD, writes ? waits[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what has taken too long
}

NameAnswer ask_servers(const std::string& host, const std::string& port, const std::string& list) {
    Query query;
    const Channel channel = open_channel(list);
    if (!channel) {
        query.answer.error = asio::error::no_memory;
        return query.answer;
    }
    ares_addrinfo_hints hints{};
    hints.ai_flags = ARES_AI_NUMERICSERV;
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel.get(), host.c_str(), port.c_str(), &hints, on_answer, &query);
    while (!query.done)
        await(channel.get());
    return query.answer;
}

NameAnswer ask_library(const std::string& host, const std::string& port) {
    NameAnswer answer;
    asio::io_context io(1);
    tcp::resolver resolver(io);
    for (const auto& entry : resolver.resolve(host, port, answer.error))
        answer.found.push_back(entry.endpoint());
    answer.ttl = kUntold;
    return answer;
}

}  // namespace

void use_name_servers(const std::vector<std::string>& servers) {
    const std::lock_guard lock(configured().mutex);
    configured().list.clear();
    for (const std::string& server : servers)
        configured().list += (configured().list.empty() ? "" : ",") + server;
}

NameAnswer query_name(const std::string& host, const std::string& port) {
    const std::string list = servers();
    NameAnswer answer = ask_servers(host, port, list);
    // Without a name server to be asked, there is no other source either.
    if (answer.error == asio::error::host_not_found && list.empty()) return ask_library(host, port);
    return answer;
}

}  // namespace gatehouse::net
