#include "tls_context.hpp"

#include "gatehouse/net/client_tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/x509v3.h>

namespace gatehouse::net {

SslContext make_client_context() {
    SslContext context(SSL_CTX_new(TLS_client_method()));
    if (!context) return context;
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(context.get());
    return context;
}

SslContext take_client_context(const ClientTls* tls) {
    return tls == nullptr ? make_client_context() : SslContext(tls->take_context());
}

bool expect_name(SSL* ssl, const std::string& host) {
    boost::system::error_code is_name;
    boost::asio::ip::make_address(host, is_name);
    if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 &&
           SSL_set1_host(ssl, host.c_str()) == 1;
}

}  // namespace gatehouse::net
