#include "gatehouse/authz/jwt_authorizer.hpp"

#include "bounded_expression.hpp"
#include "claim_grants.hpp"
#include "gatehouse/jwt/header_memo.hpp"
#include "user_pool.hpp"

#include <span>
#include <utility>

namespace gatehouse::authz {
namespace {

Json describe(const jwt::Provider& provider) {
    return {{"issuer", provider.issuer},
            {"audience", provider.audience},
            {"algorithms", provider.algorithms.to_string()}};
}

}  // namespace

struct JwtAuthorizer::Impl {
    JwtAuthorizerOptions options;
    ClaimGrants grants;
    std::unique_ptr<re2::RE2> audience;
    mutable jwt::HeaderMemo headers;

    Json show_claims(Json claims, std::span<const ContextItem> items) const {
        switch (options.claims_form) {
            case ClaimsForm::http_api:
                return stringify_claims_for_http(std::move(claims));
            case ClaimsForm::typed:
                return claims;
            default:
                return stringify_claims(std::move(claims), items);
        }
    }
};

JwtAuthorizer::JwtAuthorizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

JwtAuthorizer::JwtAuthorizer(JwtAuthorizer&&) noexcept = default;
JwtAuthorizer::~JwtAuthorizer() = default;

Result<JwtAuthorizer> JwtAuthorizer::make(JwtAuthorizerOptions options) {
    auto impl = std::make_unique<Impl>();
    auto grants = ClaimGrants::make(options);
    if (!grants) return std::move(grants).error();
    impl->grants = std::move(*grants);
    if (!options.audience_expression.empty()) {
        impl->audience = make_expression(options.audience_expression);
        if (!impl->audience->ok())
            return fail(Errc::config_invalid,
                        "/identityValidationExpression: " + impl->audience->error());
    }
    impl->options = std::move(options);
    return JwtAuthorizer(std::move(impl));
}

const JwtAuthorizerOptions& JwtAuthorizer::options() const noexcept {
    return impl_->options;
}

Result<jwt::Unverified> JwtAuthorizer::read(const AuthorizerEvent& event,
                                            jwt::CheckTrail* trail) const {
    const auto token = find_token(event, trail);
    if (!token) return fail(Errc::token_not_bearer);
    return jwt::read_token(
        *token, impl_->options.providers, impl_->options.rules, trail, &impl_->headers);
}

Result<Grant> JwtAuthorizer::grant(jwt::Unverified token,
                                   const AuthorizerEvent& event,
                                   const jwt::KeySet& keys,
                                   WallTime now,
                                   jwt::CheckTrail* trail) const {
    const auto& providers = impl_->options.providers;
    if (token.provider >= providers.size()) return fail(Errc::token_issuer_unknown);
    const jwt::Provider& provider = providers[token.provider];
    auto verified =
        jwt::verify_token(std::move(token), provider, impl_->options.rules, keys, now, trail);
    if (!verified) return std::move(verified).error();
    if (impl_->options.user_pools)
        return make_user_pool_grant(
            std::move(verified).value(), event, impl_->audience.get(), trail);
    const Json& claims = verified->claims;

    const auto subject = get_string(claims, "sub");
    const bool known = subject && !subject->empty();
    if (!known && impl_->options.rules.require_subject) return fail(Errc::token_subject_missing);
    auto context = impl_->grants.context(claims, trail);
    if (!context) return std::move(context).error();
    Grant grant;
    auto policy = impl_->grants.policy(claims, event, grant.left_out);
    if (!policy) return std::move(policy).error();
    if (known) grant.principal_id = *subject;
    grant.scopes = read_scopes(claims);
    grant.claims = impl_->show_claims(std::move(verified->claims), *context);
    grant.typed_claims = impl_->options.claims_form == ClaimsForm::typed;
    grant.context = std::move(*context);
    grant.policy = std::move(*policy);
    grant.issued_for = event.method_arn;
    grant.expires = verified->expires;
    grant.not_before = verified->not_before;
    grant.key_thumbprint = std::move(verified->key_thumbprint);
    grant.kid = std::move(verified->kid);
    return grant;
}

std::string JwtAuthorizer::fingerprint() const {
    const JwtAuthorizerOptions& options = impl_->options;
    Json text = {{"providers", Json::array()},
                 {"clockSkew", options.rules.clock_skew.count()},
                 {"requireExpiration", options.rules.require_expiration},
                 {"requireKeyId", options.rules.require_key_id},
                 {"requireSubject", options.rules.require_subject},
                 {"clientIdAsAudience", options.rules.client_id_as_audience},
                 {"claimsForm", static_cast<int>(options.claims_form)},
                 {"userPools", options.user_pools},
                 {"audienceExpression", options.audience_expression}};
    describe(options, text);
    for (const jwt::Provider& provider : options.providers)
        text["providers"].push_back(describe(provider));
    return dump_json(text);
}

bool JwtAuthorizer::narrower_than_stage() const noexcept {
    return impl_->grants.narrower_than_stage();
}

}  // namespace gatehouse::authz
