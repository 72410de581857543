#pragma once

#include "gatehouse/core/result.hpp"
#include "gatehouse/jwt/algorithm.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::jwt {

/// A public key that may verify tokens. Shared between threads. Holds an EVP_PKEY and, per
/// algorithm it fits, an EVP_MD_CTX already initialised for verification, which is copied per use
/// (design: data plane 11). What it is and what it takes for valid never changes; a key of P-256
/// counts its first verifications and may get a table, once, which halves the time of those that
/// follow.
class PublicKey {
  public:
    ~PublicKey();
    PublicKey(const PublicKey&) = delete;
    PublicKey& operator=(const PublicKey&) = delete;

    const std::string& kid() const noexcept;  ///< empty: the key has none

    /// RFC 7638 thumbprint, base64url: what a grant remembers of the key that verified it.
    const std::string& thumbprint() const noexcept;

    /// kty, crv, `alg`, `use` and `key_ops` all allow this algorithm.
    bool fits(Algorithm algorithm) const noexcept;

    /// Verifies a JWS signature over `signing_input` (RFC 7515 5.2). ECDSA is R||S of exact length,
    /// 0 < r,s < n; PSS salt equals the hash. Errc::token_key_unfit, token_signature_invalid
    Errc verify(Algorithm algorithm,
                std::string_view signing_input,
                std::string_view signature) const noexcept;

    /// Makes the table by which a key of P-256 verifies in less than half the time (src/jwt/
    /// p256_table.hpp), when the key has verified enough to be worth it and this was not tried
    /// before; else returns at once. Takes some 18 ms and 150 KB: not for a worker, which may go on
    /// verifying by this key meanwhile.
    /// @return whether it was tried now, well or not
    bool make_table() const noexcept;

    bool has_table() const noexcept;

    /// "RSA 2048 RS256 kid=abc": for /report and traces.
    const std::string& describe() const noexcept;

    struct Impl;
    explicit PublicKey(std::unique_ptr<Impl> impl);

  private:
    std::unique_ptr<Impl> impl_;
};

/// A key set (RFC 7517). Immutable snapshot.
struct KeySet {
    std::vector<std::shared_ptr<const PublicKey>> keys;
    std::vector<std::string> skipped;  ///< why keys of the document are not used, one line each

    /// The key of that id; nullptr when there is none. Of several with one id, the first that fits
    /// `algorithm`, else the first.
    std::shared_ptr<const PublicKey> find(std::string_view kid, Algorithm algorithm) const noexcept;

    /// For tokens without kid: the only key that fits, nullptr when none or several do.
    std::shared_ptr<const PublicKey> only_fit(Algorithm algorithm) const noexcept;

    bool has_thumbprint(std::string_view thumbprint) const noexcept;
};

/// Parses a JWKS document. Unusable keys are skipped with a reason and never spoil the set
/// (security.md 6 and 7). Errc::jwks_invalid (not a key set at all), jwks_empty (no usable key)
Result<std::shared_ptr<const KeySet>> parse_key_set(std::string_view text);

/// What a discovery document says (OpenID Connect Discovery 1.0, 4.2).
/// @return jwks_uri. Errc::discovery_invalid, discovery_issuer_mismatch (issuer must equal byte for
/// byte)
Result<std::string> parse_discovery(std::string_view text, std::string_view issuer);

/// "https://issuer.example/" -> "https://issuer.example/.well-known/openid-configuration" (one
/// slash between).
std::string discovery_url(std::string_view issuer);

}  // namespace gatehouse::jwt
