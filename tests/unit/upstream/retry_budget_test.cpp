#include "gatehouse/upstream/retry_budget.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace retry_budget_test {

using namespace gatehouse;
using namespace gatehouse::upstream;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{std::chrono::hours(1000)};

int take_all(RetryBudget& budget, std::uint64_t requests, SteadyTime now) {
    int taken = 0;
    while (taken < 10000 && budget.take(requests, now))
        ++taken;
    return taken;
}

}  // namespace

TEST_SUITE("upstream/retry_budget") {
    TEST_CASE("what may be retried at once") {
        struct Row {
            std::string_view name;
            RetryRule rule;
            std::uint64_t requests;  ///< in the second before
            int retries;
        };

        const Row rows[] = {
            {"nothing at all", {0, 0}, 1000, 0},
            {"the least alone", {0, 3}, 1000, 3},
            {"the least without any request", {20, 10}, 0, 10},
            {"the least where the share is smaller", {20, 10}, 49, 10},
            {"the share where it is larger", {20, 10}, 100, 20},
            {"no part of one", {20, 0}, 4, 1},
            {"one", {20, 0}, 5, 1},
            {"more than one", {20, 0}, 6, 2},
            {"none of none", {100, 0}, 0, 0},
            {"all", {100, 0}, 7, 7},
            {"one of a hundred", {1, 0}, 100, 1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RetryBudget budget(row.rule);
            budget.observe(5000, kStart);
            CHECK(take_all(budget, 5000 + row.requests, kStart + 1s) == row.retries);
        }
    }

    TEST_CASE("the least is for each second and the share for ten") {
        RetryBudget budget({10, 2});
        budget.observe(0, kStart);
        CHECK(take_all(budget, 100, kStart) == 10);
        CHECK(take_all(budget, 100, kStart + 999ms) == 0);
        CHECK(take_all(budget, 100, kStart + 1s) == 2);   // the least alone: the share is used up
        CHECK(take_all(budget, 300, kStart + 2s) == 18);  // 30 in all
        CHECK(take_all(budget, 300, kStart + 3s) == 2);
    }

    TEST_CASE("requests and retries of more than ten seconds ago count no more") {
        RetryBudget budget({10, 0});
        budget.observe(0, kStart);
        CHECK(take_all(budget, 1000, kStart) == 100);
        for (int second = 1; second < 10; ++second)
            budget.observe(1000, kStart + std::chrono::seconds(second));
        CHECK(take_all(budget, 1010, kStart + 9s) == 1);  // the first hundred still count
        CHECK(take_all(budget, 1010, kStart + 10s) == 0);
        CHECK(take_all(budget, 1040, kStart + 11s) == 3);
        CHECK(take_all(budget, 1040, kStart + 100s) == 0);
        CHECK(take_all(budget, 1050, kStart + 100s) == 1);
    }
}

}  // namespace retry_budget_test
