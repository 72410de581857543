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
                                                               "upstreamTls",
                                                               "resolver",
                                                               "upstreams",
                                                               "functions",
                                                               "apiKeys",
                                                               "usagePlans",
                                                               "throttle",
                                                               "devOverride",
                                                               "accessKeys",
                                                               "decision",
                                                               "shared",
                                                               "apis"});

inline constexpr auto kListener = std::to_array<std::string_view>({"address", "port", "tls"});

inline constexpr auto kListenerTls =
    std::to_array<std::string_view>({"certificates", "clientCa", "minimumVersion"});

inline constexpr auto kCertificate = std::to_array<std::string_view>({"certificate", "privateKey"});

inline constexpr auto kUpstreamTls =
    std::to_array<std::string_view>({"ca", "certificate", "privateKey", "minimumVersion"});

inline constexpr auto kResolver = std::to_array<std::string_view>({"servers"});

inline constexpr auto kUpstream = std::to_array<std::string_view>({"targets",
                                                                   "balance",
                                                                   "healthCheck",
                                                                   "ejection",
                                                                   "retryBudget",
                                                                   "maxRequests",
                                                                   "maxConnections",
                                                                   "maxIdleConnections",
                                                                   "tls"});

inline constexpr auto kHealthCheck = std::to_array<std::string_view>({"path",
                                                                      "intervalInMillis",
                                                                      "timeoutInMillis",
                                                                      "healthyThreshold",
                                                                      "unhealthyThreshold",
                                                                      "statusCodes"});

inline constexpr auto kEjection =
    std::to_array<std::string_view>({"consecutiveFailures", "baseTimeInMillis", "maxPercent"});

inline constexpr auto kRetryBudget = std::to_array<std::string_view>({"percent", "minPerSecond"});

inline constexpr auto kTargetTls = std::to_array<std::string_view>({"serverNameToVerify"});

inline constexpr auto kTlsConfig =
    std::to_array<std::string_view>({"insecureSkipVerification", "serverNameToVerify"});

inline constexpr auto kAdmin = std::to_array<std::string_view>({"address", "port", "token"});

inline constexpr auto kDecision = std::to_array<std::string_view>({"address", "port", "form"});

inline constexpr auto kShared =
    std::to_array<std::string_view>({"redis", "secret", "prefix", "timeoutInMillis"});

inline constexpr auto kLimits = std::to_array<std::string_view>({"requestLineBytes",
                                                                 "headerBytes",
                                                                 "headerCount",
                                                                 "bodyBytes",
                                                                 "connections",
                                                                 "connectionsPerAddress",
                                                                 "requestsPerConnection",
                                                                 "upstreamHeaderBytes",
                                                                 "upstreamHeaderCount",
                                                                 "bufferedBytes",
                                                                 "cacheEntries",
                                                                 "cacheBytes"});

inline constexpr auto kTimeouts = std::to_array<std::string_view>({"headerInMillis",
                                                                   "bodyInMillis",
                                                                   "bodyTotalInMillis",
                                                                   "keepAliveInMillis",
                                                                   "writeInMillis",
                                                                   "connectInMillis",
                                                                   "upstreamIdleInMillis",
                                                                   "drainInMillis",
                                                                   "drainDelayInMillis"});

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
                                                              "apiKeySource",
                                                              "throttle",
                                                              "authorizers",
                                                              "requestValidators",
                                                              "models",
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
                                     "timeoutInMillis",
                                     "jwt",
                                     "introspection",
                                     "providerARNs",
                                     "userPools",
                                     "jwtConfiguration",
                                     "authorizerPayloadFormatVersion",
                                     "enableSimpleResponses"});

inline constexpr auto kIntrospection = std::to_array<std::string_view>({"endpoint",
                                                                        "clientId",
                                                                        "clientSecret",
                                                                        "authMethod",
                                                                        "timeoutInMillis",
                                                                        "issuer",
                                                                        "audience",
                                                                        "clockSkewInSeconds",
                                                                        "requireExpiration",
                                                                        "requireSubject",
                                                                        "context",
                                                                        "resource",
                                                                        "statements"});

inline constexpr auto kUserPool = std::to_array<std::string_view>({"issuer", "jwksUri"});

inline constexpr auto kAccessKey =
    std::to_array<std::string_view>({"accessKeyId", "secretAccessKey", "principalId"});

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

inline constexpr auto kRoute = std::to_array<std::string_view>({"routeKey",
                                                                "authorizer",
                                                                "authorizationScopes",
                                                                "requestValidator",
                                                                "requestParameters",
                                                                "requestModels",
                                                                "apiKeyRequired",
                                                                "throttle",
                                                                "integration"});

inline constexpr auto kRequestValidator =
    std::to_array<std::string_view>({"validateRequestBody", "validateRequestParameters"});

/// JSON Schema, draft 4: read by schema/compile.
inline constexpr auto kModel = std::to_array<std::string_view>({"$schema",
                                                                "$ref",
                                                                "id",
                                                                "title",
                                                                "description",
                                                                "default",
                                                                "example",
                                                                "readOnly",
                                                                "discriminator",
                                                                "xml",
                                                                "externalDocs",
                                                                "definitions",
                                                                "type",
                                                                "enum",
                                                                "multipleOf",
                                                                "minimum",
                                                                "maximum",
                                                                "exclusiveMinimum",
                                                                "exclusiveMaximum",
                                                                "minLength",
                                                                "maxLength",
                                                                "pattern",
                                                                "format",
                                                                "items",
                                                                "additionalItems",
                                                                "minItems",
                                                                "maxItems",
                                                                "uniqueItems",
                                                                "minProperties",
                                                                "maxProperties",
                                                                "required",
                                                                "properties",
                                                                "patternProperties",
                                                                "additionalProperties",
                                                                "dependencies",
                                                                "allOf",
                                                                "anyOf",
                                                                "oneOf",
                                                                "not"});

inline constexpr auto kIntegration = std::to_array<std::string_view>({"type",
                                                                      "uri",
                                                                      "httpMethod",
                                                                      "timeoutInMillis",
                                                                      "requestParameters",
                                                                      "requestTemplates",
                                                                      "passthroughBehavior",
                                                                      "integrationResponses",
                                                                      "responseParameters",
                                                                      "payloadFormatVersion",
                                                                      "tlsConfig",
                                                                      "responseTemplates",
                                                                      "statusCode"});

inline constexpr auto kIntegrationResponse = std::to_array<std::string_view>(
    {"statusCode", "selectionPattern", "responseParameters", "responseTemplates"});

inline constexpr auto kGatewayResponse =
    std::to_array<std::string_view>({"statusCode", "responseParameters", "responseTemplates"});

inline constexpr auto kApiKey = std::to_array<std::string_view>({"id", "name", "value", "enabled"});

inline constexpr auto kUsagePlan =
    std::to_array<std::string_view>({"id", "name", "apiStages", "keys", "throttle", "quota"});

inline constexpr auto kApiStage = std::to_array<std::string_view>({"apiId", "stage", "throttle"});

inline constexpr auto kThrottle = std::to_array<std::string_view>({"rateLimit", "burstLimit"});

inline constexpr auto kQuota = std::to_array<std::string_view>({"limit", "period", "offset"});

inline constexpr auto kDevOverride = std::to_array<std::string_view>({"secret"});

/// One kind of object; `name` is its definition in the schema ("" for the document itself).
struct Place {
    std::string_view name;
    Keys keys;
};

inline constexpr auto kPlaces = std::to_array<Place>({{"", kRoot},
                                                      {"listener", kListener},
                                                      {"listenerTls", kListenerTls},
                                                      {"certificate", kCertificate},
                                                      {"upstreamTls", kUpstreamTls},
                                                      {"resolver", kResolver},
                                                      {"upstream", kUpstream},
                                                      {"healthCheck", kHealthCheck},
                                                      {"ejection", kEjection},
                                                      {"retryBudget", kRetryBudget},
                                                      {"targetTls", kTargetTls},
                                                      {"tlsConfig", kTlsConfig},
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
                                                      {"introspection", kIntrospection},
                                                      {"userPool", kUserPool},
                                                      {"accessKey", kAccessKey},
                                                      {"provider", kProvider},
                                                      {"jwks", kJwks},
                                                      {"contextEntry", kContextEntry},
                                                      {"statement", kStatement},
                                                      {"route", kRoute},
                                                      {"requestValidator", kRequestValidator},
                                                      {"model", kModel},
                                                      {"integration", kIntegration},
                                                      {"integrationResponse", kIntegrationResponse},
                                                      {"gatewayResponse", kGatewayResponse},
                                                      {"apiKey", kApiKey},
                                                      {"usagePlan", kUsagePlan},
                                                      {"apiStage", kApiStage},
                                                      {"throttle", kThrottle},
                                                      {"quota", kQuota},
                                                      {"devOverride", kDevOverride},
                                                      {"decision", kDecision},
                                                      {"shared", kShared}});

/// Keys of capabilities that are named in advance and not built: refused as such, wherever they
/// stand.
inline constexpr auto kLater = std::to_array<std::string_view>({"additionalClaims",
                                                                "allowUpgrade",
                                                                "authorizerCredentials",
                                                                "cacheKeyParameters",
                                                                "cacheNamespace",
                                                                "connectionId",
                                                                "connectionType",
                                                                "contentHandling",
                                                                "credentials",
                                                                "responseTransferMode"});

}  // namespace gatehouse::config::keys
