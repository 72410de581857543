#include "process.hpp"

#include "runtime_api.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <utility>

namespace gatehouse::functions {
namespace {

namespace asio = boost::asio;
using Ending = ProcessPool::Ending;
using Verb = RuntimeRequest::Verb;

// A function may think for long between two requests on one connection.
constexpr std::chrono::hours kIdle{1};

// What it may write to the log: more waits in the pipe, and then the function does.
constexpr std::size_t kLogBytes = 1024 * 1024;
constexpr std::chrono::seconds kLogTime{1};

constexpr std::size_t kDrainReads = 16;

}  // namespace

Process::Process(asio::io_context& io, LogLines::Sink log)
    : io_(io), lines_(std::move(log)), exit_(io), output_(io), pause_(io) {}

Process::~Process() {
    close();
}

Result<void> Process::start(const std::function<ChildPlan(std::uint16_t port)>& plan,
                            ProcessEvents events) {
    net::ServerLimits most;
    most.body_bytes = limits::kFunctionAnswerBytes;
    most.idle = kIdle;
    // Who can ask for work here reads tokens, and who can answer says who may pass.
    most.own_user_only = true;
    const std::weak_ptr<Process> weak = weak_from_this();
    most.on_too_large = [weak](const net::ServedRequest& request) {
        if (const auto process = weak.lock()) process->too_large(request);
    };
    server_ = std::make_unique<net::HttpServer>(
        io_,
        [weak](const net::ServedRequest& request) { return serve(weak.lock(), request); },
        std::move(most));
    const Result<std::uint16_t> port = server_->listen("127.0.0.1", 0);
    if (!port) return port.error();
    const Result<Child> child = start_child(plan(*port));
    if (!child) {
        server_->stop();
        return child.error();
    }
    events_ = std::move(events);
    pid_ = child->pid;
    exit_.assign(child->exit_fd);
    output_.assign(child->output_fd);
    output_.non_blocking(true);  // told to Asio as well: its read_some would wait otherwise
    await_exit();
    await_output();
    return {};
}

void Process::deliver(net::ServedResponse work) {
    if (auto waiter = std::exchange(waiter_, nullptr)) settle(std::move(waiter), std::move(work));
}

void Process::signal(int number) noexcept {
    if (pid_ > 0) signal_group(pid_, number);
}

void Process::close() noexcept {
    events_ = {};
    end_connections();
    boost::system::error_code ignored;
    exit_.close(ignored);
    output_.close(ignored);
    pause_.cancel();
    if (pid_ <= 0) return;
    signal_group(pid_, SIGKILL);
    reap_child(std::exchange(pid_, -1));
}

void Process::end_connections() noexcept {
    if (server_) server_->stop();
    deliver(runtime_refused(500, "Runtime.Ending", "this process is being ended"));
}

// ---- the Runtime API

asio::awaitable<net::ServedResponse> Process::serve(std::shared_ptr<Process> process,
                                                    const net::ServedRequest& request) {
    if (!process) co_return runtime_refused(403, "InvalidStateTransition", "ending");
    const RuntimeRequest asked = parse_runtime_request(request.method, request.target);
    switch (asked.verb) {
        case Verb::next:
            co_return co_await serve_next(process);
        case Verb::response:
            co_return process->take_answer(asked.id, Ending::returned, request.body);
        case Verb::error:
            co_return process->take_answer(asked.id, Ending::failed, request.body);
        case Verb::init_error:
            if (process->events_.init_error && process->events_.init_error(request.body))
                co_return runtime_accepted();
            co_return runtime_refused(403, "InvalidStateTransition", "the runtime has started");
        case Verb::unknown:
            co_return runtime_refused(404, "ResourceNotFound", "no such path in the Runtime API");
        case Verb::wrong_method:
            break;
    }
    co_return runtime_refused(405, "MethodNotAllowed", "another method is wanted here");
}

asio::awaitable<net::ServedResponse> Process::serve_next(std::shared_ptr<Process> process) {
    const auto waiter = std::make_shared<Waiter>(process->io_);
    // In place before the question: the work may come with the answer to it.
    const auto before = std::exchange(process->waiter_, waiter);
    if (!process->events_.next || !process->events_.next()) {
        process->waiter_ = before;
        co_return runtime_refused(403, "InvalidStateTransition", "the last call is not answered");
    }
    // Whoever asks twice has lost its first connection.
    if (before) process->settle(before, runtime_refused(409, "Superseded", "asked again"));
    if (!waiter->answer) co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!waiter->answer) co_return runtime_refused(500, "Runtime.Ending", "ending");
    co_return *std::move(waiter->answer);
}

net::ServedResponse Process::take_answer(std::string_view id, Ending ending, std::string body) {
    if (events_.answered && events_.answered(id, ending, std::move(body)))
        return runtime_accepted();
    return runtime_refused(400, "InvalidRequestID", "no call of that id waits for an answer");
}

void Process::too_large(const net::ServedRequest& request) {
    const RuntimeRequest asked = parse_runtime_request(request.method, request.target);
    if (asked.verb != Verb::response && asked.verb != Verb::error) return;
    if (events_.answered) events_.answered(asked.id, Ending::too_large, {});
}

void Process::settle(std::shared_ptr<Waiter> waiter, net::ServedResponse answer) {
    waiter->answer = std::move(answer);
    waiter->timer.cancel();
}

// ---- the process

void Process::await_exit() {
    exit_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                         if (error || self->pid_ <= 0) return;
                         if (has_ended(self->pid_)) {
                             self->ended();
                         } else {
                             self->await_exit();
                         }
                     });
}

void Process::ended() {
    // What it forked goes with it, and before its number can be given to another.
    signal_group(pid_, SIGKILL);
    const std::string how = reap_child(std::exchange(pid_, -1));
    drain_output();
    const ProcessEvents events = std::exchange(events_, {});
    close();
    if (events.ended) events.ended(how);
}

void Process::await_output() {
    output_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
            if (error || !self->output_.is_open()) return;  // closed: nobody listens any more
            self->lines_.write({self->buffer_.data(), count});
            const SteadyTime now = std::chrono::steady_clock::now();
            if (now - self->burst_began_ >= kLogTime) {
                self->burst_began_ = now;
                self->burst_ = 0;
            }
            self->burst_ += count;
            if (self->burst_ < kLogBytes) return self->await_output();
            self->pause_.expires_at(self->burst_began_ + kLogTime);
            self->pause_.async_wait([self](boost::system::error_code stopped) {
                if (!stopped && self->output_.is_open()) self->await_output();
            });
        });
}

// What is still in the pipe tells why it ended. Somebody who left the group may hold the other end
// open, so not until its end.
void Process::drain_output() {
    for (std::size_t i = 0; i < kDrainReads; ++i) {
        boost::system::error_code error;
        const std::size_t count = output_.read_some(asio::buffer(buffer_), error);
        if (error || count == 0) break;
        lines_.write({buffer_.data(), count});
    }
    lines_.end();
}

}  // namespace gatehouse::functions
