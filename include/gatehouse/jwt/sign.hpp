#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/jwt/algorithm.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::jwt {

/// A private key that mints tokens, for `gatehouse token`, the demo's issuer and tests; the gateway
/// itself holds none. Immutable; may be shared between threads. Never shows its private part.
class SigningKey {
  public:
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;
    ~SigningKey();

    const std::string& kid() const noexcept;
    Algorithm algorithm() const noexcept;

    /// The public half as a JWK with kid, alg and use "sig" (RFC 7517 4).
    const Json& public_jwk() const noexcept;

    /// {"keys":[public_jwk()]}, as a provider publishes it.
    std::string key_set() const;

    /// A JWS signature over any bytes (RFC 7515 5.1), not yet base64url; ECDSA as R||S.
    /// Errc::signing_key_invalid
    Result<std::string> sign(std::string_view signing_input) const;

    /// A compact JWS whose header has alg, kid and typ. Nothing of `claims` is checked.
    /// Errc::signing_key_invalid
    Result<std::string> mint(const Json& claims, std::string_view type = "JWT") const;

    struct Impl;
    explicit SigningKey(std::unique_ptr<Impl> impl) noexcept;

  private:
    std::unique_ptr<Impl> impl_;
};

/// Makes a key from the system's randomness: RSA of 2048 bits, P-256, P-384, P-521 or Ed25519, as
/// `algorithm` asks.
/// @param kid  empty: the RFC 7638 thumbprint
/// @return Errc::signing_key_invalid
Result<SigningKey> generate_signing_key(Algorithm algorithm, std::string kid = {});

/// Reads a private JWK (RFC 7517) or an unencrypted PEM: PKCS#8, SEC1 or PKCS#1. The key must pass
/// the rules for verification keys.
/// @param algorithm  must fit the key; nullopt: the JWK's `alg`, else RS256, the curve's ES
/// algorithm or EdDSA
/// @param kid        empty: the JWK's `kid`, else the thumbprint
/// @return Errc::signing_key_invalid, with the reason and no key bytes as detail
Result<SigningKey> parse_signing_key(std::string_view text,
                                     std::optional<Algorithm> algorithm = std::nullopt,
                                     std::string kid = {});

}  // namespace gatehouse::jwt
