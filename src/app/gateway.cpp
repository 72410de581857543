#include "gatehouse/app/gateway.hpp"

#include "admit.hpp"
#include "gatehouse/authz/cors.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/prefetch.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/target.hpp"
#include "gatehouse/policy/evaluate.hpp"
#include "gateway_parts.hpp"
#include "override.hpp"

#include <boost/smart_ptr/make_local_shared.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gatehouse::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::uint32_t to_millis(SteadyTime::duration span) noexcept {
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(duration_cast<milliseconds>(span).count(), 0, UINT32_MAX));
}

bool holds_scope(const authz::Grant& grant, std::span<const std::string> wanted) noexcept {
    return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& scope) {
        return std::find(grant.scopes.begin(), grant.scopes.end(), scope) != grant.scopes.end();
    });
}

SnapshotHold hold(std::shared_ptr<const Snapshot> snapshot) {
    return boost::make_local_shared<const std::shared_ptr<const Snapshot>>(std::move(snapshot));
}

}  // namespace

void Request::clear() {
    held.reset();
    snapshot = nullptr;
    head = {};
    api = nullptr;
    route = nullptr;
    authorizer = nullptr;
    facts = {};
    arn = {};
    identity = {};
    token = {};
    grant.reset();
    api_key = -1;
    outcomes = {};
    verdict = {};
    record = {};
    detail.reset();
    signature.reset();
    signed_method = {};
    refusal.clear();
    error_message.reset();
    validation.clear();
    mapped.reset();
    answer.reset();
    decision = false;
}

TraceDetail& Request::make_detail() {
    if (!detail) detail = std::make_unique<TraceDetail>();
    return *detail;
}

Gateway::Gateway(std::shared_ptr<const Snapshot> snapshot,
                 authz::GrantCache& cache,
                 Authorize& authorize)
    : held_(hold(std::move(snapshot))),
      cache_(cache),
      authorize_(authorize),
      access_log_(make_access_log(current().model.access_log.format)) {
    journal_.begin(current().shared_from_this());
}

void Gateway::adopt(std::shared_ptr<const Snapshot> snapshot) {
    if (snapshot == *held_) return;
    metrics_.rename(current(), *snapshot);
    held_ = hold(std::move(snapshot));
    // The journal needs names alone: its hold on the configuration keeps nothing else alive, as a
    // request's does.
    journal_.begin(current().shared_from_this());
    access_log_ = make_access_log(current().model.access_log.format);
}

void Gateway::start(Request& request,
                    const ClientFacts& client,
                    const Instant& now,
                    std::string_view client_request_id) {
    request.held = held_;
    request.snapshot = held_->get();
    request.began = now;
    ids_.make(request.ids, now.wall, client_request_id);
    request.record.request_id = request.ids.bytes;
    request.record.decision = request.decision || client.decision;
    request.record.wall_ms = now.wall.time_since_epoch().count();
    authz::RequestFacts& facts = request.facts;
    facts.head = &request.head;
    facts.source_ip = client.source_ip;
    facts.listener_port = client.listener_port;
    facts.secure = client.secure;
    facts.client_certificate = client.certificate.get();
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
    if (client.decision) return begin_decision(request, head, client, now, make_wake);
    request.head = head;
    request.signed_method = head.method;
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
    if (unrouted != Errc::none) return settle(request, now);
    if (request.decision && !is_decidable(request)) return settle(request, now);
    find_api_key(request);
    if (const http::Field* header = find_override(request))
        return judge_override(request, *header, now);
    if (request.authorizer == nullptr) {
        request.outcomes.guarded = false;
        return settle(request, now);
    }
    if (request.authorizer->access_keys) return read_signature(request, now);
    if (const Errc missing = find_identity(request); missing != Errc::none) {
        request.outcomes.identity = missing;
        return settle(request, now);
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
    request.outcomes.http_api = request.api->stage.http_api;
    // What is decoded to be judged here would go on as it came elsewhere.
    const bool decoded_elsewhere = request.decision && request.api->stage.http_api;
    if (target->encoded_slash &&
        (decoded_elsewhere || request.api->source->encoded_slash == config::EncodedSlash::refuse)) {
        return request.outcomes.target = Errc::target_encoded_slash;
    }
    if (request.api->stage.http_api) {
        if (const Errc refused = decode_slashes(request, match.api); refused != Errc::none)
            return request.outcomes.target = refused;
    }
    if (request.api->source->method_override && !request.decision) {
        const std::string_view method =
            field_value(request.head, http::FieldId::x_http_method_override);
        if (is_token(method)) request.head.method = method;
    }
    const int index =
        request.api->table.find(request.head.method, facts.api_path, facts.parameters);
    if (index == routing::RouteTable::kNoRoute) {
        // Only what no route takes: a route's authorizer is never stepped around.
        const bool preflight = request.api->stage.cors && authz::Cors::is_preflight(request.head);
        // A proxy would take the answer for an allow, and pass the preflight on to the upstream.
        request.outcomes.preflight = preflight && !request.decision;
        if (preflight && request.decision)
            request.make_detail().error = "a preflight, which corsConfiguration cannot answer here";
        return request.outcomes.routing = Errc::route_unmatched;
    }
    request.route = &request.api->routes[static_cast<std::size_t>(index)];
    prefetch(*request.route);
    request.record.route = static_cast<std::int16_t>(index);
    facts.parameter_names = request.route->parameter_names;
    facts.resource_path = request.route->resource_path;
    if (request.api->stage.http_api) facts.route_key = request.route->source->route_key;
    if (request.route->authorizer >= 0) {
        request.authorizer =
            request.api->authorizers[static_cast<std::size_t>(request.route->authorizer)].get();
        request.record.authorizer = static_cast<std::int16_t>(request.route->authorizer);
    } else if (find_override(request) == nullptr) {
        return Errc::none;
    }
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
        if (found.error != Errc::none)
            request.make_detail().error = "identity source " + std::string(found.source);
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
        if (auto cached = cache_.find(
                request.authorizer->scope, request.identity, now.steady, &local_grants_)) {
            record.cache_age_ms = to_millis(now.steady - cached->stored);
            record.cache_left_ms = to_millis(cached->expires - now.steady);
            if (cached->grant == nullptr) {
                record.cache = CacheUse::negative_hit;
                ++metrics_.cache_negative_hits;
                request.outcomes.authorizer = cached->negative;
                return settle(request, now);
            }
            if (still_holds(options, *cached->grant, now.wall)) {
                record.cache = CacheUse::hit;
                ++metrics_.cache_hits;
                request.grant = std::move(cached->grant);
                return judge(request, now);
            }
        }
        ++metrics_.cache_misses;
    }
    bool joined = false;
    AuthorizeCall call;
    call.snapshot = *request.held;
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
    if (request.snapshot == &current()) {
        metrics_.observe_authorizer(request.record);
    } else {  // it began before a reload: counted by what things are called now
        metrics_.observe_authorizer(translate(request.record, *request.snapshot, current()));
    }
    Step step = Step::refuse;
    if (result.grant == nullptr) {
        request.outcomes.authorizer = result.error == Errc::none ? Errc::internal : result.error;
        step = settle(request, now);
    } else {
        request.grant = result.grant;
        step = judge(request, now);
    }
    explain(request, &result);
    return step;
}

// Every request is judged by its own ARN, also on a hit: the cache holds policies, never verdicts.
Step Gateway::judge(Request& request, const Instant& now) {
    TraceRecord& record = request.record;
    const std::span<const std::string> scopes = request.route->scopes;
    // Amazon Cognito: identity tokens where the method asks for no scopes, else access tokens. One
    // cached grant may meet both kinds of method.
    const authz::TokenUse use = request.grant->token_use;
    if (use != authz::TokenUse::any &&
        use != (scopes.empty() ? authz::TokenUse::id : authz::TokenUse::access)) {
        request.outcomes.authorizer = Errc::token_use_refused;
        return settle(request, now);
    }
    const policy::Decision decision =
        policy::evaluate(*request.grant->policy, request.arn, condition_context(request));
    request.facts.grant = request.grant.get();
    request.outcomes.judged = true;
    request.outcomes.policy = decision.outcome;
    record.judged = true;
    record.outcome = decision.outcome;
    record.statement = static_cast<std::int16_t>(decision.statement);
    record.resource = static_cast<std::int16_t>(decision.resource);
    record.identity = request.grant->identity_digest;
    request.outcomes.scope_required = !scopes.empty();
    request.outcomes.scope_held = !scopes.empty() && holds_scope(*request.grant, scopes);
    return settle(request, now);
}

// In the authorizer's place: judged as any other grant, on open routes too.
Step Gateway::judge_override(Request& request, const http::Field& header, const Instant& now) {
    request.outcomes.guarded = true;
    const Errc error = take_override(request, header, authorize_);
    Step step = Step::refuse;
    if (error == Errc::none) {
        step = judge(request, now);
    } else if (error == Errc::override_invalid || error == Errc::override_expired) {
        request.outcomes.identity = error;
        step = settle(request, now);
    } else {
        request.outcomes.authorizer = error;
        step = settle(request, now);
    }
    explain(request, nullptr);
    return step;
}

Step Gateway::settle(Request& request, const Instant& now) {
    request.verdict = authz::decide(request.outcomes);
    // Last, so that only who may pass is counted, and a refusal costs nobody anything.
    if (request.verdict.allow && request.route != nullptr && request.route->usage.any()) {
        request.outcomes.metered = true;
        request.outcomes.usage = admit(request, now);
        request.verdict = authz::decide(request.outcomes);
    }
    request.record.reason = static_cast<std::uint16_t>(request.verdict.reason);
    if (!request.verdict.allow) return refuse(request);
    return request.decision ? answer_decision(request) : follow(request, now);
}

Step Gateway::refuse(Request& request) {
    request.record.refused = true;
    request.record.response = request.verdict.response;
    explain(request, nullptr);
    return Step::refuse;
}

}  // namespace gatehouse::app
