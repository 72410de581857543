#pragma once

#include "gatehouse/core/time.hpp"
#include "gatehouse/usage/rate.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace gatehouse::usage {

/// "DAY", "WEEK", "MONTH"
std::string_view to_string(Period period) noexcept;

/// The first day of the period that `today` is in.
std::chrono::sys_days period_start(const Quota& quota, std::chrono::sys_days today) noexcept;

/// The first day of the period after the one that begins with `start`.
std::chrono::sys_days next_period(const Quota& quota, std::chrono::sys_days start) noexcept;

struct QuotaUse {
    std::uint32_t used = 0;
    std::chrono::sys_days resets{};
};

/// The requests of one period. Period and count are one atomic number; shared between workers.
class QuotaCounter {
  public:
    explicit QuotaCounter(const Quota& quota) noexcept;

    const Quota& quota() const noexcept { return quota_; }

    /// Counts a request, if the period has one left. A wall clock that is set back keeps the count:
    /// over the end of one period, the period too, so that nobody gets it twice; further, the
    /// period becomes the clock's, so that a clock that was years ahead locks nobody out for years.
    bool take(WallTime now) noexcept;

    QuotaUse use(WallTime now) const noexcept;

    /// What was counted here, and nowhere else, of the period that `now` is in.
    struct Own {
        std::chrono::sys_days start{};
        std::uint32_t count = 0;
    };

    Own own(WallTime now) const noexcept;

    /// What other replicas have counted in all of the period that begins with `start`: counts here
    /// too, in place of what was known of them. Less than that, or another period than the
    /// counter's at `now`, changes nothing. One thread at a time.
    void set_others(std::chrono::sys_days start, std::uint64_t count, WallTime now) noexcept;

    /// Of this process's counters no other has it.
    std::uint64_t serial() const noexcept { return serial_; }

  private:
    struct State {
        std::chrono::sys_days start{};
        std::uint32_t count = 0;
    };

    static State unpack(std::uint64_t state) noexcept;
    static std::uint64_t pack(const State& state) noexcept;
    State move_to(State state, WallTime now) const noexcept;
    std::uint32_t others_in(std::chrono::sys_days start) const noexcept;

    Quota quota_;
    std::uint64_t serial_;
    std::atomic<std::uint64_t> state_{0};   ///< own and others'
    std::atomic<std::uint64_t> others_{0};  ///< of these, what others have counted
};

}  // namespace gatehouse::usage
