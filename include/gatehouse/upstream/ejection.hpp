#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/upstream/rules.hpp"

#include <chrono>
#include <cstddef>

namespace gatehouse::upstream {

/// How long a target stays out: the base time, times the number of ejections on end, and at most
/// limits::kEjectionTimeMost (or the base time where that is longer). Each base time that passes
/// after its return takes one off that number.
class EjectionTimes {
  public:
    /// Begins an ejection. @return how long it lasts
    std::chrono::milliseconds next(std::chrono::milliseconds base, SteadyTime now) noexcept;

  private:
    unsigned level_ = 0;
    SteadyTime ended_{};  ///< of the last one
};

/// How many of `targets` may be ejected at once: `percent` of them, but one in any case, and none
/// where there is only one.
std::size_t most_ejected(std::size_t targets, unsigned percent) noexcept;

/// True for an answer by which a target says that it is no use: 502, 503, 504. Its application's
/// own faults (500) are not.
bool counts_as_failure(int status) noexcept;

/// True where no answer came that could be passed on, and the target is why.
bool counts_as_failure(Errc error) noexcept;

}  // namespace gatehouse::upstream
