#pragma once

#include "gatehouse/core/result.hpp"

#include <openssl/ssl.h>

#include <memory>

namespace gatehouse::net {

struct FreeSslContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;

/// For connections to upstreams and issuers: TLS 1.2 or newer, the peer's certificate verified
/// against the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR are honoured by OpenSSL).
SslContext make_client_context();

}  // namespace gatehouse::net
