#include "gatehouse/functions/process_pool.hpp"

#include <algorithm>

namespace gatehouse::functions {
namespace {

using Kind = ProcessPool::Action::Kind;

constexpr int kMostDoublings = 10;

}  // namespace

ProcessPool::ProcessPool(const PoolRules& rules)
    : rules_(rules), processes_(std::max(1U, rules.concurrency)) {}

ProcessPool::Actions ProcessPool::start(SteadyTime now) {
    not_before_ = now;
    return tick(now);
}

ProcessPool::Actions ProcessPool::call(CallId id, SteadyTime give_up, SteadyTime now) {
    Actions actions;
    std::optional<Ending> refused;
    if (stop_by_) {
        refused = Ending::stopping;
    } else if (broken_ && alive() == 0 && now < not_before_) {
        refused = broken_;
    } else if (waiting_.size() >= rules_.queue) {
        refused = Ending::queue_full;
    }
    if (refused) {
        actions.push_back({Kind::finish, 0, id, *refused});
        return actions;
    }
    waiting_.push_back({id, give_up});
    dispatch(now, actions);
    return actions;
}

std::optional<ProcessPool::Actions> ProcessPool::next(Slot slot, SteadyTime now) {
    Process& process = processes_[slot];
    if (process.state != State::starting && process.state != State::resting &&
        process.state != State::idle)
        return std::nullopt;
    if (process.state == State::starting) broken_.reset();
    process.state = State::idle;
    Actions actions;
    dispatch(now, actions);
    return actions;
}

std::optional<ProcessPool::Actions> ProcessPool::answered(Slot slot,
                                                          CallId id,
                                                          Ending ending,
                                                          SteadyTime now) {
    Process& process = processes_[slot];
    if (process.state != State::busy || process.call != id) return std::nullopt;
    Actions actions;
    if (process.has_caller) actions.push_back({Kind::finish, slot, id, ending});
    process.state = State::resting;
    process.until = now + rules_.start_time;
    failures_ = 0;
    dispatch(now, actions);
    return actions;
}

std::optional<ProcessPool::Actions> ProcessPool::init_error(Slot slot, SteadyTime now) {
    if (processes_[slot].state != State::starting) return std::nullopt;
    Actions actions;
    kill(slot, Ending::init_failed, actions);
    cannot_start(Ending::init_failed, now, actions);
    return actions;
}

ProcessPool::Actions ProcessPool::unstartable(Slot slot, SteadyTime now) {
    Actions actions;
    processes_[slot].state = State::down;
    cannot_start(Ending::unstartable, now, actions);
    return actions;
}

ProcessPool::Actions ProcessPool::exited(Slot slot, SteadyTime now) {
    Actions actions;
    Process& process = processes_[slot];
    const State was = process.state;
    process.state = State::down;
    if (was == State::busy && process.has_caller)
        actions.push_back({Kind::finish, slot, process.call, Ending::crashed});
    if (was == State::starting) {
        cannot_start(Ending::init_failed, now, actions);
    } else {
        if (was != State::ending) failure(now);
        dispatch(now, actions);
    }
    return actions;
}

ProcessPool::Actions ProcessPool::tick(SteadyTime now) {
    Actions actions;
    expire_callers(now, actions);
    if (stop_by_) {
        if (now < *stop_by_) return actions;
        for (Slot slot = 0; slot < processes_.size(); ++slot) {
            if (processes_[slot].state != State::down) kill(slot, Ending::stopping, actions);
        }
        stop_by_ = SteadyTime::max();  // nothing is left to be done but to wait
        return actions;
    }
    expire_processes(now, actions);
    dispatch(now, actions);
    return actions;
}

ProcessPool::Actions ProcessPool::stop(SteadyTime now) {
    Actions actions;
    if (stop_by_) return actions;
    stop_by_ = now + rules_.grace;
    for (const Waiting& waiting : waiting_)
        actions.push_back({Kind::finish, 0, waiting.id, Ending::stopping});
    waiting_.clear();
    for (Slot slot = 0; slot < processes_.size(); ++slot) {
        Process& process = processes_[slot];
        if (process.state == State::busy && process.has_caller)
            actions.push_back({Kind::finish, slot, process.call, Ending::stopping});
        if (process.state != State::down && process.state != State::ending) {
            actions.push_back({Kind::terminate, slot, 0, Ending::stopping});
            process.state = State::ending;
        }
    }
    return actions;
}

std::optional<SteadyTime> ProcessPool::due() const {
    std::optional<SteadyTime> first;
    const auto consider = [&first](SteadyTime at) {
        if (!first || at < *first) first = at;
    };
    if (stop_by_) {
        if (alive_or_ending() > 0 && *stop_by_ != SteadyTime::max()) first = stop_by_;
        return first;
    }
    for (const Waiting& waiting : waiting_)
        consider(waiting.give_up);
    for (const Process& process : processes_) {
        if (process.state == State::busy && process.has_caller) consider(process.give_up);
        if (process.state == State::starting || process.state == State::resting ||
            process.state == State::busy)
            consider(process.until);
    }
    if (wants_start()) consider(not_before_);
    return first;
}

std::chrono::milliseconds ProcessPool::restart_in(SteadyTime now) const noexcept {
    return now < not_before_ ? std::chrono::ceil<std::chrono::milliseconds>(not_before_ - now)
                             : std::chrono::milliseconds(0);
}

std::size_t ProcessPool::alive() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(processes_, [](const Process& process) {
        return process.state != State::down && process.state != State::ending;
    }));
}

std::size_t ProcessPool::alive_or_ending() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        processes_, [](const Process& process) { return process.state != State::down; }));
}

// One process always, and one for every call that has none: a process that rests or starts is one
// that a waiting call will get.
bool ProcessPool::wants_start() const noexcept {
    std::size_t busy = 0;
    bool has_room = false;
    for (const Process& process : processes_) {
        busy += process.state == State::busy ? 1 : 0;
        has_room = has_room || process.state == State::down;
    }
    return has_room && alive() < std::max<std::size_t>(1, busy + waiting_.size());
}

void ProcessPool::failure(SteadyTime now) {
    const auto pause = limits::kFunctionRestartFirst * (1 << std::min(failures_++, kMostDoublings));
    not_before_ = now + std::min(pause, limits::kFunctionRestartMost);
}

void ProcessPool::cannot_start(Ending why, SteadyTime now, Actions& actions) {
    failure(now);
    broken_ = why;
    if (alive() > 0) return;  // the others go on
    for (const Waiting& waiting : waiting_)
        actions.push_back({Kind::finish, 0, waiting.id, why});
    waiting_.clear();
}

void ProcessPool::kill(Slot slot, Ending why, Actions& actions) {
    processes_[slot].state = State::ending;
    actions.push_back({Kind::kill, slot, 0, why});
}

void ProcessPool::expire_callers(SteadyTime now, Actions& actions) {
    std::erase_if(waiting_, [&](const Waiting& waiting) {
        if (now < waiting.give_up) return false;
        actions.push_back({Kind::finish, 0, waiting.id, Ending::gave_up});
        return true;
    });
    for (Slot slot = 0; slot < processes_.size(); ++slot) {
        Process& process = processes_[slot];
        if (process.state != State::busy || !process.has_caller || now < process.give_up) continue;
        // Both at once: the function's own limit is the more telling reason.
        if (now >= process.until) continue;
        process.has_caller = false;
        actions.push_back({Kind::finish, slot, process.call, Ending::gave_up});
    }
}

void ProcessPool::expire_processes(SteadyTime now, Actions& actions) {
    for (Slot slot = 0; slot < processes_.size(); ++slot) {
        Process& process = processes_[slot];
        if (process.state == State::down || process.state == State::idle ||
            process.state == State::ending || now < process.until)
            continue;
        const State was = process.state;
        if (was == State::busy && process.has_caller)
            actions.push_back({Kind::finish, slot, process.call, Ending::timed_out});
        kill(slot, was == State::busy ? Ending::timed_out : Ending::init_timed_out, actions);
        if (was == State::starting) cannot_start(Ending::init_timed_out, now, actions);
    }
}

void ProcessPool::dispatch(SteadyTime now, Actions& actions) {
    if (stop_by_) return;
    for (Slot slot = 0; slot < processes_.size() && !waiting_.empty(); ++slot) {
        Process& process = processes_[slot];
        if (process.state != State::idle) continue;
        process.state = State::busy;
        process.call = waiting_.front().id;
        process.give_up = waiting_.front().give_up;
        process.has_caller = true;
        process.until = now + rules_.timeout;
        waiting_.pop_front();
        actions.push_back({Kind::deliver, slot, process.call, Ending::returned});
    }
    for (Slot slot = 0; slot < processes_.size(); ++slot) {
        if (processes_[slot].state != State::down) continue;
        if (now < not_before_ || !wants_start()) break;
        processes_[slot].state = State::starting;
        processes_[slot].until = now + rules_.start_time;
        actions.push_back({Kind::start, slot, 0, Ending::returned});
    }
}

}  // namespace gatehouse::functions
