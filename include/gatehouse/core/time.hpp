#pragma once

#include <chrono>

namespace gatehouse {

/// Wall time, for claims and dates. Milliseconds.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Steady time, for TTLs and deadlines.
using SteadyTime = std::chrono::steady_clock::time_point;

/// One reading of both clocks. The app takes one per request and hands it to everything that
/// decides.
struct Instant {
    WallTime wall;
    SteadyTime steady;
};

}  // namespace gatehouse
