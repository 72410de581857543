#pragma once

#include "evp.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/jwt/algorithm.hpp"

#include <cstdint>
#include <string>

// From a JWK to an EVP_PKEY and back (RFC 7517, 7518 section 6, 8037). Errors are
// Errc::jwks_invalid with the reason as detail, which never holds key bytes.
namespace gatehouse::jwt {

enum class KeyHalf : std::uint8_t { public_half, private_half };

/// Builds the key after checking its members: RSA of 2048 to 8192 bits with an odd exponent of 3 or
/// more and at most 33 bits, EC points on P-256, P-384 or P-521, Ed25519. Private members of a JWK
/// read for its public half are never looked at.
Result<PkeyPtr> make_pkey(const Json& jwk, KeyHalf half);

/// The members that RFC 7638 3.2 hashes, in canonical form: {"e","kty","n"}, {"crv","kty","x","y"}
/// or {"crv","kty","x"}.
Result<Json> public_members(const EVP_PKEY& pkey);

/// RFC 7638, SHA-256, base64url.
std::string thumbprint_of(const Json& public_members);

/// What kty and crv allow, the JWK's other members aside.
AlgorithmSet algorithms_of(const Json& public_members);

/// Narrows `algorithms` by `alg`, `use` and `key_ops` of the JWK (RFC 7517 4.2 to 4.4).
/// `operation`: "verify" or "sign".
/// @return what is left, or the reason why nothing is
Result<AlgorithmSet> narrow_by_purpose(AlgorithmSet algorithms,
                                       const Json& jwk,
                                       std::string_view operation);

/// "RSA 2048", "EC P-256", "OKP Ed25519".
std::string name_of(const EVP_PKEY& pkey, const Json& public_members);

}  // namespace gatehouse::jwt
