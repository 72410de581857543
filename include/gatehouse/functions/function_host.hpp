#pragma once

#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/functions/command.hpp"
#include "gatehouse/net/lambda_client.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace gatehouse::functions {

/// One entry of the configuration's `functions`.
struct Function {
    std::string name;
    std::variant<net::LambdaEndpoint, Command> where;
    bool used = true;  ///< false: nothing calls it, so no process is started for it
};

/// All functions: those that Gatehouse runs, and those behind an endpoint. LambdaCall::function is
/// the index into `functions`. invoke() may be called on any thread; all work is done on the thread
/// that runs `control`, which has to live as long as the program (processes end with it). `control`
/// and `clock` must outlive the host.
class FunctionHost final : public app::LambdaInvoker {
  public:
    FunctionHost(boost::asio::io_context& control,
                 const app::Clock& clock,
                 std::vector<Function> functions);
    /// Kills what still runs. Calls that wait end as not_invokable, here, so whoever made them must
    /// still be there.
    ~FunctionHost() override;

    /// Starts the first process of each command function. On the control thread, or before it runs.
    void start();

    void invoke(app::LambdaCall call, app::LambdaDone done) override;

    /// Ends all calls and processes, then calls `stopped`: after limits::kFunctionGrace at the
    /// latest, if the kernel kills. On the control thread. Later calls end at once, on the thread
    /// that makes them.
    void stop(std::function<void()> stopped);

  private:
    struct State;
    std::shared_ptr<State> state_;  ///< shared with what is posted to `control`
};

}  // namespace gatehouse::functions
