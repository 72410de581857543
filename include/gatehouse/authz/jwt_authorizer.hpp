#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// Where one context key comes from: a claim by name, or by JSON Pointer when it begins with '/'.
struct ContextRule {
    std::string key;
    std::string claim;
    std::optional<Json> default_value;
    std::string join = ",";
};

/// What becomes of a token's claims in the grant.
enum class ClaimsForm {
    strings,   ///< as Cognito shows them; lists joined with commas; overlaid by the context
    http_api,  ///< JWT authorizers of HTTP APIs: strings too, lists as "[a b]"
    typed,     ///< JWT authorizers of REST APIs: JSON as it is
};

/// What becomes of claims, however they came.
struct ClaimRules {
    std::vector<ContextRule> context;
    bool method_resource = false;  ///< "resource": "method"
    Json statements;               ///< null: one Allow of the stage or method ARN
};

struct JwtAuthorizerOptions : ClaimRules {
    std::vector<jwt::Provider> providers;
    jwt::Rules rules;
    ClaimsForm claims_form = ClaimsForm::strings;
    /// COGNITO_USER_POOLS: grants as src/authz/user_pool.hpp makes them, no claim rules.
    bool user_pools = false;
    std::string audience_expression;  ///< of user pools: RE2 for aud; empty: none
};

/// What the service would hand to an authorizer function of type TOKEN (API Gateway developer
/// guide, "Input to a Lambda authorizer").
struct AuthorizerEvent {
    std::string_view authorization_token;  ///< the whole identity value
    std::string_view method_arn;
    std::string_view stage_prefix;  ///< policy::make_stage_prefix of the stage
    bool may_be_bare = false;       ///< REQUEST, Cognito, JWT: the token alone, without "Bearer"
};

/// The in-process authorizer `gatehouse:jwt`: event in, grant out, as a function would give it.
/// Immutable, shared between threads. Finding the key set between the two steps is the caller's
/// (app), since only that may have to wait.
class JwtAuthorizer {
  public:
    ~JwtAuthorizer();
    JwtAuthorizer(JwtAuthorizer&&) noexcept;

    /// Compiles the context map and the statements. Errc::config_invalid, detail with a JSON
    /// pointer below the authorizer's `jwt`.
    static Result<JwtAuthorizer> make(JwtAuthorizerOptions options);

    const JwtAuthorizerOptions& options() const noexcept;

    /// Step 1: Bearer form and jwt::read_token. Errc: token_not_bearer and those of read_token.
    Result<jwt::Unverified> read(const AuthorizerEvent& event, jwt::CheckTrail* trail) const;

    /// Step 2: verifies with the provider's key set, maps claims to context, and makes the policy.
    /// Errc: those of verify_token, token_claim_unusable
    Result<Grant> grant(jwt::Unverified token,
                        const AuthorizerEvent& event,
                        const jwt::KeySet& keys,
                        WallTime now,
                        jwt::CheckTrail* trail) const;

    /// Everything a grant is built from, as text: part of the cache key's authorizer fingerprint.
    std::string fingerprint() const;

    /// The ARN patterns that any grant may be narrower than the stage by: true when one token's
    /// policy can differ per method
    /// ("resource": "method"), so that caching it earns the warning of the cache trap.
    bool narrower_than_stage() const noexcept;

  private:
    struct Impl;
    explicit JwtAuthorizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<const Impl> impl_;
};

}  // namespace gatehouse::authz
