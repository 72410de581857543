#pragma once

#include "child.hpp"
#include "gatehouse/functions/process_pool.hpp"
#include "gatehouse/net/http_server.hpp"
#include "log_lines.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::functions {

/// What a process reports. False: that is not allowed now, and has no effect.
struct ProcessEvents {
    std::function<bool()> next;  ///< asks for work: deliver() may be called from within
    std::function<bool(std::string_view id, ProcessPool::Ending ending, std::string body)> answered;
    std::function<bool(std::string body)> init_error;
    std::function<void(const std::string& how)> ended;  ///< gone and reaped
};

/// One process of a command function and the Runtime API that it talks to, on a loopback port of
/// its own, so that whose request it is needs no asking. Control thread.
class Process : public std::enable_shared_from_this<Process> {
  public:
    Process(boost::asio::io_context& io, LogLines::Sink log);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Opens the port, then starts what `plan` makes for it.
    Result<void> start(const std::function<ChildPlan(std::uint16_t port)>& plan,
                       ProcessEvents events);

    /// Answers the `next` that waits.
    void deliver(net::ServedResponse work);

    void signal(int number) noexcept;

    /// Kills what is left, without another event.
    void close() noexcept;

    /// The last lines of its output.
    std::string last_output() const { return lines_.last(); }

  private:
    struct Waiter {
        explicit Waiter(boost::asio::io_context& io) : timer(io, SteadyTime::max()) {}

        boost::asio::steady_timer timer;
        std::optional<net::ServedResponse> answer;
    };

    static boost::asio::awaitable<net::ServedResponse> serve(std::shared_ptr<Process> process,
                                                             const net::ServedRequest& request);
    static boost::asio::awaitable<net::ServedResponse> serve_next(std::shared_ptr<Process> process);
    net::ServedResponse take_answer(std::string_view id,
                                    ProcessPool::Ending ending,
                                    std::string body);
    void too_large(const net::ServedRequest& request);
    void settle(std::shared_ptr<Waiter> waiter, net::ServedResponse answer);
    void await_exit();
    void await_output();
    void drain_output();
    void ended();
    void end_connections() noexcept;

    boost::asio::io_context& io_;
    ProcessEvents events_;
    LogLines lines_;
    std::unique_ptr<net::HttpServer> server_;
    std::shared_ptr<Waiter> waiter_;
    boost::asio::posix::stream_descriptor exit_;
    boost::asio::posix::stream_descriptor output_;
    boost::asio::steady_timer pause_;
    std::array<char, 16384> buffer_{};
    std::size_t burst_ = 0;  ///< bytes read since the last pause
    SteadyTime burst_began_;
    pid_t pid_ = -1;  ///< -1: not there, or reaped
};

}  // namespace gatehouse::functions
