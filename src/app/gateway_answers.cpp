// What follows the verdict: calls of functions, answers of the gateway's own, and what is kept of a
// request.
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/authz/http_error.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/proxy_answer.hpp"
#include "gatehouse/forward/proxy_event.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "gatehouse/policy/evaluate.hpp"
#include "gateway_parts.hpp"

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
    R"("reason":"$context.gatehouse.reason","cache":"$context.gatehouse.cache","decision":"$context.gatehouse.decision"})";

// The service's own sample of the Common Log Format (API Gateway developer guide, "Set up
// logging").
constexpr std::string_view kClfFormat =
    R"($context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] )"
    R"("$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength )"
    R"($context.requestId $context.extendedRequestId)";

// A worker holds at most this much log text; more is dropped and counted, never waited for.
constexpr std::size_t kAccessLogBuffer = 4 * 1024 * 1024;

// A function's own time; nothing of it on a hit.
milliseconds authorizer_latency(const TraceRecord& record) noexcept {
    const bool called = record.cache == CacheUse::miss || record.cache == CacheUse::joined ||
                        record.cache == CacheUse::off;
    return called ? duration_cast<milliseconds>(microseconds(record.authorizer_us))
                  : milliseconds(0);
}

// In the event of a function: IAM shows under `identity` alone.
forward::AuthorizerKind authorizer_kind(const Request& request) noexcept {
    if (!request.grant || request.grant->iam) return forward::AuthorizerKind::none;
    // An override may stand on a route without an authorizer.
    const CompiledAuthorizer* by = request.authorizer;
    const bool claims = by != nullptr && by->shows_claims_alone();
    return claims ? forward::AuthorizerKind::claims : forward::AuthorizerKind::lambda;
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

}  // namespace

std::optional<authz::Template> make_access_log(const std::string& format) {
    if (format == "off") return std::nullopt;
    const std::string_view text = format == "json"  ? kJsonFormat
                                  : format == "clf" ? kClfFormat
                                                    : std::string_view(format);
    auto compiled = authz::Template::make(text);
    if (!compiled) return std::nullopt;  // config has checked it
    return std::move(compiled).value();
}

policy::ConditionContext condition_context(const Request& request) noexcept {
    policy::ConditionContext context;
    context.now = request.began.wall;
    context.source_ip = request.facts.source_ip;
    context.source_arn = request.arn.text;
    context.secure_transport = request.facts.secure;
    if (const authz::ClientCertificate* shown = request.facts.client_certificate) {
        context.client_cert_subject = shown->subject;
        context.client_cert_issuer = shown->issuer;
        context.client_cert_serial = shown->serial;
    }
    if (const http::Field* field = http::find_field(request.head.fields, http::FieldId::referer))
        context.referer = field->value;
    if (const http::Field* field = http::find_field(request.head.fields, http::FieldId::user_agent))
        context.user_agent = field->value;
    return context;
}

Errc Gateway::invoke(Request& request,
                     std::string_view content,
                     const Instant& now,
                     LambdaDone done) {
    request.invoked = now.steady;
    const config::Integration& integration = request.route->source->integration;
    const auto kind = authorizer_kind(request);
    LambdaCall call;
    const Errc error = forward::append_proxy_event({request.facts,
                                                    request.route->source->route_key,
                                                    content,
                                                    kind,
                                                    !request.route->scopes.empty(),
                                                    authorizer_latency(request.record)},
                                                   *request.route->aws_proxy,
                                                   call.payload);
    if (error != Errc::none) return error;
    LambdaInvoker* functions = request.snapshot->functions;
    if (functions == nullptr) {
        done({authz::Invocation::End::not_invokable, {}, "no functions can be called here"});
        return Errc::none;
    }
    call.function = static_cast<std::uint32_t>(integration.function);
    call.timeout = integration.timeout;
    call.request_id = request.facts.request_id;
    call.trace_id = request.facts.trace_id;
    call.api_id = request.api->stage.api_id;
    call.source_arn = request.arn.text;
    functions->invoke(std::move(call), std::move(done));
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
        if (!result->detail.empty()) detail.error = result->detail;
        detail.kid = printable(result->kid);
        detail.key_age_s = result->key_age_s;
        detail.shared = result->shared;
    }
    if (request.grant == nullptr) return;
    detail.principal = printable(request.grant->principal_id);
    detail.issued_for = request.grant->issued_for;
    detail.policy = request.grant->policy->text;
    detail.left_out = request.grant->left_out;
    detail.statements.clear();
    policy::evaluate(
        *request.grant->policy, request.arn, condition_context(request), &detail.statements);
    const bool trapped = request.verdict.reason == Errc::implicit_deny &&
                         request.authorizer != nullptr && !request.record.overridden &&
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
    // Of a text that quotes the request's headers the log gets what quotes nothing.
    request.error_message = error.message;
    if (!request.refusal.empty() && request.detail) request.error_message = request.detail->error;
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
    headers.append(authz::kTraceHeader)
        .append(": ")
        .append(request.ids.request())
        .append("; reason=");
    headers.append(reason_id(static_cast<Errc>(request.record.reason))).append("\r\n");
}

authz::RenderedResponse Gateway::render_refusal(Request& request) const {
    if (request.outcomes.http_api) return render_http_refusal(request);
    if (http::status_of_read_error(request.verdict.reason) != 0)
        return render(request, authz::make_error(request.verdict.reason, body_limit(request)));
    if (request.outcomes.validation != Errc::none &&
        request.verdict.reason == request.outcomes.validation)
        return render(request,
                      authz::make_validation_error(request.verdict.reason, request.validation));
    const std::string_view authorization = field_value(request.head, http::FieldId::authorization);
    const bool old_wording = request.api != nullptr && request.api->source->deny_messages_2015;
    authz::GatewayError error = authz::make_error(request.verdict, authorization, old_wording);
    if (!request.refusal.empty()) error.message = request.refusal;
    // Clients match on this text, which Cognito authorizers alone have.
    if (request.verdict.reason == Errc::token_expired && request.authorizer->is_user_pool())
        error.message = "The incoming token has expired";
    return render(request, error);
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
    record.path_bytes = (at + room) & 0x3f;  // at most sizeof method_path
    record.path_cut = room < path.size();
    if (request.snapshot == &current()) {
        metrics_.count(record);
    } else {  // it began before a reload: counted by what things are called now
        metrics_.count(translate(record, *request.snapshot, current()));
    }
    if (access_log_) write_access_log(request);
    if (observer_) observer_(record);
    if (request.detail) request.detail->bound();
    journal_.add(record, request.detail.get(), request.snapshot);
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
    answer.decision = record.decision;
    if (record.refused) answer.error = answer.reason;
    static const authz::StageFacts kNoStage;
    authz::RequestFacts& facts = request.facts;
    if (facts.stage == nullptr) facts.stage = &kNoStage;
    facts.answer = &answer;
    const authz::ErrorFacts error{record.response, request.error_message, {}};
    if (record.refused) facts.error = &error;
    access_log_->append(facts, "-", authz::Escape::log, access_lines_);
    access_lines_ += '\n';
    facts.answer = nullptr;
    facts.error = nullptr;
}

std::string Gateway::take_access_log() {
    return std::exchange(access_lines_, {});
}

}  // namespace gatehouse::app
