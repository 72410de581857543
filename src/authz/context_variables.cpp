#include "context_variables.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>

namespace gatehouse::authz {
namespace {

using Facts = RequestFacts;

constexpr std::string_view kOfAuthorizer = "authorizer.";

bool put(std::string_view value, std::string& out) {
    out += value;
    return !value.empty();
}

bool put_number(std::int64_t value, std::string& out) {
    if (value < 0) return false;
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(end.ptr - digits));
    return true;
}

std::string_view domain_name(const Facts& facts) noexcept {
    if (facts.head == nullptr) return {};
    const std::string_view host = facts.head->host;
    // A colon inside the brackets of an IPv6 literal is no port.
    const std::size_t colon =
        host.find(':', host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
    return host.substr(0, colon);
}

bool put_domain_prefix(const Facts& facts, std::string& out) {
    const std::string_view name = domain_name(facts);
    return put(name.substr(0, name.find('.')), out);
}

bool put_user_agent(const Facts& facts, std::string& out) {
    if (facts.head == nullptr) return false;
    const http::Field* field = http::find_field(facts.head->fields, http::FieldId::user_agent);
    return field != nullptr && put(field->value, out);
}

bool put_protocol(const Facts& facts, std::string& out) {
    if (facts.head == nullptr) return false;
    return put(facts.head->version == http::Version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1", out);
}

// "10/Jul/2026:19:19:04 +0000"
bool put_request_time(const Facts& facts, std::string& out) {
    namespace chr = std::chrono;
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto day = chr::floor<chr::days>(facts.time);
    const chr::year_month_day date(day);
    const chr::hh_mm_ss time(chr::floor<chr::seconds>(facts.time - day));
    char text[] = "00/Mon/0000:00:00:00 +0000";
    const auto put_digits = [&text](std::size_t at, unsigned value) {
        text[at] = static_cast<char>('0' + value / 10 % 10);
        text[at + 1] = static_cast<char>('0' + value % 10);
    };
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    put_digits(0, static_cast<unsigned>(date.day()));
    kMonths.copy(text + 3, 3, 3 * (static_cast<unsigned>(date.month()) - 1));
    put_digits(7, year / 100);
    put_digits(9, year % 100);
    put_digits(12, static_cast<unsigned>(time.hours().count()));
    put_digits(15, static_cast<unsigned>(time.minutes().count()));
    put_digits(18, static_cast<unsigned>(time.seconds().count()));
    out.append(text, sizeof text - 1);
    return true;
}

bool put_request_time_epoch(const Facts& facts, std::string& out) {
    return put_number(facts.time.time_since_epoch().count(), out);
}

// An HTTP API has one id, in both names.
bool put_request_id(const Facts& facts, std::string& out) {
    const bool http = facts.stage != nullptr && facts.stage->http_api;
    return put(http ? facts.extended_request_id : facts.request_id, out);
}

// The service's ids of resources and deployments mean nothing here. These look the same and are as
// stable: they depend on the name alone.
bool put_short_id(std::string_view name, std::string& out) {
    if (name.empty()) return false;
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const char c : name)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    for (int i = 0; i < 6; ++i, hash /= 36)
        out += "abcdefghijklmnopqrstuvwxyz0123456789"[hash % 36];
    return true;
}

bool put_resource_id(const Facts& facts, std::string& out) {
    return put_short_id(facts.resource_path, out);
}

// HTTP APIs have none.
bool put_deployment_id(const Facts& facts, std::string& out) {
    return facts.stage != nullptr && !facts.stage->http_api &&
           put_short_id(facts.stage->stage_prefix, out);
}

// W3C Trace Context, version 00: "00-" trace-id "-" parent-id "-" flags, in lower-case hex, no id
// all zeros. A client chooses it, so that only what has exactly this form goes anywhere.
bool is_traceparent(std::string_view value) noexcept {
    constexpr std::string_view kForm = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    const auto fits = [](char c, char wanted) {
        return wanted == 'h' ? (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : c == wanted;
    };
    const auto is_zero = [value](std::size_t from, std::size_t count) {
        return value.substr(from, count).find_first_not_of('0') == std::string_view::npos;
    };
    return std::ranges::equal(value, kForm, fits) && !is_zero(3, 32) && !is_zero(36, 16);
}

bool put_traceparent(const Facts& facts, std::string& out) {
    if (facts.head == nullptr) return false;
    const http::Field* field = http::find_field(facts.head->fields, "traceparent");
    return field != nullptr && is_traceparent(field->value) && put(field->value, out);
}

bool put_error_message(const Facts& facts, std::string& out) {
    return facts.error != nullptr && facts.error->message && put(*facts.error->message, out);
}

bool put_error_message_string(const Facts& facts, std::string& out) {
    if (facts.error == nullptr) return false;
    out += facts.error->message ? quote_json(*facts.error->message) : "null";
    return true;
}

bool put_error_type(const Facts& facts, std::string& out) {
    return facts.error != nullptr && put(to_string(facts.error->type), out);
}

// AnswerFacts has one reason for the whole request. Its name tells which step it belongs to.
enum class Step { authorizer, authorize, integration, other };

Step step_of(std::string_view reason) noexcept {
    constexpr std::string_view kAuthorize[] = {"explicit_deny", "implicit_deny", "scope_missing"};
    constexpr std::string_view kAuthorizer[] = {"identity_",
                                                "override_",
                                                "token_",
                                                "keys_",
                                                "authorizer_",
                                                "context_",
                                                "policy_",
                                                "condition_",
                                                "introspection_",
                                                "signature_",
                                                "access_key_"};
    if (std::ranges::find(kAuthorize, reason) != std::end(kAuthorize)) return Step::authorize;
    for (const std::string_view prefix : kAuthorizer) {
        if (reason.starts_with(prefix)) return Step::authorizer;
    }
    constexpr std::string_view kIntegration[] = {
        "upstream_", "function_", "mapping_", "template_", "integration_", "mock_"};
    for (const std::string_view prefix : kIntegration) {
        if (reason.starts_with(prefix)) return Step::integration;
    }
    return Step::other;
}

bool put_error_of(Step step, const Facts& facts, std::string& out) {
    return facts.answer != nullptr && step_of(facts.answer->error) == step &&
           put(facts.answer->error, out);
}

bool put_integration_status(const Facts& facts, std::string& out) {
    return facts.answer != nullptr && put_number(facts.answer->integration_status, out);
}

bool put_integration_latency(const Facts& facts, std::string& out) {
    return facts.answer != nullptr && put_number(facts.answer->integration_latency_ms, out);
}

bool put_integration_error(const Facts& facts, std::string& out) {
    return put_error_of(Step::integration, facts, out);
}

bool put_authorizer_status(const Facts& facts, std::string& out) {
    return facts.answer != nullptr && put_number(facts.answer->authorizer_status, out);
}

bool put_authorizer_latency(const Facts& facts, std::string& out) {
    return facts.answer != nullptr && put_number(facts.answer->authorizer_latency_ms, out);
}

// DIVERGES: no log shows a key. Access-log lines, which alone know the answer, have the beginning
// of its digest instead.
bool put_api_key(const Facts& facts, std::string& out) {
    if (facts.answer == nullptr || facts.api_key.empty()) return put(facts.api_key, out);
    return put(jwt::short_digest(facts.api_key), out);
}

struct Variable {
    std::string_view name;
    AppendValue append;
};

// A variable of the service's that can have no value here: canaries, Cognito identities,
// WAF and the like.
constexpr AppendValue kNone = [](const Facts&, std::string&) { return false; };

constexpr AppendValue kTraceId = [](const Facts& f, std::string& out) {
    return put(f.trace_id, out);
};

// Who signed, on routes of AWS_IAM.
template <std::string IamIdentity::*Member>
constexpr AppendValue kIam = [](const Facts& f, std::string& out) {
    return f.grant != nullptr && f.grant->iam && put((*f.grant->iam).*Member, out);
};

// With mutual TLS.
template <std::string ClientCertificate::*Member>
constexpr AppendValue kCertificate = [](const Facts& f, std::string& out) {
    return f.client_certificate != nullptr && put((*f.client_certificate).*Member, out);
};

// Sorted by name. `gatehouse.…` are ours. `authorizer.…` beyond these is the authorizer's context.
constexpr Variable kVariables[] = {
    {"accountId",
     [](const Facts& f, std::string& out) {
         return f.stage != nullptr && put(f.stage->account_id, out);
     }},
    {"apiId",
     [](const Facts& f, std::string& out) {
         return f.stage != nullptr && put(f.stage->api_id, out);
     }},
    {"authenticate.error", kNone},
    {"authenticate.latency", kNone},
    {"authenticate.status", kNone},
    {"authorize.error",
     [](const Facts& f, std::string& out) { return put_error_of(Step::authorize, f, out); }},
    {"authorize.latency", kNone},
    {"authorize.status", kNone},
    {"authorizer.error",
     [](const Facts& f, std::string& out) { return put_error_of(Step::authorizer, f, out); }},
    {"authorizer.integrationLatency", put_authorizer_latency},
    {"authorizer.integrationStatus", put_authorizer_status},
    {"authorizer.latency", put_authorizer_latency},
    {"authorizer.requestId", kNone},
    {"authorizer.status", put_authorizer_status},
    {"awsEndpointRequestId", kNone},
    {"awsEndpointRequestId2", kNone},
    {"customDomain.basePathMatched",
     [](const Facts& f, std::string& out) {
         return f.stage != nullptr && !f.stage->base_path.empty() &&
                put(std::string_view(f.stage->base_path).substr(1), out);
     }},
    {"dataProcessed", kNone},
    {"deploymentId", put_deployment_id},
    {"domainName", [](const Facts& f, std::string& out) { return put(domain_name(f), out); }},
    {"domainPrefix", put_domain_prefix},
    {"error.message", put_error_message},
    {"error.messageString", put_error_message_string},
    {"error.responseType", put_error_type},
    {"error.validationErrorString",
     [](const Facts& f, std::string& out) {
         return f.error != nullptr && put(f.error->validation, out);
     }},
    {"extendedRequestId",
     [](const Facts& f, std::string& out) { return put(f.extended_request_id, out); }},
    {"gatehouse.cache",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr && put(f.answer->cache, out);
     }},
    {"gatehouse.decision",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr && f.answer->decision && put("true", out);
     }},
    {"gatehouse.reason",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr && put(f.answer->reason, out);
     }},
    {"gatehouse.traceparent", put_traceparent},
    {"httpMethod",
     [](const Facts& f, std::string& out) {
         return f.head != nullptr && put(f.head->method, out);
     }},
    {"identity.accessKey", kIam<&IamIdentity::access_key>},
    {"identity.accountId", kIam<&IamIdentity::account_id>},
    {"identity.apiKey", put_api_key},
    {"identity.apiKeyId", [](const Facts& f, std::string& out) { return put(f.api_key_id, out); }},
    {"identity.caller", kIam<&IamIdentity::caller>},
    {"identity.clientCert.clientCertPem", kCertificate<&ClientCertificate::pem>},
    {"identity.clientCert.issuerDN", kCertificate<&ClientCertificate::issuer>},
    {"identity.clientCert.serialNumber", kCertificate<&ClientCertificate::serial>},
    {"identity.clientCert.subjectDN", kCertificate<&ClientCertificate::subject>},
    {"identity.clientCert.validity.notAfter", kCertificate<&ClientCertificate::not_after>},
    {"identity.clientCert.validity.notBefore", kCertificate<&ClientCertificate::not_before>},
    {"identity.cognitoAuthenticationProvider", kNone},
    {"identity.cognitoAuthenticationType", kNone},
    {"identity.cognitoIdentityId", kNone},
    {"identity.cognitoIdentityPoolId", kNone},
    {"identity.principalOrgId", kNone},
    {"identity.sourceIp", [](const Facts& f, std::string& out) { return put(f.source_ip, out); }},
    {"identity.user", kIam<&IamIdentity::user>},
    {"identity.userAgent", put_user_agent},
    {"identity.userArn", kIam<&IamIdentity::user_arn>},
    {"identity.vpcId", kNone},
    {"identity.vpceId", kNone},
    {"integration.error", put_integration_error},
    {"integration.integrationStatus", put_integration_status},
    {"integration.latency", put_integration_latency},
    {"integration.requestId", kNone},
    {"integration.status", put_integration_status},
    {"integrationErrorMessage", put_integration_error},
    {"integrationLatency", put_integration_latency},
    {"integrationStatus", put_integration_status},
    {"isCanaryRequest", kNone},
    {"path", [](const Facts& f, std::string& out) { return put(f.target.path, out); }},
    {"protocol", put_protocol},
    {"requestId", put_request_id},
    {"requestTime", put_request_time},
    {"requestTimeEpoch", put_request_time_epoch},
    {"resourceId", put_resource_id},
    {"resourcePath", [](const Facts& f, std::string& out) { return put(f.resource_path, out); }},
    {"responseLatency",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr && put_number(f.answer->response_latency_ms, out);
     }},
    {"responseLength",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr &&
                put_number(static_cast<std::int64_t>(f.answer->response_length), out);
     }},
    {"routeKey", [](const Facts& f, std::string& out) { return put(f.route_key, out); }},
    {"stage",
     [](const Facts& f, std::string& out) {
         return f.stage != nullptr && put(f.stage->stage, out);
     }},
    {"status",
     [](const Facts& f, std::string& out) {
         return f.answer != nullptr && f.answer->status > 0 && put_number(f.answer->status, out);
     }},
    {"waf.error", kNone},
    {"waf.latency", kNone},
    {"waf.status", kNone},
    {"wafResponseCode", kNone},
    {"webaclArn", kNone},
    {"xrayTraceId", kTraceId},
};

constexpr bool by_name(const Variable& a, const Variable& b) noexcept {
    return a.name < b.name;
}

static_assert(std::is_sorted(std::begin(kVariables), std::end(kVariables), by_name));

const Variable* find_variable(std::string_view name) noexcept {
    const Variable* found =
        std::lower_bound(std::begin(kVariables), std::end(kVariables), Variable{name, {}}, by_name);
    return found != std::end(kVariables) && found->name == name ? found : nullptr;
}

// `authorizer.claims.X`: claims are text already, but for a JWT authorizer's of a REST API.
bool put_claim(const Grant& grant, std::string_view claim, std::string& out) {
    const Json* value = find_member(grant.claims, claim);
    // Developer guide, "Access JWT claims": as JSON text, quotes included, ASCII alone.
    if (value != nullptr && grant.typed_claims) {
        out += value->dump(-1, ' ', true, Json::error_handler_t::replace);
        return true;
    }
    if (value == nullptr || !value->is_string()) return false;
    out += value->get_ref<const std::string&>();
    return true;
}

bool put_grant(const Grant& grant, std::string_view name, std::string& out) {
    constexpr std::string_view kClaims = "claims.";
    if (name == "principalId") return put(grant.principal_id, out);
    if (const ContextItem* item = grant.find_context(name); item != nullptr) {
        if (item->kind == ContextItem::Kind::null) return false;
        out += item->value;
        return true;
    }
    return name.starts_with(kClaims) && put_claim(grant, name.substr(kClaims.size()), out);
}

}  // namespace

bool append_context_variable(const RequestFacts& facts, std::string_view name, std::string& out) {
    // A context key that is called "status" is what the author of the authorizer meant.
    if (facts.grant != nullptr && name.starts_with(kOfAuthorizer) &&
        put_grant(*facts.grant, name.substr(kOfAuthorizer.size()), out)) {
        return true;
    }
    const Variable* variable = find_variable(name);
    return variable != nullptr && variable->append(facts, out);
}

AppendValue find_context_value(std::string_view name) noexcept {
    constexpr std::string_view kContext = "context.";
    if (!name.starts_with(kContext)) return nullptr;
    name.remove_prefix(kContext.size());
    const Variable* variable = name.starts_with(kOfAuthorizer) ? nullptr : find_variable(name);
    return variable == nullptr ? nullptr : variable->append;
}

bool is_plain_value(std::string_view name) noexcept {
    // What an authorizer's context may give is not among them.
    constexpr std::string_view kPlain[] = {"context.extendedRequestId",
                                           "context.gatehouse.cache",
                                           "context.gatehouse.reason",
                                           "context.integration.integrationStatus",
                                           "context.integration.latency",
                                           "context.integration.status",
                                           "context.integrationLatency",
                                           "context.integrationStatus",
                                           "context.protocol",
                                           "context.requestId",
                                           "context.requestTime",
                                           "context.requestTimeEpoch",
                                           "context.responseLatency",
                                           "context.responseLength",
                                           "context.status"};
    return std::ranges::find(kPlain, name) != std::end(kPlain);
}

bool is_context_variable(std::string_view name) noexcept {
    for (const std::string_view open : {"authorizer.", "requestOverride.", "responseOverride."}) {
        if (name.size() > open.size() && name.starts_with(open)) return true;
    }
    return find_variable(name) != nullptr;
}

}  // namespace gatehouse::authz
