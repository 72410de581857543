#include "gatehouse/core/ascii.hpp"
#include "gatehouse/routing/path_template.hpp"
#include "gatehouse/routing/route_table.hpp"
#include "http_api.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr std::size_t kStageNameBytes =
    128;  // API Gateway developer guide, "Stage variables" and "Quotas"
constexpr std::size_t kStageVariables = 100;
constexpr std::size_t kStageVariableNameBytes = 64;
constexpr std::size_t kStageVariableBytes = 512;

bool is_alnum(char c) {
    return is_alpha(c) || is_digit(c);
}

bool is_http(const Api& api) {
    return api.protocol == Protocol::http;
}

std::string fault_in_api_id(std::string_view text) {
    const auto fits = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
    if (!text.empty() && std::ranges::all_of(text, fits)) return {};
    return in_quotes(text) + " is no API id; allowed: letters, digits, \"-\" and \"_\"";
}

std::string fault_in_stage_name(std::string_view text) {
    if (text.size() > kStageNameBytes) return "is longer than 128 characters";
    return fault_in_api_id(text).empty()
               ? ""
               : in_quotes(text) + " is no stage name; allowed: letters, digits, \"-\" and \"_\"";
}

std::string fault_in_region(std::string_view text) {
    const auto fits = [](char c) { return (is_alnum(c) && c == ascii_lower(c)) || c == '-'; };
    if (!text.empty() && std::ranges::all_of(text, fits)) return {};
    return in_quotes(text) + " is no region; allowed: a name such as \"us-east-1\"";
}

std::string fault_in_account_id(std::string_view text) {
    return text.size() == 12 && std::ranges::all_of(text, is_digit)
               ? ""
               : in_quotes(text) + " is no account id: 12 digits";
}

std::string fault_in_protocol(std::string_view text) {
    if (text == "REST" || text == "HTTP") return {};
    if (text == "WEBSOCKET") {
        return "\"protocolType\": \"WEBSOCKET\" is not supported by this version of Gatehouse yet; "
               "allowed: \"REST\", \"HTTP\"";
    }
    return "is " + in_quotes(text) + "; allowed: \"REST\", \"HTTP\"";
}

// Fields under the prefix are taken from every request, so it must not cover what clients send for
// good reason.
std::string fault_in_prefix(std::string_view prefix) {
    if (!is_token(prefix)) return in_quotes(prefix) + " cannot begin a header name";
    for (const std::string_view name : {"Accept-Encoding",
                                        "Accept-Language",
                                        "Access-Control-Request-Method",
                                        "Authorization",
                                        "Cache-Control",
                                        "Connection",
                                        "Content-Type",
                                        "Content-Length",
                                        "Cookie",
                                        "Expect",
                                        "Host",
                                        "If-None-Match",
                                        "Origin",
                                        "Range",
                                        "Referer",
                                        "Transfer-Encoding",
                                        "User-Agent",
                                        "X-Forwarded-For",
                                        "X-Amzn-Trace-Id",
                                        "X-Amzn-Apigateway-Api-Id",
                                        "X-Request-Id"}) {
        if (equals_folded(name.substr(0, prefix.size()), prefix)) {
            return in_quotes(prefix) + " covers " + std::string(name) +
                   ", and fields under the prefix are removed from every request; allowed: a "
                   "prefix of their own, such as \"X-Authorizer-\"";
        }
    }
    return {};
}

void read_stage_variables(ObjectReader& reader, Api& api) {
    const auto fits = [](char c) {
        return is_alnum(c) || std::string_view("-._~:/?#&=,").find(c) != std::string_view::npos;
    };
    const auto names = [](char c) { return is_alnum(c) || c == '_'; };
    reader.each_member(
        "stageVariables",
        [&](const std::string& name, const Json& value, const std::string& pointer) {
            Source& source = reader.source();
            if (name.empty() || name.size() > kStageVariableNameBytes ||
                !std::ranges::all_of(name, names)) {
                source.problem(
                    pointer,
                    in_quotes(name) +
                        " is no name of a stage variable: up to 64 letters, digits and \"_\"");
            }
            std::optional<std::string> text = read_text(value, pointer, source);
            if (text && (text->empty() || text->size() > kStageVariableBytes ||
                         !std::ranges::all_of(*text, fits))) {
                source.problem(pointer,
                               "a stage variable has 1 to 512 letters, digits and -._~:/?#&=,");
                text.reset();
            }
            api.stage_variables[name] = text.value_or("");  // never empty when good
        });
    if (api.stage_variables.size() > kStageVariables)
        reader.problem("stageVariables", "more than 100 variables");
}

void read_context_headers(ObjectReader& api_reader, bool http, ContextHeaders& into) {
    const Json* value = api_reader.find("contextHeaders");
    if (value == nullptr) return;
    const Source& source = api_reader.source();
    if (!value->is_object()) {
        into.enabled = *value != Json(false) &&
                       !(source.references.contains(value) && *value == Json("false"));
        if (into.enabled && !source.unresolved.contains(value)) {
            api_reader.problem(
                "contextHeaders",
                "must be false, or an object with \"prefix\" and \"requestContext\"");
        }
        return;
    }
    ObjectReader reader(
        *value, api_reader.at("contextHeaders"), keys::kContextHeaders, api_reader.source());
    reader.read_checked("prefix", into.prefix, fault_in_prefix);
    reader.read("requestContext", into.request_context);
    if (http && into.request_context)
        reader.problem("requestContext",
                       "is true: not supported on HTTP APIs by this version of Gatehouse yet");
}

void read_identity(ObjectReader& reader, Api& api) {
    reader.require("name", "a name for messages and metrics");
    reader.read_checked("name", api.name, fault_in_name);
    std::string protocol;
    reader.read_checked("protocolType", protocol, fault_in_protocol);
    if (protocol == "HTTP") api.protocol = Protocol::http;
    reader.read_checked("apiId", api.api_id, fault_in_api_id);
    if (is_http(api)) api.stage_name = "$default";
    reader.read_checked("stageName", api.stage_name, [&](std::string_view text) {
        if (text != "$default") return fault_in_stage_name(text);
        return is_http(api) ? std::string()
                            : "\"$default\" is a stage of HTTP APIs; a REST API's has a name of "
                              "letters, digits, \"-\" and \"_\"";
    });
    reader.read_checked("region", api.region, fault_in_region);
    reader.read_checked("accountId", api.account_id, fault_in_account_id);
    reader.read_checked("basePath", api.base_path, fault_in_base_path);
    reader.read_list("domainNames", api.domain_names, fault_in_host);
    for (std::string& name : api.domain_names)
        name = to_lower(name);
}

// "*/*" and "image/*" are taken beside whole types (developer guide, "Binary media types").
std::string fault_in_binary_type(std::string_view text) {
    if (text == "*/*") return {};
    if (text.ends_with("/*"))
        return fault_in_media_type(std::string(text.substr(0, text.size() - 1)) + "x");
    return fault_in_media_type(text);
}

void read_switches(ObjectReader& reader, Api& api) {
    api.throttle = read_throttle(reader);
    if (is_http(api)) {
        refuse_rest_api_keys(reader);
        std::string slash = "keep";
        constexpr std::string_view kSlashes[] = {"keep", "refuse"};
        reader.read_choice("encodedSlash", slash, kSlashes);
        if (slash == "refuse") api.encoded_slash = EncodedSlash::refuse;
        if (const Json* cors = reader.find("corsConfiguration"))
            api.cors = read_cors(*cors, reader.at("corsConfiguration"), reader.source());
        return;
    }
    reader.refuse("corsConfiguration",
                  "a REST API has none: its OPTIONS is a method like any other, and its gateway "
                  "responses name headers");
    const auto choice = [&reader](
                            std::string_view name, std::string_view usual, std::string_view other) {
        std::string text(usual);
        const std::string_view allowed[] = {usual, other};
        reader.read_choice(name, text, allowed);
        return text == other;
    };
    api.plain_headers = choice("headerHandling", "service", "plain");
    api.encoded_slash =
        choice("encodedSlash", "keep", "refuse") ? EncodedSlash::refuse : EncodedSlash::keep;
    api.deny_messages_2015 = choice("denyMessages", "2026", "2015");
    reader.read("methodOverride", api.method_override);
    reader.read_list("binaryMediaTypes", api.binary_media_types, fault_in_binary_type);
    api.api_key_source = choice("apiKeySource", "HEADER", "AUTHORIZER") ? ApiKeySource::authorizer
                                                                        : ApiKeySource::header;
}

std::string fault_in_scope(std::string_view text) {
    // RFC 6749, 3.3: scope-token.
    const auto fits = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    if (!text.empty() && std::ranges::all_of(text, fits)) return {};
    return in_quotes(text) + " is no scope: one word, list several as elements";
}

void read_route_key(ObjectReader& reader, const Api& api, Route& route) {
    reader.require("routeKey", "a method and a path such as \"GET /items/{id}\"");
    if (!reader.read("routeKey", route.route_key)) return;
    if (is_http(api) && route.route_key == routing::kDefaultRoute) {
        route.method = "ANY";
        route.path = routing::kDefaultRoute;
        return;
    }
    Result<routing::RouteKey> key = routing::parse_route_key(route.route_key);
    if (!key)
        return reader.problem(
            "routeKey", in_quotes(route.route_key) + " is no route key: " + key.error().detail);
    const auto segments = routing::parse_template(key->path);
    if (!segments)
        return reader.problem("routeKey",
                              in_quotes(route.route_key) + ": " + segments.error().detail);
    route.method = std::move(key->method);
    route.path = std::move(key->path);
}

// What nobody wrote must never mean "open": a route says who may pass, or says NONE.
void read_route_authorizer(ObjectReader& reader, bool http, Route& route) {
    const Json* value = reader.find("authorizer");
    const bool blank = value == nullptr || value->is_null() || *value == Json("");
    if (blank && !reader.source().unresolved.contains(value)) {
        return reader.source().problem(
            value == nullptr ? reader.pointer() : reader.at("authorizer"),
            "the route says neither an authorizer nor \"NONE\"");
    }
    reader.read("authorizer", route.authorizer);
    if (http && route.authorizer == "AWS_IAM")
        reader.problem("authorizer",
                       "\"AWS_IAM\" on an HTTP API is not supported by this version of Gatehouse "
                       "yet; REST APIs have it");
}

Route read_route(const Json& value, const std::string& pointer, const Api& api, Source& source) {
    ObjectReader reader(value, pointer, keys::kRoute, source);
    Route route;
    route.pointer = pointer;
    if (!value.is_object()) return route;
    if (is_http(api)) refuse_rest_route_keys(reader);
    read_route_key(reader, api, route);
    read_route_authorizer(reader, is_http(api), route);
    reader.read_list("authorizationScopes", route.authorization_scopes, fault_in_scope);
    reader.read("apiKeyRequired", route.api_key_required);
    route.throttle = read_throttle(reader);
    read_route_validation(reader, route);
    if (const Json* integration = reader.require(
            "integration", "where the request goes, e.g. type HTTP_PROXY with a uri")) {
        const auto read = is_http(api) ? read_http_integration : read_integration;
        route.integration =
            read(*integration, reader.at("integration"), api.stage_variables, source);
    }
    return route;
}

void read_authorizers(ObjectReader& reader, Api& api) {
    reader.each_member(
        "authorizers", [&](const std::string& name, const Json& value, const std::string& pointer) {
            std::string fault = fault_in_name(name);
            if (name == "NONE" || name == "AWS_IAM")
                fault =
                    in_quotes(name) + " has a meaning of its own in routes; choose another name";
            if (!fault.empty()) reader.source().problem(pointer, fault);
            const auto read = is_http(api) ? read_http_authorizer : read_authorizer;
            api.authorizers.push_back(
                read(value, name, pointer, api.stage_variables, reader.source()));
            api.authorizers.back().text = dump_json(value);
        });
}

// Routes name AWS_IAM without anybody defining it: here is what they name.
void add_iam(Api& api) {
    const auto route = std::ranges::find(api.routes, "AWS_IAM", &Route::authorizer);
    if (route == api.routes.end()) return;
    Authorizer iam;
    iam.name = iam.type = "AWS_IAM";
    iam.pointer = route->pointer + "/authorizer";
    iam.identity_source.clear();
    iam.result_ttl = std::chrono::seconds(0);
    iam.limit_to_expiration = false;
    api.authorizers.push_back(std::move(iam));
}

}  // namespace

Api read_api(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kApi, source);
    Api api;
    api.pointer = pointer;
    if (!value.is_object()) return api;
    read_identity(reader, api);
    read_stage_variables(reader, api);
    read_context_headers(reader, is_http(api), api.context_headers);
    read_switches(reader, api);
    read_authorizers(reader, api);
    read_validators(reader, api);
    const Json* routes = reader.require("routes", "a list of at least one route");
    reader.each_element("routes", [&](const Json& route, const std::string& at) {
        api.routes.push_back(read_route(route, at, api, source));
    });
    add_iam(api);
    if (routes != nullptr && routes->is_array() && routes->empty()) {
        reader.problem("routes", "is empty; an API without routes refuses everything");
    }
    if (is_http(api)) return api;  // no gateway responses
    reader.each_member("gatewayResponses",
                       [&](const std::string& type, const Json& response, const std::string& at) {
                           std::string fault = fault_in_response_type(type);
                           if (!fault.empty()) source.problem(at, std::move(fault));
                           api.gateway_responses[type] =
                               read_gateway_response(response, at, api.stage_variables, source);
                       });
    return api;
}

}  // namespace gatehouse::config
