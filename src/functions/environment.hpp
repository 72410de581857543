#pragma once

#include "gatehouse/functions/command.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::functions {

/// getenv, or what a test says.
using Inherited = std::function<const char*(const char* name)>;

/// What a function's process sees, as NAME=VALUE: a few variables of ours, what Lambda defines
/// (developer guide, "Defined runtime environment variables"), and the configured ones over both.
/// AWS_LAMBDA_RUNTIME_API alone is always ours. Credentials are not passed on.
/// @param directory  absolute
std::vector<std::string> make_environment(std::string_view name,
                                          const Command& command,
                                          std::string_view directory,
                                          std::uint16_t port,
                                          const Inherited& inherited);

/// The files that may be the program, in the order in which they are to be tried: PATH is that of
/// `environment`.
std::vector<std::string> find_program(std::string_view program,
                                      const std::vector<std::string>& environment);

}  // namespace gatehouse::functions
