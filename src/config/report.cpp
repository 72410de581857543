#include "gatehouse/config/report.hpp"

#include "gatehouse/config/validate.hpp"
#include "gatehouse/http/conceal_url.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace gatehouse::config {
namespace {

const Authorizer* find_authorizer(const Api& api, const Route& route) {
    const auto it = std::ranges::find(api.authorizers, route.authorizer, &Authorizer::name);
    return it == api.authorizers.end() ? nullptr : &*it;
}

void add_proxy_differences(const Api& api,
                           const Route& route,
                           bool guarded,
                           std::vector<std::string>& into) {
    const Integration& integration = route.integration;
    const std::vector<std::string> used = find_placeholders(integration.uri);
    for (const std::string& name : std::set<std::string>(used.begin(), used.end())) {
        if (api.protocol == Protocol::http) break;  // filled directly there, too
        const std::string mapping = "integration.request.path." + name;
        if (!integration.request_parameters.contains(mapping)) into.push_back("needs " + mapping);
    }
    if (api.context_headers.enabled && guarded)
        into.push_back("contextHeaders (the service adds none)");
    if (api.context_headers.enabled && api.context_headers.request_context) {
        into.push_back("x-amzn-request-context (the service sends none)");
    }
    if (api.plain_headers)
        into.push_back("headerHandling plain (the service renames and drops some headers)");
}

void add_native_differences(const Authorizer& authorizer, std::vector<std::string>& into) {
    const bool named =
        std::ranges::any_of(authorizer.jwt.providers,
                            [](const JwtProvider& provider) { return !provider.jwks_uri.empty(); });
    if (named) into.push_back("jwksUri (the service discovers it)");
}

std::string describe_issuers(const Authorizer& authorizer) {
    std::string text;
    for (const JwtProvider& provider : authorizer.jwt.providers)
        text += (text.empty() ? "" : ", ") + http::conceal_url(provider.issuer);
    return text;
}

void add_function_difference(const Model& model, int index, std::vector<std::string>& into) {
    if (index < 0) return;
    const Function& function = model.functions.at(static_cast<std::size_t>(index));
    if (function.endpoint.empty())
        into.push_back("function " + function.name + " run here (a process, no sandbox)");
}

// What README's table of kinds calls approximated of authorizers and functions, in short. What it
// says of integrations (texts of validation errors, an HTTP API's 503) depends on what happens, not
// on the route.
void add_authorizer_differences(const Model& model,
                                const Api& api,
                                const Route& route,
                                const Authorizer& authorizer,
                                std::vector<std::string>& into) {
    const bool http = api.protocol == Protocol::http;
    const bool function = authorizer.type == "TOKEN" || authorizer.type == "REQUEST";
    if (authorizer.type == "AWS_IAM") into.push_back("AWS_IAM (the service asks IAM policies too)");
    if (authorizer.type == "JWT") {
        into.push_back(http ? "JWT (some challenges and list claims are not documented)"
                            : "JWT (the bodies of its 401 and 403 are not documented)");
    }
    if (!route.authorization_scopes.empty() && function)
        into.push_back("authorizationScopes (the service has them for Cognito and JWT alone)");
    if (!route.authorization_scopes.empty() && authorizer.type == "COGNITO_USER_POOLS")
        into.push_back("authorizationScopes (the service's 403 is not documented)");
    if (http && function && authorizer.function >= 0)
        into.push_back("routeArn (documented by samples alone)");
    add_function_difference(model, authorizer.function, into);
}

std::vector<std::string> find_differences(const Model& model,
                                          const Api& api,
                                          const Route& route,
                                          const Authorizer* authorizer) {
    std::vector<std::string> differences;
    const Integration& integration = route.integration;
    if (authorizer != nullptr)
        add_authorizer_differences(model, api, route, *authorizer, differences);
    if (integration.type == IntegrationType::aws_proxy &&
        (authorizer == nullptr || authorizer->function != integration.function))
        add_function_difference(model, integration.function, differences);
    if (integration.upstream >= 0)
        differences.push_back("upstream (the service calls one address, a balancer's perhaps)");
    if (route.api_key_required || route.throttle || api.throttle || model.throttle)
        differences.push_back(
            model.shared ? "counts of requests (exact, of this process, quotas of all that share "
                           "within a second; best effort there)"
                         : "counts of requests (exact, of this process; best effort there)");
    if (integration.type == IntegrationType::http_proxy ||
        integration.type == IntegrationType::http) {
        add_proxy_differences(api, route, authorizer != nullptr, differences);
    } else if (integration.type == IntegrationType::mock && !integration.mapped()) {
        differences.push_back(
            "MOCK in short form (the service needs requestTemplates and integrationResponses)");
    }
    const bool native = authorizer != nullptr && authorizer->type == "JWT";
    if (native) add_native_differences(*authorizer, differences);
    if (authorizer != nullptr && !native && authorizer->limit_to_expiration &&
        authorizer->result_ttl.count() > 0) {
        differences.push_back("limitToExpiration (the service caches past exp)");
    }
    for (const UserPool& pool :
         authorizer == nullptr ? std::vector<UserPool>() : authorizer->user_pools) {
        if (pool.elsewhere)
            differences.push_back("userPools: " + pool.arn + " is " +
                                  http::conceal_url(pool.issuer) + " with keys from " +
                                  http::conceal_url(pool.jwks_uri));
    }
    if (api.encoded_slash == EncodedSlash::refuse)
        differences.push_back(api.protocol == Protocol::http
                                  ? "encodedSlash refuse (the service decodes %2F)"
                                  : "encodedSlash refuse (the service keeps %2F)");
    return differences;
}

std::string describe_function(const Model& model, int index) {
    const Function& function = model.functions.at(static_cast<std::size_t>(index));
    if (function.endpoint.empty()) return "function " + function.name + " (run here)";
    return "function " + function.name + " at " + http::conceal_url(function.endpoint);
}

// " -> 200, 404": the statuses that clients may get.
std::string describe_responses(const Integration& integration) {
    std::set<int> statuses;
    for (const IntegrationResponse& response : integration.integration_responses)
        statuses.insert(response.status_code);
    std::string text;
    for (const int status : statuses)
        text.append(text.empty() ? " -> " : ", ").append(std::to_string(status));
    return text;
}

// "all: parameters, body", or nothing.
std::string describe_validation(const Api& api, const Route& route) {
    const auto found =
        std::ranges::find(api.request_validators, route.request_validator, &RequestValidator::name);
    if (found == api.request_validators.end()) return {};
    std::string text = found->name + ":";
    if (found->validate_parameters) text += " parameters";
    if (found->validate_body) text += found->validate_parameters ? ", body" : " body";
    return text;
}

std::string describe_target(const Model& model, const Integration& integration) {
    if (integration.upstream < 0) return {};
    const upstream::Rules& rules =
        model.upstreams.at(static_cast<std::size_t>(integration.upstream)).rules;
    return " by upstream " + rules.name;
}

std::string describe_integration(const Model& model, const Integration& integration) {
    if (integration.type == IntegrationType::aws_proxy && integration.function >= 0)
        return "AWS_PROXY " + describe_function(model, integration.function);
    if (integration.type == IntegrationType::mock) {
        return integration.mapped() ? "MOCK" + describe_responses(integration)
                                    : "MOCK " + std::to_string(integration.status_code);
    }
    const bool fixed = !integration.http_method.empty() && integration.http_method != "ANY";
    return (integration.mapped() ? "HTTP " : "HTTP_PROXY ") +
           (fixed ? integration.http_method + " " : std::string()) +
           http::conceal_url(integration.uri) +  // a query may hold a key
           describe_target(model, integration) +
           (integration.mapped() ? describe_responses(integration) : std::string());
}

RouteReport report_route(const Model& model, const Api& api, const Route& route) {
    const Authorizer* authorizer = find_authorizer(api, route);
    RouteReport row;
    row.api = api.name;
    row.method = route.method;
    row.path = route.path;
    row.authorizer = route.authorizer.empty() ? "?" : route.authorizer;
    if (authorizer != nullptr && authorizer->type == "AWS_IAM") {
        const std::size_t keys = model.access_keys.size();
        row.authorizer_type =
            "SigV4, " + std::to_string(keys) + (keys == 1 ? " access key" : " access keys");
    } else if (authorizer != nullptr) {
        row.authorizer_type =
            authorizer->type == "JWT"
                ? authorizer->type + " " + describe_issuers(*authorizer)
                : authorizer->type + (authorizer->authorizer_uri.empty() ? "" : " ") +
                      (authorizer->function < 0 ? authorizer->authorizer_uri
                                                : describe_function(model, authorizer->function));
        if (authorizer->introspection)
            row.authorizer_type += " at " + http::conceal_url(authorizer->introspection->endpoint);
    } else {
        // Nothing but the word NONE is ever shown as open, whatever model this is.
        row.authorizer_type = route.authorizer == "NONE" ? "open" : "unknown";
    }
    row.validation = describe_validation(api, route);
    if (route.api_key_required) row.authorizer_type += ", API key";
    row.integration = describe_integration(model, route.integration);
    row.differences = find_differences(model, api, route, authorizer);
    return row;
}

constexpr std::size_t kColumns = 6;
using Line = std::array<std::string, kColumns>;

Line make_line(const RouteReport& row, bool several) {
    return {several ? row.api : std::string(),
            row.method,
            row.path,
            row.authorizer + " (" + row.authorizer_type + ")",
            row.validation.empty() ? std::string() : "validates " + row.validation,
            row.integration};
}

}  // namespace

std::string describe_differences(const std::vector<std::string>& differences) {
    if (differences.empty()) return "exact";
    std::string text;
    for (const std::string& difference : differences)
        text += (text.empty() ? "differs from the service: " : "; ") + difference;
    return text;
}

std::string_view to_string(http::OriginalForm form) noexcept {
    switch (form) {
        case http::OriginalForm::nginx:
            return "nginx";
        case http::OriginalForm::forwarded:
            return "forwarded";
        case http::OriginalForm::envoy:
            break;
    }
    return "envoy";
}

std::string describe_decision(const Model& model) {
    if (!model.decision) return {};
    const Decision& decision = *model.decision;
    const bool ipv6 = decision.address.find(':') != std::string::npos;
    const bool named = decision.form != http::OriginalForm::envoy;
    return "decisions for other proxies on " +
           (ipv6 ? "[" + decision.address + "]" : decision.address) + ":" +
           std::to_string(decision.port) + ", form " + std::string(to_string(decision.form)) +
           (named ? ", asked at " + std::string(http::kDecisionPath) : "") + "\n";
}

std::string describe_upstreams(const Model& model) {
    std::string text;
    for (const Upstream& upstream : model.upstreams) {
        const upstream::Rules& rules = upstream.rules;
        text += "upstream " + rules.name + ": ";
        for (const std::string& target : rules.targets)
            text += (&target == &rules.targets.front() ? "" : ", ") + target;
        text +=
            rules.balance == upstream::Balance::least_requests ? "; leastRequests" : "; roundRobin";
        text += rules.health ? ", checked at " + http::conceal_url(rules.health->path) + " every " +
                                   std::to_string(rules.health->interval.count()) + " ms"
                             : std::string(", not checked");
        if (rules.ejection)
            text += ", ejected after " + std::to_string(rules.ejection->consecutive_failures) +
                    " failures";
        if (rules.max_requests != 0)
            text += ", at most " + std::to_string(rules.max_requests) + " requests open";
        if (rules.max_connections != 0)
            text += ", " + std::to_string(rules.max_connections) + " connections to each";
        text += "\n";
    }
    return text;
}

std::vector<RouteReport> make_report(const Model& model) {
    std::vector<RouteReport> report;
    for (const Api& api : model.apis) {
        for (const Route& route : api.routes)
            report.push_back(report_route(model, api, route));
    }
    return report;
}

std::string to_text(const std::vector<RouteReport>& report) {
    const bool several = std::ranges::any_of(
        report, [&](const RouteReport& row) { return row.api != report.front().api; });
    std::array<std::size_t, kColumns> widths{};
    std::vector<Line> lines;
    for (const RouteReport& row : report) {
        const Line& line = lines.emplace_back(make_line(row, several));
        for (std::size_t i = 0; i < kColumns; ++i)
            widths[i] = std::max(widths[i], line[i].size());
    }
    std::string text;
    for (std::size_t row = 0; row < lines.size(); ++row) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            if (widths[i] == 0) continue;
            text += lines[row][i];
            text.append(widths[i] - lines[row][i].size() + 2, ' ');
        }
        text += describe_differences(report[row].differences) + "\n";
    }
    return text;
}

Json to_json(const std::vector<RouteReport>& report) {
    Json rows = Json::array();
    for (const RouteReport& row : report) {
        Json entry;
        entry["api"] = row.api;
        entry["method"] = row.method;
        entry["path"] = row.path;
        entry["authorizer"] = row.authorizer;
        entry["authorizerType"] = row.authorizer_type;
        if (!row.validation.empty()) entry["validation"] = row.validation;
        entry["integration"] = row.integration;
        entry["exact"] = row.differences.empty();
        entry["differences"] = row.differences;
        rows.push_back(std::move(entry));
    }
    return rows;
}

}  // namespace gatehouse::config
