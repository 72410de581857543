#include "gatehouse/usage/quota.hpp"

#include <algorithm>

namespace gatehouse::usage {

using std::chrono::days;
using std::chrono::sys_days;

std::string_view to_string(Period period) noexcept {
    switch (period) {
        case Period::week:
            return "WEEK";
        case Period::month:
            return "MONTH";
        default:
            return "DAY";
    }
}

sys_days period_start(const Quota& quota, sys_days today) noexcept {
    if (quota.period == Period::week) {
        const unsigned day = std::chrono::weekday(today).c_encoding();  // Sunday is 0
        return today - days((day + 7 - quota.offset % 7) % 7);
    }
    if (quota.period == Period::month) {
        const std::chrono::year_month_day date(today);
        const std::chrono::day first(quota.offset + 1);  // 28 at most: every month has it
        const std::chrono::year_month month = date.year() / date.month();
        return date.day() >= first ? sys_days(month / first)
                                   : sys_days((month - std::chrono::months(1)) / first);
    }
    return today;
}

sys_days next_period(const Quota& quota, sys_days start) noexcept {
    if (quota.period == Period::week) return start + days(7);
    if (quota.period == Period::month) return period_start(quota, start + days(31));
    return start + days(1);
}

QuotaCounter::QuotaCounter(const Quota& quota) noexcept : quota_(quota) {
    static std::atomic<std::uint64_t> made{0};
    serial_ = made.fetch_add(1, std::memory_order_relaxed);
}

QuotaCounter::State QuotaCounter::unpack(std::uint64_t state) noexcept {
    return {sys_days(days(state >> 32)), static_cast<std::uint32_t>(state)};
}

std::uint64_t QuotaCounter::pack(const State& state) noexcept {
    const auto day = static_cast<std::uint32_t>(state.start.time_since_epoch().count());
    return std::uint64_t{day} << 32 | state.count;
}

QuotaCounter::State QuotaCounter::move_to(State state, WallTime now) const noexcept {
    const sys_days start = period_start(quota_, std::chrono::floor<days>(now));
    if (start > state.start) return {start, 0};
    if (start < state.start && next_period(quota_, start) < state.start) state.start = start;
    return state;
}

bool QuotaCounter::take(WallTime now) noexcept {
    std::uint64_t known = state_.load(std::memory_order_relaxed);
    while (true) {
        State state = move_to(unpack(known), now);
        const bool left = state.count < quota_.limit;
        if (left) ++state.count;
        if (state_.compare_exchange_weak(known, pack(state), std::memory_order_relaxed))
            return left;
    }
}

QuotaUse QuotaCounter::use(WallTime now) const noexcept {
    const State state = move_to(unpack(state_.load(std::memory_order_relaxed)), now);
    return {state.count, next_period(quota_, state.start)};
}

std::uint32_t QuotaCounter::others_in(sys_days start) const noexcept {
    const State others = unpack(others_.load(std::memory_order_relaxed));
    return others.start == start ? others.count : 0;
}

QuotaCounter::Own QuotaCounter::own(WallTime now) const noexcept {
    const State state = move_to(unpack(state_.load(std::memory_order_relaxed)), now);
    const std::uint32_t others = others_in(state.start);
    return {state.start, state.count > others ? state.count - others : 0};
}

void QuotaCounter::set_others(sys_days start, std::uint64_t count, WallTime now) noexcept {
    // Own counts end at the limit, which is as large at most: the sum fits.
    constexpr std::uint64_t kMost = std::uint64_t{1} << 31;
    const auto told = static_cast<std::uint32_t>(std::min(count, kMost));
    std::uint64_t known = state_.load(std::memory_order_relaxed);
    while (true) {
        State state = move_to(unpack(known), now);
        if (state.start != start) return;
        const std::uint32_t before = others_in(start);
        // Nobody takes a request back: less is what was lost on the way.
        if (told <= before) return;
        state.count += told - before;
        if (state_.compare_exchange_weak(known, pack(state), std::memory_order_relaxed)) break;
    }
    others_.store(pack({start, told}), std::memory_order_relaxed);
}

}  // namespace gatehouse::usage
