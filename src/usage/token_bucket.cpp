#include "gatehouse/usage/token_bucket.hpp"

#include <chrono>

namespace gatehouse::usage {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kToken = 1'000'000'000'000;

// Workers read the clock when a request begins, and come here a little later: what is out of order
// by less than this is an older reading, and not a clock that was set back.
constexpr std::chrono::seconds kDisorder{1};

// INVARIANT: a full bucket fits into 64 bits.
static_assert(kMostBurst <= UINT64_MAX / kToken);

}  // namespace

TokenBucket::TokenBucket(const Rate& rate) noexcept
    : rate_(rate.milli_per_second), full_(rate.burst * kToken), level_(full_) {}

bool TokenBucket::take(SteadyTime now) noexcept {
    const std::lock_guard lock(mutex_);
    refill(now);
    if (level_ < kToken) return false;
    level_ -= kToken;
    return true;
}

void TokenBucket::refill(SteadyTime now) noexcept {
    if (now < last_) {
        if (last_ - now > kDisorder) last_ = now;
        return;
    }
    const auto elapsed = static_cast<std::uint64_t>(nanoseconds(now - last_).count());
    last_ = now;
    if (rate_ == 0) return;
    // Divided before it is multiplied: after a long pause the product would overflow.
    const std::uint64_t room = full_ - level_;
    level_ = elapsed > room / rate_ ? full_ : level_ + elapsed * rate_;
}

}  // namespace gatehouse::usage
