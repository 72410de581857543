#include "gatehouse/authz/request_identity.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/jwt/algorithm.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr auto kAlgorithms = std::to_array<std::string_view>(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"});

std::string fault_in_type(std::string_view text) {
    constexpr std::string_view kTypes[] = {"TOKEN", "REQUEST", "COGNITO_USER_POOLS", "JWT"};
    if (std::ranges::find(kTypes, text) != std::end(kTypes)) return {};
    if (text == "AWS_IAM")
        return "is no authorizer to define: a route says \"authorizer\": \"AWS_IAM\"";
    return "is " + in_quotes(text) + "; allowed: " + list_quoted(kTypes) + suggest(text, kTypes);
}

constexpr const char* kUris =
    "; allowed: \"gatehouse:jwt\", \"gatehouse:introspection\", a function's ARN, or its URL of "
    "the Lambda Invoke API";

std::string fault_in_authorizer_uri(std::string_view text) {
    constexpr std::string_view kForms[] = {"gatehouse:jwt", "gatehouse:introspection"};
    if (std::ranges::find(kForms, text) != std::end(kForms)) return {};
    return "is " + in_quotes(text) + kUris + suggest(text, kForms);
}

// API Gateway developer guide, "Configure an API Gateway Lambda authorizer": a TOKEN authorizer has
// one header as its source.
std::string fault_in_identity_source(std::string_view text) {
    constexpr std::string_view kPrefix = "method.request.header.";
    if (text.starts_with(kPrefix) && is_token(text.substr(kPrefix.size()))) return {};
    std::string fault =
        "is " + in_quotes(text) +
        "; a TOKEN or Cognito authorizer takes exactly one header: \"method.request.header.NAME\"";
    if (is_token(text) && text.find('.') == std::string_view::npos) {
        fault += "; did you mean \"method.request.header." + std::string(text) + "\"?";
    }
    return fault;
}

std::string fault_in_identity_sources(std::string_view text) {
    const auto identity = authz::RequestIdentity::make(text);
    if (!identity) return "is " + in_quotes(text) + ": " + identity.error().detail;
    return identity->empty() ? "is empty; leave it away when there is none" : "";
}

JwksSettings read_jwks(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kJwks, source);
    JwksSettings jwks;
    reader.read_duration("refreshInSeconds", jwks.refresh, 1, 86400);
    reader.read_duration("cooldownInSeconds", jwks.cooldown, 1, 3600);
    reader.read_duration("maxStaleInSeconds", jwks.max_stale, 0, 604800);
    reader.read_duration("timeoutInMillis", jwks.timeout, 50, 30000);
    if (jwks.max_stale < jwks.refresh) {
        source.problem(pointer,
                       "\"maxStaleInSeconds\" is below \"refreshInSeconds\": keys would expire "
                       "between two refreshes");
    }
    return jwks;
}

void read_key_source(ObjectReader& reader, JwtProvider& provider) {
    const bool has_uri = reader.has("jwksUri");
    const bool read = reader.read_checked("jwksUri", provider.jwks_uri, fault_in_jwks_uri);
    if (!has_uri && !provider.issuer.empty()) {
        const std::string fault = fault_in_issuer_url(provider.issuer);
        if (!fault.empty()) {
            reader.problem(
                "issuer", fault + ", so its keys cannot be discovered; name them with \"jwksUri\"");
        }
    }
    const std::string_view origin = read ? provider.jwks_uri : provider.issuer;
    if ((read || !has_uri) && is_plain_remote(origin)) {
        reader.source().warning(reader.at(has_uri ? "jwksUri" : "issuer"),
                                "keys come over plain http from another machine: whoever sits "
                                "between can replace them");
    }
}

JwtProvider read_provider(ObjectReader& reader) {
    JwtProvider provider;
    reader.require("issuer", "what the tokens' iss claim must equal");
    reader.read_checked("issuer", provider.issuer, fault_in_filled);
    const Json* audience =
        reader.require("audience", "a list of what the tokens' aud claim may contain");
    reader.read_list("audience", provider.audience, fault_in_filled);
    if (audience != nullptr && audience->is_array() && audience->empty()) {
        reader.problem("audience", "is empty: no token could pass; name at least one");
    }
    read_keys(reader, provider);
    const Json* algorithms = reader.find("algorithms");
    reader.read_list("algorithms", provider.algorithms, fault_in_algorithm);
    if (algorithms != nullptr && algorithms->is_array() && algorithms->empty()) {
        reader.problem("algorithms", "is empty: no token could pass; name at least one");
    }
    return provider;
}

void read_providers(ObjectReader& reader, JwtAuthorizer& jwt) {
    const Json* providers = reader.find("providers");
    if (providers == nullptr) {
        jwt.providers.push_back(read_provider(reader));
        return;
    }
    for (const std::string_view name : keys::kProvider) {
        reader.refuse(name, "\"providers\" is there; put it into an element of that list");
    }
    reader.each_element("providers", [&](const Json& value, const std::string& pointer) {
        ObjectReader provider(value, pointer, keys::kProvider, reader.source());
        if (value.is_object()) jwt.providers.push_back(read_provider(provider));
        const auto same = [&](const JwtProvider& other) {
            return other.issuer == jwt.providers.back().issuer;
        };
        if (!value.is_object() || jwt.providers.back().issuer.empty()) return;
        if (std::count_if(jwt.providers.begin(), jwt.providers.end(), same) > 1) {
            provider.problem(
                "issuer",
                "another element has this issuer already; a token's issuer must choose one");
        }
    });
    if (providers->is_array() && providers->empty())
        reader.problem("providers", "is empty; at least one is needed");
}

std::string fault_in_default(const Json& value, std::string_view join) {
    if (value.is_string()) return fault_in_constant(value.get_ref<const std::string&>());
    if (value.is_number() || value.is_boolean()) return {};
    if (!value.is_array())
        return "must be a string, a number, a boolean or a list of them, not " +
               std::string(name_type(value));
    for (const Json& element : value) {
        if (element.is_structured() || element.is_null())
            return "its elements must be strings, numbers or booleans";
        const std::string text =
            element.is_string() ? element.get<std::string>() : dump_json(element);
        if (!fault_in_constant(text).empty()) return fault_in_constant(text);
        if (text.find(join) != std::string::npos)
            return "an element contains the join string " + in_quotes(join);
    }
    return {};
}

ContextEntry read_context_entry(const std::string& key,
                                const Json& value,
                                const std::string& pointer,
                                Source& source) {
    ObjectReader reader(value, pointer, keys::kContextEntry, source);
    ContextEntry entry;
    entry.key = key;
    reader.require("claim", "the claim that the value comes from");
    reader.read_checked("claim", entry.claim, fault_in_claim);
    reader.read_checked("join", entry.join, [](std::string_view text) {
        return text.empty() ? std::string("is empty: a list's elements could not be told apart")
                            : fault_in_constant(text);
    });
    const Json* fallback = reader.find("default");
    if (fallback == nullptr || source.unresolved.contains(fallback)) return entry;
    std::string fault = fault_in_default(*fallback, entry.join);
    if (fault.empty()) {
        entry.default_value = *fallback;
    } else {
        reader.problem("default", std::move(fault));
    }
    return entry;
}

std::vector<ContextEntry> default_context() {
    return {{"userId", "sub", std::nullopt, ","},
            {"tenantId", "tenant_id", Json("default"), ","},
            {"roles", "roles", Json::array({"user"}), ","}};
}

void read_context(ObjectReader& reader, ClaimSettings& claims) {
    if (!reader.has("context")) claims.context = default_context();
    reader.each_member(
        "context", [&](const std::string& key, const Json& value, const std::string& pointer) {
            if (key.empty()) reader.source().problem(pointer, "a context key cannot be empty");
            claims.context.push_back(read_context_entry(key, value, pointer, reader.source()));
        });
}

void read_policy(ObjectReader& reader, ClaimSettings& claims) {
    constexpr std::string_view kResources[] = {"stage", "method"};
    const Json* statements = reader.find("statements");
    if (statements == nullptr) {
        reader.read_choice("resource", claims.resource, kResources);
        return;
    }
    reader.refuse("resource", "\"statements\" says what is allowed; take one of the two away");
    claims.resource.clear();
    claims.statements = *statements;
    check_statements(*statements, reader.at("statements"), reader.source());
}

void read_jwt_block(ObjectReader& reader, Authorizer& authorizer) {
    if (authorizer.function >= 0) {
        reader.refuse("jwt", "the function decides, not \"gatehouse:jwt\"");
        reader.refuse("introspection", "the function decides, not \"gatehouse:introspection\"");
        reader.refuse("limitToExpiration", "a function's result has no exp");
        return;
    }
    if (authorizer.authorizer_uri == "gatehouse:introspection") {
        reader.refuse("jwt", "\"gatehouse:introspection\" decides, not \"gatehouse:jwt\"");
        const Json* block = reader.require("introspection", "the endpoint to ask, and as whom");
        if (block != nullptr)
            authorizer.introspection =
                read_introspection(*block, reader.at("introspection"), reader.source());
        return;
    }
    if (authorizer.authorizer_uri == "gatehouse:jwt")
        reader.refuse("introspection",
                      "\"gatehouse:jwt\" decides, not \"gatehouse:introspection\"");
    if (authorizer.authorizer_uri != "gatehouse:jwt") {
        // The uri is at fault and reported; the block is still read, so that its problems come in
        // the same run.
        if (const Json* block = reader.find("jwt"))
            authorizer.jwt = read_jwt(*block, reader.at("jwt"), reader.source());
        return;
    }
    if (const Json* block = reader.require("jwt", "issuer and audience for \"gatehouse:jwt\"")) {
        authorizer.jwt = read_jwt(*block, reader.at("jwt"), reader.source());
    }
}

// Caching by nothing would give one caller's policy to all (CreateAuthorizer refuses it too).
void read_identity(ObjectReader& reader, Authorizer& authorizer) {
    if (authorizer.type == "TOKEN" || authorizer.type == "COGNITO_USER_POOLS") {
        reader.read_checked("identitySource", authorizer.identity_source, fault_in_identity_source);
        reader.read_checked("identityValidationExpression",
                            authorizer.identity_validation_expression,
                            fault_in_regex);
        return;
    }
    authorizer.identity_source.clear();
    const bool cached = authorizer.result_ttl.count() > 0;
    const bool absent = !reader.has("identitySource");
    if (absent && cached) {
        reader.source().problem(reader.pointer(),
                                "caches results and has no \"identitySource\" to tell callers "
                                "apart by; name it, or set \"authorizerResultTtlInSeconds\" to 0");
    }
    reader.read_checked("identitySource", authorizer.identity_source, fault_in_identity_sources);
    reader.refuse("identityValidationExpression", "a REQUEST authorizer has none");
}

void read_authorizer_uri(ObjectReader& reader,
                         const std::map<std::string, std::string>& stage_variables,
                         Authorizer& authorizer) {
    std::string written;
    if (!reader.read("authorizerUri", written)) return;
    Filled filled = fill_stage_variables(written, stage_variables);
    if (!filled.known) return;
    if (!filled.fault.empty()) return reader.problem("authorizerUri", std::move(filled.fault));
    const std::string uri = std::move(filled.text);
    if (names_function(uri)) {
        if (const auto function = find_function(uri, reader, "authorizerUri")) {
            authorizer.function = *function;
            authorizer.authorizer_uri = uri;
            authorizer.limit_to_expiration = false;
        }
        return;
    }
    std::string fault = fault_in_authorizer_uri(uri);
    if (!fault.empty()) return reader.problem("authorizerUri", std::move(fault));
    authorizer.authorizer_uri = uri;
}

// A REST API's sources; those of HTTP APIs are a list, and looked at where they are read.
void check_token_source(ObjectReader& reader, const Authorizer& authorizer) {
    const std::string_view uri = authorizer.authorizer_uri;
    if (authorizer.function >= 0 || uri.empty()) return;
    const std::string_view source = authorizer.identity_source;
    const bool carries_token = source.starts_with("method.request.header.") ||
                               source.starts_with("method.request.querystring.");
    const bool at_fault = source.empty() && reader.has("identitySource");  // and reported
    if (authorizer.type == "REQUEST" && !carries_token && !at_fault) {
        reader.problem("identitySource",
                       in_quotes(uri) +
                           " takes the token from the first source, which must be a "
                           "header or a query parameter");
    }
}

void read_timeout(ObjectReader& reader, std::chrono::milliseconds most, Authorizer& authorizer) {
    authorizer.timeout = most;
    reader.read_duration(
        "timeoutInMillis", authorizer.timeout, limits::kFunctionTimeLeast.count(), most.count());
    if (authorizer.function < 0 && !authorizer.authorizer_uri.empty())
        reader.refuse("timeoutInMillis", "no function is called");
}

// The service's own JWT authorizer of REST APIs ("JWT authorizers for REST APIs", 2026). Whether it
// has a cache to set is not known: it has none here, as on HTTP APIs.
void read_native_jwt(ObjectReader& reader, Authorizer& authorizer) {
    reader.read_checked("identitySource", authorizer.identity_source, fault_in_identity_source);
    for (const std::string_view name : {"authorizerUri", "timeoutInMillis", "jwt", "introspection"})
        reader.refuse(name, "a JWT authorizer calls nothing; it has \"jwtConfiguration\"");
    for (const std::string_view name : {"identityValidationExpression",
                                        "authorizerResultTtlInSeconds",
                                        "limitToExpiration",
                                        "requirePrincipalId"})
        reader.refuse(name, "a JWT authorizer has no such setting");
    for (const std::string_view name : {"providerARNs", "userPools"})
        reader.refuse(name, "only \"type\": \"COGNITO_USER_POOLS\" has user pools");
    const Json* value = reader.require("jwtConfiguration", "issuers and defaultAlgorithms");
    if (value != nullptr)
        authorizer.jwt = read_rest_jwt(*value, reader.at("jwtConfiguration"), reader.source());
}

}  // namespace

std::string fault_in_algorithm(std::string_view text) {
    if (jwt::find_algorithm(text)) return {};
    const std::string allowed = "; allowed: " + list_quoted(kAlgorithms);
    if (equals_ignoring_case(text, "none"))
        return "\"none\" would accept tokens that nobody signed" + allowed;
    if (text.size() > 2 && equals_ignoring_case(text.substr(0, 2), "HS")) {
        return in_quotes(text) +
               " uses a shared secret, and no HMAC exists in the verifier, so that a public key "
               "can never pass for one" +
               allowed;
    }
    return "is " + in_quotes(text) + allowed + suggest(text, kAlgorithms);
}

void read_keys(ObjectReader& reader, JwtProvider& provider) {
    read_key_source(reader, provider);
    if (const Json* jwks = reader.find("jwks"))
        provider.jwks = read_jwks(*jwks, reader.at("jwks"), reader.source());
}

void read_authorizer_function(ObjectReader& reader,
                              const std::map<std::string, std::string>& stage_variables,
                              std::chrono::milliseconds most,
                              Authorizer& authorizer) {
    read_authorizer_uri(reader, stage_variables, authorizer);
    read_timeout(reader, most, authorizer);
    read_jwt_block(reader, authorizer);
}

JwtAuthorizer read_jwt(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kJwt, source);
    JwtAuthorizer jwt;
    if (!value.is_object()) return jwt;
    read_providers(reader, jwt);
    reader.read("requireExpiration", jwt.require_expiration);
    reader.read("requireKeyId", jwt.require_key_id);
    read_claim_settings(reader, jwt);
    return jwt;
}

void read_claim_settings(ObjectReader& reader, ClaimSettings& claims) {
    reader.read_duration(
        "clockSkewInSeconds", claims.clock_skew, 0, limits::kClockSkewMost.count());
    read_context(reader, claims);
    read_policy(reader, claims);
}

Authorizer read_authorizer(const Json& value,
                           std::string name,
                           const std::string& pointer,
                           const std::map<std::string, std::string>& stage_variables,
                           Source& source) {
    ObjectReader reader(value, pointer, keys::kAuthorizer, source);
    Authorizer authorizer;
    authorizer.name = std::move(name);
    authorizer.pointer = pointer;
    if (!value.is_object()) return authorizer;
    reader.require("type", "\"TOKEN\", \"REQUEST\", \"COGNITO_USER_POOLS\" or \"JWT\"");
    const bool known = reader.read_checked("type", authorizer.type, fault_in_type);
    for (const std::string_view key : {"authorizerPayloadFormatVersion", "enableSimpleResponses"})
        reader.refuse(key, "that is an HTTP API's; a REST API has one payload");
    if (known && authorizer.type == "JWT") {
        read_native_jwt(reader, authorizer);
        return authorizer;
    }
    reader.refuse("jwtConfiguration", "only \"type\": \"JWT\" has one");
    reader.read_duration(
        "authorizerResultTtlInSeconds", authorizer.result_ttl, 0, limits::kResultTtlMost.count());
    // Rules of one type say nothing about another one.
    if (known) read_identity(reader, authorizer);
    reader.read("limitToExpiration", authorizer.limit_to_expiration);
    if (known && authorizer.type == "COGNITO_USER_POOLS") {
        read_user_pools(reader, authorizer);
        return authorizer;
    }
    for (const std::string_view key : {"providerARNs", "userPools"})
        reader.refuse(key, "only \"type\": \"COGNITO_USER_POOLS\" has user pools");
    reader.read("requirePrincipalId", authorizer.require_principal_id);
    if (known)
        reader.require("authorizerUri",
                       "\"gatehouse:jwt\", \"gatehouse:introspection\", or a function's ARN");
    read_authorizer_uri(reader, stage_variables, authorizer);
    check_token_source(reader, authorizer);
    read_timeout(reader, limits::kAuthorizerTime, authorizer);
    read_jwt_block(reader, authorizer);
    return authorizer;
}

}  // namespace gatehouse::config
