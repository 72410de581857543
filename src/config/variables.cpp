#include "variables.hpp"

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/template/template.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace gatehouse::config {
namespace {

constexpr std::size_t kLogTemplateBytes = 3072;

constexpr auto kContext = std::to_array<std::string_view>({
    "accountId",
    "apiId",
    "awsEndpointRequestId",
    "customDomain.basePathMatched",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "error.message",
    "error.messageString",
    "error.responseType",
    "error.validationErrorString",
    "extendedRequestId",
    "httpMethod",
    "identity.accessKey",
    "identity.accountId",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.caller",
    "identity.clientCert.clientCertPem",
    "identity.clientCert.issuerDN",
    "identity.clientCert.serialNumber",
    "identity.clientCert.subjectDN",
    "identity.clientCert.validity.notAfter",
    "identity.clientCert.validity.notBefore",
    "identity.cognitoAuthenticationProvider",
    "identity.cognitoAuthenticationType",
    "identity.cognitoIdentityId",
    "identity.cognitoIdentityPoolId",
    "identity.principalOrgId",
    "identity.sourceIp",
    "identity.user",
    "identity.userAgent",
    "identity.userArn",
    "identity.vpcId",
    "identity.vpceId",
    "isCanaryRequest",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "routeKey",
    "stage",
    "wafResponseCode",
    "webaclArn",
});

constexpr auto kAccessLogOnly = std::to_array<std::string_view>({
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "awsEndpointRequestId2",
    "dataProcessed",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.status",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "responseLatency",
    "responseLength",
    "status",
    "waf.error",
    "waf.latency",
    "waf.status",
    "gatehouse.cache",
    "gatehouse.decision",
    "gatehouse.reason",
    "gatehouse.traceparent",
    "xrayTraceId",
});

bool is_variable_char(char c) {
    return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
}

// The name in a `$name` or `${name}` at the start of a text, cut as authz::Template cuts it.
std::string_view leading_name(std::string_view text) {
    if (text.starts_with("${")) {
        const std::size_t close = text.find('}');
        return close == std::string_view::npos ? std::string_view() : text.substr(2, close - 2);
    }
    text.remove_prefix(1);
    const auto end = std::ranges::find_if_not(text, is_variable_char);
    std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    while (name.ends_with('.'))
        name.remove_suffix(1);
    return name;
}

// "method.request.header.X" without the part that `prefix` is, or nothing.
bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

// What stands behind `…body`: nothing, or a JSONPath without its "$".
std::string fault_in_body_path(std::string_view path) {
    if (path.empty()) return {};
    if (path.find_first_of("'\"$#\\") != std::string_view::npos)
        return "a path into the body has no quotes, \"$\", \"#\" or backslashes: body.a.b";
    const auto compiled = templates::compile("$input.json('$" + std::string(path) + "')");
    return compiled ? std::string() : compiled.error().detail;
}

std::string fault_in_method_source(std::string_view text, Expressions kind) {
    if (text == "body" || text.starts_with("body.")) {
        return kind == Expressions::custom
                   ? fault_in_body_path(text.substr(4))
                   : "method.request.body is read by integrations of type HTTP alone";
    }
    const bool multi = kind == Expressions::request || kind == Expressions::custom;
    if (take_prefix(text, "header.") || (multi && take_prefix(text, "multivalueheader."))) {
        return fault_in_header_name(text);
    }
    if (take_prefix(text, "querystring.") || take_prefix(text, "path.") ||
        (multi && take_prefix(text, "multivaluequerystring."))) {
        return text.empty() ? "names no parameter" : "";
    }
    return in_quotes(text) +
           " is no part of a request; allowed behind method.request.: header, querystring, path" +
           (multi ? ", multivalueheader, multivaluequerystring" : "") + " and a name";
}

std::string fault_in_answer_source(std::string_view text) {
    if (text == "body" || text.starts_with("body.")) return fault_in_body_path(text.substr(4));
    if (take_prefix(text, "header.") || take_prefix(text, "multivalueheader."))
        return fault_in_header_name(text);
    return in_quotes(text) +
           " is no part of an answer; allowed behind integration.response.: header.NAME, "
           "multivalueheader.NAME, body, body.JSONPATH";
}

std::string fault_in_literal(std::string_view text) {
    if (text.size() < 2 || text.back() != '\'') return "a constant is not closed by a single quote";
    return fault_in_constant(text);
}

}  // namespace

std::string fault_in_context_variable(std::string_view name, bool access_log) {
    const bool late = std::ranges::find(kAccessLogOnly, name) != kAccessLogOnly.end();
    if (late && !access_log)
        return "$context." + std::string(name) + " is known to access logs only";
    if (name == "routeKey" && !access_log) return "$context.routeKey is of HTTP APIs only";
    if (authz::is_known_variable("context." + std::string(name))) return {};
    std::vector<std::string_view> known(kContext.begin(), kContext.end());
    if (access_log) known.insert(known.end(), kAccessLogOnly.begin(), kAccessLogOnly.end());
    std::string fault = "there is no $context variable " + in_quotes(name) + suggest(name, known);
    if (name.find('-') != std::string_view::npos)
        fault += "; a name ends before a \"-\" when it is written ${context.NAME}";
    return fault;
}

std::string fault_in_log_template(std::string_view text) {
    if (text.size() > kLogTemplateBytes) return "is longer than 3 KB";
    if (std::ranges::any_of(text, [](char c) { return is_control(c) && c != '\t'; }))
        return "must be a single line";
    bool has_id = false;
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at + 1)) {
        std::string_view name = leading_name(text.substr(at));
        if (!take_prefix(name, "context.")) {
            return "has a \"$\" that begins no $context variable; an access log can show nothing "
                   "else";
        }
        std::string fault = fault_in_context_variable(name, true);
        if (!fault.empty()) return fault;
        has_id = has_id || name == "requestId" || name == "extendedRequestId";
    }
    if (!has_id) return "must contain $context.requestId or $context.extendedRequestId";
    const Result<authz::Template> compiled = authz::Template::make(text, true);
    return compiled ? std::string() : compiled.error().detail;
}

std::string fault_in_response_template(std::string_view text) {
    for (std::size_t at = text.find('$'); at != std::string_view::npos;
         at = text.find('$', at + 1)) {
        std::string_view name = leading_name(text.substr(at));
        if (!take_prefix(name, "context.")) continue;
        std::string fault = fault_in_context_variable(name, false);
        if (!fault.empty()) return fault;
    }
    const Result<authz::Template> compiled = authz::Template::make(text);
    return compiled ? std::string() : compiled.error().detail;
}

namespace {

std::string fault_in_source(std::string_view text,
                            Expressions kind,
                            const std::map<std::string, std::string>& stage_variables) {
    if (text.starts_with('\'')) return fault_in_literal(text);
    if (kind == Expressions::answer && take_prefix(text, "integration.response."))
        return fault_in_answer_source(text);
    if (kind != Expressions::answer && take_prefix(text, "method.request."))
        return fault_in_method_source(text, kind);
    if (take_prefix(text, "context.")) return fault_in_context_variable(text, false);
    if (take_prefix(text, "stageVariables.")) {
        if (stage_variables.contains(std::string(text))) return {};
        std::vector<std::string_view> names;
        names.reserve(stage_variables.size());
        for (const auto& [name, value] : stage_variables)
            names.push_back(name);
        return "stage variable " + in_quotes(text) + " is not set" + suggest(text, names);
    }
    return in_quotes(text) + " is no source; allowed: " +
           (kind == Expressions::answer ? "integration.response.…" : "method.request.…") +
           ", context.…, stageVariables.… or a 'constant' in single quotes" +
           (text.starts_with('$') ? "; leave the \"$\" out" : "");
}

}  // namespace

std::string fault_in_expression(std::string_view text,
                                Expressions kind,
                                const std::map<std::string, std::string>& stage_variables) {
    std::string fault = fault_in_source(text, kind, stage_variables);
    if (!fault.empty()) return fault;
    if (text.starts_with("integration.response.") || text.starts_with("method.request.body"))
        return {};  // not one of the expressions: read with the body
    const Result<authz::Expression> compiled = authz::Expression::make(text);
    return compiled ? std::string() : compiled.error().detail;
}

}  // namespace gatehouse::config
