#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/upstream/ejection.hpp"
#include "gatehouse/upstream/retry_budget.hpp"
#include "gatehouse/upstream/rules.hpp"
#include "gatehouse/upstream/target.hpp"

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gatehouse::upstream {

/// Targets that a request was with.
using Tried = std::bitset<limits::kUpstreamTargets>;

/// Several targets behind one name, and what all workers know of them. Each worker balances by
/// itself: what it writes with each request is its own. Thread-safe.
class Upstream {
  public:
    /// @param endpoints  of rules.targets, in their order
    Upstream(Rules rules, std::vector<forward::Endpoint> endpoints);

    const Rules& rules() const noexcept { return rules_; }

    const std::vector<std::shared_ptr<Target>>& targets() const noexcept { return targets_; }

    /// The next target for a request of this worker: of those that are up, by `balance`; where none
    /// is, of all of them, as the load balancers of AWS do: a check that is wrong everywhere must
    /// not be what ends the service.
    /// @param tried  targets that it shall not be
    /// @return its index; -1: there is no other
    int choose(std::size_t worker, const Tried& tried, SteadyTime now) noexcept;

    /// Once a second or more often: counts requests for the retry budget.
    /// @return lines for the log: targets ejected, and back, since the last call
    std::vector<std::string> tick(SteadyTime now);

    /// No configuration has it any more.
    void retire() noexcept;

    std::uint64_t requests() const noexcept;
    std::uint64_t requests(std::size_t target) const noexcept;

    std::size_t open_requests() const noexcept { return open_.load(std::memory_order_relaxed); }

    std::uint64_t retries() const noexcept { return retries_.load(std::memory_order_relaxed); }

    /// Retries that the budget did not allow.
    std::uint64_t retries_refused() const noexcept {
        return retries_refused_.load(std::memory_order_relaxed);
    }

    /// Requests beyond maxRequests.
    std::uint64_t refused_requests() const noexcept {
        return refused_requests_.load(std::memory_order_relaxed);
    }

    /// Requests that found no target with room for a connection.
    std::uint64_t refused_connections() const noexcept {
        return refused_connections_.load(std::memory_order_relaxed);
    }

  private:
    friend class Call;

    /// A worker's own.
    struct alignas(64) Local {
        explicit Local(std::size_t targets) : requests(targets) {}

        std::atomic<std::size_t> position{0};
        std::vector<std::atomic<std::uint64_t>> requests;  ///< by target
    };

    struct Ejections {
        EjectionTimes times;
        std::chrono::milliseconds last{};
        bool told = false;  ///< the log knows that it is out
    };

    Local& local(std::size_t worker) noexcept;
    bool take_retry(SteadyTime now) noexcept;
    void succeeded(Target& target) noexcept;
    void failed(std::size_t index, SteadyTime now) noexcept;
    void eject(std::size_t index, SteadyTime now) noexcept;

    const Rules rules_;
    std::vector<std::shared_ptr<Target>> targets_;
    // As many as threads can be configured; a place is taken at a worker's first request.
    static constexpr std::size_t kWorkers = 1024;
    std::array<std::atomic<Local*>, kWorkers> locals_{};
    std::vector<std::unique_ptr<Local>> owned_;  ///< under mutex_
    mutable std::mutex mutex_;
    RetryBudget budget_;                ///< under mutex_
    std::vector<Ejections> ejections_;  ///< under mutex_, by target
    std::atomic<std::uint64_t> retries_{0};
    std::atomic<std::uint64_t> retries_refused_{0};
    std::atomic<std::uint64_t> refused_requests_{0};
    std::atomic<std::uint64_t> refused_connections_{0};
    alignas(64) std::atomic<std::size_t> open_{0};
};

/// One request's way through an upstream: its place among the open ones, the target that it is with
/// now, and those that it was with before. Belongs to one worker. The upstream outlives it.
class Call {
  public:
    Call() = default;

    ~Call() { end(); }

    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    /// Chooses a target. Errc::upstream_overloaded: maxRequests are open
    Errc begin(Upstream& upstream, std::size_t worker, SteadyTime now) noexcept;

    bool is_active() const noexcept { return upstream_ != nullptr; }

    const Upstream& upstream() const noexcept { return *upstream_; }

    const std::shared_ptr<Target>& target() const noexcept { return upstream_->targets_[index_]; }

    std::size_t index() const noexcept { return index_; }

    /// Targets asked so far.
    unsigned attempts() const noexcept { return attempts_; }

    /// The target could not be connected, so that nothing of the request is there: to another one
    /// that is up, within the budget. False: there is none.
    bool move_on(SteadyTime now) noexcept;

    /// The same where it has no room for another connection, which is no failure of its.
    bool pass_by(SteadyTime now) noexcept;

    /// An idle connection was closed before the answer: once more, and to another target where one
    /// is up. False: the budget does not allow it.
    bool repeat(SteadyTime now) noexcept;

    /// How the target did.
    void succeeded() noexcept;
    void failed(SteadyTime now) noexcept;

    /// The target has done its part.
    void end() noexcept;

  private:
    void go_to(int index) noexcept;
    void leave_target() noexcept;

    Upstream* upstream_ = nullptr;
    std::size_t worker_ = 0;
    std::size_t index_ = 0;
    Tried tried_;
    unsigned attempts_ = 0;
    bool judged_ = false;   ///< how the target did is told
    bool counted_ = false;  ///< in the target's open requests
    bool placed_ = false;   ///< in the upstream's
};

}  // namespace gatehouse::upstream
