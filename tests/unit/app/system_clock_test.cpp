#include "gatehouse/app/ports.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace system_clock_test {

using namespace gatehouse;
using namespace std::chrono;

TEST_SUITE_BEGIN("app/system_clock");

// What happens when the clock is set is tests/integration/clock_test.py's.
TEST_CASE("a quick reading is one of both clocks, also before any other") {
    const app::SystemClock clock;
    for (int i = 0; i < 100; ++i) {
        const auto wall_before = floor<milliseconds>(system_clock::now());
        const SteadyTime steady_before = steady_clock::now();
        const Instant quick = clock.quick_now();
        const SteadyTime steady_after = steady_clock::now();
        const auto wall_after = floor<milliseconds>(system_clock::now());
        CHECK(quick.steady >= steady_before);
        CHECK(quick.steady <= steady_after);
        CHECK(quick.wall >= wall_before - 1ms);  // a clock that is being slewed
        CHECK(quick.wall <= wall_after + 1ms);
        if (i % 10 == 0) clock.now();
    }
}

TEST_CASE("a reading is renewed as soon as it could be told from a new one") {
    const app::SystemClock clock;
    app::Reading reading;
    for (int i = 0; i < 100'000; ++i) {
        const SteadyTime before = steady_clock::now();
        clock.renew(reading);
        REQUIRE(reading.instant.steady <= steady_clock::now());
        REQUIRE(before - reading.instant.steady < 1ms);
    }
}

TEST_SUITE_END();

}  // namespace system_clock_test
