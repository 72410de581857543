#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <string>
#include <string_view>

// Owners of OpenSSL objects. The EVP interface of OpenSSL 3 is used, and not RSA_* and EC_KEY_*,
// which are deprecated. p256_table.cpp and rsa_2048.cpp compute with points and numbers themselves,
// and say why.
namespace gatehouse::jwt {

template <auto free_function>
struct Freed {
    template <class T>
    void operator()(T* object) const noexcept {
        free_function(object);
    }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;

inline const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

inline unsigned char* bytes_of(std::string& text) noexcept {
    return reinterpret_cast<unsigned char*>(text.data());
}

/// OpenSSL is to compute in its FIPS module alone, which arithmetic of ours would pass by.
inline bool is_fips_wanted() noexcept {
    return EVP_default_properties_is_fips_enabled(nullptr) == 1;
}

/// Whatever fails in its scope leaves no entry in this thread's OpenSSL error queue, where the next
/// TLS read would find it.
class QuietErrors {
  public:
    QuietErrors() = default;
    QuietErrors(const QuietErrors&) = delete;
    QuietErrors& operator=(const QuietErrors&) = delete;

    ~QuietErrors() {
        if (ERR_peek_error() != 0) ERR_clear_error();
    }
};

}  // namespace gatehouse::jwt
