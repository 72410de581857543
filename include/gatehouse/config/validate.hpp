#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// What no single value can tell: references between parts, two of what there may be one of,
/// options that would be ignored where they stand. parse() and parse_environment() call it; call it
/// too on a model made by hand. Parts that are blank because reading them failed are passed over:
/// that problem is already known. Problems carry pointers and no lines.
void validate(const Model& model, std::vector<Problem>& problems, std::vector<Problem>& warnings);

/// Which of the model's functions anything calls: an integration of a route, or the authorizer of
/// one.
std::vector<bool> find_used_functions(const Model& model);

/// Names of the {name} placeholders of an integration uri, in order; repeated ones repeat.
std::vector<std::string> find_placeholders(std::string_view uri);

}  // namespace gatehouse::config
