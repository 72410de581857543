#pragma once

#include "gatehouse/app/ports.hpp"

#include <chrono>

namespace gatehouse::test {

/// A clock that stands still until a test moves it: both hands together, or one alone, as when the
/// system's time is set.
class FakeClock final : public app::Clock {
  public:
    Instant now() const override { return now_; }

    void step(std::chrono::milliseconds span) {
        step_wall(span);
        step_steady(span);
    }

    void step_wall(std::chrono::milliseconds span) { now_.wall += span; }

    void step_steady(std::chrono::milliseconds span) { now_.steady += span; }

  private:
    // Tue, 24 Nov 2026 04:00:00 UTC; the steady hand starts anywhere but at zero, where "never"
    // could hide.
    Instant now_{WallTime(std::chrono::seconds(1795492800)), SteadyTime(std::chrono::hours(1000))};
};

}  // namespace gatehouse::test
