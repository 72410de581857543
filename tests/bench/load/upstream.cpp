#include "upstream.hpp"

#include "wire.hpp"

#include <algorithm>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace gatehouse::bench {
namespace {

constexpr std::uint64_t kInOnePiece = 65536;  // of an answer: head and content in one send
constexpr std::string_view kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr std::string_view kUnauthorized = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

}  // namespace

Upstream::Upstream(int poll, const Options& options) : poll_(poll), options_(options) {
    const std::uint64_t at_once = std::min(options.body, kInOnePiece);
    answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
              std::to_string(options.body) + "\r\n\r\n" +
              std::string(static_cast<std::size_t>(at_once), 'x');
    filler_ = options.body - at_once;
    for (const int port : options.upstreams)
        listen(port);
}

void Upstream::listen(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const sockaddr_in address = loopback(port);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        die("gatehouse_load: bind");
    if (::listen(fd, 4096) != 0) die("gatehouse_load: listen");
    listeners_.push_back(std::make_unique<Watched>(Watched{Watched::Kind::listener, fd}));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = listeners_.back().get();
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
}

void Upstream::accept(const Watched& listener) {
    for (;;) {
        const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        no_delay(fd);
        connections_.push_back(
            std::make_unique<Connection>(poll_, fd, Watched::Kind::server, nullptr));
        connections_.back()->place = connections_.size() - 1;
    }
}

void Upstream::drop(Connection& connection) {
    const std::size_t place = connection.place;
    connections_.back()->place = place;
    std::swap(connections_[place], connections_.back());
    connections_.pop_back();
}

void Upstream::on_ready(Connection& connection) {
    const bool open = connection.sent_all() || connection.flush();
    if (!open || !read(connection)) drop(connection);
}

bool Upstream::read(Connection& connection) {
    static char buffer[256 * 1024];
    // One read each time: the poll tells of what is left, so that one large body starves nobody.
    const ssize_t got = connection.read(buffer, sizeof(buffer));
    if (got < 0) return false;
    return got == 0 || take(connection, {buffer, static_cast<std::size_t>(got)});
}

bool Upstream::take(Connection& connection, std::string_view bytes) {
    while (!bytes.empty()) {
        if (connection.in_body) {
            const auto part = std::min<std::uint64_t>(connection.skip, bytes.size());
            bytes.remove_prefix(static_cast<std::size_t>(part));
            connection.skip -= part;
            if (connection.skip == 0 && !answer(connection)) return false;
            continue;
        }
        std::string_view text = bytes;
        const std::size_t before = connection.in.size();
        if (before > 0) text = connection.in.append(bytes);
        const std::size_t end = text.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            if (before == 0) connection.in = bytes;
            return connection.in.size() < 65536;
        }
        const bool open = take_head(connection, text.substr(0, end + 4));
        bytes.remove_prefix(end + 4 - before);
        connection.in.clear();
        if (!open) return false;
    }
    return true;
}

bool Upstream::take_head(Connection& connection, std::string_view head) {
    if (head.starts_with("GET /auth")) {
        const bool named = !find_field(head, "Authorization").empty();
        return connection.send(named ? kNoContent : kUnauthorized, 0);
    }
    ++requests;
    // A sample: looking at each would make the load program the slower one.
    if (!options_.expect.empty() && requests % 64 == 1 &&
        head.find(options_.expect) == std::string_view::npos) {
        ++errors;
    }
    connection.skip = head.starts_with("POST") ? content_length(head).value_or(0) : 0;
    if (connection.skip != options_.post && options_.target != 0) ++errors;
    if (connection.skip == 0) return answer(connection);
    connection.in_body = true;
    return true;
}

bool Upstream::answer(Connection& connection) {
    connection.in_body = false;
    return connection.send(answer_, filler_);
}

}  // namespace gatehouse::bench
