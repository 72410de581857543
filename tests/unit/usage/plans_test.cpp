#include "gatehouse/usage/plans.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace plans_test {

using namespace gatehouse;
using namespace gatehouse::usage;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kNow{std::chrono::hours(1000)};
constexpr WallTime kToday{std::chrono::seconds(1795492800)};
const std::string kFirst(20, 'a');
const std::string kSecond(20, 'b');

Plans make_plans() {
    PlanSpec gold;
    gold.id = "gold";
    gold.keys = {0, 1};
    gold.stages = {0, 1};
    gold.methods = {{7, {0, 1}}, {3, {0, 2}}};
    gold.throttle = Rate{0, 4};
    gold.quota = Quota{5, Period::day, 0};
    PlanSpec free;
    free.id = "free";
    free.keys = {0};
    free.stages = {2};
    std::vector<PlanSpec> plans;
    plans.push_back(gold);
    plans.push_back(free);
    return {{{"k1", "one", true}, {"k2", "two", true}, {"k3", "three", true}},
            {kFirst, kSecond, std::string(20, 'c')},
            plans,
            {}};
}

int throttle(Allowance& allowance, int method) {
    int passed = 0;
    while (passed < 100 && allowance.pass_throttle(method, kNow))
        ++passed;
    return passed;
}

}  // namespace

TEST_SUITE("usage/plans") {
    TEST_CASE("section 16: a key has one plan for each stage") {
        const Plans plans = make_plans();
        CHECK(plans.find_key(kFirst) == 0);
        CHECK(plans.find_allowance(0, 0).plan == 0);
        CHECK(plans.find_allowance(0, 2).plan == 1);
        CHECK(plans.find_allowance(0, 0).allowance == plans.find_allowance(0, 1).allowance);
        CHECK(plans.find_allowance(0, 0).allowance != plans.find_allowance(1, 0).allowance);
        for (const auto& [key, stage] :
             {std::pair(0, 3), {1, 2}, {2, 0}, {3, 0}, {-1, 0}, {0, -1}}) {
            CAPTURE(key);
            CAPTURE(stage);
            CHECK(plans.find_allowance(key, stage).allowance == nullptr);
        }
    }

    TEST_CASE("a method's throttle stands in the place of the plan's") {
        const Plans plans = make_plans();
        Allowance& allowance = *plans.find_allowance(0, 0).allowance;
        CHECK(throttle(allowance, 3) == 2);
        CHECK(throttle(allowance, 7) == 1);
        CHECK(throttle(allowance, 1) == 4);
        CHECK(throttle(allowance, 2) == 0);  // the plan's is one for all other methods
        CHECK(allowance.throttled() == 4);
        // Another key has its own.
        CHECK(throttle(*plans.find_allowance(1, 1).allowance, 3) == 2);
    }

    TEST_CASE("a quota is one for all stages of a plan") {
        const Plans plans = make_plans();
        Allowance& allowance = *plans.find_allowance(0, 0).allowance;
        for (int i = 0; i < 5; ++i)
            CHECK(allowance.pass_quota(kToday));
        CHECK_FALSE(plans.find_allowance(0, 1).allowance->pass_quota(kToday));
        CHECK(allowance.over_quota() == 1);
        CHECK(allowance.quota_use(kToday)->used == 5);
        CHECK(plans.find_allowance(1, 0).allowance->pass_quota(kToday));
        Allowance& free = *plans.find_allowance(0, 2).allowance;
        for (int i = 0; i < 1000; ++i)
            REQUIRE((free.pass_quota(kToday) && free.pass_throttle(3, kNow)));
        CHECK_FALSE(free.quota_use(kToday));
    }

    TEST_CASE("what has not changed goes on counting in the next configuration") {
        const auto next = [](const Plans& before, const std::function<void(PlanSpec&)>& change) {
            PlanSpec gold;
            gold.id = "gold";
            gold.keys = {1};  // in another order now
            gold.stages = {0};
            gold.throttle = Rate{0, 4};
            gold.quota = Quota{5, Period::day, 0};
            change(gold);
            std::vector<PlanSpec> plans;
            plans.push_back(gold);
            return Plans({{"k2", "two", true}, {"k1", "one", true}},
                         {kSecond, kFirst},
                         std::move(plans),
                         Salt{},
                         &before);
        };
        const Plans plans = make_plans();
        Allowance& old = *plans.find_allowance(0, 0).allowance;
        REQUIRE(old.pass_quota(kToday));
        REQUIRE(throttle(old, 1) == 4);
        old.count_admitted();

        const Plans same = next(plans, [](PlanSpec&) {});
        Allowance& now = *same.find_allowance(1, 0).allowance;
        CHECK(now.quota_use(kToday)->used == 1);
        CHECK(throttle(now, 1) == 0);
        CHECK(now.admitted() == 1);
        // A request that began before counts in both.
        CHECK(old.pass_quota(kToday));
        CHECK(now.quota_use(kToday)->used == 2);

        const Plans other = next(plans, [](PlanSpec& gold) {
            gold.throttle = Rate{0, 3};
            gold.quota->limit = 6;
        });
        CHECK(other.find_allowance(1, 0).allowance->quota_use(kToday)->used == 0);
        CHECK(throttle(*other.find_allowance(1, 0).allowance, 1) == 3);
        const Plans renamed = next(plans, [](PlanSpec& gold) { gold.id = "silver"; });
        CHECK(renamed.find_allowance(1, 0).allowance->admitted() == 0);
    }
}

}  // namespace plans_test
