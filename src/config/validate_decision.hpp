#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <vector>

namespace gatehouse::config {

/// True when the two cannot both be bound.
bool overlap(const Listener& a, const Listener& b);

/// validate() for `decision`: its address, and what cannot be decided for another proxy.
void validate_decision(const Model& model,
                       std::vector<Problem>& problems,
                       std::vector<Problem>& warnings);

}  // namespace gatehouse::config
