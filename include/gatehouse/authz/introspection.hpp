#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

struct IntrospectionOptions : ClaimRules {
    std::string endpoint;  ///< named in the fingerprint
    std::string client_id;
    std::string client_secret;
    bool secret_in_form = false;        ///< client_secret_post instead of client_secret_basic
    std::string issuer;                 ///< empty: not looked at
    std::vector<std::string> audience;  ///< empty: not looked at
    std::chrono::seconds clock_skew{0};
    bool require_expiration = false;
    bool require_subject = true;
};

/// What is sent to the endpoint. Both hold secrets.
struct IntrospectionRequest {
    std::string authorization;  ///< of the Authorization field; empty: none
    std::string form;           ///< application/x-www-form-urlencoded
};

/// The in-process authorizer `gatehouse:introspection` (RFC 7662): what is asked of the endpoint,
/// and what its answer means. Immutable, shared between threads. Asking is the caller's (app).
class Introspection {
  public:
    ~Introspection();
    Introspection(Introspection&&) noexcept;

    /// Errc::config_invalid, detail with a JSON pointer below the authorizer's `introspection`.
    static Result<Introspection> make(IntrospectionOptions options);

    /// Step 1: the token in the identity value, and the question (RFC 7662 2.1, RFC 6749 2.3.1).
    /// Errc: token_not_bearer, token_too_large
    Result<IntrospectionRequest> ask(const AuthorizerEvent& event, jwt::CheckTrail* trail) const;

    /// Step 2: reads a 200's answer (RFC 7662 2.2) and makes the grant. Errc:
    /// introspection_invalid; token_inactive; token_issuer_unknown, token_audience_refused,
    /// token_expiry_missing, token_expired, token_not_yet_valid, token_issued_in_future,
    /// token_subject_missing, token_claim_unusable
    Result<Grant> grant(std::string_view content_type,
                        std::string_view body,
                        const AuthorizerEvent& event,
                        WallTime now,
                        jwt::CheckTrail* trail) const;

    /// Everything a grant is built from, as text; no secret.
    std::string fingerprint() const;

    /// As JwtAuthorizer's.
    bool narrower_than_stage() const noexcept;

  private:
    struct Impl;
    explicit Introspection(std::unique_ptr<Impl> impl);
    std::unique_ptr<const Impl> impl_;
};

}  // namespace gatehouse::authz
