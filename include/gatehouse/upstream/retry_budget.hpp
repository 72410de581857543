#pragma once

#include "gatehouse/core/time.hpp"
#include "gatehouse/upstream/rules.hpp"

#include <array>
#include <cstdint>

namespace gatehouse::upstream {

/// Keeps retries from becoming the load that finishes an upstream off. Not thread-safe: asked where
/// something failed, which is rare, so that its owner has a lock for it.
class RetryBudget {
  public:
    explicit RetryBudget(const RetryRule& rule) noexcept : rule_(rule) {}

    /// Told the number of all requests so far, at least once a second.
    void observe(std::uint64_t requests, SteadyTime now) noexcept { slot(requests, now); }

    /// True: one retry may be made, and counts.
    bool take(std::uint64_t requests, SteadyTime now) noexcept;

  private:
    static constexpr std::int64_t kSeconds = 10;

    struct Slot {
        std::int64_t second = -1;
        std::uint64_t requests = 0;  ///< all of them, when the second began
        std::uint64_t retries = 0;   ///< in it
    };

    Slot& slot(std::uint64_t requests, SteadyTime now) noexcept;

    RetryRule rule_;
    std::array<Slot, kSeconds> slots_{};
};

}  // namespace gatehouse::upstream
