#pragma once

#include "pipes.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::net {

enum class IoStatus { done, would_block, want_write, closed, failed };

struct IoResult {
    IoStatus status = IoStatus::done;
    std::size_t bytes = 0;
};

/// What every socket of the data plane gets: no delay, and on loopback, where nothing can congest,
/// reno instead of bbr, which only paces (1 MB bodies: 14 to 24 % less CPU). What a listening
/// socket has, those that it accepts have from it (Linux).
void tune(int socket, const boost::asio::ip::address& peer) noexcept;

/// What is waited for: the rest of a message that has begun, or something that nobody has begun.
enum class Expect { more, news };

/// A worker's socket. Its executor is the loop's own, a pointer; that of tcp::socket, for a loop of
/// any kind, adds 48 bytes to each idle connection.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// A non-blocking byte stream over one TCP socket, TLS or not, used by readiness: wait until it can
/// be read or written, then do it. So no buffer is held while waiting, and the two kinds of stream
/// need no templates.
class Transport {
  public:
    /// Takes a socket that is non-blocking: the server accepts them so, and connecting makes them
    /// so.
    explicit Transport(Socket socket) : socket_(std::move(socket)) {}

    Socket& socket() noexcept { return socket_; }

    /// Reads what is there, at most `size` bytes.
    IoResult read(char* data, std::size_t size) noexcept;

    /// Writes as much of first + second as the kernel takes, in one call where it can.
    IoResult write(std::string_view first, std::string_view second = {}) noexcept;

    /// Moves what is there into an empty pipe, at most `most` bytes. Without TLS only. `failed` may
    /// mean that the kernel cannot do it with this socket: reading tells.
    IoResult splice_into(Pipe& pipe, std::size_t most) noexcept;

    /// Moves on what a pipe holds, as far as the kernel takes it. Without TLS only.
    IoResult splice_out_of(Pipe& pipe) noexcept;

    /// True when all that was announced has been read, so that only a new edge can bring more. A
    /// read that gave less than it asked for has emptied the socket, but for a FIN that may have
    /// come with the last bytes: enough where no more of a message is due.
    bool is_drained(Expect expect) const noexcept {
        return last_read_ == LastRead::empty ||
               (last_read_ == LastRead::partial && expect == Expect::news);
    }

    /// Takes note that there may be something to read.
    void announce() noexcept { last_read_ = LastRead::full; }

    /// Asks the kernel whether the peer has neither sent nor closed.
    bool is_silent() noexcept;

    /// Bytes that were written and that the peer has not acknowledged yet.
    int unsent() noexcept;

    /// Asks the kernel whether the peer has closed and nothing it sent is unread.
    bool has_ended() noexcept;

    /// Bytes that TLS has taken from the socket already: no readiness will announce them. False
    /// when the last read found nothing whole: then only the socket can bring more.
    bool has_pending() const noexcept {
        return ssl_ && last_read_ != LastRead::empty && SSL_has_pending(ssl_.get()) == 1;
    }

    /// A write of TLS is half done: the same bytes must be written again, and more may follow them.
    bool has_begun_write() const noexcept { return write_begun_; }

    template <class Handler>
    void wait_readable(Handler&& handler) {
        socket_.async_wait(Socket::wait_read, std::forward<Handler>(handler));
    }

    template <class Handler>
    void wait_writable(Handler&& handler) {
        socket_.async_wait(Socket::wait_write, std::forward<Handler>(handler));
    }

    /// Begins TLS as a client: `host` is sent as SNI and verified against the certificate (RFC
    /// 9525). False when OpenSSL refuses.
    bool start_client_tls(SSL_CTX* context, const std::string& host);

    /// Begins TLS as a server. False when OpenSSL refuses.
    bool start_server_tls(SSL_CTX* context);

    /// True before the peer's first byte of a handshake was read.
    bool is_before_handshake() const noexcept {
        return ssl_ && BIO_number_read(SSL_get_rbio(ssl_.get())) == 0;
    }

    /// The peer's certificate, owned by the connection; null: none.
    const X509* peer_certificate() const noexcept {
        return ssl_ ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
    }

    /// Forgets TLS after a handshake that failed: the socket's bytes are read away as they are.
    void forget_tls() noexcept { ssl_.reset(); }

    /// Goes on with the handshake: done, would_block (wait for reading), want_write, or failed.
    IoStatus handshake() noexcept;

    /// Why TLS failed, for logs and traces.
    std::string tls_error() const;

    bool secure() const noexcept { return ssl_ != nullptr; }

    void close() noexcept;

    /// Closes with a reset, so that no peer takes a message cut short for a whole one.
    void reset() noexcept;

    /// No more will be sent; the peer's last bytes may still be read.
    void shutdown_send() noexcept;

  private:
    struct FreeSsl {
        void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    };

    bool make_ssl(SSL_CTX* context);
    IoResult tls_result(int outcome) noexcept;
    IoResult write_tls(std::string_view bytes) noexcept;

    enum class LastRead : unsigned char { full, partial, empty };

    Socket socket_;
    bool write_begun_ = false;
    LastRead last_read_ = LastRead::empty;  // a fresh socket's first wait looks once by itself
    std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace gatehouse::net
