#include "gatehouse/jwt/algorithm.hpp"

#include "schemes.hpp"

#include <openssl/rsa.h>

namespace gatehouse::jwt {
namespace {

constexpr Scheme kSchemes[kAlgorithmCount] = {
    {"RS256", Padding::pkcs1, "SHA256"},
    {"RS384", Padding::pkcs1, "SHA384"},
    {"RS512", Padding::pkcs1, "SHA512"},
    {"PS256", Padding::pss, "SHA256"},
    {"PS384", Padding::pss, "SHA384"},
    {"PS512", Padding::pss, "SHA512"},
    {"ES256", Padding::ecdsa, "SHA256"},
    {"ES384", Padding::ecdsa, "SHA384"},
    {"ES512", Padding::ecdsa, "SHA512"},
    {"EdDSA", Padding::eddsa, nullptr},
};

constexpr Curve kCurves[] = {
    {"P-256", "prime256v1", 32, Algorithm::es256},
    {"P-384", "secp384r1", 48, Algorithm::es384},
    {"P-521", "secp521r1", 66, Algorithm::es512},
};

}  // namespace

const Scheme& scheme_of(Algorithm algorithm) noexcept {
    return kSchemes[static_cast<std::size_t>(algorithm)];
}

const Curve* find_curve(std::string_view name) noexcept {
    for (const Curve& curve : kCurves) {
        if (curve.name == name) return &curve;
    }
    return nullptr;
}

const Curve* find_curve_of_group(std::string_view group) noexcept {
    for (const Curve& curve : kCurves) {
        if (curve.group == group) return &curve;
    }
    return nullptr;
}

const Curve* find_curve_of(Algorithm algorithm) noexcept {
    for (const Curve& curve : kCurves) {
        if (curve.algorithm == algorithm) return &curve;
    }
    return nullptr;
}

bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) noexcept {
    const Scheme& scheme = scheme_of(algorithm);
    if (scheme.padding == Padding::pkcs1) {
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    }
    if (scheme.padding != Padding::pss) return true;
    // RFC 7518 3.5: the salt is as long as the hash and MGF1 uses the same hash. "Auto" would take
    // any salt.
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, scheme.digest, nullptr) == 1;
}

std::optional<Algorithm> find_algorithm(std::string_view name) noexcept {
    for (int i = 0; i < kAlgorithmCount; ++i) {
        if (kSchemes[i].name == name) return static_cast<Algorithm>(i);
    }
    return std::nullopt;
}

std::string_view to_string(Algorithm algorithm) noexcept {
    return scheme_of(algorithm).name;
}

std::string AlgorithmSet::to_string() const {
    std::string names;
    for (int i = 0; i < kAlgorithmCount; ++i) {
        if (!has(static_cast<Algorithm>(i))) continue;
        if (!names.empty()) names += ", ";
        names += kSchemes[i].name;
    }
    return names;
}

}  // namespace gatehouse::jwt
