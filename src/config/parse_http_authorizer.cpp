// Authorizers of HTTP APIs: JWT, and REQUEST with payload 1.0 or 2.0 (API Gateway developer guide,
// "Control and manage access to HTTP APIs"), and jwtConfiguration, which REST APIs have too.
#include "gatehouse/authz/request_identity.hpp"
#include "gatehouse/core/ascii.hpp"
#include "http_api.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>
#include <span>

namespace gatehouse::config {
namespace {

// "The service supports RSA-based algorithms": PS256 and its like are not known to be among them.
constexpr auto kRsa = std::to_array<std::string_view>({"RS256", "RS384", "RS512"});

std::string fault_in_http_type(std::string_view text) {
    constexpr std::string_view kTypes[] = {"JWT", "REQUEST"};
    if (std::ranges::find(kTypes, text) != std::end(kTypes)) return {};
    return "is " + in_quotes(text) + "; an HTTP API has " + list_quoted(kTypes) +
           suggest(text, kTypes);
}

std::string fault_in_source(std::string_view text) {
    if (text.find(',') != std::string_view::npos)
        return "is " + in_quotes(text) + ": one source is one element of the list";
    const std::string source(text);
    const auto identity = authz::RequestIdentity::make_for_http(std::span(&source, 1));
    return identity ? std::string() : "is " + in_quotes(text) + ": " + identity.error().detail;
}

std::string fault_in_jwt_source(std::string_view text) {
    const bool request =
        text.starts_with("$request.header.") || text.starts_with("$request.querystring.");
    if (!request)
        return "is " + in_quotes(text) +
               "; a token comes from \"$request.header.NAME\" or \"$request.querystring.NAME\"";
    return fault_in_source(text);
}

std::string join(const std::vector<std::string>& sources) {
    std::string text;
    for (const std::string& source : sources)
        text += (text.empty() ? "" : ",") + source;
    return text;
}

// The list of `audience` or `audiences`, which must be there and not be empty.
void read_audience(ObjectReader& reader, std::string_view name, JwtProvider& provider) {
    const Json* list = reader.require(name, "a list of what the tokens' aud claim may contain");
    reader.read_list(name, provider.audience, fault_in_filled);
    if (list != nullptr && list->is_array() && list->empty())
        reader.problem(name, "is empty: no token could pass; name at least one");
}

void read_issuer(ObjectReader& reader, JwtProvider& provider) {
    reader.require("issuer", "what the tokens' iss claim must equal");
    reader.read_checked("issuer", provider.issuer, fault_in_filled);
}

// JWT authorizers take a good token for the whole API: nothing is mapped, nothing narrowed.
JwtAuthorizer make_jwt() {
    JwtAuthorizer jwt;
    jwt.resource = "stage";
    return jwt;
}

// A token is verified anew on the service. Here what was verified is kept until its exp: the same
// answer, at less cost. nbf and exp are looked at each time.
void refuse_cache_keys(ObjectReader& reader, const char* why) {
    reader.refuse("authorizerResultTtlInSeconds", why);
    reader.refuse("limitToExpiration", why);
}

void read_format(ObjectReader& reader, Authorizer& authorizer) {
    if (authorizer.authorizer_uri.empty()) return;  // reported
    if (authorizer.function < 0) {
        constexpr const char* kWhy = "no function is called that a payload could be sent to";
        reader.refuse("authorizerPayloadFormatVersion", kWhy);
        reader.refuse("enableSimpleResponses", kWhy);
        return;
    }
    constexpr std::string_view kFormats[] = {"1.0", "2.0"};
    std::string format;
    reader.require("authorizerPayloadFormatVersion", "\"1.0\" or \"2.0\"");
    reader.read_choice("authorizerPayloadFormatVersion", format, kFormats);
    authorizer.payload_format = format == "1.0" ? PayloadFormat::http_1_0 : PayloadFormat::http_2_0;
    reader.read("enableSimpleResponses", authorizer.simple_responses);
    if (authorizer.simple_responses && format == "1.0")
        reader.problem("enableSimpleResponses",
                       "is true: only \"authorizerPayloadFormatVersion\": \"2.0\" has simple "
                       "responses");
}

void read_sources(ObjectReader& reader, Authorizer& authorizer) {
    std::vector<std::string> sources;
    const bool read = reader.read_list("identitySource", sources, fault_in_source);
    if (read) authorizer.identity_source = join(sources);
    const bool absent = !reader.has("identitySource") || (read && sources.empty());
    if (absent && authorizer.result_ttl.count() > 0) {
        reader.source().problem(reader.pointer(),
                                "caches results and has no \"identitySource\" to tell callers "
                                "apart by; name it, or set \"authorizerResultTtlInSeconds\" to 0");
    }
    if (authorizer.function >= 0 || !reader.has("authorizerUri")) return;
    if (absent || (read && !fault_in_jwt_source(sources.front()).empty())) {
        reader.source().problem(
            reader.pointer(),
            in_quotes(authorizer.authorizer_uri) +
                " takes the token from the first "
                "\"identitySource\", which must be a header or a query parameter");
    }
}

void read_request(ObjectReader& reader,
                  const std::map<std::string, std::string>& stage_variables,
                  Authorizer& authorizer) {
    reader.refuse("jwtConfiguration", "a REQUEST authorizer has none");
    reader.read_duration(
        "authorizerResultTtlInSeconds", authorizer.result_ttl, 0, limits::kResultTtlMost.count());
    reader.read("limitToExpiration", authorizer.limit_to_expiration);
    reader.read("requirePrincipalId", authorizer.require_principal_id);
    reader.require("authorizerUri", "a function's ARN, or \"gatehouse:jwt\"");
    read_authorizer_function(reader, stage_variables, limits::kHttpApiAuthorizerTime, authorizer);
    read_sources(reader, authorizer);
    read_format(reader, authorizer);
}

void read_jwt_authorizer(ObjectReader& reader, Authorizer& authorizer) {
    std::vector<std::string> sources;
    reader.require("identitySource",
                   "where the token is, e.g. [\"$request.header.Authorization\"]");
    if (reader.read_list("identitySource", sources, fault_in_jwt_source)) {
        if (sources.size() != 1)
            reader.problem("identitySource", "a JWT authorizer has exactly one");
        authorizer.identity_source = join(sources);
    }
    for (const std::string_view name : {"authorizerUri",
                                        "timeoutInMillis",
                                        "jwt",
                                        "introspection",
                                        "authorizerPayloadFormatVersion",
                                        "enableSimpleResponses"})
        reader.refuse(name, "a JWT authorizer calls nothing; it has \"jwtConfiguration\"");
    reader.refuse("requirePrincipalId", "a JWT authorizer gives no principal");
    refuse_cache_keys(reader, "JWT authorizers of HTTP APIs have no cache to set");
    authorizer.jwt = make_jwt();
    const Json* value = reader.require("jwtConfiguration", "issuer and audience");
    if (value == nullptr) return;
    ObjectReader configuration(
        *value, reader.at("jwtConfiguration"), keys::kJwtConfiguration, reader.source());
    if (!value->is_object()) return;
    for (const std::string_view name : {"defaultAlgorithms", "issuers"})
        configuration.refuse(name, "that is a REST API's; an HTTP API has issuer and audience");
    JwtProvider provider;
    provider.algorithms.assign(kRsa.begin(), kRsa.end());
    read_issuer(configuration, provider);
    read_audience(configuration, "audience", provider);
    read_keys(configuration, provider);
    authorizer.jwt.providers.push_back(std::move(provider));
}

}  // namespace

Authorizer read_http_authorizer(const Json& value,
                                std::string name,
                                const std::string& pointer,
                                const std::map<std::string, std::string>& stage_variables,
                                Source& source) {
    ObjectReader reader(value, pointer, keys::kAuthorizer, source);
    Authorizer authorizer;
    authorizer.name = std::move(name);
    authorizer.pointer = pointer;
    authorizer.identity_source.clear();
    if (!value.is_object()) return authorizer;
    reader.require("type", "\"JWT\" or \"REQUEST\"");
    if (!reader.read_checked("type", authorizer.type, fault_in_http_type)) return authorizer;
    reader.refuse("identityValidationExpression", "authorizers of HTTP APIs have none");
    for (const std::string_view key : {"providerARNs", "userPools"})
        reader.refuse(key, "an HTTP API takes a user pool's tokens by \"type\": \"JWT\"");
    if (authorizer.type == "JWT") {
        read_jwt_authorizer(reader, authorizer);
    } else {
        authorizer.result_ttl = std::chrono::seconds(0);  // unlike REST
        read_request(reader, stage_variables, authorizer);
    }
    return authorizer;
}

// Section by section as the guide has it ("JWT authorizers for REST APIs"): the issuers each with
// their audiences, the algorithms for all of them.
JwtAuthorizer read_rest_jwt(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kJwtConfiguration, source);
    JwtAuthorizer jwt = make_jwt();
    if (!value.is_object()) return jwt;
    for (const std::string_view name : {"issuer", "audience", "jwksUri", "jwks"})
        reader.refuse(name, "that stands in an element of \"issuers\" on a REST API");
    std::vector<std::string> algorithms;
    const Json* listed = reader.require("defaultAlgorithms", "e.g. [\"RS256\"]");
    reader.read_list("defaultAlgorithms", algorithms, fault_in_algorithm);
    if (listed != nullptr && listed->is_array() && listed->empty())
        reader.problem("defaultAlgorithms", "is empty: no token could pass; name at least one");
    reader.require("issuers", "a list of { issuer, audiences }");
    reader.each_element("issuers", [&](const Json& element, const std::string& at) {
        ObjectReader entry(element, at, keys::kJwtIssuer, source);
        if (!element.is_object()) return;
        JwtProvider provider;
        provider.algorithms = algorithms;
        read_issuer(entry, provider);
        read_audience(entry, "audiences", provider);
        read_keys(entry, provider);
        const bool twice = std::ranges::any_of(jwt.providers, [&](const JwtProvider& other) {
            return !other.issuer.empty() && other.issuer == provider.issuer;
        });
        if (twice) entry.problem("issuer", "another element has this issuer already");
        jwt.providers.push_back(std::move(provider));
    });
    const Json* issuers = reader.find("issuers");
    if (issuers != nullptr && issuers->is_array() && issuers->empty())
        reader.problem("issuers", "is empty; at least one is needed");
    return jwt;
}

}  // namespace gatehouse::config
