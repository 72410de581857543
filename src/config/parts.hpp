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

Authorizer read_authorizer(const Json& value,
                           std::string name,
                           const std::string& pointer,
                           Source& source);

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

/// What is wrong with the name of a gateway response, or nothing.
std::string fault_in_response_type(std::string_view name);

/// Reads a map of MIME types to templates.
std::map<std::string, std::string> read_templates(ObjectReader& reader,
                                                  std::string_view name,
                                                  std::string (*fault)(std::string_view));

}  // namespace gatehouse::config
