#pragma once

#include "gatehouse/core/time.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace gatehouse::net {

/// How long after its last exchange an idle connection is looked at again: an end that came
/// together with the last bytes has raised no edge (read_wait.hpp).
constexpr std::chrono::milliseconds kLookAgain{1000};

/// Something that can be late. Lives in its owner; in at most one list at a time.
class Timeout {
  public:
    using Expired = void (*)(void* owner, Timeout& timeout);

    Timeout() = default;

    Timeout(void* owner, Expired expired) noexcept : owner_(owner), expired_(expired) {}

    ~Timeout() { disarm(); }

    /// Names who is told: for one that does not live in its owner.
    void tell(void* owner, Expired expired) noexcept {
        owner_ = owner;
        expired_ = expired;
    }

    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;

    bool armed() const noexcept { return next_ != nullptr; }

    void disarm() noexcept {
        if (next_ == nullptr) return;
        next_->previous_ = previous_;
        previous_->next_ = next_;
        next_ = previous_ = nullptr;
    }

  private:
    friend class TimeoutLists;
    Timeout* previous_ = nullptr;
    Timeout* next_ = nullptr;
    void* owner_ = nullptr;
    Expired expired_ = nullptr;
    SteadyTime deadline_{};
};

/// The deadlines of one worker. All that share a duration stand in one list in the order they were
/// armed, which is the order they fall due: arming is a store and a list move, and one coarse tick
/// sweeps the fronts. A timer per operation costs 6.7 µs a request; this, nothing that can be
/// measured.
class TimeoutLists {
  public:
    /// (Re)arms for `duration` from `now`.
    void arm(Timeout& timeout, std::chrono::milliseconds duration, SteadyTime now);

    /// Fires everything due. A timeout is disarmed before its owner is told; the owner may arm it,
    /// or destroy itself.
    void sweep(SteadyTime now);

  private:
    struct List {
        explicit List(std::chrono::milliseconds length) : duration(length), head(nullptr, nullptr) {
            head.next_ = head.previous_ = &head;
        }

        ~List() {
            while (head.next_ != &head)
                head.next_->disarm();
            head.next_ = head.previous_ = nullptr;
        }

        std::chrono::milliseconds duration;
        Timeout head;
    };

    List& list_of(std::chrono::milliseconds duration);
    std::vector<std::unique_ptr<List>>
        lists_;  // a handful: one per distinct duration in the configuration
};

}  // namespace gatehouse::net
