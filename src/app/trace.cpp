#include "gatehouse/app/trace.hpp"

#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/prefetch.hpp"
#include "packed_detail.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace gatehouse::app {
namespace {

constexpr std::size_t kLongText = 400;
constexpr std::size_t kPolicyText = 700;
constexpr std::size_t kMostStatements = 12;
constexpr std::size_t kMostChecks = 32;
constexpr std::size_t kCheckText = 100;

const CompiledApi* find_api(const TraceRecord& record, const Snapshot& snapshot) {
    const auto index = static_cast<std::size_t>(record.api);
    return record.api < 0 || index >= snapshot.apis.size() ? nullptr : &snapshot.apis[index];
}

const CompiledRoute* find_route(const TraceRecord& record, const Snapshot& snapshot) {
    const CompiledApi* api = find_api(record, snapshot);
    const auto index = static_cast<std::size_t>(record.route);
    return api == nullptr || record.route < 0 || index >= api->routes.size() ? nullptr
                                                                             : &api->routes[index];
}

const CompiledAuthorizer* find_authorizer(const TraceRecord& record, const Snapshot& snapshot) {
    const CompiledApi* api = find_api(record, snapshot);
    const auto index = static_cast<std::size_t>(record.authorizer);
    return api == nullptr || record.authorizer < 0 || index >= api->authorizers.size()
               ? nullptr
               : api->authorizers[index].get();
}

std::string iso_time(std::int64_t wall_ms) {
    const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 8> millis{};
    std::snprintf(millis.data(), millis.size(), ".%03dZ", static_cast<int>(wall_ms % 1000));
    return std::string(text.data(), length) + millis.data();
}

std::string identity_text(std::uint32_t identity) {
    std::array<char, 12> text{};
    std::snprintf(text.data(), text.size(), "%08x", identity);
    return text.data();
}

std::string_view outcome_text(policy::Outcome outcome) {
    switch (outcome) {
        case policy::Outcome::allow:
            return "allow";
        case policy::Outcome::explicit_deny:
            return "explicit deny";
        case policy::Outcome::implicit_deny:
            return "implicit deny";
    }
    return "implicit deny";
}

bool is_identity_error(Errc reason) {
    return reason == Errc::identity_missing || reason == Errc::identity_empty ||
           reason == Errc::identity_repeated || reason == Errc::identity_mismatch;
}

Json route_step(const Trace& trace, const Snapshot& snapshot) {
    const auto reason = static_cast<Errc>(trace.record.reason);
    Json step = {{"step", "route"}};
    if (const CompiledApi* api = find_api(trace.record, snapshot)) {
        step["api"] = api->source->name;
        step["stage"] = api->source->stage_name;
    }
    if (const CompiledRoute* route = find_route(trace.record, snapshot)) {
        step["result"] = "matched";
        step["route"] = route->source->route_key;
        step["authorizer"] = route->source->authorizer;
    } else if (reason == Errc::cors_preflight) {
        step["result"] = "none: a preflight";
    } else {
        step["result"] = reason_id(reason);
    }
    return step;
}

Json identity_step(const TraceRecord& record, const CompiledAuthorizer& authorizer) {
    const auto reason = static_cast<Errc>(record.reason);
    Json step = {{"step", "identitySource"}, {"source", authorizer.source->identity_source}};
    if (!authorizer.source->identity_validation_expression.empty()) {
        step["identityValidationExpression"] = authorizer.source->identity_validation_expression;
    }
    step["result"] = record.identity_found       ? std::string_view("found")
                     : is_identity_error(reason) ? reason_id(reason)
                                                 : "not looked for";
    if (record.identity != 0) step["identity"] = identity_text(record.identity);
    return step;
}

// AWS_IAM. What was signed is never shown: it has headers in it.
Json signature_step(const Trace& trace) {
    const auto reason = static_cast<Errc>(trace.record.reason);
    Json step = {{"step", "signature"},
                 {"result", trace.record.judged ? std::string_view("valid") : reason_id(reason)}};
    if (trace.detail && !trace.record.judged && !trace.detail->error.empty())
        step["error"] = trace.detail->error;
    return step;
}

Json cache_step(const Trace& trace) {
    const TraceRecord& record = trace.record;
    Json step = {{"step", "cache"}, {"result", to_string(record.cache)}};
    if (record.cache == CacheUse::hit || record.cache == CacheUse::negative_hit) {
        step["ageMillis"] = record.cache_age_ms;
        step["remainingMillis"] = record.cache_left_ms;
    }
    if (record.cache == CacheUse::hit && trace.detail && !trace.detail->issued_for.empty())
        step["issuedFor"] = trace.detail->issued_for;
    if (trace.detail && trace.detail->shared != SharedUse::none)
        step["sharedCache"] = to_string(trace.detail->shared);
    return step;
}

Json token_step(const TraceDetail& detail) {
    Json step = {{"step", "token"}, {"checks", Json::array()}};
    for (const jwt::Check check : detail.checks) {
        Json row = {{"name", check.name}, {"passed", check.passed}};
        if (!check.expected.empty()) row["expected"] = check.expected;
        if (!check.found.empty()) row["found"] = check.found;
        step["checks"].push_back(std::move(row));
    }
    if (!detail.kid.empty() || detail.key_age_s >= 0) {
        step["key"] = {{"kid", detail.kid}};
        if (detail.key_age_s >= 0) step["key"]["ageSeconds"] = detail.key_age_s;
    }
    if (!detail.error.empty()) step["error"] = detail.error;
    return step;
}

std::string function_name(int index, const Snapshot& snapshot) {
    const auto& functions = snapshot.model.functions;
    const auto at = static_cast<std::size_t>(index);
    return at < functions.size() ? functions[at].name : "";
}

bool was_called(const TraceRecord& record) noexcept {
    return record.cache == CacheUse::miss || record.cache == CacheUse::joined ||
           record.cache == CacheUse::off;
}

// What an authorizer function gave: a policy, or the name of its failure.
Json function_step(const TraceRecord& record,
                   const CompiledAuthorizer& authorizer,
                   const Snapshot& snapshot) {
    return {{"step", "function"},
            {"name", function_name(authorizer.source->function, snapshot)},
            {"result", record.judged ? "a policy" : reason_id(static_cast<Errc>(record.reason))},
            {"micros", record.authorizer_us}};
}

Json policy_step(const Trace& trace) {
    const TraceRecord& record = trace.record;
    Json step = {{"step", "policy"}, {"result", outcome_text(record.outcome)}};
    if (record.statement >= 0) step["statement"] = record.statement;
    if (record.resource >= 0) step["resource"] = record.resource;
    if (!trace.detail) return step;
    const TraceDetail& detail = *trace.detail;
    if (!detail.method_arn.empty()) step["methodArn"] = detail.method_arn;
    if (!detail.principal.empty()) step["principalId"] = detail.principal;
    if (!detail.statements.empty()) {
        Json rows = Json::array();
        for (const policy::StatementTrail& statement : detail.statements) {
            Json row = {{"index", statement.statement},
                        {"effect", statement.effect == policy::Effect::allow ? "Allow" : "Deny"},
                        {"matched", statement.matched},
                        {"why", statement.why}};
            if (!statement.sid.empty()) row["sid"] = statement.sid;
            rows.push_back(std::move(row));
        }
        step["statements"] = std::move(rows);
    }
    if (!detail.left_out.empty()) step["leftOut"] = detail.left_out;
    if (!detail.policy.empty()) {
        auto parsed = parse_json(detail.policy);
        step["policy"] = parsed ? std::move(parsed).value()
                                : Json(detail.policy);  // a long one was cut and stays text
    }
    return step;
}

bool is_key_error(Errc reason) {
    return reason == Errc::api_key_missing || reason == Errc::api_key_repeated ||
           reason == Errc::api_key_unknown || reason == Errc::api_key_disabled ||
           reason == Errc::api_key_unplanned;
}

// Which key, by its id, and of which plan. Refusals by authorization come before anybody asks.
void add_usage_steps(const TraceRecord& record,
                     const CompiledRoute& route,
                     const Snapshot& snapshot,
                     Json& steps) {
    const RouteUsage& usage = route.usage;
    const auto reason = static_cast<Errc>(record.reason);
    const bool limited = reason == Errc::throttled || reason == Errc::quota_exceeded;
    if (!usage.any() || (record.refused && !limited && !is_key_error(reason))) return;
    if (usage.key_required) {
        Json step = {{"step", "apiKey"},
                     {"source", usage.key_from_authorizer ? "AUTHORIZER" : "HEADER"},
                     {"result", is_key_error(reason) ? reason_id(reason) : "valid"}};
        if (record.api_key >= 0) {
            step["id"] = snapshot.usage.key(record.api_key).id;
            const auto found = snapshot.usage.find_allowance(record.api_key, usage.stage);
            if (found.plan >= 0)
                step["usagePlan"] =
                    snapshot.usage.plans().at(static_cast<std::size_t>(found.plan)).spec.id;
        }
        steps.push_back(std::move(step));
    }
    if (!is_key_error(reason))
        steps.push_back({{"step", "limits"}, {"result", limited ? reason_id(reason) : "within"}});
}

// Without a value: a route that is no longer there.
std::string upstream_host(const CompiledRoute* route) {
    return route != nullptr && route->forward ? route->forward->endpoint().host_header : "";
}

// The target that the request was with last, where an upstream has several.
Json upstream_step(const TraceRecord& record, const CompiledRoute* route) {
    Json step = {{"step", "upstream"}, {"host", upstream_host(route)}};
    if (route == nullptr || route->upstream == nullptr) return step;
    step["upstream"] = route->upstream->rules().name;
    if (record.attempts == 0) return step;
    step["host"] = route->upstream->targets().at(record.target)->endpoint().host_header;
    step["attempts"] = record.attempts;
    return step;
}

// Whether the refusal is ours tells a denial made here from one made upstream.
Json last_step(const TraceRecord& record, const CompiledRoute* route, const Snapshot& snapshot) {
    if (record.refused)
        return {{"step", "gatewayResponse"},
                {"type", to_string(record.response)},
                {"status", record.status}};
    if (static_cast<Errc>(record.reason) == Errc::cors_preflight)
        return {{"step", "corsConfiguration"}, {"status", record.status}};
    if (record.decision) return {{"step", "decision"}, {"status", record.status}};
    if (route != nullptr && route->aws_proxy) {
        return {{"step", "integration"},
                {"type", "AWS_PROXY"},
                {"function", function_name(route->source->integration.function, snapshot)},
                {"status", record.upstream_status},
                {"micros", record.first_byte_us}};
    }
    if (record.upstream_status == 0)
        return {{"step", "integration"}, {"type", "MOCK"}, {"status", record.status}};
    Json step = upstream_step(record, route);
    step["status"] = record.upstream_status;
    step["connectMicros"] = record.connect_us;
    step["firstByteMicros"] = record.first_byte_us;
    step["reusedConnection"] = bool(record.reused_upstream);
    step["retried"] = bool(record.retried);
    return step;
}

// Only what failed is told: where nothing is said, what the route validates was good.
void add_validation_step(const Trace& trace, const CompiledRoute* route, Json& steps) {
    const auto reason = static_cast<Errc>(trace.record.reason);
    const bool failed = reason == Errc::parameters_missing || reason == Errc::request_body_invalid;
    const bool reached = failed || reason == Errc::allowed || reason == Errc::open_route ||
                         trace.record.status >= 500;
    if (route == nullptr || route->validator == nullptr || !reached) return;
    Json step = {{"step", "validation"},
                 {"validator", route->source->request_validator},
                 {"result", failed ? reason_id(reason) : "passed"}};
    if (failed && trace.detail && !trace.detail->validation.empty())
        step["found"] = trace.detail->validation;
    steps.push_back(std::move(step));
}

void add_mapping_steps(const Trace& trace, Json& steps) {
    if (!trace.detail || trace.detail->request_template.empty()) return;
    steps.push_back({{"step", "integrationRequest"}, {"template", trace.detail->request_template}});
}

void add_response_step(const Trace& trace, Json& steps) {
    if (!trace.detail || trace.detail->integration_response.empty()) return;
    steps.push_back({{"step", "integrationResponse"},
                     {"response", trace.detail->integration_response},
                     {"template", trace.detail->response_template},
                     {"status", trace.record.status}});
}

Json make_steps(const Trace& trace, const Snapshot& snapshot) {
    const TraceRecord& record = trace.record;
    Json steps = Json::array();
    steps.push_back(route_step(trace, snapshot));
    const CompiledAuthorizer* authorizer = find_authorizer(record, snapshot);
    if (record.overridden) {
        const auto why = static_cast<Errc>(record.reason);
        const bool bad = why == Errc::override_invalid || why == Errc::override_expired;
        steps.push_back({{"step", "override"},
                         {"header", authz::kOverrideHeader},
                         {"result",
                          record.judged ? "in place of the authorizer"
                          : bad         ? reason_id(why)
                                        : "not used"}});
        if (record.judged) steps.push_back(policy_step(trace));
    } else if (authorizer != nullptr) {
        steps.push_back(authorizer->access_keys ? signature_step(trace)
                                                : identity_step(record, *authorizer));
        if (record.cache != CacheUse::none) steps.push_back(cache_step(trace));
        if (authorizer->calls_function() && was_called(record))
            steps.push_back(function_step(record, *authorizer, snapshot));
        if (trace.detail && !trace.detail->checks.empty())
            steps.push_back(token_step(*trace.detail));
        if (record.judged) steps.push_back(policy_step(trace));
        const CompiledRoute* route = find_route(record, snapshot);
        const bool missed = static_cast<Errc>(record.reason) == Errc::scope_missing;
        if (record.judged && route != nullptr && !route->source->authorization_scopes.empty() &&
            (missed || record.outcome == policy::Outcome::allow)) {
            steps.push_back({{"step", "scopes"},
                             {"wanted", route->source->authorization_scopes},
                             {"result", missed ? "none held" : "held"}});
        }
    }
    if (const CompiledRoute* route = find_route(record, snapshot))
        add_usage_steps(record, *route, snapshot, steps);
    const auto reason = static_cast<Errc>(record.reason);
    const CompiledRoute* route = find_route(record, snapshot);
    add_validation_step(trace, route, steps);
    steps.push_back({{"step", "verdict"},
                     {"result", record.refused ? "refuse" : "allow"},
                     {"reason", reason_id(reason)}});
    add_mapping_steps(trace, steps);
    if (record.refused && reason_id(reason).starts_with("upstream_")) {
        Json step = upstream_step(record, route);
        step["result"] = reason_id(reason);
        steps.push_back(std::move(step));
    }
    if (record.status != 0) steps.push_back(last_step(record, route, snapshot));
    if (!record.refused) add_response_step(trace, steps);
    return steps;
}

void cut(std::string& text, std::size_t most) {
    constexpr std::string_view kMark = "…";
    if (text.size() <= most) return;
    text.resize(most < kMark.size() ? 0 : most - kMark.size());
    while (!text.empty() && !is_utf8(text))
        text.pop_back();
    if (most >= kMark.size()) text += kMark;
}

void bound_checks(jwt::CheckTrail& checks, std::size_t& room) {
    std::size_t bytes = 0;
    bool fits = checks.size() <= kMostChecks;
    for (const jwt::Check check : checks) {
        bytes += check.expected.size() + check.found.size();
        fits = fits && check.expected.size() <= kCheckText && check.found.size() <= kCheckText;
    }
    if (fits && bytes <= room) {
        room -= bytes;
        return;
    }
    jwt::CheckTrail kept;
    for (const jwt::Check check : checks) {
        if (kept.size() == kMostChecks) break;
        std::string texts[] = {std::string(check.expected), std::string(check.found)};
        for (std::string& text : texts) {
            cut(text, std::min(room, kCheckText));
            room -= text.size();
        }
        kept.add(check.name, check.passed, texts[0], texts[1]);
    }
    checks = std::move(kept);
}

}  // namespace

std::string_view to_string(CacheUse use) noexcept {
    switch (use) {
        case CacheUse::none:
            return "none";
        case CacheUse::hit:
            return "hit";
        case CacheUse::miss:
            return "miss";
        case CacheUse::negative_hit:
            return "negative hit";
        case CacheUse::joined:
            return "joined";
        case CacheUse::off:
            return "off";
    }
    return "none";
}

std::string_view to_string(SharedUse use) noexcept {
    switch (use) {
        case SharedUse::none:
            return "none";
        case SharedUse::hit:
            return "hit";
        case SharedUse::miss:
            return "miss";
        case SharedUse::away:
            return "away";
        case SharedUse::bad:
            return "not ours";
    }
    return "none";
}

std::string_view hint_for(Errc reason) noexcept {
    switch (reason) {
        case Errc::api_unmatched:
            return "no API serves this host and path: compare with \"domainNames\" and "
                   "\"basePath\"";
        case Errc::route_unmatched:
            return "no \"routeKey\" of the API has this method and path: this is routing, no "
                   "authorizer was asked";
        case Errc::token_key_unknown:
            return "the issuer may have rotated its keys: see fetch times under GET /report, or "
                   "wait for the cooldown";
        case Errc::keys_unavailable:
            return "the issuer's key set cannot be had: see /health/ready and the log";
        case Errc::token_issuer_unknown:
            return "iss must equal a configured issuer byte for byte, a trailing slash included";
        case Errc::token_audience_refused:
            return "add the audience to the authorizer, or ask the issuer for a token for this API";
        case Errc::token_algorithm_refused:
            return "add the algorithm to the authorizer's \"algorithms\" if you trust it";
        case Errc::token_expired:
            return "get a new token; clocks that differ need \"clockSkewInSeconds\"";
        case Errc::api_key_missing:
            return "the route wants an API key: in the header x-api-key, or as usageIdentifierKey "
                   "where \"apiKeySource\" is \"AUTHORIZER\"";
        case Errc::api_key_unplanned:
            return "add the key to the \"keys\" of a usage plan whose \"apiStages\" has this apiId "
                   "and stage";
        case Errc::throttled:
            return "a token bucket is empty: see detail for whose, and \"throttle\"";
        case Errc::quota_exceeded:
            return "the plan's quota for this period is used up: GET /usage tells when it begins "
                   "anew";
        case Errc::override_invalid:
        case Errc::override_expired:
            return "mint a new one with gatehouse token --override, with the secret of "
                   "\"devOverride\"";
        case Errc::decision_unreadable:
            return "compare \"decision\".\"form\" with what the proxy sends: see detail";
        case Errc::decision_unsupported:
            return "send such requests through Gatehouse itself";
        case Errc::context_forged:
            return "let the proxy remove the header before it asks, so that no client can write it";
        case Errc::token_use_refused:
            return "a route without authorizationScopes takes an identity token, one with them an "
                   "access token";
        case Errc::signature_missing:
            return "sign the request (Signature Version 4), e.g. curl --aws-sigv4 "
                   "aws:amz:REGION:execute-api --user KEY:SECRET";
        case Errc::signature_scope_refused:
            return "sign for service execute-api and the API's \"region\"";
        case Errc::signature_expired:
        case Errc::signature_not_yet_valid:
            return "the clocks differ, or the request was kept too long";
        case Errc::signature_mismatch:
            return "the answer's body shows what Gatehouse took for the signed request: compare it "
                   "with the signer's, and the secret with \"accessKeys\"";
        case Errc::access_key_unknown:
            return "the access key is none of \"accessKeys\", or has a session token";
        case Errc::token_inactive:
            return "the authorization server says that the token is expired, revoked or not its "
                   "own";
        case Errc::introspection_failed:
            return "the introspection endpoint could not be asked: see detail and the log";
        case Errc::introspection_invalid:
            return "the introspection endpoint's answer is not what RFC 7662 2.2 says: see detail";
        case Errc::context_unusable:
            return "a context value holds control characters: change the claim or the context map";
        case Errc::authorizer_result_invalid:
            return "the authorizer's result has not the documented shape, or breaks a rule of its "
                   "own "
                   "configuration: see detail";
        case Errc::authorizer_failure:
            return "the authorizer gave no answer: see detail and the log";
        case Errc::authorizer_function_error:
            return "the function failed: see its log; only an error that is exactly "
                   "\"Unauthorized\" is a 401";
        case Errc::authorizer_timeout:
        case Errc::function_timeout:
            return "the function did not answer in time: see its log";
        case Errc::authorizer_not_invokable:
        case Errc::function_not_invokable:
            return "the function could not be called: compare its name with \"functions\", and see "
                   "whether its endpoint runs";
        case Errc::authorizer_result_too_large:
        case Errc::function_answer_too_large:
            return "the function returned more than Gatehouse takes";
        case Errc::policy_invalid:
        case Errc::policy_too_large:
        case Errc::condition_unsupported:
            return "the policy is not one that the service would take: detail names the place";
        case Errc::function_error:
            return "the function failed: see its log";
        case Errc::function_answer_invalid:
            return "the function's answer has not the documented shape: detail names the place";
        case Errc::function_event_too_large:
            return "a function takes 6 MB, base64 and escapes of the body included";
        case Errc::upstream_overloaded:
            return "the upstream's \"maxRequests\" or \"maxConnections\" is reached: see "
                   "gatehouse_upstream_refusals_total";
        case Errc::mapping_invalid:
            return "a \"requestParameters\" or uri mapping has no usable value for this request: "
                   "see detail";
        case Errc::parameters_missing:
            return "the route's \"requestParameters\" require what the request has not, or has "
                   "blank";
        case Errc::request_body_invalid:
            return "the body does not fit the model that \"requestModels\" names for its "
                   "Content-Type";
        case Errc::media_type_unsupported:
            return "add a template for this Content-Type to \"requestTemplates\", or see "
                   "\"passthroughBehavior\"";
        case Errc::request_body_not_json:
            return "the request template reads JSON ($input.json, $input.path), and the body is "
                   "none";
        case Errc::template_failed:
            return "a mapping template stopped with an error: see detail";
        case Errc::mock_status_invalid:
            return "the request template of a MOCK renders to JSON with an integer \"statusCode\"";
        case Errc::integration_response_unmatched:
            return "add an integration response whose \"selectionPattern\" matches the status, or "
                   "one without a pattern";
        case Errc::internal:
            return "a fault of Gatehouse itself: please report it with this trace";
        default:
            return "";
    }
}

// The texts that say most come first: what is left of the room goes to the next.
void TraceDetail::bound() {
    std::size_t room = limits::kTraceDetailBytes;
    const auto keep = [&room](std::string& text, std::size_t most) {
        cut(text, std::min(room, most));
        room -= text.size();
    };
    keep(error, 200);
    keep(hint, kLongText);
    keep(validation, kLongText);
    keep(request_template, 100);
    keep(integration_response, 20);
    keep(response_template, 100);
    keep(kid, 100);
    keep(principal, 100);
    keep(host, 100);
    keep(path, kLongText);
    keep(method_arn, kLongText);
    bound_checks(checks, room);
    if (statements.size() > kMostStatements) statements.resize(kMostStatements);
    for (policy::StatementTrail& statement : statements) {
        keep(statement.sid, 64);
        keep(statement.why, 200);
    }
    for (std::string& text : left_out)
        keep(text, 200);
    keep(issued_for, kLongText);
    keep(policy, kPolicyText);
}

Trace KeptTrace::unpack() const {
    return {record, detail ? unpack_detail(detail.get()) : nullptr, snapshot};
}

Json to_json(const KeptTrace& trace) {
    return to_json(trace.unpack());
}

Json to_json(const Trace& trace) {
    const Snapshot& snapshot = *trace.snapshot;
    const TraceRecord& record = trace.record;
    const auto reason = static_cast<Errc>(record.reason);
    const std::string_view line(record.method_path, record.path_bytes);
    const std::size_t space = line.find(' ');
    std::string path = printable(space == std::string_view::npos ? line : line.substr(space + 1));
    if (record.path_cut) path += "…";
    if (trace.detail && !trace.detail->path.empty()) path = trace.detail->path;  // whole
    Json json = {{"requestId", request_id_text(record.request_id)},
                 {"time", iso_time(record.wall_ms)},
                 {"method", printable(line.substr(0, space))},
                 {"path", path},
                 {"status", record.status},
                 {"verdict", record.refused ? "refuse" : "allow"},
                 {"reason", reason_id(reason)},
                 {"reasonText", reason_text(reason)}};
    if (record.decision) json["decision"] = true;
    if (trace.detail && !trace.detail->hint.empty()) json["hint"] = trace.detail->hint;
    if (trace.detail && !trace.detail->error.empty()) json["detail"] = trace.detail->error;
    if (trace.detail && !trace.detail->host.empty()) json["host"] = trace.detail->host;
    json["steps"] = make_steps(trace, snapshot);
    json["bytes"] = {{"request", record.request_bytes}, {"response", record.response_bytes}};
    json["timings"] = {{"totalMicros", record.total_us},
                       {"authorizerMicros", record.authorizer_us}};
    return json;
}

std::string request_id_text(const std::array<unsigned char, 16>& id) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += kHex[id[i] >> 4];
        text += kHex[id[i] & 15];
    }
    return text;
}

std::optional<std::array<unsigned char, 16>> parse_request_id(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    std::array<unsigned char, 16> id{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i++] != '-') return std::nullopt;
            continue;
        }
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id[at++] = static_cast<unsigned char>(high << 4 | low);
        i += 2;
    }
    return id;
}

std::array<char, 16> make_extended_id(const std::array<unsigned char, 16>& id) noexcept {
    static constexpr char kBase64Url[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<char, 16> text{};
    char* to = text.data();
    for (std::size_t at = 0; at < 12; at += 3) {
        const unsigned bits = unsigned{id[at]} << 16 | unsigned{id[at + 1]} << 8 | id[at + 2];
        to[0] = kBase64Url[bits >> 18];
        to[1] = kBase64Url[bits >> 12 & 63];
        to[2] = kBase64Url[bits >> 6 & 63];
        to[3] = kBase64Url[bits & 63];
        to += 4;
    }
    text[15] = '=';  // 90 bits will do
    return text;
}

bool matches(const TraceFilter& filter, const TraceRecord& record, const Snapshot& snapshot) {
    if (filter.request_id && *filter.request_id != record.request_id) return false;
    if (filter.extended_id) {
        const std::array<char, 16> id = make_extended_id(record.request_id);
        if (*filter.extended_id != std::string_view(id.data(), id.size())) return false;
    }
    if (filter.status && *filter.status != record.status) return false;
    if (filter.reason && *filter.reason != reason_id(static_cast<Errc>(record.reason)))
        return false;
    if (filter.route) {
        const CompiledRoute* route = find_route(record, snapshot);
        if (route == nullptr || route->source->route_key != *filter.route) return false;
    }
    return true;
}

TraceRecord translate(const TraceRecord& record, const Snapshot& from, const Snapshot& to) {
    TraceRecord found = record;
    found.api = found.route = found.authorizer = -1;
    const CompiledApi* api = find_api(record, from);
    if (api == nullptr) return found;
    const CompiledAuthorizer* authorizer = find_authorizer(record, from);
    for (std::size_t a = 0; a < to.apis.size(); ++a) {
        if (to.apis[a].source->name != api->source->name) continue;
        found.api = static_cast<std::int16_t>(a);
        const CompiledRoute* route = find_route(record, from);
        const auto& routes = to.apis[a].routes;
        for (std::size_t r = 0; route != nullptr && r < routes.size(); ++r) {
            if (routes[r].source->route_key == route->source->route_key)
                found.route = static_cast<std::int16_t>(r);
        }
        const auto& authorizers = to.apis[a].authorizers;
        for (std::size_t i = 0; authorizer != nullptr && i < authorizers.size(); ++i) {
            if (authorizers[i]->source->name == authorizer->source->name)
                found.authorizer = static_cast<std::int16_t>(i);
        }
        break;
    }
    return found;
}

Journal::Journal(std::size_t records) : records_(records), details_(records) {}

void Journal::begin(std::shared_ptr<const Snapshot> snapshot) {
    if (epochs_.size() == limits::kJournalEpochs) {
        forget(epochs_.front().id);
        epochs_.erase(epochs_.begin());
    }
    do {  // 0 is no epoch's
        ++last_epoch_;
    } while (last_epoch_ == 0 ||
             std::ranges::find(epochs_, last_epoch_, &Epoch::id) != epochs_.end());
    epochs_.push_back({last_epoch_, std::move(snapshot)});
}

// The number will come round again, and must not give these records another's names.
void Journal::forget(std::uint8_t epoch) {
    for (std::size_t i = 0; i < records_.size(); ++i) {
        if (records_[i].epoch != epoch) continue;
        records_[i] = {};
        details_[i].reset();
    }
}

void Journal::add(const TraceRecord& record, const TraceDetail* detail, const Snapshot* snapshot) {
    // From the newest: nearly always it is that one.
    const auto epoch = std::find_if(epochs_.rbegin(), epochs_.rend(), [snapshot](const Epoch& one) {
        return one.snapshot.get() == snapshot;
    });
    if (epoch == epochs_.rend()) return;
    const std::size_t slot = next_ % records_.size();
    if (detail != nullptr || details_[slot])
        details_[slot] = detail != nullptr ? pack_detail(*detail) : nullptr;
    records_[slot] = record;
    records_[slot].epoch = epoch->id;
    ++next_;
    // What the next one takes the place of was last touched a whole journal ago.
    const std::size_t following = next_ % records_.size();
    prefetch(records_[following]);
    prefetch(details_[following]);
    if (const char* oldest = details_[following].get()) prefetch(oldest, kCacheLine);
}

std::vector<KeptTrace> Journal::find(const TraceFilter& filter) const {
    std::vector<KeptTrace> found;
    const std::uint64_t oldest = next_ > records_.size() ? next_ - records_.size() : 0;
    for (std::uint64_t i = next_; i > oldest && found.size() < filter.limit; --i) {
        const std::size_t slot = (i - 1) % records_.size();
        const TraceRecord& record = records_[slot];
        const auto epoch = std::ranges::find(epochs_, record.epoch, &Epoch::id);
        if (epoch != epochs_.end() && matches(filter, record, *epoch->snapshot))
            found.push_back({record, details_[slot], epoch->snapshot});
    }
    return found;
}

}  // namespace gatehouse::app
