#pragma once

#include "gatehouse/core/result.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace gatehouse::net {

class ClientTls;

struct FreeSslContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

/// For connections to upstreams and issuers: TLS 1.2 or newer, the peer's certificate verified
/// against the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR are honoured by OpenSSL).
SslContext make_client_context();

/// What `tls` has; null: make_client_context().
SslContext take_client_context(const ClientTls* tls);

/// The peer must be `host`, a name (RFC 9525) or an address literal; names go out in SNI (RFC 6066
/// 3: never literals).
/// @return false: OpenSSL had no memory for it
bool expect_name(SSL* ssl, const std::string& host);

}  // namespace gatehouse::net
