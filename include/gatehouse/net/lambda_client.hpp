#pragma once

#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/result.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::net {

class ClientTls;

/// A function behind the Lambda Invoke API.
struct LambdaEndpoint {
    std::string url;                                         ///< whole, see invoke_url()
    std::size_t connections = limits::kEndpointConnections;  ///< calls under way
    std::size_t queue = limits::kFunctionQueue;              ///< calls that wait for one to end
    const ClientTls* tls = nullptr;                          ///< null: the system's authorities
};

/// Where a function is called: {endpoint}/2015-03-31/functions/{function}/invocations, its name or
/// ARN percent-encoded. An endpoint that names a function already is taken as it is (the Runtime
/// Interface Emulator knows its function as "function" alone). Errc::config_invalid
Result<std::string> invoke_url(std::string_view endpoint, std::string_view function);

/// What an answer of the Invoke API means. A function error is told by X-Amz-Function-Error; the
/// Runtime Interface Emulator sends none, and 200 or 502, so there an object of errorType and
/// errorMessage and nothing that Lambda's runtimes do not put beside them counts as one.
app::LambdaOutcome read_invoke_answer(int status,
                                      std::string_view function_error,
                                      std::string body);

/// Calls one function over the Lambda Invoke API (API reference, "Invoke"), with connections kept
/// open from call to call. Nothing is sent twice. Control thread only.
class LambdaClient {
  public:
    LambdaClient(boost::asio::io_context& io, LambdaEndpoint endpoint);
    /// Calls that wait end as not_invokable.
    ~LambdaClient();
    LambdaClient(const LambdaClient&) = delete;
    LambdaClient& operator=(const LambdaClient&) = delete;

    void call(app::LambdaCall call, app::LambdaDone done);

    /// Ends all calls and closes all connections; `stopped` is called before it returns.
    void stop(const std::function<void()>& stopped);

  private:
    struct State;
    std::shared_ptr<State> state_;  ///< shared with the calls under way
};

}  // namespace gatehouse::net
