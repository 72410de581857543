#include "client_certificate.hpp"
#include "server_tls.hpp"
#include "session.hpp"

#include <spdlog/spdlog.h>

#include <string_view>
#include <utility>

// The handshake of a session on a TLS listener. It and the wait for the first byte of a request
// share headerInMillis.
namespace gatehouse::net {

void Session::begin_handshake(const ServerTls& tls) {
    phase_ = Phase::handshaking;
    client_facts_.secure = true;
    const SslContext context = tls.context();
    if (!client_.start_server_tls(context.get())) return handshake_failed("OpenSSL has no memory");
    arm_client_read(Expect::news);
}

void Session::shake_hands() {
    switch (client_.handshake()) {
        case IoStatus::done:
            if (const X509* shown = client_.peer_certificate()) {
                client_facts_.certificate = describe_certificate(shown);
                // Let in, it would look like a client without one.
                if (!client_facts_.certificate)
                    return handshake_failed("the client's certificate cannot be shown");
            }
            phase_ = Phase::idle;
            read_head();  // the request may have come with the handshake's end
            break;
        case IoStatus::would_block:
            arm_client_read(Expect::more);
            break;
        case IoStatus::want_write:
            // The handshake's own limit goes on.
            if (std::exchange(write_armed_, true)) break;
            client_.wait_writable([self = Ptr(this)](boost::system::error_code ec) {
                self->write_armed_ = false;
                if (ec == boost::asio::error::operation_aborted || self->phase_ == Phase::closed)
                    return;
                self->on_client_writable();
            });
            break;
        default:
            handshake_failed(client_.tls_error());
            break;
    }
}

// No answer: whoever is there has not shown that it can read one. An alert, which OpenSSL has
// written by now, must not be lost to a reset: what the client still sends is read away.
void Session::handshake_failed(std::string_view why) {
    ++worker_.gateway().metrics().tls_handshake_failures;
    spdlog::debug("TLS handshake with {} failed: {}", client_facts_.source_ip, why);
    const bool late = !down_timeout_.armed();
    client_.forget_tls();
    if (late) return close();
    linger();
}

}  // namespace gatehouse::net
