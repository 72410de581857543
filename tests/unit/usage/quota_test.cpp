#include "gatehouse/usage/quota.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <thread>
#include <vector>

namespace quota_test {

using namespace gatehouse;
using namespace gatehouse::usage;
using namespace std::chrono_literals;
using std::chrono::sys_days;

namespace {

sys_days day(int year, unsigned month, unsigned number) {
    return std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(number);
}

int take_all(QuotaCounter& counter, WallTime now) {
    int taken = 0;
    while (taken < 1000 && counter.take(now))
        ++taken;
    return taken;
}

}  // namespace

TEST_SUITE("usage/quota") {
    TEST_CASE("section 16: periods begin at midnight UTC of the day that offset names") {
        struct Row {
            std::string_view name;
            Quota quota;
            sys_days today;
            sys_days start;
            sys_days next;
        };

        constexpr Period d = Period::day;
        constexpr Period w = Period::week;
        constexpr Period m = Period::month;
        // 26 November 2026 is a Thursday.
        const Row rows[] = {
            {"day", {1, d, 0}, day(2026, 11, 26), day(2026, 11, 26), day(2026, 11, 27)},
            {"last day", {1, d, 0}, day(2026, 12, 31), day(2026, 12, 31), day(2027, 1, 1)},
            {"from Sunday", {1, w, 0}, day(2026, 11, 26), day(2026, 11, 22), day(2026, 11, 29)},
            {"a Sunday itself", {1, w, 0}, day(2026, 11, 22), day(2026, 11, 22), day(2026, 11, 29)},
            {"a Saturday", {1, w, 0}, day(2026, 11, 28), day(2026, 11, 22), day(2026, 11, 29)},
            {"from Monday", {1, w, 1}, day(2026, 11, 26), day(2026, 11, 23), day(2026, 11, 30)},
            {"Sunday before", {1, w, 1}, day(2026, 11, 22), day(2026, 11, 16), day(2026, 11, 23)},
            {"from Thursday", {1, w, 4}, day(2026, 11, 26), day(2026, 11, 26), day(2026, 12, 3)},
            {"from Friday", {1, w, 5}, day(2026, 11, 26), day(2026, 11, 20), day(2026, 11, 27)},
            {"from the first", {1, m, 0}, day(2026, 11, 26), day(2026, 11, 1), day(2026, 12, 1)},
            {"from the 15th", {1, m, 14}, day(2026, 11, 26), day(2026, 11, 15), day(2026, 12, 15)},
            {"before it", {1, m, 27}, day(2026, 11, 26), day(2026, 10, 28), day(2026, 11, 28)},
            {"over the year", {1, m, 27}, day(2027, 1, 3), day(2026, 12, 28), day(2027, 1, 28)},
            {"February", {1, m, 27}, day(2027, 3, 1), day(2027, 2, 28), day(2027, 3, 28)},
            {"leap day", {1, m, 0}, day(2028, 2, 29), day(2028, 2, 1), day(2028, 3, 1)},
            {"a short month", {1, m, 0}, day(2027, 2, 1), day(2027, 2, 1), day(2027, 3, 1)},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const sys_days start = period_start(row.quota, row.today);
            CHECK(start == row.start);
            CHECK(next_period(row.quota, start) == row.next);
        }
    }

    TEST_CASE("every day of four years lies in its period") {
        for (const Period period : {Period::day, Period::week, Period::month}) {
            const unsigned most = period == Period::day ? 0 : period == Period::week ? 6 : 27;
            for (unsigned offset = 0; offset <= most; ++offset) {
                const Quota quota{1, period, offset};
                for (sys_days today = day(2026, 1, 1); today < day(2030, 1, 1);
                     today += std::chrono::days(1)) {
                    const sys_days start = period_start(quota, today);
                    REQUIRE(start <= today);
                    REQUIRE(today < next_period(quota, start));
                    REQUIRE(period_start(quota, next_period(quota, start)) ==
                            next_period(quota, start));
                }
            }
        }
    }

    TEST_CASE("a period has so many requests") {
        QuotaCounter counter({3, Period::day, 0});
        const WallTime noon = day(2026, 11, 26) + 12h;
        CHECK(counter.use(noon).used == 0);
        CHECK(take_all(counter, noon) == 3);
        CHECK_FALSE(counter.take(noon));
        CHECK(counter.use(noon).used == 3);
        CHECK(counter.use(noon).resets == day(2026, 11, 27));
        CHECK_FALSE(counter.take(day(2026, 11, 27) - 1ms));
        CHECK(counter.use(day(2026, 11, 27)).used == 0);
        CHECK(take_all(counter, day(2026, 11, 27)) == 3);
    }

    TEST_CASE("a quota of nothing lets nothing pass") {
        QuotaCounter counter({0, Period::month, 0});
        CHECK_FALSE(counter.take(day(2026, 11, 26)));
        CHECK_FALSE(counter.take(day(2027, 11, 26)));
    }

    TEST_CASE("a wall clock that goes to and fro over midnight gives nothing twice") {
        QuotaCounter counter({3, Period::day, 0});
        const WallTime midnight = day(2026, 11, 27);
        CHECK(take_all(counter, midnight - 1min) == 3);
        CHECK(take_all(counter, midnight + 1min) == 3);
        for (int i = 0; i < 10; ++i) {
            CHECK_FALSE(counter.take(midnight - 1min));
            CHECK_FALSE(counter.take(midnight + 1min));
        }
        CHECK(take_all(counter, midnight + 24h) == 3);
    }

    TEST_CASE("a wall clock that was years ahead locks nobody out for years") {
        QuotaCounter counter({3, Period::day, 0});
        CHECK(take_all(counter, day(2060, 1, 1) + 1h) == 3);
        CHECK_FALSE(counter.take(day(2026, 11, 26)));  // what was used stays used, today
        CHECK(counter.use(day(2026, 11, 26)).resets == day(2026, 11, 27));
        CHECK(take_all(counter, day(2026, 11, 27)) == 3);
    }

    TEST_CASE("threads share one quota") {
        QuotaCounter counter({1000, Period::week, 0});
        std::atomic<int> taken{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] { taken += take_all(counter, day(2026, 11, 26)); });
        for (std::thread& thread : threads)
            thread.join();
        CHECK(taken == 1000);
    }

    TEST_CASE("what others have counted counts once and never falls") {
        const WallTime now = day(2026, 11, 26) + 1h;
        const sys_days today = day(2026, 11, 26);
        QuotaCounter counter({10, Period::day, 0});
        counter.set_others(today, 3, now);  // before anything was counted here
        CHECK(counter.use(now).used == 3);
        CHECK(counter.own(now).count == 0);
        CHECK(counter.own(now).start == today);
        CHECK(counter.take(now));
        counter.set_others(today, 5, now);
        counter.set_others(today, 5, now);
        CHECK(counter.use(now).used == 6);
        CHECK(counter.own(now).count == 1);
        counter.set_others(today, 4, now);
        CHECK(counter.use(now).used == 6);
        CHECK(take_all(counter, now) == 4);
        CHECK(counter.own(now).count == 5);
        counter.set_others(today, 100, now);  // all took their last at once
        CHECK(counter.use(now).used == 105);
        CHECK_FALSE(counter.take(now));
        CHECK(counter.own(now).count == 5);
        counter.set_others(today, UINT64_MAX, now);
        CHECK_FALSE(counter.take(now));
        CHECK(counter.own(now).count == 5);

        // Another period is another count.
        const WallTime tomorrow = now + 24h;
        CHECK(counter.own(tomorrow).count == 0);
        counter.set_others(today, UINT64_MAX, tomorrow);
        counter.set_others(today + std::chrono::days(2), 9, tomorrow);
        CHECK(take_all(counter, tomorrow) == 10);
        CHECK(counter.own(tomorrow).count == 10);
        counter.set_others(today + std::chrono::days(1), 1, tomorrow);
        CHECK(counter.use(tomorrow).used == 11);
    }

    TEST_CASE("workers count while others are told") {
        const WallTime now = day(2026, 11, 26) + 1h;
        QuotaCounter counter({100000, Period::day, 0});
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n)
                    counter.take(now);
            });
        }
        for (std::uint64_t n = 1; n <= 1000; ++n)
            counter.set_others(day(2026, 11, 26), n, now);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(counter.use(now).used == 5000);
        CHECK(counter.own(now).count == 4000);
    }

    TEST_CASE("no two counters have one number") {
        const QuotaCounter one({1, Period::day, 0});
        const QuotaCounter two({1, Period::day, 0});
        CHECK(one.serial() != two.serial());
    }
}

}  // namespace quota_test
