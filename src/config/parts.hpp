#pragma once

#include "gatehouse/config/model.hpp"
#include "source.hpp"

#include <map>
#include <string>

// How the parts of the file are read. Each returns what could be read; the rest stays at its
// default and is a problem in `source`.
namespace gatehouse::config {

class ObjectReader;

Model read_model(const Json& root, Source& source);

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

Authorizer read_authorizer(const Json& value,
                           std::string name,
                           const std::string& pointer,
                           Source& source);

/// `authorizerUri`: a function, or gatehouse:jwt with its `jwt`. The type is read already.
void read_authorizer_function(ObjectReader& reader, Authorizer& authorizer);

/// `jwtConfiguration` of a REST API.
JwtAuthorizer read_rest_jwt(const Json& value, const std::string& pointer, Source& source);

/// `jwksUri` and `jwks`; the issuer is read already.
void read_keys(ObjectReader& reader, JwtProvider& provider);

std::string fault_in_algorithm(std::string_view text);

JwtAuthorizer read_jwt(const Json& value, const std::string& pointer, Source& source);

void check_statements(const Json& value, const std::string& pointer, Source& source);

/// Reads a route's integration and puts the stage variables into its uri.
Integration read_integration(const Json& value,
                             const std::string& pointer,
                             const std::map<std::string, std::string>& stage_variables,
                             Source& source);

GatewayResponse read_gateway_response(const Json& value,
                                      const std::string& pointer,
                                      const std::map<std::string, std::string>& stage_variables,
                                      Source& source);

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
