#pragma once

#include "gatehouse/functions/process_pool.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gatehouse::functions {

/// A function that Gatehouse runs itself: `functions.NAME.command` and what stands beside it.
struct Command {
    std::vector<std::string> command;  ///< program and arguments, not empty; a program with a '/'
                                       ///< is looked for from `directory`, another one on PATH
    std::string directory = ".";
    std::vector<std::pair<std::string, std::string>> environment;
    std::string region = "us-east-1";
    std::string account_id = "123456789012";
    PoolRules pool;
};

}  // namespace gatehouse::functions
