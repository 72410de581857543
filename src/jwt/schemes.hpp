#pragma once

#include "gatehouse/jwt/algorithm.hpp"

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::jwt {

enum class Padding : std::uint8_t { pkcs1, pss, ecdsa, eddsa };

/// One row per Algorithm: RFC 7518 3.3 to 3.5, RFC 8037 3.1.
struct Scheme {
    std::string_view name;
    Padding padding;
    const char* digest;  ///< OpenSSL's name; nullptr for EdDSA, which hashes by itself
};

/// A curve of RFC 7518 6.2.1.1. Each fits one algorithm alone: ES256 with a P-384 key does not
/// exist.
struct Curve {
    std::string_view name;
    const char* group;  ///< OpenSSL's name
    std::size_t bytes;  ///< of a coordinate, of r, of s
    Algorithm algorithm;
};

const Scheme& scheme_of(Algorithm algorithm) noexcept;

const Curve* find_curve(std::string_view name) noexcept;
const Curve* find_curve_of_group(std::string_view group) noexcept;

/// The curve of an ES algorithm, nullptr for any other.
const Curve* find_curve_of(Algorithm algorithm) noexcept;

/// Sets padding, salt length and MGF1 hash on a context made for this algorithm.
bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) noexcept;

}  // namespace gatehouse::jwt
