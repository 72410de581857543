#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"

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

struct Listener {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
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

struct JwtAuthorizer {
    std::vector<JwtProvider> providers;  ///< at least one
    std::chrono::seconds clock_skew{0};
    bool require_expiration = true;
    bool require_key_id = true;
    std::vector<ContextEntry> context;  ///< the contract's default map when the file names none
    std::string resource = "stage";     ///< "stage" or "method"; empty when statements are given
    Json statements;                    ///< null, or the array of IAM statements with `when`
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
    std::string type;     ///< "TOKEN", "REQUEST" or "JWT"
    /// TOKEN, JWT: one. REQUEST: sources with commas between them; empty: none. Those of HTTP APIs
    /// begin with '$'.
    std::string identity_source = "method.request.header.Authorization";
    std::string identity_validation_expression;  ///< empty: none
    std::chrono::seconds result_ttl = limits::kResultTtlDefault;
    bool limit_to_expiration = true;
    bool require_principal_id = false;
    std::string authorizer_uri;  ///< "gatehouse:jwt", or what names a function
    int function = -1;           ///< index into Model::functions; -1: decided in the process
    JwtAuthorizer jwt;
    PayloadFormat payload_format = PayloadFormat::rest;
    bool simple_responses = false;  ///< enableSimpleResponses
};

enum class IntegrationType { http_proxy, aws_proxy, mock };

struct Integration {
    IntegrationType type = IntegrationType::http_proxy;
    std::string uri;    ///< ${stageVariables.x} already filled in; {name} placeholders still there
    int function = -1;  ///< AWS_PROXY: index into Model::functions
    std::string http_method;  ///< empty or "ANY": the client's
    std::chrono::milliseconds timeout = limits::kIntegrationTimeDefault;
    std::map<std::string, std::string> request_parameters;  ///< integration.request.… -> expression
    std::map<std::string, std::string> response_templates;  ///< MOCK: MIME type -> body
    int status_code = 200;                                  ///< MOCK
    PayloadFormat payload_format = PayloadFormat::rest;     ///< AWS_PROXY
};

struct Route {
    std::string pointer;
    std::string route_key;   ///< as written, e.g. "GET /items"
    std::string method;      ///< "GET", "ANY"
    std::string path;        ///< template, e.g. "/files/{proxy+}"; "$default" of an HTTP API
    std::string authorizer;  ///< a name, or "NONE"
    std::vector<std::string> authorization_scopes;
    Integration integration;
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
    std::vector<Authorizer> authorizers;
    std::vector<Route> routes;
    std::map<std::string, GatewayResponse> gateway_responses;  ///< "UNAUTHORIZED", "DEFAULT_4XX", …
    std::optional<Cors> cors;                                  ///< HTTP APIs
};

struct Model {
    std::vector<Listener> listeners = {Listener{}};
    Admin admin;
    int threads = 0;
    Limits limits;
    Timeouts timeouts;
    AccessLog access_log;
    std::vector<Function> functions;
    std::vector<Api> apis;
};

}  // namespace gatehouse::config
