#pragma once

#include <array>
#include <span>
#include <string_view>

// Every key that the configuration file may have, by the object it stands in. The loader refuses
// all others, and the tests hold config/gatehouse.schema.json against this list, so that the two
// cannot drift apart.
namespace gatehouse::config::keys {

using Keys = std::span<const std::string_view>;

inline constexpr auto kRoot = std::to_array<std::string_view>({"$schema",
                                                               "listeners",
                                                               "admin",
                                                               "threads",
                                                               "limits",
                                                               "timeouts",
                                                               "accessLog",
                                                               "functions",
                                                               "apis"});

inline constexpr auto kListener = std::to_array<std::string_view>({"address", "port"});

inline constexpr auto kAdmin = std::to_array<std::string_view>({"address", "port", "token"});

inline constexpr auto kLimits = std::to_array<std::string_view>(
    {"requestLineBytes", "headerBytes", "headerCount", "bodyBytes", "connections"});

inline constexpr auto kTimeouts = std::to_array<std::string_view>({"headerInMillis",
                                                                   "bodyInMillis",
                                                                   "bodyTotalInMillis",
                                                                   "keepAliveInMillis",
                                                                   "writeInMillis",
                                                                   "connectInMillis",
                                                                   "upstreamIdleInMillis",
                                                                   "drainInMillis"});

inline constexpr auto kAccessLog = std::to_array<std::string_view>({"format", "path"});

inline constexpr auto kApi = std::to_array<std::string_view>({"name",
                                                              "protocolType",
                                                              "apiId",
                                                              "stageName",
                                                              "region",
                                                              "accountId",
                                                              "basePath",
                                                              "domainNames",
                                                              "stageVariables",
                                                              "contextHeaders",
                                                              "headerHandling",
                                                              "encodedSlash",
                                                              "methodOverride",
                                                              "denyMessages",
                                                              "binaryMediaTypes",
                                                              "authorizers",
                                                              "routes",
                                                              "gatewayResponses",
                                                              "corsConfiguration"});

inline constexpr auto kCors = std::to_array<std::string_view>({"allowOrigins",
                                                               "allowMethods",
                                                               "allowHeaders",
                                                               "exposeHeaders",
                                                               "maxAge",
                                                               "allowCredentials"});

inline constexpr auto kJwtConfiguration = std::to_array<std::string_view>(
    {"issuer", "audience", "jwksUri", "jwks", "defaultAlgorithms", "issuers"});

inline constexpr auto kJwtIssuer =
    std::to_array<std::string_view>({"issuer", "audiences", "jwksUri", "jwks"});

inline constexpr auto kFunction = std::to_array<std::string_view>(
    {"endpoint", "command", "directory", "environment", "concurrency", "timeoutInMillis"});

inline constexpr auto kContextHeaders =
    std::to_array<std::string_view>({"prefix", "requestContext"});

inline constexpr auto kAuthorizer =
    std::to_array<std::string_view>({"type",
                                     "identitySource",
                                     "identityValidationExpression",
                                     "authorizerResultTtlInSeconds",
                                     "limitToExpiration",
                                     "requirePrincipalId",
                                     "authorizerUri",
                                     "jwt",
                                     "jwtConfiguration",
                                     "authorizerPayloadFormatVersion",
                                     "enableSimpleResponses"});

inline constexpr auto kJwt = std::to_array<std::string_view>({"issuer",
                                                              "audience",
                                                              "jwksUri",
                                                              "jwks",
                                                              "algorithms",
                                                              "providers",
                                                              "clockSkewInSeconds",
                                                              "requireExpiration",
                                                              "requireKeyId",
                                                              "context",
                                                              "resource",
                                                              "statements"});

inline constexpr auto kProvider =
    std::to_array<std::string_view>({"issuer", "audience", "jwksUri", "jwks", "algorithms"});

inline constexpr auto kJwks = std::to_array<std::string_view>(
    {"refreshInSeconds", "cooldownInSeconds", "maxStaleInSeconds", "timeoutInMillis"});

inline constexpr auto kContextEntry = std::to_array<std::string_view>({"claim", "default", "join"});

inline constexpr auto kStatement = std::to_array<std::string_view>(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "when"});

inline constexpr auto kRoute = std::to_array<std::string_view>(
    {"routeKey", "authorizer", "authorizationScopes", "integration"});

inline constexpr auto kIntegration = std::to_array<std::string_view>({"type",
                                                                      "uri",
                                                                      "httpMethod",
                                                                      "timeoutInMillis",
                                                                      "requestParameters",
                                                                      "payloadFormatVersion",
                                                                      "responseTemplates",
                                                                      "statusCode"});

inline constexpr auto kGatewayResponse =
    std::to_array<std::string_view>({"statusCode", "responseParameters", "responseTemplates"});

/// One kind of object; `name` is its definition in the schema ("" for the document itself).
struct Place {
    std::string_view name;
    Keys keys;
};

inline constexpr auto kPlaces = std::to_array<Place>({{"", kRoot},
                                                      {"listener", kListener},
                                                      {"admin", kAdmin},
                                                      {"limits", kLimits},
                                                      {"timeouts", kTimeouts},
                                                      {"accessLog", kAccessLog},
                                                      {"function", kFunction},
                                                      {"api", kApi},
                                                      {"contextHeaders", kContextHeaders},
                                                      {"cors", kCors},
                                                      {"jwtConfiguration", kJwtConfiguration},
                                                      {"jwtIssuer", kJwtIssuer},
                                                      {"authorizer", kAuthorizer},
                                                      {"jwt", kJwt},
                                                      {"provider", kProvider},
                                                      {"jwks", kJwks},
                                                      {"contextEntry", kContextEntry},
                                                      {"statement", kStatement},
                                                      {"route", kRoute},
                                                      {"integration", kIntegration},
                                                      {"gatewayResponse", kGatewayResponse}});

/// Keys of capabilities that are named in advance and not built: refused as such, wherever they
/// stand.
inline constexpr auto kLater = std::to_array<std::string_view>({"providerARNs",
                                                                "accessKeys",
                                                                "introspection",
                                                                "apiKeySource",
                                                                "apiKeyRequired",
                                                                "apiKeys",
                                                                "usagePlans",
                                                                "throttle",
                                                                "requestTemplates",
                                                                "passthroughBehavior",
                                                                "integrationResponses",
                                                                "requestParameters",
                                                                "responseParameters",
                                                                "additionalClaims",
                                                                "requestValidator",
                                                                "requestValidators",
                                                                "requestModels",
                                                                "models",
                                                                "tls",
                                                                "upstreams",
                                                                "decision",
                                                                "shared",
                                                                "allowUpgrade",
                                                                "connectionsPerAddress",
                                                                "devOverride"});

}  // namespace gatehouse::config::keys
