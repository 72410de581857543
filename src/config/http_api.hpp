#pragma once

#include "gatehouse/config/model.hpp"
#include "source.hpp"

#include <map>
#include <string>
#include <string_view>

// What an HTTP API has instead of a REST API's parts, and what it does not have. All of it is
// enforced, or refused by name.
namespace gatehouse::config {

class ObjectReader;

/// Refuses the keys of an API, or of a route, that only REST APIs have.
void refuse_rest_api_keys(ObjectReader& reader);
void refuse_rest_route_keys(ObjectReader& reader);

/// `corsConfiguration`.
Cors read_cors(const Json& value, const std::string& pointer, Source& source);

Authorizer read_http_authorizer(const Json& value,
                                std::string name,
                                const std::string& pointer,
                                const std::map<std::string, std::string>& stage_variables,
                                Source& source);

Integration read_http_integration(const Json& value,
                                  const std::string& pointer,
                                  const std::map<std::string, std::string>& stage_variables,
                                  Source& source);

}  // namespace gatehouse::config
