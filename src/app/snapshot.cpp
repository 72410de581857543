#include "gatehouse/app/snapshot.hpp"

#include "compile_usage.hpp"
#include "context_names.hpp"
#include "gatehouse/authz/cors.hpp"
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/http_mapping.hpp"
#include "gatehouse/authz/iam_grant.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/context_headers.hpp"
#include "gatehouse/policy/arn.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace gatehouse::app {
namespace {

Error at(const std::string& pointer, Error error) {
    error.detail = pointer + ": " + error.detail;
    return error;
}

std::uint32_t add_key_source(const config::JwtProvider& provider, KeyStore& keys) {
    KeySourceOptions options;
    options.issuer = provider.issuer;
    options.jwks_uri = provider.jwks_uri;
    options.refresh = provider.jwks.refresh;
    options.cooldown = provider.jwks.cooldown;
    options.max_stale = provider.jwks.max_stale;
    options.timeout = provider.jwks.timeout;
    return keys.add(options);
}

void add_claim_rules(const config::ClaimSettings& settings, authz::ClaimRules& rules) {
    for (const config::ContextEntry& entry : settings.context)
        rules.context.push_back({entry.key, entry.claim, entry.default_value, entry.join});
    rules.method_resource = settings.resource == "method";
    rules.statements = settings.statements;
}

authz::JwtAuthorizerOptions jwt_options(const config::Api& api, const config::Authorizer& source) {
    const config::JwtAuthorizer& jwt = source.jwt;
    authz::JwtAuthorizerOptions options;
    options.user_pools = !source.user_pools.empty();
    if (options.user_pools) options.audience_expression = source.identity_validation_expression;
    for (const config::JwtProvider& provider : jwt.providers) {
        jwt::Provider trusted{provider.issuer, provider.audience, {}, options.user_pools};
        for (const std::string& name : provider.algorithms) {
            if (const auto algorithm = jwt::find_algorithm(name))
                trusted.algorithms.add(*algorithm);
        }
        options.providers.push_back(std::move(trusted));
    }
    options.rules.clock_skew = jwt.clock_skew;
    options.rules.require_expiration = jwt.require_expiration;
    options.rules.require_key_id = jwt.require_key_id;
    if (source.type == "JWT") {
        const bool http = api.protocol == config::Protocol::http;
        options.rules.require_subject = false;  // nothing is known to ask for one
        options.rules.client_id_as_audience = http;
        options.claims_form = http ? authz::ClaimsForm::http_api : authz::ClaimsForm::typed;
    }
    add_claim_rules(jwt, options);
    return options;
}

authz::IntrospectionOptions introspection_options(const config::Introspection& source) {
    authz::IntrospectionOptions options;
    options.endpoint = source.endpoint;
    options.client_id = source.client_id;
    options.client_secret = source.client_secret;
    options.secret_in_form = source.secret_in_form;
    options.issuer = source.issuer;
    options.audience = source.audience;
    options.clock_skew = source.clock_skew;
    options.require_expiration = source.require_expiration;
    options.require_subject = source.require_subject;
    add_claim_rules(source, options);
    return options;
}

// With its length, so that no two lists of texts look alike.
void add_text(std::string& into, std::string_view text) {
    into.append(std::to_string(text.size())).append(":").append(text);
}

// The fingerprint covers everything a cached grant is built from: the stage that its policy's ARNs
// name, where its keys come from, and the API's contextHeaders (its header lines are made once).
std::string fingerprint(const config::Model& model,
                        const config::Api& api,
                        const CompiledAuthorizer& authorizer) {
    const config::Authorizer& source = *authorizer.source;
    std::string text = source.type + '\n' + source.authorizer_uri + '\n' + source.identity_source +
                       '\n' + source.identity_validation_expression + '\n' +
                       (source.require_principal_id ? "principal" : "") + '\n' +
                       std::to_string(static_cast<int>(source.payload_format)) +
                       (source.simple_responses ? "simple" : "") + '\n' +
                       (api.context_headers.enabled ? "headers" : "") + '\n' +
                       api.context_headers.prefix + '\n' + api.region + '\n' + api.account_id +
                       '\n' + api.name + '\n' + source.text;
    if (authorizer.jwt) {
        text += '\n' + authorizer.jwt->fingerprint();
    } else if (authorizer.introspection) {
        text += '\n' + authorizer.introspection->fingerprint();
    } else {
        // Whatever the event shows the function of the API, and what the function is.
        const auto& function = model.functions.at(static_cast<std::size_t>(source.function));
        add_text(text, api.base_path);
        for (const std::string& host : api.domain_names)
            add_text(text, host);
        for (const auto& [name, value] : api.stage_variables) {
            add_text(text, name);
            add_text(text, value);
        }
        add_text(text, function.endpoint);
        add_text(text, function.called);
        add_text(text, function.directory);
        for (const std::string& word : function.command)
            add_text(text, word);
        for (const auto& [name, value] : function.environment) {
            add_text(text, name);
            add_text(text, value);
        }
    }
    for (const config::JwtProvider& provider : source.jwt.providers)
        text += '\n' + provider.jwks_uri;
    return text;
}

// The sources of HTTP APIs stand with commas between them, which no name of theirs has.
std::vector<std::string> split_sources(std::string_view text) {
    std::vector<std::string> sources;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        sources.emplace_back(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return sources;
}

Result<void> compile_http_identity(const config::Authorizer& source, CompiledAuthorizer& compiled) {
    constexpr std::string_view kHeader = "$request.header.";
    const std::vector<std::string> sources = split_sources(source.identity_source);
    // One header is read without a copy.
    if (source.type == "JWT" && sources.size() == 1 && sources.front().starts_with(kHeader)) {
        auto identity = authz::IdentitySource::make(
            "method.request.header." + sources.front().substr(kHeader.size()), "");
        if (!identity) return at(source.pointer, std::move(identity).error());
        compiled.identity.emplace(std::move(identity).value());
        return {};
    }
    auto identity = authz::RequestIdentity::make_for_http(sources);
    if (!identity) return at(source.pointer, std::move(identity).error());
    compiled.request_identity = std::move(identity).value();
    return {};
}

Result<void> compile_identity(const config::Api& api,
                              const config::Authorizer& source,
                              CompiledAuthorizer& compiled) {
    compiled.bare_token = source.type != "TOKEN";
    if (api.protocol == config::Protocol::http) return compile_http_identity(source, compiled);
    if (source.type == "REQUEST") {
        auto identity = authz::RequestIdentity::make(source.identity_source);
        if (!identity) return at(source.pointer, std::move(identity).error());
        compiled.request_identity = std::move(identity).value();
        return {};
    }
    // A Cognito authorizer's expression is for the token's aud.
    auto identity = authz::IdentitySource::make(
        source.identity_source,
        source.user_pools.empty() ? source.identity_validation_expression : std::string());
    if (!identity) return at(source.pointer, std::move(identity).error());
    compiled.identity.emplace(std::move(identity).value());
    return {};
}

// INVARIANT: a signature's grant is for this stage alone, like any other.
Result<AccessKeys> compile_access_keys(const config::Model& model, const config::Api& api) {
    AccessKeys keys;
    for (const config::AccessKey& source : model.access_keys) {
        auto grant = authz::make_iam_grant({api.region, api.account_id, api.api_id, api.stage_name},
                                           source.id,
                                           source.principal_id);
        if (!grant) return std::move(grant).error();
        auto headers = forward::make_context_headers(*grant,
                                                     {api.context_headers.enabled,
                                                      api.context_headers.prefix,
                                                      api.context_headers.request_context});
        if (!headers) return std::move(headers).error();
        grant->header_block = std::move(headers->block);
        keys[source.id] = {source.secret,
                           std::make_shared<const authz::Grant>(std::move(grant).value())};
    }
    return keys;
}

Result<std::unique_ptr<CompiledAuthorizer>> compile_authorizer(const config::Model& model,
                                                               const config::Api& api,
                                                               const config::Authorizer& source,
                                                               authz::GrantCache& cache,
                                                               KeyStore& keys) {
    auto compiled = std::make_unique<CompiledAuthorizer>();
    compiled->source = &source;
    if (source.type == "AWS_IAM") {
        auto known = compile_access_keys(model, api);
        if (!known) return at(source.pointer, std::move(known).error());
        compiled->access_keys = std::move(known).value();
        return compiled;
    }
    if (auto identity = compile_identity(api, source, *compiled); !identity)
        return std::move(identity).error();
    if (source.introspection) {
        auto made = authz::Introspection::make(introspection_options(*source.introspection));
        if (!made) return at(source.pointer + "/introspection", std::move(made).error());
        compiled->introspection.emplace(std::move(made).value());
        compiled->narrow = compiled->introspection->narrower_than_stage();
    } else if (source.function < 0) {
        auto jwt = authz::JwtAuthorizer::make(jwt_options(api, source));
        if (!jwt) return at(source.pointer + "/jwt", std::move(jwt).error());
        compiled->jwt.emplace(std::move(jwt).value());
        compiled->narrow = compiled->jwt->narrower_than_stage();
        for (const config::JwtProvider& provider : source.jwt.providers)
            compiled->key_sources.push_back(add_key_source(provider, keys));
    } else if (static_cast<std::size_t>(source.function) >= model.functions.size()) {
        return fail(Errc::config_invalid, source.pointer + "/authorizerUri: no such function");
    } else {
        compiled->narrow = true;  // what a function allows shows in each of its policies
    }
    const std::string made_of = fingerprint(model, api, *compiled);
    compiled->scope = cache.scope({api.api_id, api.stage_name, source.name, made_of});
    // What is verified here is verified faster than Redis answers, by keys that others need not
    // have.
    if (model.shared && !compiled->jwt && source.result_ttl > std::chrono::seconds(0)) {
        std::string text;
        for (const std::string* part : {&api.api_id, &api.stage_name, &source.name, &made_of})
            add_text(text, *part);
        compiled->shared_scope = jwt::sha256(text);
    }
    return compiled;
}

// Fields that HTTP gives to clients. Nobody takes them for the gateway's word, and a route that
// writes one (say, the backend's own Authorization) must not take it from all the others.
bool is_client_field(std::string_view name) noexcept {
    constexpr std::string_view kNames[] = {
        "accept",        "accept-charset",      "accept-encoding",  "accept-language",
        "authorization", "cache-control",       "content-encoding", "content-language",
        "content-md5",   "content-type",        "cookie",           "date",
        "if-match",      "if-modified-since",   "if-none-match",    "if-range",
        "origin",        "if-unmodified-since", "pragma",           "range",
        "referer",       "user-agent",
    };
    return std::ranges::any_of(
        kNames, [&](std::string_view known) { return equals_ignoring_case(known, name); });
}

/// Names under which upstreams of an API may take a field for the gateway's word, whatever the
/// route.
struct ReservedNames {
    std::vector<std::string> headers;
    std::vector<std::string> prefixes;
};

// The header that a mapping of an HTTP API writes in the gateway's name; empty: none. What is only
// appended to, or taken away on one route, stays the client's on others, unless it carries context.
std::string header_of_http_mapping(const std::string& destination,
                                   const std::string& source,
                                   bool& context) {
    const auto parsed = authz::parse_http_destination(destination);
    using Action = authz::HttpDestination::Action;
    if (!parsed || parsed->place != authz::HttpDestination::Place::header ||
        parsed->action == Action::remove)
        return {};
    const auto value = authz::Expression::make_for_http(source);
    context = value && value->reads("context.authorizer.");
    return context || parsed->action == Action::overwrite ? parsed->name : std::string();
}

// Headers that a request template writes: $context.requestOverride.header.NAME, or ['NAME'].
void add_overridden_headers(std::string_view text, std::vector<std::string>& into) {
    constexpr std::string_view kOverride = "requestOverride.header";
    for (std::size_t at = text.find(kOverride); at != std::string_view::npos;
         at = text.find(kOverride, at)) {
        at += kOverride.size();
        std::string_view rest = text.substr(at);
        rest.remove_prefix(std::min(rest.find_first_not_of(".['\" "), rest.size()));
        std::size_t length = 0;
        while (length < rest.size() && is_tchar(rest[length]) && rest[length] != '\'')
            ++length;
        std::string name(rest.substr(0, length));
        if (!name.empty() && !is_client_field(name)) into.push_back(std::move(name));
    }
}

// Every header that any route of any API maps or templates write, and every API's context prefix:
// two APIs may share an upstream. A route that maps such a name from the client's own field still
// writes that value, since its author said so. Of the clients' fields only what carries authorizer
// context is taken, and only within its API.
ReservedNames reserved_names(const config::Model& model, const config::Api& api) {
    constexpr std::string_view kHeader = "integration.request.header.";
    constexpr std::string_view kAuthorizerContext = "context.authorizer.";
    ReservedNames reserved;
    for (const config::Api& other : model.apis) {
        if (other.context_headers.enabled)
            reserved.prefixes.push_back(other.context_headers.prefix);
        for (const config::Route& route : other.routes) {
            for (const auto& [type, text] : route.integration.request_templates)
                add_overridden_headers(text, reserved.headers);
            for (const auto& [destination, source] : route.integration.request_parameters) {
                std::string name;
                bool context = false;
                if (other.protocol == config::Protocol::http) {
                    name = header_of_http_mapping(destination, source, context);
                } else if (destination.starts_with(kHeader)) {
                    name = destination.substr(kHeader.size());
                    context = source.starts_with(kAuthorizerContext);
                }
                if (name.empty()) continue;
                context = context && &other == &api;
                if (context || !is_client_field(name)) reserved.headers.push_back(std::move(name));
            }
        }
    }
    return reserved;
}

constexpr std::string_view kBodySource = "method.request.body";

bool reads_body(std::string_view source) noexcept {
    return source == kBodySource || source.starts_with(std::string(kBodySource) + ".");
}

mapping::IntegrationSpec mapping_spec(const config::Api& api,
                                      const config::Integration& source,
                                      const ReservedNames& reserved) {
    mapping::IntegrationSpec spec;
    spec.mock = source.type == config::IntegrationType::mock;
    spec.request_templates = source.request_templates;
    spec.passthrough = source.passthrough == config::Passthrough::when_no_match
                           ? mapping::Passthrough::when_no_match
                       : source.passthrough == config::Passthrough::when_no_templates
                           ? mapping::Passthrough::when_no_templates
                           : mapping::Passthrough::never;
    for (const auto& [destination, text] : source.request_parameters)
        if (reads_body(text)) spec.body_parameters[destination] = text;
    for (const config::IntegrationResponse& response : source.integration_responses) {
        spec.responses.push_back({response.key,
                                  response.status_code,
                                  response.selection_pattern,
                                  response.response_parameters,
                                  response.response_templates});
    }
    spec.plain_headers = api.plain_headers;
    spec.reserved_headers = reserved.headers;
    spec.reserved_prefixes = reserved.prefixes;
    return spec;
}

// What the plan writes of the mappings. Those that read the body come with each request; in a path
// they leave their place, which is nothing without a value.
std::map<std::string, std::string> plan_parameters(const config::Integration& source) {
    std::map<std::string, std::string> parameters;
    for (const auto& [destination, text] : source.request_parameters) {
        if (!reads_body(text)) {
            parameters[destination] = text;
        } else if (destination.starts_with("integration.request.path.")) {
            parameters[destination] = "''";
        }
    }
    return parameters;
}

Result<void> compile_validator(const config::Api& api,
                               const config::Route& source,
                               CompiledRoute& route) {
    if (source.request_validator.empty()) return {};
    const auto validator = std::ranges::find(
        api.request_validators, source.request_validator, &config::RequestValidator::name);
    // INVARIANT: what is to be validated is. Config refuses unknown names; this is the second lock.
    if (validator == api.request_validators.end())
        return fail(Errc::config_invalid, source.pointer + "/requestValidator: no such validator");
    std::map<std::string, Json> models = api.models;
    models.insert(mapping::built_in_models().begin(), mapping::built_in_models().end());
    auto made = mapping::RequestValidator::make({validator->validate_parameters,
                                                 validator->validate_body,
                                                 source.request_parameters,
                                                 source.request_models},
                                                models);
    if (!made) return at(source.pointer, std::move(made).error());
    route.validator = std::make_unique<const mapping::RequestValidator>(std::move(made).value());
    return {};
}

// An upstream that is as it was keeps what is known of its targets.
Result<void> compile_upstreams(Snapshot& snapshot, const Snapshot* before) {
    for (const config::Upstream& source : snapshot.model.upstreams) {
        std::shared_ptr<upstream::Upstream> same;
        if (before != nullptr) {
            const auto found = std::ranges::find_if(before->upstreams, [&](const auto& known) {
                return known->rules() == source.rules;
            });
            if (found != before->upstreams.end()) same = *found;
        }
        std::vector<forward::Endpoint> endpoints;
        for (const std::string& target : source.rules.targets) {
            auto endpoint = forward::parse_endpoint(target);
            if (!endpoint) return at(source.pointer + "/targets", std::move(endpoint).error());
            endpoints.push_back(std::move(endpoint).value());
        }
        if (!same) same = std::make_shared<upstream::Upstream>(source.rules, std::move(endpoints));
        snapshot.upstreams.push_back(std::move(same));
    }
    return {};
}

Result<CompiledRoute> compile_route(const config::Api& api,
                                    const config::Route& source,
                                    const CompiledApi& compiled_api,
                                    const ReservedNames& reserved,
                                    forward::SharedParts& shared,
                                    int index) {
    CompiledRoute route;
    route.source = &source;
    route.resource_path = source.path;
    route.timeout = source.integration.timeout;
    route.scopes = source.authorization_scopes;
    route.parameter_names = compiled_api.table.parameter_names(index);
    for (std::size_t i = 0; i < api.authorizers.size(); ++i) {
        if (api.authorizers[i].name == source.authorizer) route.authorizer = static_cast<int>(i);
    }
    // INVARIANT: nothing is silently open. Config refuses unknown names; this is the second lock on
    // the same door.
    if (route.authorizer < 0 && source.authorizer != "NONE") {
        return fail(Errc::config_invalid,
                    source.pointer + "/authorizer: no authorizer of the name \"" +
                        source.authorizer + "\"");
    }
    if (auto compiled = compile_validator(api, source, route); !compiled)
        return std::move(compiled).error();
    if (source.integration.mapped()) {
        auto mapped = mapping::Integration::make(mapping_spec(api, source.integration, reserved));
        if (!mapped) {
            Error error = std::move(mapped).error();
            error.detail = source.pointer + "/integration" + error.detail;
            return error;
        }
        route.mapped = std::make_unique<const mapping::Integration>(std::move(mapped).value());
        if (source.integration.type == config::IntegrationType::mock) return route;
    }
    if (source.integration.type == config::IntegrationType::mock) {
        const auto& templates = source.integration.response_templates;
        if (!templates.empty()) {
            const auto json = templates.find("application/json");
            const auto& chosen = json != templates.end() ? *json : *templates.begin();
            route.mock_type = chosen.first;
            route.mock_body = chosen.second;
        } else {
            route.mock_type = "application/json";
        }
        return route;
    }
    if (source.integration.type == config::IntegrationType::aws_proxy) {
        if (source.integration.function < 0)
            return fail(Errc::config_invalid, source.pointer + "/integration/uri: no function");
        forward::ProxyEventOptions options;
        options.format = event_format(source.integration.payload_format);
        options.binary_media_types = api.binary_media_types;
        options.reserved_headers = reserved.headers;
        options.reserved_prefixes = reserved.prefixes;
        route.aws_proxy = std::move(options);
        return route;
    }
    forward::ForwardOptions options;
    options.uri = source.integration.uri;
    options.tls_name = source.integration.server_name_to_verify;
    options.http_method = source.integration.http_method;
    options.request_parameters = plan_parameters(source.integration);
    options.answer_parameters = source.integration.answer_parameters;
    options.path_parameters.assign(route.parameter_names.begin(), route.parameter_names.end());
    options.context_headers = {api.context_headers.enabled,
                               api.context_headers.prefix,
                               api.context_headers.request_context};
    options.plain_headers = api.plain_headers;
    options.http_api = api.protocol == config::Protocol::http;
    options.append_request_path =
        source.integration.append_path || source.path == routing::kDefaultRoute;
    options.reserved_headers = reserved.headers;
    options.reserved_prefixes = reserved.prefixes;
    auto plan = forward::ForwardPlan::make(options, shared);
    if (!plan) return at(source.pointer + "/integration", std::move(plan).error());
    route.forward = std::move(plan).value();
    return route;
}

Result<authz::GatewayResponses> compile_responses(const config::Api& api) {
    std::map<std::string, authz::GatewayResponseSpec> specs;
    for (const auto& [type, response] : api.gateway_responses) {
        specs[type] = {
            response.status_code, response.response_parameters, response.response_templates};
    }
    auto responses = authz::GatewayResponses::make(specs);
    if (!responses) return at(api.pointer + "/gatewayResponses", std::move(responses).error());
    return responses;
}

authz::StageFacts stage_facts(const config::Api& api) {
    authz::StageFacts stage;
    stage.api_id = api.api_id;
    stage.stage = api.stage_name;
    stage.region = api.region;
    stage.account_id = api.account_id;
    stage.stage_prefix =
        policy::make_stage_prefix({api.region, api.account_id, api.api_id, api.stage_name});
    stage.base_path = api.base_path == "/" ? "" : api.base_path;
    stage.stage_variables = api.stage_variables;
    stage.http_api = api.protocol == config::Protocol::http;
    if (api.cors) {
        const config::Cors& cors = *api.cors;
        stage.cors =
            std::make_shared<const authz::Cors>(authz::CorsOptions{cors.allow_origins,
                                                                   cors.allow_methods,
                                                                   cors.allow_headers,
                                                                   cors.expose_headers,
                                                                   cors.max_age,
                                                                   cors.allow_credentials});
    }
    return stage;
}

Result<CompiledApi> compile_api(const config::Model& model,
                                const config::Api& source,
                                authz::GrantCache& cache,
                                KeyStore& keys,
                                forward::SharedParts& shared) {
    CompiledApi api;
    api.source = &source;
    api.stage = stage_facts(source);
    std::vector<routing::RouteSpec> specs;
    for (const config::Route& route : source.routes)
        specs.push_back({route.method, route.path});
    auto table = routing::RouteTable::make(
        specs, api.stage.http_api ? routing::Precedence::http : routing::Precedence::rest);
    if (!table) return at(source.pointer + "/routes", std::move(table).error());
    api.table = std::move(table).value();
    for (const config::Authorizer& authorizer : source.authorizers) {
        auto compiled = compile_authorizer(model, source, authorizer, cache, keys);
        if (!compiled) return std::move(compiled).error();
        api.authorizers.push_back(std::move(compiled).value());
    }
    const ReservedNames reserved = reserved_names(model, source);
    api.routes.reserve(source.routes.size());
    for (std::size_t i = 0; i < source.routes.size(); ++i) {
        auto route =
            compile_route(source, source.routes[i], api, reserved, shared, static_cast<int>(i));
        if (!route) return std::move(route).error();
        api.routes.push_back(std::move(route).value());
    }
    auto responses = compile_responses(source);
    if (!responses) return std::move(responses).error();
    api.responses = std::move(responses).value();
    return api;
}

}  // namespace

authz::EventFormat event_format(config::PayloadFormat format) noexcept {
    switch (format) {
        case config::PayloadFormat::http_1_0:
            return authz::EventFormat::http_1_0;
        case config::PayloadFormat::http_2_0:
            return authz::EventFormat::http_2_0;
        default:
            return authz::EventFormat::rest;
    }
}

std::vector<std::uint32_t> Snapshot::key_sources() const {
    std::set<std::uint32_t> sources;
    for (const CompiledApi& api : apis) {
        for (const auto& authorizer : api.authorizers)
            sources.insert(authorizer->key_sources.begin(), authorizer->key_sources.end());
    }
    return {sources.begin(), sources.end()};
}

std::vector<authz::CacheScope> Snapshot::cache_scopes() const {
    std::set<authz::CacheScope> scopes;
    for (const CompiledApi& api : apis) {
        for (const auto& authorizer : api.authorizers) {
            if (!authorizer->access_keys) scopes.insert(authorizer->scope);
        }
    }
    return {scopes.begin(), scopes.end()};
}

Result<std::shared_ptr<const Snapshot>> make_snapshot(config::Model model,
                                                      authz::GrantCache& cache,
                                                      KeyStore& keys,
                                                      bool dev,
                                                      LambdaInvoker* functions,
                                                      const Snapshot* before) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->model = std::move(model);
    snapshot->dev = dev;
    snapshot->functions = functions;
    std::vector<routing::ApiSpec> specs;
    for (const config::Api& api : snapshot->model.apis)
        specs.push_back({api.domain_names, api.base_path});
    auto table = routing::ApiTable::make(specs);
    if (!table) return at("/apis", std::move(table).error());
    snapshot->api_table = std::move(table).value();
    if (auto compiled = compile_upstreams(*snapshot, before); !compiled)
        return std::move(compiled).error();
    forward::SharedParts shared;
    for (const config::Api& source : snapshot->model.apis) {
        auto api = compile_api(snapshot->model, source, cache, keys, shared);
        if (!api) return std::move(api).error();
        for (CompiledRoute& route : api->routes) {
            const int index = route.source->integration.upstream;
            if (index >= 0)
                route.upstream = snapshot->upstreams.at(static_cast<std::size_t>(index)).get();
        }
        snapshot->apis.push_back(std::move(api).value());
    }
    snapshot->context_names = make_context_names(snapshot->model);
    if (auto compiled = compile_usage(*snapshot, before); !compiled)
        return std::move(compiled).error();
    if (dev && snapshot->model.dev_override)
        snapshot->dev_override.emplace(snapshot->model.dev_override->secret);
    snapshot->report = config::make_report(snapshot->model);
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

}  // namespace gatehouse::app
