#include "gatehouse/app/key_refresh.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace key_refresh_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

const SteadyTime kStart{1000h};

// Fetched well at kStart.
KeyRefresh fetched(std::chrono::seconds refresh = 300s, std::chrono::seconds cooldown = 10s) {
    KeyRefresh machine(refresh, cooldown);
    REQUIRE(machine.tick(kStart));
    machine.succeeded(kStart);
    return machine;
}

}  // namespace

TEST_SUITE("app/key_refresh") {
    TEST_CASE("the first tick fetches and a fetch under way is not started twice") {
        KeyRefresh machine(300s, 10s);
        CHECK_FALSE(machine.under_way());
        CHECK(machine.tick(kStart));
        CHECK(machine.under_way());
        CHECK_FALSE(machine.tick(kStart + 1h));
        CHECK_FALSE(machine.wanted(kStart + 1h));
    }

    TEST_CASE("who needs keys before the first tick starts the first fetch") {
        KeyRefresh machine(300s, 10s);
        CHECK(machine.wanted(kStart));
        CHECK_FALSE(machine.tick(kStart));
    }

    TEST_CASE("good keys are fetched again every refresh interval") {
        KeyRefresh machine = fetched();
        CHECK(machine.next_in(kStart) == 300s);
        CHECK_FALSE(machine.tick(kStart + 299999ms));
        CHECK(machine.tick(kStart + 300s));
        machine.succeeded(kStart + 301s);
        CHECK_FALSE(machine.tick(kStart + 600s));
        CHECK(machine.tick(kStart + 601s));
    }

    TEST_CASE(
        "failures are tried again after one two four and more seconds but never later than the "
        "refresh interval") {
        KeyRefresh machine(20s, 1s);
        SteadyTime now = kStart;
        REQUIRE(machine.tick(now));
        for (const std::chrono::seconds pause : {1s, 2s, 4s, 8s, 16s, 20s, 20s}) {
            CAPTURE(pause.count());
            machine.failed(now);
            CHECK_FALSE(machine.under_way());
            CHECK(machine.next_in(now) == pause);
            CHECK_FALSE(machine.tick(now + pause - 1ms));
            now += pause;
            REQUIRE(machine.tick(now));
        }
    }

    TEST_CASE("many failures neither overflow nor stop the retries") {
        KeyRefresh machine(86400s, 1s);
        SteadyTime now = kStart;
        REQUIRE(machine.tick(now));
        for (int i = 0; i < 100; ++i) {
            machine.failed(now);
            CHECK(machine.next_in(now) > 0ms);
            CHECK(machine.next_in(now) <= 86400s);
            now += 86400s;
            REQUIRE(machine.tick(now));
        }
    }

    TEST_CASE("a success ends the back-off") {
        KeyRefresh machine(300s, 10s);
        REQUIRE(machine.tick(kStart));
        machine.failed(kStart);
        REQUIRE(machine.tick(kStart + 1s));
        machine.succeeded(kStart + 1s);
        CHECK(machine.next_in(kStart + 1s) == 300s);
        REQUIRE(machine.tick(kStart + 301s));
        machine.failed(kStart + 301s);
        CHECK(machine.next_in(kStart + 301s) == 1s);
    }

    TEST_CASE(
        "an unknown kid starts one fetch per cooldown counted from the start of the last one") {
        KeyRefresh machine = fetched();
        CHECK(machine.cooldown_left(kStart) == 10s);
        CHECK_FALSE(machine.wanted(kStart));
        CHECK_FALSE(machine.wanted(kStart + 9999ms));
        CHECK(machine.cooldown_left(kStart + 9999ms) == 1ms);
        REQUIRE(machine.wanted(kStart + 10s));
        machine.succeeded(kStart + 12s);  // a slow fetch: the cooldown still counts from its start
        CHECK_FALSE(machine.wanted(kStart + 19s));
        CHECK(machine.wanted(kStart + 20s));
    }

    TEST_CASE("the cooldown holds after a failed fetch too while the retry does not wait for it") {
        KeyRefresh machine = fetched();
        REQUIRE(machine.wanted(kStart + 10s));
        machine.failed(kStart + 10s);
        CHECK_FALSE(machine.wanted(kStart + 11s));
        CHECK(machine.tick(kStart + 11s));
    }

    TEST_CASE("a background fetch counts for the cooldown") {
        KeyRefresh machine = fetched();
        REQUIRE(machine.tick(kStart + 300s));
        machine.succeeded(kStart + 300s);
        CHECK_FALSE(machine.wanted(kStart + 305s));
    }

    TEST_CASE("a fetch for an unknown kid moves the next refresh") {
        KeyRefresh machine = fetched();
        REQUIRE(machine.wanted(kStart + 200s));
        machine.succeeded(kStart + 200s);
        CHECK_FALSE(machine.tick(kStart + 300s));
        CHECK(machine.tick(kStart + 500s));
    }

    TEST_CASE("times left are never negative and never rounded down to zero") {
        KeyRefresh machine = fetched();
        CHECK(machine.cooldown_left(kStart + 1h) == 0ms);
        CHECK(machine.next_in(kStart + 1h) == 0ms);
        CHECK(machine.cooldown_left(kStart + 10s - 1ns) == 1ms);
        CHECK(KeyRefresh(300s, 10s).cooldown_left(kStart) == 0ms);
    }
}

}  // namespace key_refresh_test
