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

std::vector<std::string> find_differences(const Api& api,
                                          const Route& route,
                                          const Authorizer* authorizer) {
    std::vector<std::string> differences;
    if (route.integration.type == IntegrationType::http_proxy) {
        add_proxy_differences(api, route, authorizer != nullptr, differences);
    } else if (route.integration.type == IntegrationType::mock) {
        differences.push_back(
            "MOCK in short form (the service needs requestTemplates and integrationResponses)");
    }
    const bool native = authorizer != nullptr && authorizer->type == "JWT";
    if (native) add_native_differences(*authorizer, differences);
    if (authorizer != nullptr && !native && authorizer->limit_to_expiration &&
        authorizer->result_ttl.count() > 0) {
        differences.push_back("limitToExpiration (the service caches past exp)");
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

std::string describe_integration(const Model& model, const Integration& integration) {
    if (integration.type == IntegrationType::aws_proxy && integration.function >= 0)
        return "AWS_PROXY " + describe_function(model, integration.function);
    if (integration.type == IntegrationType::mock)
        return "MOCK " + std::to_string(integration.status_code);
    const bool fixed = !integration.http_method.empty() && integration.http_method != "ANY";
    return "HTTP_PROXY " + (fixed ? integration.http_method + " " : std::string()) +
           http::conceal_url(integration.uri);  // a query may hold a key
}

RouteReport report_route(const Model& model, const Api& api, const Route& route) {
    const Authorizer* authorizer = find_authorizer(api, route);
    RouteReport row;
    row.api = api.name;
    row.method = route.method;
    row.path = route.path;
    row.authorizer = route.authorizer.empty() ? "?" : route.authorizer;
    if (authorizer != nullptr) {
        row.authorizer_type =
            authorizer->type + " " +
            (authorizer->type == "JWT"   ? describe_issuers(*authorizer)
             : authorizer->function >= 0 ? describe_function(model, authorizer->function)
                                         : authorizer->authorizer_uri);
    } else {
        // Nothing but the word NONE is ever shown as open, whatever model this is.
        row.authorizer_type = route.authorizer == "NONE" ? "open" : "unknown";
    }
    row.integration = describe_integration(model, route.integration);
    row.differences = find_differences(api, route, authorizer);
    return row;
}

constexpr std::size_t kColumns = 5;
using Line = std::array<std::string, kColumns>;

Line make_line(const RouteReport& row, bool several) {
    return {several ? row.api : std::string(),
            row.method,
            row.path,
            row.authorizer + " (" + row.authorizer_type + ")",
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
        entry["integration"] = row.integration;
        entry["exact"] = row.differences.empty();
        entry["differences"] = row.differences;
        rows.push_back(std::move(entry));
    }
    return rows;
}

}  // namespace gatehouse::config
