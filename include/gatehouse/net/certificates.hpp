#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <vector>

namespace gatehouse::net {

/// Reads every file that the model's TLS settings name, as serving would: what cannot be opened,
/// does not fit together or is expired is a problem with its pointer. Nothing is kept.
std::vector<config::Problem> check_certificates(const config::Model& model);

}  // namespace gatehouse::net
