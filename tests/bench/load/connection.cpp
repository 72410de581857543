#include "connection.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gatehouse::bench {
namespace {

const std::string kFiller(256 * 1024, 'x');

}  // namespace

Connection::Connection(int poll, int socket, Kind role, SSL_CTX* tls)
    : Watched{role, socket}, poll_(poll) {
    if (tls != nullptr) {
        ssl_ = SSL_new(tls);
        SSL_set_fd(ssl_, fd);
        SSL_set_connect_state(ssl_);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = static_cast<Watched*>(this);
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
}

Connection::~Connection() {
    SSL_free(ssl_);
    ::close(fd);
}

void Connection::arm(bool for_writing) {
    if (armed_ == for_writing) return;
    armed_ = for_writing;
    epoll_event event{};
    event.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = static_cast<Watched*>(this);
    epoll_ctl(poll_, EPOLL_CTL_MOD, fd, &event);
}

bool Connection::send(std::string_view text, std::uint64_t filler) {
    text_ = text;
    filler_ = filler;
    return flush();
}

bool Connection::flush() {
    while (!sent_all()) {
        const bool in_text = !text_.empty();
        const std::size_t most =
            in_text ? text_.size()
                    : static_cast<std::size_t>(std::min<std::uint64_t>(filler_, kFiller.size()));
        const ssize_t sent = write(in_text ? text_.data() : kFiller.data(), most);
        if (sent < 0) return false;
        if (sent == 0) {
            arm(true);
            return true;
        }
        if (in_text) {
            text_.remove_prefix(static_cast<std::size_t>(sent));
        } else {
            filler_ -= static_cast<std::uint64_t>(sent);
        }
    }
    arm(false);
    return true;
}

ssize_t Connection::write(const char* from, std::size_t size) {
    if (ssl_ != nullptr) {
        const int done = SSL_write(ssl_, from, static_cast<int>(size));
        if (done > 0) return done;
        const int why = SSL_get_error(ssl_, done);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    const ssize_t done = ::send(fd, from, size, MSG_NOSIGNAL);
    return done < 0 && (errno == EAGAIN || errno == ENOTCONN) ? 0 : done;
}

ssize_t Connection::read(char* into, std::size_t most) {
    if (ssl_ != nullptr) {
        const int done = SSL_read(ssl_, into, static_cast<int>(most));
        if (done > 0) return done;
        const int why = SSL_get_error(ssl_, done);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return -1;
        return sent_all() || flush() ? 0 : -1;  // a handshake that can go on
    }
    const ssize_t done = ::recv(fd, into, most, 0);
    if (done < 0 && errno == EAGAIN) return 0;
    return done > 0 ? done : -1;
}

bool Connection::has_more() const {
    return ssl_ != nullptr && SSL_has_pending(ssl_) != 0;
}

}  // namespace gatehouse::bench
