#pragma once

#include "gatehouse/core/time.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/upstream/rules.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace gatehouse::upstream {

/// One target: where it is, and whether requests go there. Read by every worker; written where
/// something changes: a connection begins or ends, a target fails, a check turns it.
class Target {  // NOLINT(clang-analyzer-optin.performance.Padding): one line is its own
  public:
    Target(const Rules& rules, forward::Endpoint endpoint, std::string url);

    const forward::Endpoint& endpoint() const noexcept { return endpoint_; }

    /// As the configuration has it.
    const std::string& url() const noexcept { return url_; }

    bool is_unhealthy() const noexcept { return unhealthy_.load(std::memory_order_relaxed); }

    bool is_ejected(SteadyTime now) const noexcept {
        return now.time_since_epoch().count() < ejected_until_.load(std::memory_order_relaxed);
    }

    /// It gets requests of its own.
    bool is_up(SteadyTime now) const noexcept { return !is_unhealthy() && !is_ejected(now); }

    enum class Turn { none, up, down };

    /// Takes what an active check found. From one thread alone.
    /// @return what it changed
    Turn checked(const HealthRule& rule, bool good) noexcept;

    // Connections, of all workers.

    std::size_t max_idle() const noexcept { return max_idle_; }

    std::size_t connections() const noexcept {
        return connections_.load(std::memory_order_relaxed);
    }

    /// Some worker was refused a connection: idle ones are to make room.
    bool is_crowded() const noexcept { return crowded_.load(std::memory_order_relaxed); }

    /// No configuration has it any more: what was begun ends, nothing is kept for later.
    bool is_retired() const noexcept { return retired_.load(std::memory_order_relaxed); }

    void retire() noexcept { retired_.store(true, std::memory_order_relaxed); }

    std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

    std::uint64_t ejections() const noexcept { return ejections_.load(std::memory_order_relaxed); }

    std::uint32_t open_requests() const noexcept { return open_.load(std::memory_order_relaxed); }

  private:
    friend class Place;
    friend class Upstream;
    friend class Call;

    bool enter() noexcept;
    void leave() noexcept;

    const forward::Endpoint endpoint_;
    const std::string url_;
    const std::size_t max_connections_;
    const std::size_t max_idle_;
    // Read with each request.
    std::atomic<bool> unhealthy_{false};
    std::atomic<bool> retired_{false};
    std::atomic<bool> crowded_{false};
    std::atomic<SteadyTime::rep> ejected_until_{0};
    std::atomic<unsigned> row_{0};  ///< failures in a row
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> ejections_{0};
    std::atomic<std::size_t> connections_{0};
    unsigned checks_ = 0;  ///< in a row that speak against its state
    // Written with each request, where that is asked for: on a line of its own.
    alignas(64) std::atomic<std::uint32_t> open_{0};
};

/// A connection's place among those of its target; ends with it.
class Place {
  public:
    Place() = default;

    Place(Place&& other) noexcept = default;

    Place& operator=(Place&& other) noexcept {
        if (this != &other) {
            leave();
            target_ = std::move(other.target_);
        }
        return *this;
    }

    ~Place() { leave(); }

    /// Empty: maxConnections are open.
    static Place take(const std::shared_ptr<Target>& target) noexcept;

    explicit operator bool() const noexcept { return target_ != nullptr; }

    Target* target() const noexcept { return target_.get(); }

  private:
    void leave() noexcept {
        if (target_) target_->leave();
        target_.reset();
    }

    std::shared_ptr<Target> target_;
};

}  // namespace gatehouse::upstream
