#include "validate_api.hpp"

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/config/locate.hpp"
#include "gatehouse/config/validate.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/routing/path_template.hpp"
#include "gatehouse/routing/route_table.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "validate_requests.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace gatehouse::config {
namespace {

constexpr std::string_view kNone = "NONE";

struct Shape {
    std::string key;                      ///< equal for paths that match the same requests
    std::vector<std::string> parameters;  ///< names of the path parameters
};

Shape describe_shape(const Route& route) {
    Shape shape{route.method + " ", {}};
    const auto segments = routing::parse_template(route.path);
    if (!segments) return shape;
    for (const routing::Segment& segment : *segments) {
        const bool literal = segment.kind == routing::Segment::Kind::literal;
        const bool greedy = segment.kind == routing::Segment::Kind::greedy;
        shape.key += literal ? "/" + segment.text : greedy ? "/{+}" : "/{}";
        if (!literal) shape.parameters.push_back(segment.text);
    }
    return shape;
}

std::vector<std::string_view> to_views(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

class ApiCheck {
  public:
    ApiCheck(const Api& api, std::vector<Problem>& problems, std::vector<Problem>& warnings)
        : api_(api), problems_(problems), warnings_(warnings) {}

    void run() {
        for (const Route& route : api_.routes) {
            const Shape shape = describe_shape(route);
            check_authorizer(route);
            check_scopes(route);
            check_placeholders(route, shape);
            check_request_parameters(route, shape.parameters, problems_);
            for (const auto& [name, expression] : route.integration.request_parameters) {
                for (const std::string& source : sources_of(expression))
                    check_mapping(route, shape, name, source);
            }
            check_preflight(route);
        }
        check_requests(api_, problems_, warnings_);
        check_route_keys();
        for (const Authorizer& authorizer : api_.authorizers) {
            check_use(authorizer);
            if (api_.context_headers.enabled) check_context_keys(authorizer);
        }
    }

  private:
    const Authorizer* find_authorizer(std::string_view name) const {
        const auto it = std::ranges::find(api_.authorizers, name, &Authorizer::name);
        return it == api_.authorizers.end() ? nullptr : &*it;
    }

    void problem(std::string pointer, std::string message) {
        problems_.push_back({std::move(pointer), 0, std::move(message)});
    }

    void warning(std::string pointer, std::string message) {
        warnings_.push_back({std::move(pointer), 0, std::move(message)});
    }

    void check_authorizer(const Route& route) {
        if (route.authorizer.empty() || route.authorizer == kNone ||
            find_authorizer(route.authorizer) != nullptr)
            return;
        std::vector<std::string_view> names{kNone};
        for (const Authorizer& authorizer : api_.authorizers)
            names.push_back(authorizer.name);
        problem(route.pointer + "/authorizer",
                "there is no authorizer " + in_quotes(route.authorizer) +
                    "; allowed: " + list_quoted(names) + suggest(route.authorizer, names));
    }

    void check_scopes(const Route& route) {
        if (route.authorization_scopes.empty()) return;
        const Authorizer* authorizer = find_authorizer(route.authorizer);
        if (authorizer != nullptr && authorizer->function >= 0) {
            problem(route.pointer + "/authorizationScopes",
                    "would be ignored: a function decides, and its result has no scopes");
        }
        if (authorizer != nullptr && authorizer->type == "AWS_IAM") {
            problem(route.pointer + "/authorizationScopes",
                    "would be ignored: a signature has no scopes");
        }
        if (route.authorizer != kNone) return;
        problem(route.pointer + "/authorizationScopes",
                "would be ignored: the authorizer is \"NONE\", so there is no token with scopes");
    }

    // Every {name} needs a value, and every value a {name}.
    void check_placeholders(const Route& route, const Shape& shape) {
        if (route.path.empty() || route.integration.uri.empty()) return;
        constexpr std::string_view kPath = "integration.request.path.";
        const std::vector<std::string> used = find_placeholders(route.integration.uri);
        const auto& mappings = route.integration.request_parameters;
        for (const std::string& name : std::set<std::string>(used.begin(), used.end())) {
            const bool parameter =
                std::ranges::find(shape.parameters, name) != shape.parameters.end();
            if (parameter || mappings.contains(std::string(kPath) + name)) continue;
            std::string text = "{";
            text.append(name).append("} is no path parameter of ").append(in_quotes(route.path));
            text.append(", and no integration.request.path.").append(name).append(" maps it");
            problem(route.pointer + "/integration/uri",
                    text + suggest(name, to_views(shape.parameters)));
        }
        for (const auto& [name, expression] : mappings) {
            // A destination without a name is no destination: the reader has said so.
            if (!name.starts_with(kPath) || name.size() == kPath.size()) continue;
            if (std::ranges::find(used, name.substr(kPath.size())) != used.end()) continue;
            problem(append_pointer(route.pointer + "/integration/requestParameters", name),
                    "would be ignored: the uri has no {" + name.substr(kPath.size()) + "}" +
                        suggest(name.substr(kPath.size()), to_views(used)));
        }
    }

    /// The variables that a mapping reads, in the REST form.
    std::vector<std::string> sources_of(const std::string& expression) const {
        if (api_.protocol == Protocol::rest) return {expression};
        std::vector<std::string> sources;
        const auto parsed = authz::Expression::make_for_http(expression);
        if (!parsed) return sources;
        for (const auto& part : parsed->parts()) {
            if (part.variable) sources.push_back(part.text);
        }
        return sources;
    }

    // Developer guide, "Configuring CORS for an HTTP API": a route that takes OPTIONS takes
    // preflights too, and they carry no token.
    void check_preflight(const Route& route) {
        if (!api_.cors || route.authorizer.empty() || route.authorizer == kNone) return;
        if (route.method != "ANY" && route.method != "OPTIONS") return;
        const bool open = std::ranges::any_of(api_.routes, [](const Route& other) {
            return other.authorizer == kNone && other.path == "/{proxy+}" &&
                   (other.method == "OPTIONS" || other.method == "ANY");
        });
        if (open && (route.path == routing::kDefaultRoute || route.path == "/{proxy+}")) return;
        warning(route.pointer + "/routeKey",
                in_quotes(route.route_key) +
                    " takes OPTIONS too, so its authorizer refuses preflights (401); name the "
                    "methods, or add a route for OPTIONS with the authorizer \"NONE\"");
    }

    void check_mapping(const Route& route,
                       const Shape& shape,
                       const std::string& name,
                       std::string_view source) {
        constexpr std::string_view kPath = "method.request.path.";
        constexpr std::string_view kContext = "context.authorizer.";
        const std::string pointer =
            append_pointer(route.pointer + "/integration/requestParameters", name);
        if (source.starts_with(kPath) && !route.path.empty()) {
            const std::string_view parameter = source.substr(kPath.size());
            if (std::ranges::find(shape.parameters, parameter) == shape.parameters.end()) {
                problem(pointer,
                        in_quotes(parameter) + " is no path parameter of " + in_quotes(route.path) +
                            suggest(parameter, to_views(shape.parameters)));
            }
        }
        if (source.starts_with(kContext))
            check_context_source(route, pointer, source.substr(kContext.size()));
    }

    void check_context_source(const Route& route,
                              const std::string& pointer,
                              std::string_view key) {
        if (route.authorizer == kNone) {
            return problem(
                pointer,
                "would be ignored: the authorizer is \"NONE\", so there is no context.authorizer");
        }
        const Authorizer* authorizer = find_authorizer(route.authorizer);
        if (authorizer != nullptr && authorizer->type == "AWS_IAM" && key != "principalId") {
            return problem(pointer,
                           "would be ignored: a signature has no context; who signed is "
                           "context.identity.user");
        }
        const bool maps_claims = authorizer != nullptr &&
                                 (!authorizer->jwt.providers.empty() || authorizer->introspection);
        if (!maps_claims || key.starts_with("claims.")) return;
        std::vector<std::string_view> keys{"principalId"};
        for (const ContextEntry& entry : authorizer->claims().context)
            keys.push_back(entry.key);
        if (std::ranges::find(keys, key) != keys.end()) return;
        problem(pointer,
                "authorizer " + in_quotes(authorizer->name) + " puts no " + in_quotes(key) +
                    " into its context; it has " + list_quoted(keys) +
                    ", and a claim is context.authorizer.claims.NAME" + suggest(key, keys));
    }

    void check_route_keys() {
        std::map<std::string, const Route*> keys;
        std::vector<routing::RouteSpec> specs;
        bool clash = false;
        for (const Route& route : api_.routes) {
            if (route.path.empty()) continue;
            specs.push_back({route.method, route.path});
            const auto [first, fresh] = keys.emplace(describe_shape(route).key, &route);
            clash = clash || !fresh;
            if (fresh) continue;
            problem(route.pointer + "/routeKey",
                    in_quotes(route.route_key) + " matches the same requests as " +
                        in_quotes(first->second->route_key) + " (" + first->second->pointer + ")");
        }
        if (clash) return;
        // The table that will serve has the last word.
        const Result<routing::RouteTable> table =
            routing::RouteTable::make(specs,
                                      api_.protocol == Protocol::http ? routing::Precedence::http
                                                                      : routing::Precedence::rest);
        if (!table) problem(api_.pointer + "/routes", table.error().detail);
    }

    static std::string block_of(const Authorizer& authorizer) {
        return authorizer.pointer + (authorizer.introspection ? "/introspection" : "/jwt");
    }

    void check_use(const Authorizer& authorizer) {
        std::vector<const Route*> routes;
        for (const Route& route : api_.routes) {
            if (route.authorizer == authorizer.name) routes.push_back(&route);
        }
        if (routes.empty()) return warning(authorizer.pointer, "no route uses this authorizer");
        // A policy for one method ARN, cached, refuses the same token everywhere else until it
        // ends.
        if (authorizer.claims().resource != "method" || authorizer.result_ttl.count() == 0) return;
        const Route& last = *routes.back();
        const bool several = last.method == "ANY" || last.path.find('{') != std::string::npos;
        if (routes.size() < 2 && !several) return;
        warning(block_of(authorizer) + "/resource",
                "\"method\" allows the first request's method and path only, and the cache keeps "
                "that: other requests with the same "
                "token, e.g. to " +
                    in_quotes(last.route_key) + ", get 403 for up to " +
                    std::to_string(authorizer.result_ttl.count()) +
                    " s; use \"stage\", or set authorizerResultTtlInSeconds to 0");
    }

    // Keys become header names; which two spellings a backend takes for one is not ours to know.
    void check_context_keys(const Authorizer& authorizer) {
        std::vector<std::string_view> taken{"Principal-Id"};
        for (const ContextEntry& entry : authorizer.claims().context) {
            const std::string pointer =
                append_pointer(block_of(authorizer) + "/context", entry.key);
            const auto folds = [&entry](std::string_view other) {
                return equals_folded(entry.key, other);
            };
            const auto other = std::ranges::find_if(taken, folds);
            if (!is_token(entry.key)) {
                warning(pointer,
                        in_quotes(entry.key) +
                            " can be no header name, so the backend gets no header for it");
            } else if (other != taken.end()) {
                warning(pointer,
                        in_quotes(entry.key) + " makes the same header name as " +
                            in_quotes(*other) +
                            " for many backends (case and \"_\" aside), so it gets none");
            } else {
                taken.push_back(entry.key);
            }
        }
    }

    const Api& api_;
    std::vector<Problem>& problems_;
    std::vector<Problem>& warnings_;
};

}  // namespace

void validate_api(const Api& api, std::vector<Problem>& problems, std::vector<Problem>& warnings) {
    ApiCheck(api, problems, warnings).run();
}

}  // namespace gatehouse::config
