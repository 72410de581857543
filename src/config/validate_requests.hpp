#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <string>
#include <vector>

namespace gatehouse::config {

/// Whether what validates an API's requests fits together: validators, models, and the routes that
/// name them.
void check_requests(const Api& api, std::vector<Problem>& problems, std::vector<Problem>& warnings);

/// Whether a route's requestParameters name path parameters that it has.
void check_request_parameters(const Route& route,
                              const std::vector<std::string>& path_parameters,
                              std::vector<Problem>& problems);

}  // namespace gatehouse::config
