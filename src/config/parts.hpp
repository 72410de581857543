#pragma once

#include "gatehouse/config/model.hpp"
#include "source.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

// How the parts of the file are read. Each returns what could be read; the rest stays at its
// default and is a problem in `source`.
namespace gatehouse::config {

class ObjectReader;

Model read_model(const Json& root, Source& source);

/// `tls` of a listener. The files themselves are read by whoever listens.
ListenerTls read_listener_tls(const Json& value, const std::string& pointer, Source& source);

/// `upstreamTls`, likewise.
UpstreamTls read_upstream_tls(const Json& value, const std::string& pointer, Source& source);

/// A name for SNI and certificates.
std::string fault_in_server_name(std::string_view text);

/// `tlsConfig` of an integration whose type and uri are read already.
void read_tls_config(ObjectReader& reader, Integration& integration);

/// `upstreams`, into source.upstreams: before the APIs whose integrations name them.
void read_upstreams(ObjectReader& reader);

/// `resolver`: "ADDRESS:PORT" of each name server.
std::vector<std::string> read_resolver(const Json& value,
                                       const std::string& pointer,
                                       Source& source);

Api read_api(const Json& value, const std::string& pointer, Source& source);

/// `functions`, into source.functions: before the APIs that name them.
void read_functions(ObjectReader& reader);

/// True for what can only mean a function: an ARN, or a URL of the Lambda Invoke API.
bool names_function(std::string_view text) noexcept;

/// The function that an authorizerUri or an integration's uri names: the service's own
/// arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{functionArn}/invocations, a bare
/// function ARN, or http://…/2015-03-31/functions/NAME/invocations.
/// @return index into source.functions; nothing after a problem at `name`
std::optional<int> find_function(std::string_view text,
                                 ObjectReader& reader,
                                 std::string_view name);

/// A text with the values of stage variables in it.
struct Filled {
    std::string text;
    std::string fault;
    bool known =
        true;  ///< false: a variable's own value could not be read, which is reported there
};

/// Puts values in place of ${stageVariables.NAME}; every other ${…} stays.
Filled fill_stage_variables(std::string_view text,
                            const std::map<std::string, std::string>& variables);

/// Reads an authorizer and puts the stage variables into its authorizerUri.
Authorizer read_authorizer(const Json& value,
                           std::string name,
                           const std::string& pointer,
                           const std::map<std::string, std::string>& stage_variables,
                           Source& source);

/// `authorizerUri`: a function with its timeout, or what decides here, with its block. The type is
/// read already.
/// @param most  what the function's timeout is at most, and by default
void read_authorizer_function(ObjectReader& reader,
                              const std::map<std::string, std::string>& stage_variables,
                              std::chrono::milliseconds most,
                              Authorizer& authorizer);

/// `jwtConfiguration` of a REST API.
JwtAuthorizer read_rest_jwt(const Json& value, const std::string& pointer, Source& source);

/// `jwksUri` and `jwks`; the issuer is read already.
void read_keys(ObjectReader& reader, JwtProvider& provider);

std::string fault_in_algorithm(std::string_view text);

JwtAuthorizer read_jwt(const Json& value, const std::string& pointer, Source& source);

/// What gatehouse:jwt and gatehouse:introspection have in common: clock skew, context, policy.
void read_claim_settings(ObjectReader& reader, ClaimSettings& claims);

/// The rest of an authorizer of type COGNITO_USER_POOLS: its user pools, and where their keys are.
void read_user_pools(ObjectReader& reader, Authorizer& authorizer);

/// `accessKeys`.
void read_access_keys(ObjectReader& reader, Model& model);

/// `decision`.
void read_decision(ObjectReader& root, Model& model);

/// `shared`: the URL of Redis taken apart.
void read_shared(ObjectReader& root, Model& model);

Introspection read_introspection(const Json& value, const std::string& pointer, Source& source);

void check_statements(const Json& value, const std::string& pointer, Source& source);

/// Reads a route's integration and puts the stage variables into its uri.
Integration read_integration(const Json& value,
                             const std::string& pointer,
                             const std::map<std::string, std::string>& stage_variables,
                             Source& source);

/// requestTemplates and passthroughBehavior.
void read_request_mapping(ObjectReader& reader, Integration& integration);

/// integrationResponses, at least one.
void read_integration_responses(ObjectReader& reader,
                                const std::map<std::string, std::string>& stage_variables,
                                Integration& integration);

/// requestValidators and models.
void read_validators(ObjectReader& reader, Api& api);

/// A route's requestValidator, requestParameters and requestModels.
void read_route_validation(ObjectReader& reader, Route& route);

/// `statusCode`, 200 to 599, as a number or a string: nothing when it is absent or wrong.
std::optional<int> read_status(ObjectReader& reader);

GatewayResponse read_gateway_response(const Json& value,
                                      const std::string& pointer,
                                      const std::map<std::string, std::string>& stage_variables,
                                      Source& source);

/// `apiKeys`, `usagePlans`, `throttle` and `devOverride` of the file.
void read_usage(ObjectReader& root, Model& model);

/// A throttle's object. Nothing when it is none: that is a problem already.
std::optional<usage::Rate> read_rate(const Json& value, const std::string& pointer, Source& source);

/// The member `throttle` of a plan, a route, an API or the file.
std::optional<usage::Rate> read_throttle(ObjectReader& reader);

/// Parts of an integration that both kinds of API have.
void read_uri(ObjectReader& reader,
              const std::map<std::string, std::string>& stage_variables,
              Integration& integration);
void read_http_method(ObjectReader& reader, Integration& integration);
void read_function_uri(ObjectReader& reader,
                       const std::map<std::string, std::string>& stage_variables,
                       Integration& integration);

/// What is wrong with the name of a gateway response, or nothing.
std::string fault_in_response_type(std::string_view name);

/// Reads a map of MIME types to templates.
std::map<std::string, std::string> read_templates(ObjectReader& reader,
                                                  std::string_view name,
                                                  std::string (*fault)(std::string_view));

}  // namespace gatehouse::config
