#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/algorithm.hpp"
#include "gatehouse/jwt/check_trail.hpp"
#include "gatehouse/jwt/jwks.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::jwt {

/// What is expected of tokens of one issuer.
struct Provider {
    std::string issuer;
    std::vector<std::string> audience;
    AlgorithmSet algorithms;
    bool any_audience = false;  ///< aud is judged elsewhere, or not at all
};

struct Rules {
    std::chrono::seconds clock_skew{0};
    bool require_expiration = true;
    bool require_key_id = true;
    bool require_subject = true;
    /// A token without aud is judged by client_id, as HTTP APIs do for Cognito's access tokens.
    bool client_id_as_audience = false;
};

class HeaderMemo;  // header_memo.hpp

struct Verified {
    Json claims;
    std::size_t provider = 0;  ///< index of the provider that it was verified for
    std::string kid;
    std::string key_thumbprint;
    std::optional<WallTime> expires;     ///< exp, skew not added
    std::optional<WallTime> not_before;  ///< nbf
};

/// A token's parts before anything is believed of them: enough to choose the provider and to know
/// whether its keys are at hand. Views point into the token.
struct Unverified {
    std::size_t provider = 0;
    Algorithm algorithm = Algorithm::rs256;
    std::string kid;  ///< empty: none
    Json claims;
    std::string_view signing_input;
    std::string signature;
};

/// Reads a compact JWS strictly (RFC 7515 7.1, RFC 8725; security.md 6): three canonical base64url
/// parts, at most 16 KiB, header and claims one JSON object each without duplicate members, alg on
/// the provider's list, no crit or b64, iss one of the providers. Order of checks: form, header,
/// claims form, issuer, algorithm, kid. Errc: token_too_large, token_malformed,
/// token_header_invalid, token_critical, token_type_refused, token_claims_invalid,
/// token_issuer_unknown, token_algorithm_refused, token_kid_missing
/// @param headers  when not null, spares reading a header again that was found good before
Result<Unverified> read_token(std::string_view token,
                              std::span<const Provider> providers,
                              const Rules& rules,
                              CheckTrail* trail = nullptr,
                              HeaderMemo* headers = nullptr);

/// Verifies the signature with a key of `keys` (the key set of token.provider) and then the claims
/// at `now`. Comparisons (RFC 7519 4.1.4, 4.1.5): rejected on or after exp + skew, before nbf -
/// skew; iat later than now + skew is refused. Errc: token_key_unknown, token_key_unfit,
/// token_signature_invalid, token_audience_refused, token_expiry_missing, token_expired,
/// token_not_yet_valid, token_issued_in_future, token_subject_missing, token_claims_invalid
Result<Verified> verify_token(Unverified token,
                              const Provider& provider,
                              const Rules& rules,
                              const KeySet& keys,
                              WallTime now,
                              CheckTrail* trail = nullptr);

/// Judges claims that need no signature, since their issuer itself has sent them (RFC 7662): iss
/// where the provider names one, then as verify_token. Errc: token_issuer_unknown, and those of
/// verify_token that are about claims
Result<Verified> verify_claims(Json claims,
                               const Provider& provider,
                               const Rules& rules,
                               WallTime now,
                               CheckTrail* trail = nullptr);

}  // namespace gatehouse::jwt
