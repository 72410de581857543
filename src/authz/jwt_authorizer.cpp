#include "gatehouse/authz/jwt_authorizer.hpp"

#include "claims_context.hpp"
#include "gatehouse/http/bearer.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/wildcard.hpp"
#include "statements.hpp"

#include <span>
#include <utility>

namespace gatehouse::authz {
namespace {

constexpr const char* kInvoke = "execute-api:Invoke";

// {"Version":…,"Statement":[{Allow, execute-api:Invoke, pattern}]}, compiled straight away: it
// saves every miss of a default authorizer a JSON tree, and a method ARN may be longer (1600 bytes)
// than what an author may write as Resource (512).
Result<policy::Document> make_allow(std::string_view pattern) {
    auto resource = policy::Wildcard::make(pattern);
    if (!resource) return std::move(resource).error();
    policy::Document document;
    document.text = R"({"Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":)";
    document.text += quote_json(pattern);
    document.text += R"(}],"Version":"2012-10-17"})";
    policy::Statement& statement = document.statements.emplace_back();
    statement.effect = policy::Effect::allow;
    statement.actions.emplace_back(kInvoke);
    statement.covers_invoke = true;
    statement.resources.push_back(std::move(*resource));
    return document;
}

Json describe(const jwt::Provider& provider) {
    return {{"issuer", provider.issuer},
            {"audience", provider.audience},
            {"algorithms", provider.algorithms.to_string()}};
}

Json describe(const ContextRule& rule) {
    return {{"key", rule.key},
            {"claim", rule.claim},
            {"default", rule.default_value.value_or(Json())},
            {"join", rule.join}};
}

}  // namespace

struct JwtAuthorizer::Impl {
    JwtAuthorizerOptions options;
    ContextMap context;
    std::optional<StatementSet> statements;

    Result<policy::Document> make_policy(const Json& claims,
                                         const AuthorizerEvent& event,
                                         std::vector<std::string>& left_out) const {
        if (statements)
            return statements->make_policy(claims, event.stage_prefix, event.method_arn, &left_out);
        // A '*' that a client puts into its path must stay a star: the grant is cached and judged
        // again.
        if (options.method_resource) return make_allow(policy::escape_wildcard(event.method_arn));
        return make_allow(policy::make_stage_arn(event.stage_prefix));
    }

    Json show_claims(const Json& claims, std::span<const ContextItem> items) const {
        switch (options.claims_form) {
            case ClaimsForm::http_api:
                return stringify_claims_for_http(claims);
            case ClaimsForm::typed:
                return claims;
            default:
                return stringify_claims(claims, items);
        }
    }
};

JwtAuthorizer::JwtAuthorizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

JwtAuthorizer::JwtAuthorizer(JwtAuthorizer&&) noexcept = default;
JwtAuthorizer::~JwtAuthorizer() = default;

Result<JwtAuthorizer> JwtAuthorizer::make(JwtAuthorizerOptions options) {
    auto impl = std::make_unique<Impl>();
    auto context = ContextMap::make(options.context);
    if (!context) return std::move(context).error();
    impl->context = std::move(*context);
    if (!options.statements.is_null()) {
        if (options.method_resource) {
            return fail(Errc::config_invalid, "/resource: not together with statements");
        }
        auto statements = StatementSet::make(options.statements);
        if (!statements) return std::move(statements).error();
        impl->statements = std::move(*statements);
    }
    impl->options = std::move(options);
    return JwtAuthorizer(std::move(impl));
}

const JwtAuthorizerOptions& JwtAuthorizer::options() const noexcept {
    return impl_->options;
}

Result<jwt::Unverified> JwtAuthorizer::read(const AuthorizerEvent& event,
                                            jwt::CheckTrail* trail) const {
    auto token = http::find_bearer_token(event.authorization_token);
    const bool bare = event.authorization_token.find(' ') == std::string_view::npos;
    if (!token && event.may_be_bare && bare) token = event.authorization_token;
    if (trail != nullptr) {
        trail->push_back({"scheme",
                          token.has_value(),
                          "Bearer and one token",
                          token ? "Bearer and one token" : "something else"});
    }
    if (!token) return fail(Errc::token_not_bearer);
    return jwt::read_token(*token, impl_->options.providers, impl_->options.rules, trail);
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
    const Json& claims = verified->claims;

    const auto subject = get_string(claims, "sub");
    const bool known = subject && !subject->empty();
    if (!known && impl_->options.rules.require_subject) return fail(Errc::token_subject_missing);
    auto context = impl_->context.apply(claims);
    if (trail != nullptr) {
        trail->push_back({"context",
                          context.has_value(),
                          "claims that can be text",
                          context ? "they can" : context.error().detail});
    }
    if (!context) return std::move(context).error();
    Grant grant;
    auto policy = impl_->make_policy(claims, event, grant.left_out);
    if (!policy) return std::move(policy).error();
    if (known) grant.principal_id = *subject;
    grant.claims = impl_->show_claims(claims, *context);
    grant.typed_claims = impl_->options.claims_form == ClaimsForm::typed;
    grant.context = std::move(*context);
    grant.scopes = read_scopes(claims);
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
                 {"context", Json::array()},
                 {"resource", options.method_resource ? "method" : "stage"},
                 {"statements", options.statements}};
    for (const jwt::Provider& provider : options.providers)
        text["providers"].push_back(describe(provider));
    for (const ContextRule& rule : options.context)
        text["context"].push_back(describe(rule));
    return dump_json(text);
}

bool JwtAuthorizer::narrower_than_stage() const noexcept {
    if (impl_->options.method_resource) return true;
    const auto& statements = impl_->statements;
    return statements && statements->uses_method_arn();
}

}  // namespace gatehouse::authz
