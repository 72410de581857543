#pragma once

#include "gatehouse/authz/client_certificate.hpp"
#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/response_type.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/http/target.hpp"
#include "gatehouse/routing/route_table.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse::authz {

class Cors;

/// What --dev adds to answers. No backend's field of this name goes on.
constexpr std::string_view kTraceHeader = "x-gatehouse-trace";

/// What is the same for every request of an API's stage.
struct StageFacts {
    std::string api_id;
    std::string stage;
    std::string region;
    std::string account_id;
    std::string stage_prefix;          ///< policy::make_stage_prefix
    std::string base_path;             ///< "" for "/"
    bool http_api = false;             ///< an HTTP API's: it has one request id, the short one
    std::shared_ptr<const Cors> cors;  ///< corsConfiguration of an HTTP API; null: none
    std::map<std::string, std::string> stage_variables;
};

/// The text of a gateway error, for $context.error.*.
struct ErrorFacts {
    ResponseType type = ResponseType::default_5xx;
    std::optional<std::string_view> message;  ///< nullopt: JSON null
    std::string_view validation;              ///< $context.error.validationErrorString; empty: none
};

/// Times and counts that are known once an answer was sent: access log only. Negative: not there.
struct AnswerFacts {
    int status = 0;
    std::uint64_t response_length = 0;
    int integration_status = -1;
    std::int64_t response_latency_ms = -1;
    std::int64_t integration_latency_ms = -1;
    std::int64_t authorizer_latency_ms = -1;
    int authorizer_status = -1;
    std::string_view error;   ///< reason_id of a refusal or failure; empty: none
    std::string_view reason;  ///< reason_id of the verdict, always there: $context.gatehouse.reason
    std::string_view cache;   ///< "hit", "miss", …: $context.gatehouse.cache
    bool decision = false;    ///< for another proxy: $context.gatehouse.decision
};

/// One request as everything after routing sees it: mapping expressions, gateway responses,
/// forwarding, logs. Views and pointers live for the request; members a step has not reached are
/// null or empty.
struct RequestFacts {
    const StageFacts* stage = nullptr;
    const http::RequestHead* head = nullptr;
    http::Target target;        ///< the path as the client sent it (normalised), base path included
    std::string_view api_path;  ///< without the base path
    std::string_view resource_path;  ///< the route's template, e.g. "/pets/{id}"
    std::string_view route_key;      ///< HTTP APIs: "GET /pets/{id}", "$default"
    std::span<const std::string> parameter_names;
    routing::PathParameters parameters;
    std::string_view source_ip;
    std::uint16_t listener_port = 0;
    bool secure = false;                                    ///< the client's connection is TLS
    const ClientCertificate* client_certificate = nullptr;  ///< mutual TLS
    std::string_view request_id;
    std::string_view extended_request_id;
    std::string_view trace_id;  ///< X-Amzn-Trace-Id to send on
    WallTime time;
    /// Where the route requires an API key: the value that was presented, and the id of the key
    /// that it is.
    std::string_view api_key;
    std::string_view api_key_id;
    const Grant* grant = nullptr;
    const ErrorFacts* error = nullptr;
    const AnswerFacts* answer = nullptr;
};

/// Appends the value of a `context.…`, `stageVariables.…` or `method.request.…` name (no `$`) to
/// `out`: the $context variables of REST APIs, mapping sources, and so on (API Gateway developer
/// guide, "Variables for mapping templates", "access logging"). Header and query names are matched
/// exactly, then without regard to case (header only). Path parameters as they came.
/// @return false when the name has no value for this request (nothing appended)
bool append_variable(const RequestFacts& facts, std::string_view name, std::string& out);

/// True when append_variable knows the name at all (config checks access-log templates with it).
bool is_known_variable(std::string_view name) noexcept;

}  // namespace gatehouse::authz
