#include "gatehouse/app/gateway.hpp"

#include "gatehouse/authz/cors.hpp"
#include "gatehouse/authz/http_error.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/proxy_answer.hpp"
#include "gatehouse/forward/proxy_event.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/target.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace gatehouse::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::string_view kJsonFormat =
    R"({"requestId":"$context.requestId","extendedRequestId":"$context.extendedRequestId","ip":"$context.identity.sourceIp",)"
    R"("requestTime":"$context.requestTime","httpMethod":"$context.httpMethod","path":"$context.path",)"
    R"("resourcePath":"$context.resourcePath","status":"$context.status","protocol":"$context.protocol",)"
    R"("responseLength":"$context.responseLength","responseLatency":"$context.responseLatency",)"
    R"("integrationLatency":"$context.integrationLatency","principalId":"$context.authorizer.principalId",)"
    R"("reason":"$context.gatehouse.reason","cache":"$context.gatehouse.cache"})";

// The service's own sample of the Common Log Format (API Gateway developer guide, "Set up
// logging").
constexpr std::string_view kClfFormat =
    R"($context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] )"
    R"("$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength )"
    R"($context.requestId $context.extendedRequestId)";

// A worker holds at most this much log text between two ticks; more is dropped and counted, never
// waited for.
constexpr std::size_t kAccessLogBuffer = 4 * 1024 * 1024;

std::optional<authz::Template> make_access_log(const std::string& format) {
    if (format == "off") return std::nullopt;
    const std::string_view text = format == "json"  ? kJsonFormat
                                  : format == "clf" ? kClfFormat
                                                    : std::string_view(format);
    auto compiled = authz::Template::make(text);
    if (!compiled) return std::nullopt;  // config has checked it
    return std::move(compiled).value();
}

std::uint32_t to_micros(SteadyTime::duration span) noexcept {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(duration_cast<microseconds>(span).count(), 0, UINT32_MAX));
}

// A function's own time; nothing of it on a hit.
milliseconds authorizer_latency(const TraceRecord& record) noexcept {
    const bool called = record.cache == CacheUse::miss || record.cache == CacheUse::joined ||
                        record.cache == CacheUse::off;
    return called ? duration_cast<milliseconds>(microseconds(record.authorizer_us))
                  : milliseconds(0);
}

std::uint32_t to_millis(SteadyTime::duration span) noexcept {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(duration_cast<milliseconds>(span).count(), 0, UINT32_MAX));
}

bool holds_scope(const authz::Grant& grant, const std::vector<std::string>& wanted) noexcept {
    return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& scope) {
        return std::find(grant.scopes.begin(), grant.scopes.end(), scope) != grant.scopes.end();
    });
}

policy::ConditionContext condition_context(const Request& request) noexcept {
    policy::ConditionContext context;
    context.now = request.began.wall;
    context.source_ip = request.facts.source_ip;
    context.source_arn = request.arn.text;
    context.secure_transport = request.facts.secure;
    if (const http::Field* field = http::find_field(request.head.fields, http::FieldId::referer))
        context.referer = field->value;
    if (const http::Field* field = http::find_field(request.head.fields, http::FieldId::user_agent))
        context.user_agent = field->value;
    return context;
}

std::uint64_t body_limit(const Request& request) noexcept {
    return request.snapshot->model.limits.body_bytes;
}

// A target that was refused, or not read yet, has no path: what stands before its query, since
// queries hold secrets and are never kept.
std::string_view path_of(const Request& request) noexcept {
    if (!request.facts.target.path.empty()) return request.facts.target.path;
    return request.head.target.substr(0, request.head.target.find('?'));
}

std::string_view field_value(const http::RequestHead& head, http::FieldId id) noexcept {
    const http::Field* field = http::find_field(head.fields, id);
    return field == nullptr ? std::string_view() : field->value;
}

}  // namespace

void Request::clear() {
    snapshot.reset();
    head = {};
    api = nullptr;
    route = nullptr;
    authorizer = nullptr;
    facts = {};
    arn = {};
    identity = {};
    token = {};
    grant.reset();
    outcomes = {};
    verdict = {};
    record = {};
    detail.reset();
    error_message.reset();
}

TraceDetail& Request::make_detail() {
    if (!detail) detail = std::make_shared<TraceDetail>();
    return *detail;
}

Gateway::Gateway(std::shared_ptr<const Snapshot> snapshot,
                 authz::GrantCache& cache,
                 Authorize& authorize,
                 LambdaInvoker* invoker)
    : snapshot_(std::move(snapshot)),
      cache_(cache),
      authorize_(authorize),
      invoker_(invoker),
      access_log_(make_access_log(snapshot_->model.access_log.format)) {}

void Gateway::start(Request& request,
                    const ClientFacts& client,
                    const Instant& now,
                    std::string_view client_request_id) {
    request.snapshot = snapshot_;
    request.began = now;
    ids_.make(request.ids, now.wall, client_request_id);
    request.record.request_id = request.ids.bytes;
    request.record.wall_ms = now.wall.time_since_epoch().count();
    authz::RequestFacts& facts = request.facts;
    facts.head = &request.head;
    facts.source_ip = client.source_ip;
    facts.listener_port = client.listener_port;
    facts.secure = client.secure;
    facts.request_id = request.ids.request();
    facts.extended_request_id = request.ids.extended();
    facts.time = now.wall;
}

void Gateway::begin_unread(Request& request,
                           const ClientFacts& client,
                           const Instant& now,
                           Errc error) {
    start(request, client, now, {});
    request.verdict = {false, authz::ResponseType::default_4xx, 400, error};
    request.record.reason = static_cast<std::uint16_t>(error);
    request.record.refused = true;
}

Step Gateway::begin(Request& request,
                    const http::RequestHead& head,
                    const ClientFacts& client,
                    const Instant& now,
                    const std::function<Wake()>& make_wake) {
    request.head = head;
    start(request, client, now, field_value(head, http::FieldId::x_amzn_requestid));
    // An incoming trace header goes on as it is when it names a root; else a new root begins here
    // (X-Ray developer guide).
    const std::string_view trace = field_value(head, http::FieldId::x_amzn_trace_id);
    if (trace.find("Root=1-") != std::string_view::npos) {
        request.facts.trace_id = trace;
    } else {
        request.trace_scratch.assign("Root=").append(request.ids.trace());
        request.facts.trace_id = request.trace_scratch;
    }
    const Errc unrouted = route(request);
    if (unrouted != Errc::none) return settle(request);
    if (request.authorizer == nullptr) {
        request.outcomes.guarded = false;
        return settle(request);
    }
    if (const Errc missing = find_identity(request); missing != Errc::none) {
        request.outcomes.identity = missing;
        return settle(request);
    }
    request.record.identity_found = true;
    return authorize(request, now, make_wake);
}

// Finds API, route and method ARN. Sets the outcome of what failed.
Errc Gateway::route(Request& request) {
    authz::RequestFacts& facts = request.facts;
    auto target = http::parse_target(request.head.target, request.target_scratch);
    if (!target) return request.outcomes.target = target.error().errc();
    facts.target = *target;
    request.path_scratch.clear();
    if (target->asterisk) return request.outcomes.routing = Errc::route_unmatched;
    const Snapshot& snapshot = *request.snapshot;
    const routing::ApiMatch match = snapshot.api_table.find(request.head.host, target->path);
    if (match.api < 0) return request.outcomes.routing = Errc::api_unmatched;
    request.api = &snapshot.apis[static_cast<std::size_t>(match.api)];
    request.record.api = static_cast<std::int16_t>(match.api);
    facts.stage = &request.api->stage;
    facts.api_path = match.path;
    if (target->encoded_slash &&
        request.api->source->encoded_slash == config::EncodedSlash::refuse) {
        return request.outcomes.target = Errc::target_encoded_slash;
    }
    if (request.api->stage.http_api) {
        request.outcomes.http_api = true;
        if (const Errc refused = decode_slashes(request, match.api); refused != Errc::none)
            return request.outcomes.target = refused;
    }
    if (request.api->source->method_override) {
        const std::string_view method =
            field_value(request.head, http::FieldId::x_http_method_override);
        if (is_token(method)) request.head.method = method;
    }
    const int index =
        request.api->table.find(request.head.method, facts.api_path, facts.parameters);
    if (index == routing::RouteTable::kNoRoute) {
        // Only what no route takes: a route's authorizer is never stepped around.
        request.outcomes.preflight =
            request.api->stage.cors && authz::Cors::is_preflight(request.head);
        return request.outcomes.routing = Errc::route_unmatched;
    }
    request.route = &request.api->routes[static_cast<std::size_t>(index)];
    request.record.route = static_cast<std::int16_t>(index);
    facts.parameter_names = request.api->table.parameter_names(index);
    facts.resource_path = request.route->source->path;
    if (request.api->stage.http_api) facts.route_key = request.route->source->route_key;
    if (request.route->authorizer < 0) return Errc::none;
    request.authorizer =
        request.api->authorizers[static_cast<std::size_t>(request.route->authorizer)].get();
    request.record.authorizer = static_cast<std::int16_t>(request.route->authorizer);
    // What one reader takes for data another takes for a path parameter or a separator: not where a
    // policy guards.
    if (target->path_parameter) return request.outcomes.target = Errc::target_path_parameter;
    auto arn = policy::make_method_arn(
        facts.stage->stage_prefix, request.head.method, facts.api_path, request.arn_scratch);
    if (!arn) return request.outcomes.routing = arn.error().errc();
    request.arn = *arn;
    return Errc::none;
}

Errc Gateway::find_identity(Request& request) {
    const CompiledAuthorizer& authorizer = *request.authorizer;
    if (authorizer.request_identity) {
        const auto found =
            authorizer.request_identity->find(request.facts, request.identity_scratch);
        request.identity = found.identity;
        request.token = found.first;
        return found.error;
    }
    const auto found = authorizer.identity->find(request.head);
    request.identity = request.token = found.value;
    return found.error;
}

Step Gateway::authorize(Request& request,
                        const Instant& now,
                        const std::function<Wake()>& make_wake) {
    const config::Authorizer& options = *request.authorizer->source;
    TraceRecord& record = request.record;
    if (options.result_ttl == std::chrono::seconds(0)) {
        record.cache = CacheUse::off;
    } else {
        record.cache = CacheUse::miss;
        if (auto cached = cache_.find(request.authorizer->scope, request.identity, now.steady)) {
            record.cache_age_ms = to_millis(now.steady - cached->stored);
            record.cache_left_ms = to_millis(cached->expires - now.steady);
            if (cached->grant == nullptr) {
                record.cache = CacheUse::negative_hit;
                ++metrics_.cache_negative_hits;
                request.outcomes.authorizer = cached->negative;
                return settle(request);
            }
            if (still_holds(options, *cached->grant, now.wall)) {
                record.cache = CacheUse::hit;
                ++metrics_.cache_hits;
                request.grant = std::move(cached->grant);
                return judge(request);
            }
        }
        ++metrics_.cache_misses;
    }
    bool joined = false;
    AuthorizeCall call;
    call.snapshot = request.snapshot;
    call.api = request.api;
    call.authorizer = request.authorizer;
    call.identity = request.identity;
    call.token = request.token;
    call.method_arn = request.arn.text;
    call.facts = &request.facts;
    call.joined = &joined;
    const auto result = authorize_.authorize(call, now, make_wake);
    if (joined) {
        record.cache = CacheUse::joined;
        ++metrics_.cache_joined;
    }
    if (result == nullptr) return Step::wait;
    return resume(request, *result, now);
}

Step Gateway::resume(Request& request, const AuthorizeResult& result, const Instant& now) {
    request.record.authorizer_us =
        std::max(result.micros, to_micros(now.steady - request.began.steady));
    metrics_.authorizer_seconds.observe(static_cast<double>(request.record.authorizer_us) / 1e6);
    Step step = Step::refuse;
    if (result.grant == nullptr) {
        request.outcomes.authorizer = result.error == Errc::none ? Errc::internal : result.error;
        step = settle(request);
    } else {
        request.grant = result.grant;
        step = judge(request);
    }
    explain(request, &result);
    return step;
}

// Every request is judged by its own ARN, also on a hit: the cache holds policies, never verdicts.
Step Gateway::judge(Request& request) {
    TraceRecord& record = request.record;
    const policy::Decision decision =
        policy::evaluate(request.grant->policy, request.arn, condition_context(request));
    request.facts.grant = request.grant.get();
    request.outcomes.judged = true;
    request.outcomes.policy = decision.outcome;
    record.judged = true;
    record.outcome = decision.outcome;
    record.statement = static_cast<std::int16_t>(decision.statement);
    record.resource = static_cast<std::int16_t>(decision.resource);
    record.identity = request.grant->identity_digest;
    const std::vector<std::string>& scopes = request.route->source->authorization_scopes;
    request.outcomes.scope_required = !scopes.empty();
    request.outcomes.scope_held = !scopes.empty() && holds_scope(*request.grant, scopes);
    return settle(request);
}

Step Gateway::settle(Request& request) {
    request.verdict = authz::decide(request.outcomes);
    TraceRecord& record = request.record;
    record.reason = static_cast<std::uint16_t>(request.verdict.reason);
    if (request.verdict.allow) {
        if (request.verdict.reason == Errc::cors_preflight) return Step::preflight;
        if (request.route->forward) return Step::forward;
        return request.route->aws_proxy ? Step::invoke : Step::mock;
    }
    record.refused = true;
    record.response = request.verdict.response;
    explain(request, nullptr);
    return Step::refuse;
}

Errc Gateway::invoke(Request& request,
                     std::string_view content,
                     const Instant& now,
                     LambdaDone done) {
    request.invoked = now.steady;
    const config::Integration& integration = request.route->source->integration;
    using Kind = forward::AuthorizerKind;
    const Kind kind = !request.grant                        ? Kind::none
                      : request.authorizer->is_native_jwt() ? Kind::claims
                                                            : Kind::lambda;
    const std::vector<std::string>& scopes = request.route->source->authorization_scopes;
    LambdaCall call;
    const Errc error = forward::append_proxy_event({request.facts,
                                                    request.route->source->route_key,
                                                    content,
                                                    kind,
                                                    !scopes.empty(),
                                                    authorizer_latency(request.record)},
                                                   *request.route->aws_proxy,
                                                   call.payload);
    if (error != Errc::none) return error;
    if (invoker_ == nullptr) {
        done({authz::Invocation::End::not_invokable, {}, "no functions can be called here"});
        return Errc::none;
    }
    call.function = static_cast<std::uint32_t>(integration.function);
    call.timeout = integration.timeout;
    call.request_id = request.facts.request_id;
    call.trace_id = request.facts.trace_id;
    call.api_id = request.api->stage.api_id;
    call.source_arn = request.arn.text;
    invoker_->invoke(std::move(call), std::move(done));
    return Errc::none;
}

authz::RenderedResponse Gateway::read_answer(Request& request,
                                             const LambdaOutcome& outcome,
                                             const Instant& now) {
    const forward::ProxyEventOptions& options = *request.route->aws_proxy;
    request.record.first_byte_us = to_micros(now.steady - request.invoked);
    metrics_.upstream_seconds.observe(static_cast<double>(request.record.first_byte_us) / 1e6);
    auto answer = forward::read_proxy_answer(
        outcome.view(),
        {options.format, request.api->source->plain_headers, options.binary_media_types},
        request.facts);
    if (!answer) {
        ++metrics_.upstream_failures;
        std::string detail = answer.error().detail;
        if (!outcome.detail.empty())
            detail += (detail.empty() ? "" : ": ") + printable(outcome.detail, 300);
        return render_failure(request, answer.error().errc(), std::move(detail));
    }
    request.record.upstream_status = static_cast<std::uint16_t>(answer->status);
    append_dev_header(request, answer->headers);
    return std::move(answer).value();
}

// What a refusal or a miss adds to the trace. Called once or twice per request; a cached Allow
// never comes here.
void Gateway::explain(Request& request, const AuthorizeResult* result) const {
    TraceDetail& detail = request.make_detail();
    detail.path = printable(path_of(request), limits::kTraceDetailBytes);
    detail.host = printable(request.head.host);
    detail.method_arn = request.arn.text;
    if (!request.identity.empty() && request.record.identity == 0) {
        const jwt::Sha256 digest = jwt::sha256(request.identity);
        for (std::size_t i = 0; i < 4; ++i)
            request.record.identity = (request.record.identity << 8) | digest[i];
    }
    detail.hint = hint_for(static_cast<Errc>(request.record.reason));
    if (result != nullptr) {
        detail.checks = result->checks;
        detail.error = result->detail;
        detail.kid = printable(result->kid);
        detail.key_age_s = result->key_age_s;
    }
    if (request.grant == nullptr) return;
    detail.principal = printable(request.grant->principal_id);
    detail.issued_for = request.grant->issued_for;
    detail.policy = request.grant->policy.text;
    detail.left_out = request.grant->left_out;
    detail.statements.clear();
    policy::evaluate(
        request.grant->policy, request.arn, condition_context(request), &detail.statements);
    const bool trapped = request.verdict.reason == Errc::implicit_deny &&
                         request.authorizer->narrow && detail.issued_for != detail.method_arn;
    if (trapped) {
        const bool hit = request.record.cache == CacheUse::hit;
        detail.hint =
            std::string(hit ? "the cached" : "the") + " policy was made for " + detail.issued_for +
            (request.authorizer->calls_function()
                 ? " and does not allow this: let the function allow the whole stage, or set "
                 : " and allows nothing else: use \"resource\": \"stage\", or ") +
            "\"authorizerResultTtlInSeconds\": 0";
    }
}

authz::RenderedResponse Gateway::render(Request& request, const authz::GatewayError& error) const {
    static const authz::GatewayResponses kBuiltIn;
    request.record.refused = true;
    request.record.response = error.type;
    request.error_message = error.message;
    static const authz::StageFacts kNoStage;
    authz::RequestFacts facts = request.facts;
    if (facts.stage == nullptr) facts.stage = &kNoStage;
    authz::RenderedResponse response =
        (request.api != nullptr ? request.api->responses : kBuiltIn).render(error, facts);
    append_dev_header(request, response.headers);
    request.record.status = static_cast<std::uint16_t>(response.status);
    return response;
}

void Gateway::append_dev_header(const Request& request, std::string& headers) const {
    if (!request.snapshot->dev) return;
    headers.append("x-gatehouse-trace: ").append(request.ids.request()).append("; reason=");
    headers.append(reason_id(static_cast<Errc>(request.record.reason))).append("\r\n");
}

authz::RenderedResponse Gateway::render_refusal(Request& request) const {
    if (request.outcomes.http_api) return render_http_refusal(request);
    if (http::status_of_read_error(request.verdict.reason) != 0)
        return render(request, authz::make_error(request.verdict.reason, body_limit(request)));
    const std::string_view authorization = field_value(request.head, http::FieldId::authorization);
    const bool old_wording = request.api != nullptr && request.api->source->deny_messages_2015;
    return render(request, authz::make_error(request.verdict, authorization, old_wording));
}

authz::RenderedResponse Gateway::render_failure(Request& request,
                                                Errc error,
                                                std::string text) const {
    request.record.reason = static_cast<std::uint16_t>(error);
    explain(request, nullptr);
    request.detail->error = std::move(text);
    if (request.outcomes.http_api) return render_http(request, authz::make_http_error(error), {});
    return render(request, authz::make_error(error, body_limit(request)));
}

void Gateway::finish(Request& request, const Instant& now) {
    TraceRecord& record = request.record;
    // A refusal ends with the clock reading that it began with; its authorizer took time all the
    // same.
    record.total_us = std::max(to_micros(now.steady - request.began.steady), record.authorizer_us);
    const std::string_view path = path_of(request);
    const std::string_view method = request.head.method;
    std::size_t at = std::min(method.size(), sizeof(record.method_path) - 1);
    if (at > 0) std::memcpy(record.method_path, method.data(), at);
    record.method_path[at++] = ' ';
    const std::size_t room = std::min(path.size(), sizeof(record.method_path) - at);
    if (room > 0) std::memcpy(record.method_path + at, path.data(), room);
    record.path_bytes = static_cast<std::uint8_t>(at + room);
    record.path_cut = room < path.size();
    metrics_.count(record);
    if (access_log_) write_access_log(request);
    if (observer_) observer_(record);
    if (request.detail) request.detail->bound();
    journal_.add(record, std::move(request.detail));
    request.detail.reset();
}

void Gateway::write_access_log(Request& request) {
    if (access_lines_.size() > kAccessLogBuffer) {
        ++metrics_.access_log_dropped;
        return;
    }
    const TraceRecord& record = request.record;
    const auto reason = static_cast<Errc>(record.reason);
    authz::AnswerFacts answer;
    answer.status = record.status;
    answer.response_length = record.response_bytes;
    answer.integration_status = record.upstream_status == 0 ? -1 : record.upstream_status;
    answer.response_latency_ms = record.total_us / 1000;
    if (record.first_byte_us != 0) answer.integration_latency_ms = record.first_byte_us / 1000;
    if (record.authorizer >= 0) answer.authorizer_latency_ms = record.authorizer_us / 1000;
    answer.authorizer_status = record.judged ? 200 : -1;
    answer.reason = reason_id(reason);
    answer.cache = to_string(record.cache);
    if (record.refused) answer.error = answer.reason;
    static const authz::StageFacts kNoStage;
    authz::RequestFacts facts = request.facts;
    if (facts.stage == nullptr) facts.stage = &kNoStage;
    facts.answer = &answer;
    const authz::ErrorFacts error{record.response, request.error_message};
    if (record.refused) facts.error = &error;
    access_log_->append(facts, "-", authz::Escape::log, access_lines_);
    access_lines_ += '\n';
}

std::string Gateway::take_access_log() {
    return std::exchange(access_lines_, {});
}

}  // namespace gatehouse::app
