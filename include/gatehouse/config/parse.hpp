#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/core/result.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// Looks an environment variable up; nullopt when it is not set. The caller hands in the real one
/// or a test's.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// One thing that is wrong with a configuration.
struct Problem {
    std::string pointer;  ///< RFC 6901, "" for the whole document
    int line = 0;         ///< 1-based line in the file; 0: no line (environment mode)
    std::string message;  ///< what is wrong, what is allowed, "did you mean"
};

/// What loading gave: a model that may be served, or every problem found (then `model` must not be
/// used). `warnings` never stop a load.
struct Loaded {
    Model model;
    std::vector<Problem> problems;
    std::vector<Problem> warnings;
};

/// Reads a configuration file's text whole: comments, ${ENV} references, unknown keys, types,
/// ranges, references between parts (validate.hpp is called at the end). Opens nothing. Never stops
/// at the first problem.
Loaded parse(std::string_view text, const Environment& environment);

/// The configuration of environment mode (UPSTREAM_URL, EXPECTED_ISSUER, EXPECTED_AUDIENCE,
/// JWKS_URL, GATEHOUSE_OPEN_ROUTES).
Loaded parse_environment(const Environment& environment);

/// "config.json:12: /apis/0/routes/1/authorizer: …" (line and pointer left out when unknown).
std::string to_string(const Problem& problem, std::string_view file);

}  // namespace gatehouse::config
