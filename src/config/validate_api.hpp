#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <vector>

namespace gatehouse::config {

/// validate() for one API: its routes against its authorizers, its uris against its paths.
void validate_api(const Api& api, std::vector<Problem>& problems, std::vector<Problem>& warnings);

}  // namespace gatehouse::config
