#pragma once

#include "gatehouse/core/result.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

struct FreeX509 {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

using Certificate = std::unique_ptr<X509, FreeX509>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeKey>;

/// The certificates of a PEM file in its order, at least one.
/// @return config_unreadable, or config_invalid; the detail goes on after the file's name
Result<std::vector<Certificate>> read_certificates(const std::string& path);

/// The first private key of a PEM file, which must not be encrypted.
/// @return the same errors
Result<PrivateKey> read_private_key(const std::string& path);

/// "expired at …", "is not valid before …", or nothing.
std::string fault_in_dates(const X509* certificate);

/// Puts a chain, its leaf first, and its key into a context. False: take_tls_reason() says why.
bool use_certificate(SSL_CTX* context, const std::vector<Certificate>& chain, EVP_PKEY* key);

/// Why the last call of OpenSSL failed, in its own words; empties its queue of errors.
std::string take_tls_reason();

}  // namespace gatehouse::net
