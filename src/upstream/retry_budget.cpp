#include "gatehouse/upstream/retry_budget.hpp"

#include <algorithm>
#include <chrono>

namespace gatehouse::upstream {

RetryBudget::Slot& RetryBudget::slot(std::uint64_t requests, SteadyTime now) noexcept {
    const std::int64_t second =
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    Slot& slot = slots_[static_cast<std::size_t>(second % kSeconds)];
    if (slot.second != second) slot = {second, requests, 0};
    return slot;
}

bool RetryBudget::take(std::uint64_t requests, SteadyTime now) noexcept {
    Slot& current = slot(requests, now);
    std::uint64_t retries = 0;
    std::uint64_t before = requests;
    for (const Slot& one : slots_) {
        if (one.second < 0 || one.second <= current.second - kSeconds) continue;
        retries += one.retries;
        before = std::min(before, one.requests);
    }
    const bool within = retries * 100 < (requests - before) * rule_.percent;
    if (current.retries >= rule_.min_per_second && !within) return false;
    ++current.retries;
    return true;
}

}  // namespace gatehouse::upstream
