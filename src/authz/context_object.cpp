#include "gatehouse/authz/context_object.hpp"

#include "context_variables.hpp"

#include <string>
#include <string_view>

namespace gatehouse::authz {
namespace {

// Developer guide, "Variables for mapping templates": all but those of access logs and errors.
constexpr std::string_view kContextNames[] = {
    "accountId",
    "apiId",
    "awsEndpointRequestId",
    "customDomain.basePathMatched",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "identity.accountId",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.caller",
    "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType",
    "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId",
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "identity.vpcId",
    "identity.vpceId",
    "isCanaryRequest",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
    "wafResponseCode",
    "webaclArn",
    "xrayTraceId",
};

void put(Json& object, std::string_view name, std::string value) {
    const std::size_t dot = name.find('.');
    Json& member = object[std::string(name.substr(0, dot))];
    if (dot == std::string_view::npos) {
        member = std::move(value);
    } else {
        put(member, name.substr(dot + 1), std::move(value));
    }
}

Json make_authorizer(const RequestFacts& facts) {
    Json authorizer = {{"principalId", ""}};
    if (facts.grant == nullptr) return authorizer;
    if (facts.grant->claims.is_object()) authorizer["claims"] = facts.grant->claims;
    for (const ContextItem& item : facts.grant->context)
        if (item.kind != ContextItem::Kind::null) authorizer[item.key] = item.value;
    authorizer["principalId"] = facts.grant->principal_id;
    return authorizer;
}

}  // namespace

Json make_context_object(const RequestFacts& facts) {
    Json context = Json::object();
    std::string value;
    for (const std::string_view name : kContextNames) {
        value.clear();
        append_context_variable(facts, name, value);
        put(context, name, value);
    }
    context["authorizer"] = make_authorizer(facts);
    return context;
}

}  // namespace gatehouse::authz
