#include "claim_grants.hpp"

#include "gatehouse/http/bearer.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/wildcard.hpp"

#include <utility>

namespace gatehouse::authz {
namespace {

constexpr const char* kInvoke = "execute-api:Invoke";

}  // namespace

// Compiled straight away: it saves every miss of a default authorizer a JSON tree, and a method ARN
// may be longer (1600 bytes) than what an author may write as Resource (512).
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

Result<ClaimGrants> ClaimGrants::make(const ClaimRules& rules) {
    ClaimGrants grants;
    auto context = ContextMap::make(rules.context);
    if (!context) return std::move(context).error();
    grants.context_ = std::move(*context);
    grants.method_resource_ = rules.method_resource;
    if (rules.statements.is_null()) return grants;
    if (rules.method_resource)
        return fail(Errc::config_invalid, "/resource: not together with statements");
    auto statements = StatementSet::make(rules.statements);
    if (!statements) return std::move(statements).error();
    grants.statements_ = std::move(*statements);
    return grants;
}

Result<std::vector<ContextItem>> ClaimGrants::context(const Json& claims,
                                                      jwt::CheckTrail* trail) const {
    auto context = context_.apply(claims);
    if (trail != nullptr) {
        trail->add("context",
                   context.has_value(),
                   "claims that can be text",
                   context ? std::string_view("they can") : context.error().detail);
    }
    return context;
}

Result<policy::DocumentPtr> ClaimGrants::policy(const Json& claims,
                                                const AuthorizerEvent& event,
                                                std::vector<std::string>& left_out) const {
    if (statements_)
        return statements_->make_policy(claims, event.stage_prefix, event.method_arn, &left_out);
    // A '*' that a client puts into its path must stay a star: the grant is cached and judged
    // again.
    if (method_resource_) {
        auto made = make_allow(policy::escape_wildcard(event.method_arn));
        if (!made) return std::move(made).error();
        return std::make_shared<const policy::Document>(std::move(*made));
    }
    return whole_stage_->find_or_make(
        event.stage_prefix, [&] { return make_allow(policy::make_stage_arn(event.stage_prefix)); });
}

bool ClaimGrants::narrower_than_stage() const noexcept {
    return method_resource_ || (statements_ && statements_->uses_method_arn());
}

void describe(const ClaimRules& rules, Json& into) {
    into["context"] = Json::array();
    for (const ContextRule& rule : rules.context) {
        into["context"].push_back({{"key", rule.key},
                                   {"claim", rule.claim},
                                   {"default", rule.default_value.value_or(Json())},
                                   {"join", rule.join}});
    }
    into["resource"] = rules.method_resource ? "method" : "stage";
    into["statements"] = rules.statements;
}

std::optional<std::string_view> find_token(const AuthorizerEvent& event, jwt::CheckTrail* trail) {
    auto token = http::find_bearer_token(event.authorization_token);
    const bool bare = event.authorization_token.find(' ') == std::string_view::npos;
    if (!token && event.may_be_bare && bare) token = event.authorization_token;
    if (trail != nullptr) {
        trail->add("scheme",
                   token.has_value(),
                   "Bearer and one token",
                   token ? "Bearer and one token" : "something else");
    }
    return token;
}

}  // namespace gatehouse::authz
