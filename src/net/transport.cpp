#include "transport.hpp"

#include "tls_context.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

IoResult system_result(ssize_t outcome) noexcept {
    if (outcome > 0) return {IoStatus::done, static_cast<std::size_t>(outcome)};
    if (outcome == 0) return {IoStatus::closed, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return {IoStatus::would_block, 0};
    // A reset is no end: content that runs until the close was cut short by it (RFC 9112 8).
    return {IoStatus::failed, 0};
}

// The C library's recv() and send() are points where a thread may be cancelled, which nobody does
// here, and each call pays for it twice.
ssize_t receive(int socket, char* data, std::size_t size) noexcept {
    return ::syscall(SYS_recvfrom, socket, data, size, 0, nullptr, nullptr);
}

ssize_t transmit(int socket, std::string_view bytes) noexcept {
    return ::syscall(SYS_sendto, socket, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

constexpr std::size_t kRecord = 16384;  // RFC 8446 5.1

int clamp_size(std::size_t size) noexcept {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

void tune(int socket, const boost::asio::ip::address& peer) noexcept {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (peer.is_loopback()) ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

IoResult Transport::read(char* data, std::size_t size) noexcept {
    if (ssl_) {
        ERR_clear_error();
        const int outcome = SSL_read(ssl_.get(), data, clamp_size(size));
        IoResult result = tls_result(outcome);
        // A key update that cannot be answered now is when the peer takes what is written to it.
        if (result.status == IoStatus::want_write) result.status = IoStatus::would_block;
        // OpenSSL reads record by record: only when it wants more is the socket known to be empty.
        last_read_ = result.status == IoStatus::would_block ? LastRead::empty : LastRead::full;
        return result;
    }
    ssize_t outcome = 0;
    do {
        outcome = receive(socket_.native_handle(), data, size);
    } while (outcome < 0 && errno == EINTR);
    const IoResult result = system_result(outcome);
    last_read_ = result.status == IoStatus::would_block ? LastRead::empty
                 : result.bytes < size                  ? LastRead::partial
                                                        : LastRead::full;
    return result;
}

IoResult Transport::splice_into(Pipe& pipe, std::size_t most) noexcept {
    ssize_t outcome = 0;
    do {
        outcome = ::splice(socket_.native_handle(),
                           nullptr,
                           pipe.ends_.write,
                           nullptr,
                           most,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    } while (outcome < 0 && errno == EINTR);
    const IoResult result = system_result(outcome);
    // An empty pipe has room, so that it is the socket which has nothing. How much the pipe takes
    // is a matter of pages: less than was asked for says nothing.
    last_read_ = result.status == IoStatus::would_block ? LastRead::empty : LastRead::full;
    pipe.held_ += result.bytes;
    return result;
}

IoResult Transport::splice_out_of(Pipe& pipe) noexcept {
    ssize_t outcome = 0;
    do {
        outcome = ::splice(pipe.ends_.read,
                           nullptr,
                           socket_.native_handle(),
                           nullptr,
                           pipe.held_,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    } while (outcome < 0 && errno == EINTR);
    const IoResult result = system_result(outcome);
    pipe.held_ -= result.bytes;
    return result;
}

bool Transport::has_ended() noexcept {
    char byte = 0;
    const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Transport::is_silent() noexcept {
    char byte = 0;
    const bool silent = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
                        (errno == EAGAIN || errno == EWOULDBLOCK);
    if (silent) last_read_ = LastRead::empty;
    return silent;
}

// tcp(7) calls it SIOCOUTQ; the number is the same.
int Transport::unsent() noexcept {
    int bytes = 0;
    return ::ioctl(socket_.native_handle(), TIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

IoResult Transport::write(std::string_view first, std::string_view second) noexcept {
    if (ssl_) {
        if (first.empty()) return second.empty() ? IoResult{} : write_tls(second);
        if (second.empty() || first.size() >= kRecord) return write_tls(first);
        // One record and one send for both. What has to be repeated is put together as before.
        std::array<char, kRecord> joined;
        const std::size_t from_second = std::min(second.size(), kRecord - first.size());
        std::copy_n(first.data(), first.size(), joined.data());
        std::copy_n(second.data(), from_second, joined.data() + first.size());
        return write_tls({joined.data(), first.size() + from_second});
    }
    if (second.empty()) return system_result(transmit(socket_.native_handle(), first));
    iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                      {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = first.empty() ? parts + 1 : parts;
    message.msg_iovlen = first.empty() ? 1 : 2;
    return system_result(::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL));
}

IoResult Transport::write_tls(std::string_view bytes) noexcept {
    ERR_clear_error();
    IoResult result = tls_result(SSL_write(ssl_.get(), bytes.data(), clamp_size(bytes.size())));
    if (result.status == IoStatus::want_write) result.status = IoStatus::would_block;
    write_begun_ = result.status == IoStatus::would_block;
    return result;
}

IoResult Transport::tls_result(int outcome) noexcept {
    if (outcome > 0) return {IoStatus::done, static_cast<std::size_t>(outcome)};
    switch (SSL_get_error(ssl_.get(), outcome)) {
        case SSL_ERROR_WANT_READ:
            return {IoStatus::would_block, 0};
        case SSL_ERROR_WANT_WRITE:
            return {IoStatus::want_write, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {IoStatus::closed, 0};
        default:
            return {IoStatus::failed,
                    0};  // a cut without close_notify lands here: a truncation is not an end
    }
}

bool Transport::make_ssl(SSL_CTX* context) {
    ssl_.reset(SSL_new(context));
    if (!ssl_) return false;
    SSL_set_mode(ssl_.get(),
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                     SSL_MODE_RELEASE_BUFFERS);
    return SSL_set_fd(ssl_.get(), socket_.native_handle()) == 1;
}

bool Transport::start_client_tls(SSL_CTX* context, const std::string& host) {
    if (context == nullptr || !make_ssl(context) || !expect_name(ssl_.get(), host)) return false;
    SSL_set_connect_state(ssl_.get());
    return true;
}

bool Transport::start_server_tls(SSL_CTX* context) {
    if (context == nullptr || !make_ssl(context)) return false;
    SSL_set_accept_state(ssl_.get());
    return true;
}

IoStatus Transport::handshake() noexcept {
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_.get());
    const IoStatus status = outcome == 1 ? IoStatus::done : tls_result(outcome).status;
    last_read_ = status == IoStatus::would_block ? LastRead::empty : LastRead::full;
    return status;
}

std::string Transport::tls_error() const {
    if (!ssl_) return {};
    const long verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
    const unsigned long code = ERR_peek_last_error();
    if (code == 0) return "the peer ended the handshake";
    std::array<char, 200> text{};
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

void Transport::close() noexcept {
    boost::system::error_code ignored;
    // Not once the socket is closed: its number may be another connection's by now.
    if (ssl_ && socket_.is_open() && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
    socket_.close(ignored);
}

void Transport::reset() noexcept {
    boost::system::error_code ignored;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

void Transport::shutdown_send() noexcept {
    boost::system::error_code ignored;
    if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());  // close_notify
    socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace gatehouse::net
