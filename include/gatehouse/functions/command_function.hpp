#pragma once

#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/request_ids.hpp"
#include "gatehouse/functions/command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::functions {

class Process;

/// A function whose processes Gatehouse starts, serves the Runtime API to, and ends. It does what
/// ProcessPool says. Control thread only.
class CommandFunction {
  public:
    CommandFunction(boost::asio::io_context& io,
                    const app::Clock& clock,
                    std::string name,
                    Command command);
    /// Kills what still runs; who still waits is told so.
    ~CommandFunction();
    CommandFunction(const CommandFunction&) = delete;
    CommandFunction& operator=(const CommandFunction&) = delete;

    /// Starts the first process.
    void start();
    void call(app::LambdaCall call, app::LambdaDone done);

    /// Ends all calls, then all processes: SIGTERM, after the grace SIGKILL. `stopped` is called
    /// when all are gone.
    void stop(std::function<void()> stopped);

  private:
    using Slot = ProcessPool::Slot;
    using CallId = ProcessPool::CallId;

    struct Pending {
        app::LambdaCall call;
        app::LambdaDone done;
        std::string request_id;  ///< the invocation's own
    };

    struct Work {
        CallId call = 0;
        std::string request_id;
        std::size_t most_bytes = 0;
    };

    void perform(const ProcessPool::Actions& actions);
    ProcessPool::Actions start_process(Slot slot);
    void deliver(Slot slot, CallId id);
    void finish(CallId id, ProcessPool::Ending ending);
    app::LambdaOutcome outcome(const Pending& pending, ProcessPool::Ending ending);
    bool answered(Slot slot, std::string_view id, ProcessPool::Ending ending, std::string body);
    bool init_error(Slot slot, std::string body);
    std::string conceal(std::string text) const;
    void ended(Slot slot, const std::string& how);
    void log_kill(ProcessPool::Ending why) const;
    void arm();

    SteadyTime now() const { return clock_.now().steady; }

    boost::asio::io_context& io_;
    const app::Clock& clock_;
    std::string name_;
    std::string arn_;
    Command command_;
    ProcessPool pool_;
    app::IdSource ids_;
    boost::asio::steady_timer timer_;
    std::vector<std::shared_ptr<Process>> processes_;  ///< by slot; shared with their own handlers
    std::map<CallId, Pending> pending_;
    std::vector<Work> work_;  ///< by slot: what it got last
    CallId last_call_ = 0;
    std::string answer_;         ///< of the event that is being handled: what the function sent
    std::string how_;            ///< of the event that is being handled: how the process ended
    std::string start_error_;    ///< why the last start came to nothing
    std::string start_payload_;  ///< its error object
    std::function<void()> stopped_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for the timer's handlers
};

}  // namespace gatehouse::functions
