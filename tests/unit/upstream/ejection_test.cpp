#include "gatehouse/upstream/ejection.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace ejection_test {

using namespace gatehouse;
using namespace gatehouse::upstream;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{std::chrono::hours(1000)};

}  // namespace

TEST_SUITE("upstream/ejection") {
    TEST_CASE("an ejection lasts longer the sooner it follows the last one") {
        struct Row {
            std::string_view name;
            std::chrono::milliseconds base;
            std::vector<std::chrono::milliseconds> after;  ///< the return, the next one begins
            std::vector<std::chrono::milliseconds> lasts;
        };

        const std::vector<Row> rows = {
            {"the first is the base time", 30s, {0ms}, {30s}},
            {"at once again", 30s, {0ms, 0ms, 0ms}, {30s, 60s, 90s}},
            {"just before a base time of good", 30s, {0ms, 29'999ms}, {30s, 60s}},
            {"after a base time of good", 30s, {0ms, 30s}, {30s, 30s}},
            {"one off for each base time", 10s, {0ms, 0ms, 0ms, 20s}, {10s, 20s, 30s, 20s}},
            {"never less than the base time", 10s, {0ms, 0ms, 24h}, {10s, 20s, 10s}},
            {"five minutes at most", 120s, {0ms, 0ms, 0ms, 0ms}, {120s, 240s, 300s, 300s}},
            {"unless the base time is longer", 400s, {0ms, 0ms}, {400s, 400s}},
            {"and comes down from there",
             120s,
             {0ms, 0ms, 0ms, 0ms, 120s},
             {120s, 240s, 300s, 300s, 300s}},
            {"down to the base", 120s, {0ms, 0ms, 0ms, 0ms, 360s}, {120s, 240s, 300s, 300s, 120s}},
            {"a millisecond", 1ms, {0ms, 0ms}, {1ms, 2ms}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            EjectionTimes times;
            SteadyTime now = kStart;
            for (std::size_t i = 0; i < row.after.size(); ++i) {
                CAPTURE(i);
                now += row.after[i];
                const auto lasts = times.next(row.base, now);
                CHECK(lasts.count() == row.lasts[i].count());
                now += lasts;
            }
        }
    }

    TEST_CASE("some targets stay whatever fails") {
        struct Row {
            std::size_t targets;
            unsigned percent;
            std::size_t most;
        };

        const Row rows[] = {{1, 50, 0},
                            {1, 100, 0},
                            {2, 1, 1},
                            {2, 50, 1},
                            {2, 99, 1},
                            {2, 100, 2},
                            {3, 50, 1},
                            {3, 66, 1},
                            {3, 67, 2},
                            {10, 10, 1},
                            {10, 19, 1},
                            {10, 20, 2},
                            {64, 100, 64}};
        for (const Row& row : rows) {
            CAPTURE(row.targets);
            CAPTURE(row.percent);
            CHECK(most_ejected(row.targets, row.percent) == row.most);
        }
    }

    TEST_CASE("what counts against a target is its own doing") {
        for (const int status : {502, 503, 504})
            CHECK(counts_as_failure(status));
        for (const int status : {0, 100, 200, 404, 429, 500, 501, 505, 599})
            CHECK_FALSE(counts_as_failure(status));
        for (const Errc error : {Errc::upstream_refused,
                                 Errc::upstream_reset,
                                 Errc::upstream_timeout,
                                 Errc::upstream_malformed,
                                 Errc::upstream_unresolved})
            CHECK(counts_as_failure(error));
        for (const Errc error : {Errc::none,
                                 Errc::client_gone,
                                 Errc::body_timeout,
                                 Errc::upstream_overloaded,
                                 Errc::mapping_invalid,
                                 Errc::internal})
            CHECK_FALSE(counts_as_failure(error));
    }
}

}  // namespace ejection_test
