#pragma once

#include "gatehouse/authz/invocation.hpp"
#include "gatehouse/core/limits.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace gatehouse::app {

/// One synchronous invocation of a function.
struct LambdaCall {
    std::uint32_t function = 0;  ///< index into the functions that the invoker was made with
    std::string payload;         ///< the event, JSON
    std::chrono::milliseconds timeout{
        29000};  ///< the caller's patience, waiting for a turn included
    std::size_t most_bytes = limits::kFunctionAnswerBytes;  ///< of the answer
    // What API Gateway sends along (developer guide, execution logs); empty: not sent.
    std::string request_id;  ///< x-amzn-lambda-integration-tag
    std::string trace_id;    ///< X-Amzn-Trace-Id, e.g. "Root=1-…"
    std::string api_id;      ///< x-amzn-apigateway-api-id, User-Agent
    std::string source_arn;  ///< X-Amz-Source-Arn
};

/// How it ended.
struct LambdaOutcome {
    authz::Invocation::End end = authz::Invocation::End::not_invokable;
    std::string payload;  ///< returned: what the function returned; failed: its error object
    std::string detail;   ///< why it did not return, for trace and log: never the function's answer

    /// What authz/lambda_reply and forward/proxy_answer read. Views into this.
    authz::Invocation view() const noexcept { return {end, payload}; }
};

/// Told the outcome, exactly once, on any thread. Must neither block nor throw.
using LambdaDone = std::function<void(LambdaOutcome)>;

/// Calls functions. invoke() may be called on any thread and never blocks. A call belongs to
/// nobody: a client that leaves does not end it.
class LambdaInvoker {
  public:
    virtual ~LambdaInvoker() = default;
    virtual void invoke(LambdaCall call, LambdaDone done) = 0;
};

}  // namespace gatehouse::app
