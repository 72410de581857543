#include "gatehouse/jwt/seal.hpp"

#include "evp.hpp"
#include "gatehouse/core/base64url.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace gatehouse::jwt {
namespace {

using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

// The first byte of what is sealed: another form will have another.
constexpr char kForm = 1;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr std::size_t kAround = 1 + kNonce + kTag;
constexpr std::size_t kMost = 64ULL * 1024 * 1024;  // EVP counts in int

std::string_view text_of(const Sha256& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

const EVP_CIPHER* cipher() {
    static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    return kCipher;
}

}  // namespace

// Extract, then the first block of expand: one byte counts the blocks.
Sha256 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info) {
    const Sha256 extracted = hmac_sha256(salt, secret);
    return hmac_sha256(text_of(extracted), std::string(info) + '\x01');
}

Seal::Seal(std::string_view secret)
    : naming_(hkdf_sha256(secret, "gatehouse shared state", "names")),
      sealing_(hkdf_sha256(secret, "gatehouse shared state", "values")) {}

std::string Seal::name(std::initializer_list<std::string_view> parts) const {
    std::string text;
    // With their lengths, so that no two lists look alike.
    for (const std::string_view part : parts)
        text.append(std::to_string(part.size())).append(":").append(part);
    return encode_base64url(text_of(hmac_sha256(text_of(naming_), text)));
}

Sha256 Seal::key_for(std::string_view name) const {
    return hmac_sha256(text_of(sealing_), name);
}

std::string Seal::seal(std::string_view name, std::string_view text) const {
    const QuietErrors quiet;
    if (text.size() > kMost) throw std::runtime_error("too long to be sealed");
    const Sha256 key = key_for(name);
    std::string sealed(kAround + text.size(), kForm);
    unsigned char* nonce = bytes_of(sealed) + 1;
    unsigned char* body = nonce + kNonce;
    int length = 0;
    const CipherPtr context(EVP_CIPHER_CTX_new());
    const bool done =
        RAND_bytes(nonce, kNonce) == 1 &&
        EVP_EncryptInit_ex2(context.get(), cipher(), key.data(), nonce, nullptr) == 1 &&
        EVP_EncryptUpdate(
            context.get(), nullptr, &length, bytes_of(name), static_cast<int>(name.size())) == 1 &&
        EVP_EncryptUpdate(
            context.get(), body, &length, bytes_of(text), static_cast<int>(text.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), body + length, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, body + text.size()) == 1;
    if (!done) throw std::runtime_error("AES-256-GCM is not available");
    return sealed;
}

std::optional<std::string> Seal::open(std::string_view name, std::string_view sealed) const {
    const QuietErrors quiet;
    if (sealed.size() < kAround || sealed.size() > kMost || sealed.front() != kForm)
        return std::nullopt;
    const Sha256 key = key_for(name);
    const unsigned char* nonce = bytes_of(sealed) + 1;
    const std::string_view body = sealed.substr(1 + kNonce, sealed.size() - kAround);
    std::string tag(sealed.substr(sealed.size() - kTag));
    std::string text(body.size(), '\0');
    int length = 0;
    const CipherPtr context(EVP_CIPHER_CTX_new());
    // INVARIANT: no byte leaves before the tag was verified.
    const bool done =
        EVP_DecryptInit_ex2(context.get(), cipher(), key.data(), nonce, nullptr) == 1 &&
        EVP_DecryptUpdate(
            context.get(), nullptr, &length, bytes_of(name), static_cast<int>(name.size())) == 1 &&
        EVP_DecryptUpdate(context.get(),
                          bytes_of(text),
                          &length,
                          bytes_of(body),
                          static_cast<int>(body.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(context.get(), bytes_of(text) + length, &length) == 1;
    if (!done) return std::nullopt;
    return text;
}

}  // namespace gatehouse::jwt
