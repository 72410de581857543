#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/core/json.hpp"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gatehouse::config {

/// What a reference put into a value.
struct Expanded {
    std::string name;  ///< of the environment variable
    std::string value;
};

/// What all readers of one file share: the problems found so far, and what is known of values that
/// environment references went into. Values are told apart by address, so the document must not
/// change while it is read.
struct Source {
    std::vector<Problem> problems;
    std::vector<Problem> warnings;
    std::unordered_set<const Json*>
        references;  ///< were one reference whole: may stand for a number or a boolean
    std::unordered_set<const Json*>
        unresolved;  ///< a variable is unset: that is reported, nothing more is to be said

    std::vector<Expanded> expanded;  ///< shown to nobody: conceal.hpp

    std::vector<Upstream> upstreams;  ///< those that an integration's uri may name
    std::vector<Function> functions;  ///< those of `functions`, then those named elsewhere
    std::string lambda_endpoint;      ///< AWS_ENDPOINT_URL_LAMBDA: where all others are called

    void problem(std::string pointer, std::string message) {
        problems.push_back({std::move(pointer), 0, std::move(message)});
    }

    void warning(std::string pointer, std::string message) {
        warnings.push_back({std::move(pointer), 0, std::move(message)});
    }
};

}  // namespace gatehouse::config
