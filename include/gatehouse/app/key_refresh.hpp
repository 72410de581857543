#pragma once

#include "gatehouse/core/time.hpp"

#include <chrono>
#include <optional>

namespace gatehouse::app {

/// When one key source is fetched: a state machine without I/O. Events go in with `now`; what comes
/// out says whether to fetch.
///
///  - fetched at start, then every `refresh`;
///  - a failed fetch is tried again after 1 s, 2 s, 4 s … but at most `refresh` later, and the old
///  keys stay;
///  - an unknown kid, or no keys at all, asks for a fetch at once: at most one per `cooldown`,
///  counted from the start of the last one.
class KeyRefresh {
  public:
    KeyRefresh(std::chrono::seconds refresh, std::chrono::seconds cooldown)
        : refresh_(refresh), cooldown_(cooldown) {}

    /// The clock moved: true when a fetch is to be started now (it counts as started).
    bool tick(SteadyTime now);

    /// Somebody needs keys that are not there: true when a fetch is to be started now.
    bool wanted(SteadyTime now);

    /// The next tick() fetches, unless a fetch is under way.
    void make_due() noexcept { due_.reset(); }

    void succeeded(SteadyTime now);
    void failed(SteadyTime now);

    bool under_way() const noexcept { return under_way_; }

    std::chrono::milliseconds cooldown_left(SteadyTime now) const;
    std::chrono::milliseconds next_in(SteadyTime now) const;

  private:
    bool start(SteadyTime now);

    std::chrono::seconds refresh_;
    std::chrono::seconds cooldown_;
    std::optional<SteadyTime> started_;  ///< start of the last fetch
    std::optional<SteadyTime> due_;      ///< none: at once
    int failures_ = 0;
    bool under_way_ = false;
};

}  // namespace gatehouse::app
