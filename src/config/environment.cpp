#include "expand.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/config/validate.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/routing/path_template.hpp"
#include "parts.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <array>
#include <utility>

namespace gatehouse::config {
namespace {

constexpr std::size_t kGuardedRoutes = 2;  // ANY / and ANY /{proxy+}; open routes follow

struct Settings {
    std::string upstream;
    std::string issuer;
    std::string audience;
    std::string jwks_uri;     ///< empty: discovery
    std::string open_routes;  ///< empty: none
};

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> items;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view item = trim(text.substr(0, comma));
        if (!item.empty()) items.emplace_back(item);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return items;
}

std::string describe_upstream_fault(std::string_view url) {
    std::string fault = fault_in_integration_uri(url);
    if (fault.empty() && url.find_first_of("{}?") != std::string_view::npos) {
        fault = "takes a scheme, a host, a port and a path, nothing else";
    }
    return fault;
}

struct Variable {
    std::string_view name;
    std::string Settings::*into;
    std::string_view stand_in;  ///< keeps the other checks going where the value is missing or bad
    bool required;
};

constexpr Variable kVariables[] = {
    {"UPSTREAM_URL", &Settings::upstream, "http://upstream.invalid", true},
    {"EXPECTED_ISSUER", &Settings::issuer, "https://issuer.invalid/", true},
    {"EXPECTED_AUDIENCE", &Settings::audience, "any", true},
    {"JWKS_URL", &Settings::jwks_uri, "", false},
    {"GATEHOUSE_OPEN_ROUTES", &Settings::open_routes, "", false}};

// An empty variable counts as unset: container files often carry `NAME=`.
Settings read_settings(const Environment& environment, Source& source) {
    Settings settings;
    std::string missing;
    for (const Variable& variable : kVariables) {
        std::string& into = settings.*variable.into;
        into = environment ? environment(variable.name).value_or("") : "";
        const bool blank = trim(into).empty();
        if (blank && variable.required)
            missing += (missing.empty() ? "" : ", ") + std::string(variable.name);
        const bool readable = is_utf8(into);
        if (!readable) source.problem("", std::string(variable.name) + ": is not UTF-8");
        if (blank || !readable) into = variable.stand_in;
    }
    if (!missing.empty()) source.problem("", "not set in the environment: " + missing);
    std::string fault = describe_upstream_fault(settings.upstream);
    if (!fault.empty()) {
        source.problem("", "UPSTREAM_URL: " + fault);
        settings.upstream = kVariables[0].stand_in;
    }
    return settings;
}

Json make_route(const std::string& route_key,
                const std::string& authorizer,
                const std::string& uri) {
    Json integration = {{"type", "HTTP_PROXY"}, {"uri", uri}};
    return Json{{"routeKey", route_key},
                {"authorizer", authorizer},
                {"integration", std::move(integration)}};
}

Json make_document(const Settings& settings, Source& source) {
    std::string upstream = settings.upstream;
    while (upstream.ends_with('/'))
        upstream.pop_back();
    Json routes = Json::array();
    const std::string uri = upstream + "/";
    routes.push_back(make_route("ANY /", "jwt", uri));
    routes.push_back(make_route("ANY /{proxy+}", "jwt", uri));
    for (const std::string& key : split_list(settings.open_routes)) {
        const Result<routing::RouteKey> parsed = routing::parse_route_key(key);
        if (!parsed) {
            source.problem(
                "",
                "GATEHOUSE_OPEN_ROUTES: " + in_quotes(key) +
                    " is no route key such as \"GET /health\": " + parsed.error().detail);
            continue;
        }
        routes.push_back(make_route(key, "NONE", uri));
    }
    Json jwt = {{"issuer", settings.issuer}, {"audience", split_list(settings.audience)}};
    if (!settings.jwks_uri.empty()) jwt["jwksUri"] = settings.jwks_uri;
    Json authorizer = {
        {"type", "TOKEN"}, {"authorizerUri", "gatehouse:jwt"}, {"jwt", std::move(jwt)}};
    Json api = {{"name", "default"}, {"headerHandling", "plain"}, {"routes", std::move(routes)}};
    api["authorizers"]["jwt"] = std::move(authorizer);
    Json root;
    root["apis"] = Json::array();
    root["apis"].push_back(std::move(api));
    return root;
}

// "{proxy}" in the uri would lose the slash at the end of a path, and a sidecar changes nothing.
void append_paths(Model& model) {
    for (Api& api : model.apis) {
        for (Route& route : api.routes)
            route.integration.append_path = true;
    }
}

// The reader speaks of places in a file that nobody wrote; people know the variable.
std::string name_variable(std::string_view pointer) {
    constexpr std::string_view kJwt = "/apis/0/authorizers/jwt/jwt/";
    if (pointer.starts_with(kJwt)) {
        const std::string_view key = pointer.substr(kJwt.size());
        if (key.starts_with("issuer")) return "EXPECTED_ISSUER";
        if (key.starts_with("audience")) return "EXPECTED_AUDIENCE";
        if (key.starts_with("jwksUri")) return "JWKS_URL";
    }
    if (pointer == "/admin/token") return "GATEHOUSE_ADMIN_TOKEN";
    constexpr std::string_view kRoutes = "/apis/0/routes/";
    if (!pointer.starts_with(kRoutes)) return std::string(pointer);
    const std::size_t index =
        static_cast<std::size_t>(std::atoi(std::string(pointer.substr(kRoutes.size())).c_str()));
    return index < kGuardedRoutes ? "UPSTREAM_URL" : "GATEHOUSE_OPEN_ROUTES";
}

void replace(std::string& text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at != std::string::npos) text.replace(at, from.size(), to);
}

// Messages speak of a file's keys and places, too.
std::string name_settings(std::string message) {
    replace(message, "\"jwksUri\"", "JWKS_URL");
    replace(message, "file:NAME beside this file", "file:PATH");
    if (const std::size_t at = message.find(" (/apis/0/routes/"); at != std::string::npos) {
        const bool guarded =
            name_variable(std::string_view(message).substr(at + 2)) != "GATEHOUSE_OPEN_ROUTES";
        message.resize(at);
        if (guarded) message += ", which is what Gatehouse guards; name what is open more closely";
    }
    return message;
}

std::vector<Problem> rename(std::vector<Problem> problems) {
    for (Problem& problem : problems) {
        const std::string variable =
            problem.pointer.empty() ? "" : name_variable(problem.pointer) + ": ";
        problem = Problem{"", 0, variable + name_settings(problem.message)};
    }
    return problems;
}

}  // namespace

Loaded parse_environment(const Environment& environment) {
    Source source;
    const Settings settings = read_settings(environment, source);
    Loaded loaded;
    Json root = make_document(settings, source);
    add_admin_token(root, environment, source);
    loaded.model = read_model(root, source);
    append_paths(loaded.model);
    validate(loaded.model, source.problems, source.warnings);
    if (!source.problems.empty()) loaded.model = Model{};
    loaded.problems = rename(std::move(source.problems));
    loaded.warnings = rename(std::move(source.warnings));
    loaded.model.document = std::move(root);
    return loaded;
}

}  // namespace gatehouse::config
