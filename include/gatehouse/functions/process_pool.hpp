#pragma once

#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace gatehouse::functions {

struct PoolRules {
    unsigned concurrency = 1;  ///< processes at most; one call at a time each
    std::size_t queue = limits::kFunctionQueue;
    std::chrono::milliseconds timeout = limits::kFunctionTime;  ///< of one call, once it began
    std::chrono::milliseconds start_time = limits::kFunctionStartTime;  ///< until the first `next`
    std::chrono::milliseconds grace = limits::kFunctionGrace;
};

/// Which process of a command function gets which call, and when processes start and end: a state
/// machine without I/O. Events go in with `now`, actions come out, to be done in order.
///
///  - one process is kept running, more start while calls wait, `concurrency` at most;
///  - a process asks for work (`next`), gets one call, answers it, asks again;
///  - the caller's patience counts from the call. It ends the call, not the function's work, as in
///  the service; the function's own `timeout` counts from when it got the call and ends the
///  process;
///  - a process that dies is started again after 100 ms, 200 ms, … 10 s; a call that was answered
///  ends the series. One that was killed for its timeout is replaced at once;
///  - while no process gets as far as its first `next`, calls fail at once with the reason, instead
///  of each waiting for its own timeout.
class ProcessPool {
  public:
    using CallId = std::uint64_t;
    using Slot = std::uint32_t;

    /// Why a call ended.
    enum class Ending : std::uint8_t {
        returned,
        failed,          ///< the function reported an error
        too_large,       ///< more came back than was asked for
        gave_up,         ///< the caller's patience ended
        timed_out,       ///< the function's own limit
        crashed,         ///< its process ended before it answered
        init_failed,     ///< its processes end or fail before they ask for work
        init_timed_out,  ///< they do not ask for it in time
        unstartable,     ///< its command cannot be executed
        queue_full,
        stopping,
    };

    struct Action {
        enum class Kind : std::uint8_t {
            start,      ///< slot
            deliver,    ///< slot, call
            terminate,  ///< slot: SIGTERM to its group
            kill,       ///< slot: SIGKILL to its group; ending: why
            finish,     ///< call, ending
        };
        Kind kind{};
        Slot slot = 0;
        CallId call = 0;
        Ending ending = Ending::returned;

        bool operator==(const Action&) const = default;
    };

    using Actions = std::vector<Action>;

    explicit ProcessPool(const PoolRules& rules);

    /// Begins: the first process.
    Actions start(SteadyTime now);

    /// A new call, whose caller waits until `give_up`.
    Actions call(CallId id, SteadyTime give_up, SteadyTime now);

    /// The process in `slot` asks for work. Nothing: it may not, it has not answered yet.
    std::optional<Actions> next(Slot slot, SteadyTime now);

    /// The process in `slot` answered: `ending` is returned, failed or too_large. Nothing: it has
    /// no such call (any more).
    std::optional<Actions> answered(Slot slot, CallId id, Ending ending, SteadyTime now);

    /// The process in `slot` says that it cannot start. Nothing: it had started.
    std::optional<Actions> init_error(Slot slot, SteadyTime now);

    /// A start could not even execute the command.
    Actions unstartable(Slot slot, SteadyTime now);

    /// The process in `slot` is gone and reaped.
    Actions exited(Slot slot, SteadyTime now);

    /// The clock moved: to be called when due() is reached. Early calls do no harm.
    Actions tick(SteadyTime now);

    /// Ends all calls and processes: SIGTERM, after the grace SIGKILL.
    Actions stop(SteadyTime now);

    /// When tick() has something to do. Nothing: until another event.
    std::optional<SteadyTime> due() const;

    /// Whether the process in `slot` has never asked for work, or was told to end.
    bool is_starting(Slot slot) const noexcept { return processes_[slot].state == State::starting; }

    bool is_ending(Slot slot) const noexcept { return processes_[slot].state == State::ending; }

    bool stopped() const noexcept { return stop_by_ && alive_or_ending() == 0; }

    /// Time until the next start, when starting fails: for the report.
    std::chrono::milliseconds restart_in(SteadyTime now) const noexcept;

  private:
    enum class State : std::uint8_t { down, starting, idle, busy, resting, ending };

    struct Process {
        State state = State::down;
        SteadyTime until;    ///< starting, resting: when `next` must have come; busy: the timeout
        CallId call = 0;     ///< busy
        SteadyTime give_up;  ///< busy: of its caller
        bool has_caller = true;  ///< busy: the caller still waits
    };

    struct Waiting {
        CallId id;
        SteadyTime give_up;
    };

    std::size_t alive() const noexcept;
    std::size_t alive_or_ending() const noexcept;
    bool wants_start() const noexcept;
    void failure(SteadyTime now);
    void cannot_start(Ending why, SteadyTime now, Actions& actions);
    void kill(Slot slot, Ending why, Actions& actions);
    void expire_callers(SteadyTime now, Actions& actions);
    void expire_processes(SteadyTime now, Actions& actions);
    void dispatch(SteadyTime now, Actions& actions);

    PoolRules rules_;
    std::vector<Process> processes_;
    std::deque<Waiting> waiting_;
    std::optional<Ending> broken_;  ///< why the last start came to nothing, until one succeeds
    std::optional<SteadyTime> stop_by_;
    SteadyTime not_before_;  ///< of the next start
    int failures_ = 0;
};

}  // namespace gatehouse::functions
