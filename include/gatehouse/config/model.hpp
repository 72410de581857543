#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/original_request.hpp"
#include "gatehouse/upstream/rules.hpp"
#include "gatehouse/usage/rate.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The configuration file as values, after comments, ${ENV} references and defaults. Member names
// are the file's keys in snake_case; src/README.md and config/gatehouse.schema.json describe each.
// Nothing here is compiled: that is app/snapshot.
namespace gatehouse::config {

/// A server's certificate and its key: PEM files, absolute or beside the configuration.
struct CertificateFiles {
    std::string pointer;
    std::string certificate;  ///< and those between it and the root, in this order
    std::string private_key;

    bool operator==(const CertificateFiles&) const = default;
};

struct ListenerTls {
    std::string pointer;
    std::vector<CertificateFiles> certificates;  ///< at least one; the first is the default
    std::string client_ca;  ///< file of authorities; empty: clients need no certificate
    std::string minimum_version = "TLS_1_2";  ///< or "TLS_1_3"

    bool operator==(const ListenerTls&) const = default;
};

struct Listener {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::optional<ListenerTls> tls = std::nullopt;

    bool operator==(const Listener&) const = default;
};

/// Outgoing TLS, whoever is called: upstreams, issuers, endpoints of functions.
struct UpstreamTls {
    std::string pointer;
    std::string ca;           ///< PEM file of authorities beside the system's; empty: those alone
    std::string certificate;  ///< shown to whoever asks for one; empty: none
    std::string private_key;
    std::string minimum_version = "TLS_1_2";  ///< or "TLS_1_3"

    bool operator==(const UpstreamTls&) const = default;
};

/// Several targets behind one name, which the uri of an integration has for its host.
struct Upstream {
    std::string pointer;
    upstream::Rules rules;
};

struct Admin {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9901;
    std::string token;
};

struct Limits {
    std::size_t request_line_bytes = limits::kRequestLineBytes;
    std::size_t header_bytes = limits::kHeaderBytes;
    std::size_t header_count = limits::kHeaderCount;
    std::uint64_t body_bytes = limits::kBodyBytes;
    std::size_t connections = limits::kConnections;
    std::size_t connections_per_address = limits::kConnectionsPerAddress;
    std::size_t requests_per_connection = limits::kRequestsPerConnection;
    std::size_t upstream_header_bytes = limits::kUpstreamHeadBytes;  ///< the whole head
    std::size_t upstream_header_count = limits::kUpstreamHeaderCount;
    std::uint64_t buffered_bytes = limits::kBufferedBytes;
    std::size_t cache_entries = limits::kCacheEntries;
    std::size_t cache_bytes = limits::kCacheBytes;
};

struct Timeouts {
    std::chrono::milliseconds header = limits::kHeaderTime;
    std::chrono::milliseconds body = limits::kBodyTime;
    std::chrono::milliseconds body_total = limits::kBodyTotalTime;
    std::chrono::milliseconds keep_alive = limits::kKeepAliveTime;
    std::chrono::milliseconds write = limits::kWriteTime;
    std::chrono::milliseconds connect = limits::kConnectTime;
    std::chrono::milliseconds upstream_idle = limits::kUpstreamIdleTime;
    std::chrono::milliseconds drain = limits::kDrainTime;
    std::chrono::milliseconds drain_delay{0};  ///< listening on, once readiness is false
};

struct AccessLog {
    std::string format = "json";  ///< "json", "clf", "off" or a $context template
    std::string path = "-";
};

struct JwksSettings {
    std::chrono::seconds refresh = limits::kJwksRefresh;
    std::chrono::seconds cooldown = limits::kJwksCooldown;
    std::chrono::seconds max_stale = limits::kJwksMaxStale;
    std::chrono::milliseconds timeout = limits::kJwksTimeout;
};

/// One trusted issuer of a gatehouse:jwt authorizer.
struct JwtProvider {
    std::string issuer;
    std::vector<std::string> audience;
    std::string jwks_uri;  ///< http:, https: or file: URL; empty: OpenID discovery at the issuer
    JwksSettings jwks;
    std::vector<std::string> algorithms = {"RS256"};
};

/// Where one authorizer-context key comes from.
struct ContextEntry {
    std::string key;
    std::string claim;  ///< a top-level member, or a JSON Pointer if it begins with '/'
    std::optional<Json> default_value;
    std::string join = ",";
};

/// What becomes of claims, however they came.
struct ClaimSettings {
    std::chrono::seconds clock_skew{0};
    std::vector<ContextEntry> context;  ///< the contract's default map when the file names none
    std::string resource = "stage";     ///< "stage" or "method"; empty when statements are given
    Json statements;                    ///< null, or the array of IAM statements with `when`
};

struct JwtAuthorizer : ClaimSettings {
    std::vector<JwtProvider> providers;  ///< at least one
    bool require_expiration = true;
    bool require_key_id = true;
};

/// gatehouse:introspection: an RFC 7662 endpoint says what a token is.
struct Introspection : ClaimSettings {
    std::string endpoint;
    std::string client_id;
    std::string client_secret;
    bool secret_in_form = false;        ///< authMethod: "client_secret_post"
    std::string issuer;                 ///< empty: not looked at
    std::vector<std::string> audience;  ///< empty: not looked at
    bool require_expiration = false;
    bool require_subject = true;
    std::chrono::milliseconds timeout = limits::kIntrospectionTime;
};

/// A Cognito user pool, by its ARN.
struct UserPool {
    std::string arn;
    std::string issuer;      ///< the ARN's own unless `userPools` names another
    std::string jwks_uri;    ///< the same
    bool elsewhere = false;  ///< `userPools` names another: not what the service does
};

/// Who may sign requests to routes of AWS_IAM.
struct AccessKey {
    std::string id;
    std::string secret;
    std::string principal_id;
};

/// A Lambda function: one of `functions`, or one that an ARN or a URL named elsewhere.
struct Function {
    std::string name;      ///< what an ARN ends in, without version or alias
    std::string pointer;   ///< of its entry, or of the place that named it
    std::string endpoint;  ///< of the Lambda Invoke API; empty: Gatehouse runs `command`
    std::string called;    ///< name or ARN in the path of the Invoke API
    bool listed = false;   ///< in `functions`: only then is its name enough to mean it
    std::vector<std::string> command;  ///< program and arguments
    std::string directory = ".";
    std::vector<std::pair<std::string, std::string>> environment;
    unsigned concurrency = 1;  ///< processes at most
    std::chrono::milliseconds timeout = limits::kFunctionTime;
};

/// Which payload a function is sent, and which kind of answer is expected of it.
enum class PayloadFormat { rest, http_1_0, http_2_0 };

struct Authorizer {
    std::string name;
    std::string pointer;  ///< JSON pointer of this object in the file, for messages
    std::string text;     ///< as the file has it, in one line: all that its grants are built from
    /// "TOKEN", "REQUEST", "JWT", "COGNITO_USER_POOLS"; "AWS_IAM" of routes
    std::string type;
    /// TOKEN, JWT: one. REQUEST: sources with commas between them; empty: none. Those of HTTP APIs
    /// begin with '$'.
    std::string identity_source = "method.request.header.Authorization";
    std::string identity_validation_expression;  ///< empty: none
    std::chrono::seconds result_ttl = limits::kResultTtlDefault;
    bool limit_to_expiration = true;
    bool require_principal_id = false;
    std::string authorizer_uri;  ///< "gatehouse:jwt", or what names a function
    int function = -1;           ///< index into Model::functions; -1: decided in the process
    std::chrono::milliseconds timeout = limits::kAuthorizerTime;  ///< of a call of the function
    JwtAuthorizer jwt;
    PayloadFormat payload_format = PayloadFormat::rest;
    bool simple_responses = false;  ///< enableSimpleResponses
    std::optional<Introspection> introspection;
    std::vector<UserPool> user_pools;  ///< COGNITO_USER_POOLS

    const ClaimSettings& claims() const noexcept {
        return introspection ? static_cast<const ClaimSettings&>(*introspection) : jwt;
    }
};

enum class IntegrationType { http_proxy, http, aws_proxy, mock };

/// What becomes of content that no request template fits.
enum class Passthrough { when_no_match, when_no_templates, never };

/// What an answer of the backend's, or of a MOCK, is turned into.
struct IntegrationResponse {
    std::string key;                ///< as written: a status, or "default"
    int status_code = 200;          ///< of the answer to the client
    std::string selection_pattern;  ///< RE2 on the backend's status; empty: the default
    std::map<std::string, std::string> response_parameters;  ///< method.response.header.X -> source
    std::map<std::string, std::string> response_templates;   ///< MIME type -> template
};

struct Integration {
    IntegrationType type = IntegrationType::http_proxy;
    std::string uri;    ///< ${stageVariables.x} already filled in; {name} placeholders still there
    int upstream = -1;  ///< index into Model::upstreams; -1: the uri's host is one
    int function = -1;  ///< AWS_PROXY: index into Model::functions
    std::string http_method;  ///< empty or "ANY": the client's
    bool append_path =
        false;  ///< environment mode: the request's path, as it came, after the uri's
    std::chrono::milliseconds timeout = limits::kIntegrationTimeDefault;
    std::map<std::string, std::string> request_parameters;  ///< integration.request.… -> expression
    /// responseParameters of HTTP APIs: the backend's status -> destination -> expression
    std::map<std::string, std::map<std::string, std::string>> answer_parameters;
    std::map<std::string, std::string> request_templates;  ///< MIME type or "$default" -> template
    Passthrough passthrough = Passthrough::when_no_match;
    std::vector<IntegrationResponse> integration_responses;
    std::map<std::string, std::string> response_templates;  ///< MOCK, short form: type -> body
    int status_code = 200;                                  ///< MOCK, short form
    PayloadFormat payload_format = PayloadFormat::rest;     ///< AWS_PROXY
    /// tlsConfig: in place of the uri's host in SNI and in the upstream's certificate; empty: none
    std::string server_name_to_verify;

    /// HTTP, or MOCK in the service's own form: with templates and integration responses.
    bool mapped() const noexcept {
        return type == IntegrationType::http ||
               (type == IntegrationType::mock &&
                !(request_templates.empty() && integration_responses.empty()));
    }
};

struct Route {
    std::string pointer;
    std::string route_key;   ///< as written, e.g. "GET /items"
    std::string method;      ///< "GET", "ANY"
    std::string path;        ///< template, e.g. "/files/{proxy+}"; "$default" of an HTTP API
    std::string authorizer;  ///< a name, or "NONE"
    std::vector<std::string> authorization_scopes;
    bool api_key_required = false;
    std::optional<usage::Rate> throttle;                ///< in place of the API's
    std::string request_validator;                      ///< a name; empty: none
    std::map<std::string, bool> request_parameters;     ///< method.request.… -> required
    std::map<std::string, std::string> request_models;  ///< MIME type or "$default" -> model
    Integration integration;
};

struct RequestValidator {
    std::string name;
    bool validate_body = false;
    bool validate_parameters = false;
};

struct GatewayResponse {
    std::optional<int> status_code;
    std::vector<std::pair<std::string, std::string>>
        response_parameters;  ///< gatewayresponse.header.X -> expression
    std::map<std::string, std::string> response_templates;  ///< MIME type -> template
};

struct ContextHeaders {
    bool enabled = true;
    std::string prefix = "X-Authorizer-";
    bool request_context = false;
};

enum class EncodedSlash { keep, refuse };

enum class ApiKeySource { header, authorizer };

enum class Protocol { rest, http };

/// corsConfiguration of an HTTP API.
struct Cors {
    std::vector<std::string> allow_origins;  ///< lower case; "*", "https://*" and "http://*" too
    std::vector<std::string> allow_methods;
    std::vector<std::string> allow_headers;
    std::vector<std::string> expose_headers;
    std::optional<int> max_age;  ///< seconds
    bool allow_credentials = false;
};

struct Api {
    std::string pointer;
    std::string name;
    Protocol protocol = Protocol::rest;
    std::string api_id = "local";
    std::string stage_name = "prod";  ///< "$default" for HTTP APIs
    std::string region = "us-east-1";
    std::string account_id = "123456789012";
    std::string base_path = "/";
    std::vector<std::string> domain_names;  ///< lower case
    std::map<std::string, std::string> stage_variables;
    ContextHeaders context_headers;
    bool plain_headers = false;  ///< headerHandling: "plain"
    EncodedSlash encoded_slash = EncodedSlash::keep;
    bool method_override = false;
    bool deny_messages_2015 = false;
    std::vector<std::string> binary_media_types;
    ApiKeySource api_key_source = ApiKeySource::header;
    std::optional<usage::Rate> throttle;  ///< of all routes together that have none of their own
    std::vector<Authorizer> authorizers;
    std::vector<RequestValidator> request_validators;
    std::map<std::string, Json> models;  ///< name -> JSON Schema, draft 4
    std::vector<Route> routes;
    std::map<std::string, GatewayResponse> gateway_responses;  ///< "UNAUTHORIZED", "DEFAULT_4XX", …
    std::optional<Cors> cors;                                  ///< HTTP APIs
};

struct ApiKey {
    std::string pointer;
    std::string id;
    std::string name;
    std::string value;  ///< a secret: in no message
    bool enabled = true;
};

/// A stage of an API in a usage plan.
struct PlanStage {
    std::string pointer;
    std::string api_id;
    std::string stage;
    std::map<std::string, usage::Rate> throttle;  ///< "/items/{id}/GET" -> in place of the plan's
};

struct UsagePlan {
    std::string pointer;
    std::string id;
    std::string name;
    std::vector<PlanStage> api_stages;
    std::vector<std::string> keys;  ///< ids
    std::optional<usage::Rate> throttle;
    std::optional<usage::Quota> quota;
};

/// With --dev only: who knows the secret may put a result in the authorizer's place.
struct DevOverride {
    std::string secret;  ///< in no message
};

/// The listener that other proxies ask who may pass.
struct Decision {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    http::OriginalForm form = http::OriginalForm::forwarded;

    bool operator==(const Decision&) const = default;
};

/// Redis, for what several replicas share.
struct Shared {
    std::string host = "127.0.0.1";  ///< name or address, IPv6 without brackets
    std::uint16_t port = 6379;
    std::string user;      ///< empty: Redis's own default user
    std::string password;  ///< in no message; empty: none
    int database = 0;
    std::string secret;  ///< in no message: what Redis keeps is sealed with keys made of it
    std::string prefix = "gatehouse:";                        ///< of every name in Redis
    std::chrono::milliseconds timeout = limits::kSharedTime;  ///< what a request waits at most

    bool operator==(const Shared&) const = default;
};

struct Model {
    std::vector<Listener> listeners = {Listener{}};
    Admin admin;
    int threads = 0;
    Limits limits;
    Timeouts timeouts;
    AccessLog access_log;
    std::optional<UpstreamTls> upstream_tls;
    std::vector<std::string> name_servers;  ///< "127.0.0.1:5353"; empty: the system's
    std::vector<Upstream> upstreams;
    std::vector<Function> functions;
    std::vector<ApiKey> api_keys;
    std::vector<UsagePlan> usage_plans;
    std::optional<usage::Rate> throttle;  ///< the account's: of all APIs together
    std::optional<DevOverride> dev_override;
    std::vector<AccessKey> access_keys;
    std::optional<Decision> decision;
    std::optional<Shared> shared;
    std::vector<Api> apis;
    Json document;  ///< the file, its references filled in; what a reload compares. Has secrets
};

}  // namespace gatehouse::config
