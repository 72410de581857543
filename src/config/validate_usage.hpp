#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// A method in a usage plan's stage, "/items/{id}/GET" or, for the root, "//GET".
struct PlanMethod {
    std::string path;
    std::string method;
};

/// The parts of its name; blank when it has no "/".
PlanMethod split_plan_method(std::string_view name);

/// References between APIs, keys and usage plans, and what of them would have no effect.
void validate_usage(const Model& model,
                    std::vector<Problem>& problems,
                    std::vector<Problem>& warnings);

}  // namespace gatehouse::config
