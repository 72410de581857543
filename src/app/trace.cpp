#include "gatehouse/app/trace.hpp"

#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/core/ascii.hpp"

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

Json cache_step(const Trace& trace) {
    const TraceRecord& record = trace.record;
    Json step = {{"step", "cache"}, {"result", to_string(record.cache)}};
    if (record.cache == CacheUse::hit || record.cache == CacheUse::negative_hit) {
        step["ageMillis"] = record.cache_age_ms;
        step["remainingMillis"] = record.cache_left_ms;
    }
    if (record.cache == CacheUse::hit && trace.detail && !trace.detail->issued_for.empty())
        step["issuedFor"] = trace.detail->issued_for;
    return step;
}

Json token_step(const TraceDetail& detail) {
    Json step = {{"step", "token"}, {"checks", Json::array()}};
    for (const jwt::Check& check : detail.checks) {
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

// Whether the refusal is ours tells a denial made here from one made upstream.
Json last_step(const TraceRecord& record, const CompiledRoute* route, const Snapshot& snapshot) {
    if (record.refused)
        return {{"step", "gatewayResponse"},
                {"type", to_string(record.response)},
                {"status", record.status}};
    if (route != nullptr && route->aws_proxy) {
        return {{"step", "integration"},
                {"type", "AWS_PROXY"},
                {"function", function_name(route->source->integration.function, snapshot)},
                {"status", record.upstream_status},
                {"micros", record.first_byte_us}};
    }
    if (record.upstream_status == 0)
        return {{"step", "integration"}, {"type", "MOCK"}, {"status", record.status}};
    return {{"step", "upstream"},
            {"status", record.upstream_status},
            {"connectMicros", record.connect_us},
            {"firstByteMicros", record.first_byte_us},
            {"reusedConnection", bool(record.reused_upstream)},
            {"retried", bool(record.retried)}};
}

Json make_steps(const Trace& trace, const Snapshot& snapshot) {
    const TraceRecord& record = trace.record;
    Json steps = Json::array();
    steps.push_back(route_step(trace, snapshot));
    const CompiledAuthorizer* authorizer = find_authorizer(record, snapshot);
    if (authorizer != nullptr) {
        steps.push_back(identity_step(record, *authorizer));
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
    const auto reason = static_cast<Errc>(record.reason);
    steps.push_back({{"step", "verdict"},
                     {"result", record.refused ? "refuse" : "allow"},
                     {"reason", reason_id(reason)}});
    if (record.status != 0)
        steps.push_back(last_step(record, find_route(record, snapshot), snapshot));
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
        case Errc::mapping_invalid:
            return "a \"requestParameters\" or uri mapping has no usable value for this request: "
                   "see detail";
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
    keep(kid, 100);
    keep(principal, 100);
    keep(host, 100);
    keep(path, kLongText);
    keep(method_arn, kLongText);
    if (checks.size() > kMostChecks) checks.resize(kMostChecks);
    for (jwt::Check& check : checks) {
        keep(check.expected, 100);
        keep(check.found, 100);
    }
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

Json to_json(const Trace& trace, const Snapshot& snapshot) {
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
    constexpr char kBase64Url[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<char, 16> text{};
    for (std::size_t i = 0; i < 15; ++i) {
        // 90 bits, six at a time; the last six end within the twelfth byte.
        const std::size_t bit = 6 * i;
        const unsigned pair = static_cast<unsigned>(id[bit / 8]) << 8 | id[bit / 8 + 1];
        text[i] = kBase64Url[pair >> (10 - bit % 8) & 63];
    }
    text[15] = '=';
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

Journal::Journal(std::size_t records) : records_(records), details_(records) {}

void Journal::add(const TraceRecord& record, std::shared_ptr<const TraceDetail> detail) {
    const std::size_t slot = next_++ % records_.size();
    records_[slot] = record;
    if (detail || details_[slot]) details_[slot] = std::move(detail);
}

std::vector<Trace> Journal::find(const TraceFilter& filter, const Snapshot& snapshot) const {
    std::vector<Trace> found;
    const std::uint64_t oldest = next_ > records_.size() ? next_ - records_.size() : 0;
    for (std::uint64_t i = next_; i > oldest && found.size() < filter.limit; --i) {
        const std::size_t slot = (i - 1) % records_.size();
        if (matches(filter, records_[slot], snapshot))
            found.push_back({records_[slot], details_[slot]});
    }
    return found;
}

}  // namespace gatehouse::app
