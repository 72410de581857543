#include "gatehouse/jwt/digest.hpp"

#include "evp.hpp"

#include <openssl/crypto.h>

#include <stdexcept>

namespace gatehouse::jwt {
namespace {

// Fetched once: a fetch by name costs more than the hash of a token. Never freed, because OpenSSL
// tears itself down at exit in an order of its own.
const EVP_MD* sha256_method() {
    static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return kMethod;
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
    Sha256 digest;
    // An all-zero digest would let one cache entry answer for another's token.
    if (!hash_sha256(bytes, digest)) throw std::runtime_error("SHA-256 is not available");
    return digest;
}

bool hash_sha256(std::string_view bytes, Sha256& digest) noexcept {
    static thread_local DigestContextPtr context(EVP_MD_CTX_new());
    unsigned int length = 0;
    return context && EVP_DigestInit_ex2(context.get(), sha256_method(), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
           EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1 &&
           length == digest.size();
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
    Sha256 digest;
    std::size_t length = 0;
    const unsigned char* done =
        EVP_Q_mac(nullptr,
                  "HMAC",
                  nullptr,
                  "SHA256",
                  nullptr,
                  key.data(),
                  key.size(),
                  reinterpret_cast<const unsigned char*>(bytes.data()),  // chars as bytes
                  bytes.size(),
                  digest.data(),
                  digest.size(),
                  &length);
    if (done == nullptr || length != digest.size())
        throw std::runtime_error("HMAC-SHA-256 is not available");
    return digest;
}

std::string to_hex(const Sha256& digest) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(digest.size() * 2);
    for (const unsigned char byte : digest) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::string short_digest(std::string_view secret) {
    return to_hex(sha256(secret)).substr(0, 8);
}

bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace gatehouse::jwt
