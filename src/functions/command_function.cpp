#include "gatehouse/functions/command_function.hpp"

#include "environment.hpp"
#include "gatehouse/core/ascii.hpp"
#include "process.hpp"
#include "runtime_api.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <utility>

namespace gatehouse::functions {
namespace {

namespace asio = boost::asio;
using Action = ProcessPool::Action;
using Ending = ProcessPool::Ending;
using End = authz::Invocation::End;

End end_of(Ending ending) {
    switch (ending) {
        case Ending::returned:
            return End::returned;
        // The service makes no difference between what a function reports and what becomes of it.
        case Ending::failed:
        case Ending::timed_out:
        case Ending::crashed:
        case Ending::init_failed:
        case Ending::init_timed_out:
            return End::failed;
        case Ending::too_large:
            return End::too_large;
        case Ending::gave_up:
            return End::timed_out;
        case Ending::unstartable:
        case Ending::queue_full:
        case Ending::stopping:
            break;
    }
    return End::not_invokable;
}

// "3.00 seconds", as Lambda writes a limit.
std::string in_seconds(std::chrono::milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f seconds", static_cast<double>(time.count()) / 1000);
    return text;
}

std::string in_millis(std::chrono::milliseconds time) {
    return std::to_string(time.count()) + " ms";
}

std::string absolute_path(const std::string& directory) {
    std::error_code error;
    const auto path = std::filesystem::absolute(directory, error).lexically_normal();
    return error ? directory : path.string();
}

// A client may have chosen it: what is no plain text does not go into a header.
bool is_plain(std::string_view text) {
    for (const char c : text) {
        if (is_control(c) || static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return !text.empty();
}

}  // namespace

CommandFunction::CommandFunction(asio::io_context& io,
                                 const app::Clock& clock,
                                 std::string name,
                                 Command command)
    : io_(io),
      clock_(clock),
      name_(std::move(name)),
      arn_("arn:aws:lambda:" + command.region + ":" + command.account_id + ":function:" + name_),
      command_(std::move(command)),
      pool_(command_.pool),
      timer_(io),
      processes_(std::max(1U, command_.pool.concurrency)),
      work_(processes_.size()) {
    command_.directory = absolute_path(command_.directory);
}

CommandFunction::~CommandFunction() {
    for (const auto& process : processes_) {
        if (process) process->close();
    }
    for (auto& [id, pending] : std::exchange(pending_, {}))
        pending.done({End::not_invokable, {}, "the gateway is shutting down"});
}

void CommandFunction::start() {
    perform(pool_.start(now()));
}

void CommandFunction::call(app::LambdaCall call, app::LambdaDone done) {
    const Instant instant = clock_.now();
    app::RequestIds ids;
    ids_.make(ids, instant.wall, {});
    const CallId id = ++last_call_;
    const SteadyTime give_up = instant.steady + call.timeout;
    pending_.emplace(id, Pending{std::move(call), std::move(done), std::string(ids.request())});
    perform(pool_.call(id, give_up, instant.steady));
}

void CommandFunction::stop(std::function<void()> stopped) {
    stopped_ = std::move(stopped);
    perform(pool_.stop(now()));
}

void CommandFunction::perform(const ProcessPool::Actions& actions) {
    std::deque<Action> todo(actions.begin(), actions.end());
    while (!todo.empty()) {
        const Action action = todo.front();
        todo.pop_front();
        switch (action.kind) {
            case Action::Kind::start:
                for (const Action& more : start_process(action.slot))
                    todo.push_back(more);
                break;
            case Action::Kind::deliver:
                deliver(action.slot, action.call);
                break;
            case Action::Kind::terminate:
                processes_[action.slot]->signal(SIGTERM);
                break;
            case Action::Kind::kill:
                log_kill(action.ending);
                processes_[action.slot]->signal(SIGKILL);
                break;
            case Action::Kind::finish:
                finish(action.call, action.ending);
                break;
        }
    }
    arm();
}

void CommandFunction::arm() {
    if (pool_.stopped()) {
        timer_.cancel();
        if (auto stopped = std::exchange(stopped_, nullptr)) stopped();
        return;
    }
    const auto due = pool_.due();
    if (!due) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*due);
    timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code error) {
        if (!error && !alive.expired()) perform(pool_.tick(now()));
    });
}

// ---- processes

ProcessPool::Actions CommandFunction::start_process(Slot slot) {
    const auto process = std::make_shared<Process>(
        io_, [this](const std::string& line) { spdlog::info("function {}: {}", name_, line); });
    ProcessEvents events;
    events.next = [this, slot] {
        const auto actions = pool_.next(slot, now());
        if (!actions) return false;
        perform(*actions);
        return true;
    };
    events.answered = [this, slot](std::string_view id, Ending ending, std::string body) {
        return answered(slot, id, ending, std::move(body));
    };
    events.init_error = [this, slot](std::string body) {
        return init_error(slot, std::move(body));
    };
    events.ended = [this, slot](const std::string& how) { ended(slot, how); };
    const auto plan = [this](std::uint16_t port) {
        ChildPlan child;
        child.environment = make_environment(name_, command_, command_.directory, port, ::getenv);
        child.arguments = command_.command;
        child.files = find_program(command_.command.front(), child.environment);
        child.directory = command_.directory;
        return child;
    };
    processes_[slot] = process;
    const Result<void> started = process->start(plan, std::move(events));
    if (started) return {};
    processes_[slot].reset();
    start_error_ = "cannot start: " + printable(started.error().detail, 300);
    spdlog::warn("function {}: {}", name_, start_error_);
    return pool_.unstartable(slot, now());
}

// What a process prints when it cannot start goes to traces too, and may hold its settings: the
// values that the configuration gives it give way to their names. Shorter ones hide nothing.
std::string CommandFunction::conceal(std::string text) const {
    constexpr std::size_t kShortest = 4;
    for (const auto& [name, value] : command_.environment) {
        if (value.size() < kShortest) continue;
        const std::string shown = printable(value, value.size());
        const std::string instead = "${" + name + "}";
        for (std::size_t at = text.find(shown); at != std::string::npos;
             at = text.find(shown, at + instead.size()))
            text.replace(at, shown.size(), instead);
    }
    return text;
}

void CommandFunction::ended(Slot slot, const std::string& how) {
    const std::string output = conceal(processes_[slot]->last_output());
    processes_[slot].reset();
    how_ = how;
    ProcessPool::Actions actions;
    if (pool_.is_starting(slot)) {
        start_error_ = "ended before it asked for work: " + how +
                       (output.empty() ? "" : "; its last lines: " + output);
        start_payload_ = error_object("Runtime.ExitError", {}, "Runtime exited with error: " + how);
        actions = pool_.exited(slot, now());
        spdlog::warn("function {}: {}; next start in {} ms",
                     name_,
                     start_error_,
                     pool_.restart_in(now()).count());
    } else {
        if (!pool_.is_ending(slot)) spdlog::warn("function {}: its process ended: {}", name_, how);
        actions = pool_.exited(slot, now());
    }
    perform(actions);
}

// ---- calls

void CommandFunction::deliver(Slot slot, CallId id) {
    const Pending& pending = pending_.at(id);
    work_[slot] = {id, pending.request_id, pending.call.most_bytes};
    const auto deadline = clock_.now().wall + command_.pool.timeout;
    net::ServedResponse work;
    work.body = pending.call.payload;
    work.headers = {
        {"Lambda-Runtime-Aws-Request-Id", pending.request_id},
        {"Lambda-Runtime-Deadline-Ms", std::to_string(deadline.time_since_epoch().count())},
        {"Lambda-Runtime-Invoked-Function-Arn", arn_},
    };
    if (is_plain(pending.call.trace_id))
        work.headers.emplace_back("Lambda-Runtime-Trace-Id", pending.call.trace_id);
    processes_[slot]->deliver(std::move(work));
}

bool CommandFunction::answered(Slot slot, std::string_view id, Ending ending, std::string body) {
    const Work& work = work_[slot];
    if (id != work.request_id) return false;
    if (body.size() > work.most_bytes) ending = Ending::too_large;
    const auto actions = pool_.answered(slot, work.call, ending, now());
    if (!actions) return false;
    answer_ = std::move(body);
    perform(*actions);
    answer_.clear();
    return true;
}

bool CommandFunction::init_error(Slot slot, std::string body) {
    // No event has reached it yet, so these words hold nobody's token.
    const std::string reason = "reported that it cannot start: " + printable(body, 300);
    if (!pool_.is_starting(slot)) return false;
    start_error_ = reason;
    start_payload_ = std::move(body);
    const auto actions = pool_.init_error(slot, now());
    spdlog::warn("function {}: {}; next start in {} ms",
                 name_,
                 start_error_,
                 pool_.restart_in(now()).count());
    perform(*actions);
    return true;
}

void CommandFunction::finish(CallId id, Ending ending) {
    auto found = pending_.extract(id);
    if (found.empty()) return;
    found.mapped().done(outcome(found.mapped(), ending));
}

app::LambdaOutcome CommandFunction::outcome(const Pending& pending, Ending ending) {
    app::LambdaOutcome outcome;
    outcome.end = end_of(ending);
    const std::string& id = pending.request_id;
    switch (ending) {
        case Ending::returned:
            outcome.payload = std::move(answer_);
            break;
        case Ending::failed:
            outcome.payload = std::move(answer_);
            outcome.detail = "the function reported an error";
            break;
        case Ending::too_large:
            outcome.detail =
                "the answer is larger than " + std::to_string(pending.call.most_bytes) + " bytes";
            break;
        case Ending::gave_up:
            outcome.detail = "no answer within " + in_millis(pending.call.timeout);
            break;
        case Ending::timed_out:
            outcome.payload =
                error_object("Sandbox.Timedout",
                             id,
                             "Task timed out after " + in_seconds(command_.pool.timeout));
            outcome.detail = "the function's own limit of " + in_millis(command_.pool.timeout) +
                             " is over, its processes were killed";
            break;
        case Ending::crashed:
            outcome.payload =
                error_object("Runtime.ExitError", id, "Runtime exited with error: " + how_);
            outcome.detail = "its process ended before it answered: " + how_;
            break;
        case Ending::init_timed_out:
            outcome.payload =
                error_object("Sandbox.Timedout",
                             id,
                             "Task timed out after " + in_seconds(command_.pool.start_time));
            outcome.detail = "did not ask for work within " + in_millis(command_.pool.start_time) +
                             " of its start";
            break;
        case Ending::init_failed:
            outcome.payload = start_payload_;
            [[fallthrough]];
        case Ending::unstartable:
            outcome.detail = start_error_ + "; next start in " + in_millis(pool_.restart_in(now()));
            break;
        case Ending::queue_full:
            outcome.detail =
                "the queue of " + std::to_string(command_.pool.queue) + " calls is full";
            break;
        case Ending::stopping:
            outcome.detail = "the gateway is shutting down";
            break;
    }
    return outcome;
}

void CommandFunction::log_kill(Ending why) const {
    if (why == Ending::timed_out) {
        spdlog::warn("function {}: no answer within {} ms: its processes are killed",
                     name_,
                     command_.pool.timeout.count());
    } else if (why == Ending::init_timed_out) {
        spdlog::warn("function {}: did not ask for work within {} ms: its processes are killed",
                     name_,
                     command_.pool.start_time.count());
    }
}

}  // namespace gatehouse::functions
