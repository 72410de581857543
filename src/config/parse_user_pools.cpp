#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::config {
namespace {

constexpr const char* kArnForm =
    "is no ARN of a user pool; the form is "
    "arn:aws:cognito-idp:REGION:ACCOUNT:userpool/REGION_ID";

struct PoolName {
    std::string_view partition;
    std::string_view region;
    std::string_view pool;
};

bool is_name(std::string_view text, std::string_view more) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

// The issuer is made of region and pool: neither may bring a '/' or an '@' into it.
std::optional<PoolName> split_arn(std::string_view arn) {
    std::array<std::string_view, 6> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t colon = i + 1 < parts.size() ? arn.find(':') : arn.size();
        if (colon == std::string_view::npos) return std::nullopt;
        parts[i] = arn.substr(0, colon);
        arn.remove_prefix(std::min(colon + 1, arn.size()));
    }
    constexpr std::string_view kPool = "userpool/";
    const bool account = parts[4].size() == 12 &&
                         std::ranges::all_of(parts[4], [](char c) { return c >= '0' && c <= '9'; });
    if (parts[0] != "arn" || !parts[1].starts_with("aws") || !is_name(parts[1], "-") ||
        parts[2] != "cognito-idp" || !is_name(parts[3], "-") || !account ||
        !parts[5].starts_with(kPool))
        return std::nullopt;
    PoolName name{parts[1], parts[3], parts[5].substr(kPool.size())};
    const std::string prefix = std::string(name.region) + '_';
    if (!name.pool.starts_with(prefix) || !is_name(name.pool.substr(prefix.size()), ""))
        return std::nullopt;
    return name;
}

std::string fault_in_arn(std::string_view text) {
    return split_arn(text) ? "" : in_quotes(text) + ' ' + kArnForm;
}

// Amazon Cognito developer guide, "Verifying JSON web tokens": iss, and the keys below it.
UserPool make_pool(const std::string& arn) {
    UserPool pool;
    pool.arn = arn;
    const auto name = split_arn(arn);
    if (!name) return pool;
    pool.issuer = "https://cognito-idp." + std::string(name->region) + ".amazonaws.com" +
                  (name->partition == "aws-cn" ? ".cn/" : "/") + std::string(name->pool);
    return pool;
}

void read_local_pool(const Json& value,
                     const std::string& pointer,
                     UserPool& pool,
                     Source& source) {
    ObjectReader reader(value, pointer, keys::kUserPool, source);
    if (!value.is_object()) return;
    pool.elsewhere = true;
    if (!reader.has("issuer") && !reader.has("jwksUri"))
        source.problem(pointer, "says neither \"issuer\" nor \"jwksUri\": it would change nothing");
    reader.read_checked("issuer", pool.issuer, [](std::string_view text) {
        return text.empty() ? std::string("is empty") : fault_in_issuer_url(text);
    });
    reader.read_checked("jwksUri", pool.jwks_uri, fault_in_jwks_uri);
    const std::string& origin = pool.jwks_uri.empty() ? pool.issuer : pool.jwks_uri;
    if (is_plain_remote(origin)) {
        source.warning(pointer,
                       "keys come over plain http from another machine: whoever sits between can "
                       "replace them");
    }
}

// Without discovery, as Cognito documents it; local stand-ins keep to it too.
std::string keys_below(std::string_view issuer) {
    while (issuer.ends_with('/'))
        issuer.remove_suffix(1);
    return std::string(issuer) + "/.well-known/jwks.json";
}

void read_pools(ObjectReader& reader, Authorizer& authorizer) {
    const Json* arns = reader.require("providerARNs", "a list of user pools' ARNs");
    std::vector<std::string> names;
    reader.read_list("providerARNs", names, fault_in_arn);
    if (arns != nullptr && arns->is_array() && arns->empty())
        reader.problem("providerARNs", "is empty: no token could pass; name at least one");
    for (const std::string& name : names) {
        if (std::ranges::find(authorizer.user_pools, name, &UserPool::arn) !=
            authorizer.user_pools.end())
            reader.problem("providerARNs", in_quotes(name) + " stands there twice");
        else
            authorizer.user_pools.push_back(make_pool(name));
    }
    reader.each_member(
        "userPools", [&](const std::string& arn, const Json& value, const std::string& pointer) {
            const auto pool = std::ranges::find(authorizer.user_pools, arn, &UserPool::arn);
            if (pool != authorizer.user_pools.end())
                return read_local_pool(value, pointer, *pool, reader.source());
            reader.source().problem(
                pointer, "would be ignored: " + in_quotes(arn) + " is none of \"providerARNs\"");
        });
}

}  // namespace

void read_user_pools(ObjectReader& reader, Authorizer& authorizer) {
    for (const std::string_view name : {"authorizerUri", "timeoutInMillis", "jwt", "introspection"})
        reader.refuse(name, "a Cognito authorizer asks its user pools; it has \"providerARNs\"");
    reader.refuse("requirePrincipalId", "a Cognito authorizer has no principalId");
    read_pools(reader, authorizer);
    authorizer.jwt.context.clear();
    for (UserPool& pool : authorizer.user_pools) {
        if (pool.jwks_uri.empty()) pool.jwks_uri = keys_below(pool.issuer);
        const auto same = [&](const JwtProvider& other) { return other.issuer == pool.issuer; };
        if (std::ranges::any_of(authorizer.jwt.providers, same)) {
            reader.problem("userPools",
                           "two user pools have the issuer " + in_quotes(pool.issuer) +
                               "; a token's issuer must choose one");
        }
        JwtProvider provider;
        provider.issuer = pool.issuer;
        provider.jwks_uri = pool.jwks_uri;
        authorizer.jwt.providers.push_back(std::move(provider));
    }
}

}  // namespace gatehouse::config
