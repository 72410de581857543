#pragma once

#include "gatehouse/core/time.hpp"
#include "gatehouse/usage/rate.hpp"

#include <cstdint>
#include <mutex>

namespace gatehouse::usage {

/// A token bucket: holds `burst` requests when full and gains `rate` of them a second. Exact
/// integers, so that nothing drifts however long it runs. One short lock of its own; shared between
/// workers. No allocation, no clock.
class TokenBucket {
  public:
    explicit TokenBucket(const Rate& rate) noexcept;

    /// Takes a token, if there is one. Readings of the clock may come in another order than they
    /// were made. A clock that stepped back neither fills the bucket nor keeps it from filling.
    bool take(SteadyTime now) noexcept;

  private:
    void refill(SteadyTime now) noexcept;

    std::uint64_t rate_;  // thousandths of a request per second: 1e-12 requests per nanosecond
    std::uint64_t full_;  // in 1e-12 requests
    std::mutex mutex_;
    std::uint64_t level_;  // in 1e-12 requests
    SteadyTime last_{};
};

}  // namespace gatehouse::usage
