#include "gatehouse/app/ports.hpp"

#include <chrono>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace gatehouse::app {

Instant SystemClock::now() const {
    using namespace std::chrono;
    const SteadyTime steady = steady_clock::now();
    const auto wall = system_clock::now();
    lead_.store(
        duration_cast<nanoseconds>(wall.time_since_epoch() - steady.time_since_epoch()).count(),
        std::memory_order_relaxed);
    return {floor<milliseconds>(wall), steady};
}

// Of the wall clock only a coarse reading is taken, which costs a third and tells whether it was
// set meanwhile, or the machine slept.
Instant SystemClock::quick_now() const {
    using namespace std::chrono;
    constexpr milliseconds kCoarse{50};
    const SteadyTime steady = steady_clock::now();
    const sys_time<nanoseconds> wall(steady.time_since_epoch() +
                                     nanoseconds(lead_.load(std::memory_order_relaxed)));
    std::timespec coarse{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
    const sys_time<nanoseconds> seen(seconds(coarse.tv_sec) + nanoseconds(coarse.tv_nsec));
    if (seen - wall > kCoarse || wall - seen > kCoarse) return now();
    return {floor<milliseconds>(wall), steady};
}

void SystemClock::renew(Reading& last) const {
#if defined(__x86_64__)
    // 13 to 65 microseconds. A count that was set back is far away too.
    constexpr std::uint64_t kOld = 65'536;
    const std::uint64_t ticks = __rdtsc();
    if (ticks - last.ticks < kOld) return;
    last.ticks = ticks;
#endif
    last.instant = quick_now();
}

}  // namespace gatehouse::app
