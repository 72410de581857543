#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gatehouse::forward {

/// A function's answer as it meant it, its JSON checked and no header handled yet.
struct FunctionAnswer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  ///< tokens, values without controls
    std::string body;
    bool base64 = false;
};

/// Reads the members of an answer. Errc::function_answer_invalid, detail: the JSON path at fault.
Result<FunctionAnswer> parse_function_answer(const Json& answer, authz::EventFormat format);

}  // namespace gatehouse::forward
