#include "gatehouse/usage/token_bucket.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string_view>
#include <thread>
#include <vector>

namespace token_bucket_test {

using namespace gatehouse;
using namespace gatehouse::usage;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{std::chrono::hours(1000)};

int take_all(TokenBucket& bucket, SteadyTime now) {
    int taken = 0;
    while (taken < 10000 && bucket.take(now))
        ++taken;
    return taken;
}

}  // namespace

TEST_SUITE("usage/token_bucket") {
    TEST_CASE("a bucket begins full and refills at its rate up to its size") {
        struct Row {
            std::string_view name;
            Rate rate;
            std::chrono::nanoseconds pause;
            int first;
            int then;
        };

        const Row rows[] = {
            {"nothing while no time passes", {10'000, 5}, 0ns, 5, 0},
            {"not yet one", {10'000, 5}, 99'999'999ns, 5, 0},
            {"exactly one", {10'000, 5}, 100ms, 5, 1},
            {"almost two", {10'000, 5}, 199'999'999ns, 5, 1},
            {"never more than it holds", {10'000, 5}, 1h, 5, 5},
            {"a pause of years", {1'000'000'000, 1'000}, 24h * 365 * 30, 1000, 1000},
            {"less than one a second", {500, 1}, 1999ms, 1, 0},
            {"one in two seconds", {500, 1}, 2s, 1, 1},
            {"one in a thousand seconds", {1, 1}, 1000s, 1, 1},
            {"rate 0 gives what it holds, once", {0, 3}, 24h, 3, 0},
            {"size 0 lets nothing pass", {10'000, 0}, 1h, 0, 0},
            {"nothing at all", {0, 0}, 1h, 0, 0},
            {"the fastest", {1'000'000'000, 1}, 1us, 1, 1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            TokenBucket bucket(row.rate);
            CHECK(take_all(bucket, kStart) == row.first);
            CHECK(take_all(bucket, kStart + row.pause) == row.then);
        }
    }

    TEST_CASE("three a second are three a second after a month of odd steps") {
        TokenBucket bucket({3'000, 2});
        CHECK(take_all(bucket, kStart) == 2);
        SteadyTime now = kStart;
        std::int64_t taken = 0;
        // 333 333 333 ns is a little short of a token, so each step leaves a rest behind.
        for (int i = 0; i < 7'776'000; ++i) {
            now += 333'333'333ns;
            taken += bucket.take(now) ? 1 : 0;
        }
        const auto whole = (now - kStart).count() * 3 / 1'000'000'000;
        CHECK(taken <= whole);
        CHECK(taken >= whole - 2);
    }

    TEST_CASE("readings out of order add nothing") {
        TokenBucket bucket({1'000'000, 10});
        CHECK(take_all(bucket, kStart) == 10);
        int taken = 0;
        // Two workers whose readings are 0.4 ms apart, in turns: one token a millisecond all the
        // same.
        for (int i = 1; i <= 100; ++i) {
            taken += bucket.take(kStart + i * 1ms) ? 1 : 0;
            taken += bucket.take(kStart + i * 1ms - 400us) ? 1 : 0;
        }
        CHECK(taken == 100);
    }

    TEST_CASE("a clock that steps back neither fills nor locks") {
        TokenBucket bucket({1'000, 2});
        CHECK(take_all(bucket, kStart) == 2);
        CHECK(take_all(bucket, kStart - 10h) == 0);
        CHECK(take_all(bucket, kStart - 10h + 999ms) == 0);
        CHECK(take_all(bucket, kStart - 10h + 1s) == 1);
        CHECK(take_all(bucket, kStart - 10h + 3s) == 2);
    }

    TEST_CASE("threads share one bucket") {
        TokenBucket bucket({0, 1000});
        std::atomic<int> taken{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] { taken += take_all(bucket, kStart); });
        for (std::thread& thread : threads)
            thread.join();
        CHECK(taken == 1000);
    }
}

}  // namespace token_bucket_test
