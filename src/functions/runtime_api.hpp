#pragma once

#include "gatehouse/net/http_server.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// The words of the Lambda Runtime API, version 2018-06-01 (Lambda developer guide, "Using the
// Lambda runtime API for custom runtimes").
namespace gatehouse::functions {

struct RuntimeRequest {
    enum class Verb : std::uint8_t {
        next,
        response,
        error,
        init_error,
        unknown,       ///< no such path
        wrong_method,  ///< the path is one of these, the method is not
    };
    Verb verb = Verb::unknown;
    std::string_view id;  ///< response, error: the invocation's; a view into the target
};

RuntimeRequest parse_runtime_request(std::string_view method, std::string_view target);

/// 202 {"status":"OK"}. All answers say application/json: aws-lambda-ric 3 crashes without a
/// Content-Type.
net::ServedResponse runtime_accepted();

/// E.g. 403 {"errorMessage":"…","errorType":"InvalidStateTransition"}
net::ServedResponse runtime_refused(int status, std::string_view type, std::string_view message);

/// The error object of a function that ended without one of its own, as Lambda words it:
/// {"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: <message>"}
std::string error_object(std::string_view type, std::string_view id, std::string_view message);

}  // namespace gatehouse::functions
