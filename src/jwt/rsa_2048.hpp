#pragma once

#include "evp.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::jwt {

/// A public key of RSA with a modulus of 2048 bits and the exponent 65537, as nearly all are that
/// sign tokens, by which a signature of RS256 is verified in less than half the time that EVP
/// takes. The arithmetic is our own, by AVX-512 IFMA; it computes with nothing secret. Immutable;
/// shared between threads.
class Rsa2048 {
  public:
    static constexpr std::size_t kBytes = 256;  ///< of the modulus, a signature, an encoded message
    using Number = std::array<unsigned char, kBytes>;  ///< big-endian

    /// @return nullptr when EVP has to verify: the key is of another kind, size or exponent, the
    /// processor has no AVX-512 IFMA or computes otherwise than OpenSSL, OpenSSL is to compute in
    /// its FIPS module alone (which this would pass by); or when there is no memory
    static std::unique_ptr<const Rsa2048> make(const EVP_PKEY& key) noexcept;

    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2.2) over SHA-256 of `signing_input`. Any `signature`.
    bool verifies(std::string_view signing_input, std::string_view signature) const noexcept;

    /// The same over a digest.
    bool verifies_digest(const Sha256& digest, std::string_view signature) const noexcept;

    /// signature^65537 modulo n (RFC 8017 5.2.2, RSAVP1). Nothing when `signature` is not of kBytes
    /// or not below n.
    std::optional<Number> raise(std::string_view signature) const noexcept;

  private:
    // Digits of radix 2^52, the lowest first, in five registers of eight; and what may be read
    // behind them, zero.
    static constexpr std::size_t kDigits = 40;

    struct alignas(64) Digits {
        std::array<std::uint64_t, kDigits + 8> at{};
    };

    Rsa2048() = default;
    static Digits read(const unsigned char* number) noexcept;
    bool set_up(const EVP_PKEY& key) noexcept;
    bool computes_like_openssl(const BIGNUM& n, BN_CTX* context) const noexcept;
    bool is_below_n(std::string_view signature) const noexcept;
    Digits power(std::string_view signature) const noexcept;
    void multiply(Digits& product, const Digits& a, const Digits& b) const noexcept;

    Digits n_;
    Digits radix_squared_;      // 2^(2 * 52 * kDigits) modulo n
    std::uint64_t factor_ = 0;  // -1 / n modulo 2^52
    Number modulus_{};
};

}  // namespace gatehouse::jwt
