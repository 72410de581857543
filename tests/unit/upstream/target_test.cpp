#include "gatehouse/upstream/target.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace upstream_target_test {

using namespace gatehouse;
using namespace gatehouse::upstream;

namespace {

std::shared_ptr<Target> make_target(const Rules& rules = {}) {
    return std::make_shared<Target>(
        rules, forward::parse_endpoint("http://10.0.0.1:8080").value(), "http://10.0.0.1:8080");
}

}  // namespace

TEST_SUITE("upstream/target") {
    TEST_CASE("a target is where it is said to be and its Host field says so") {
        const auto target = make_target();
        CHECK(target->endpoint().host == "10.0.0.1");
        CHECK(target->endpoint().port == 8080);
        CHECK(target->endpoint().host_line == "Host: 10.0.0.1:8080\r\n");
        CHECK(target->url() == "http://10.0.0.1:8080");
        for (const char* bad : {"",
                                "10.0.0.1",
                                "ftp://a",
                                "http://",
                                "http://a/",
                                "http://a/b",
                                "http://a?b",
                                "http://a:0",
                                "http://u@a"})
            CHECK_FALSE(forward::parse_endpoint(bad).has_value());
    }

    TEST_CASE("checks turn a target when enough of them agree") {
        struct Row {
            std::string_view name;
            unsigned healthy;
            unsigned unhealthy;
            std::string_view found;  ///< +: a good answer, -: none
            std::string_view then;   ///< what became of it: u up, d down, . as before
        };

        const Row rows[] = {
            {"good from the start", 2, 3, "++++", "...."},
            {"one bad is none", 2, 3, "+-+-", "...."},
            {"two bad are none", 2, 3, "--+--+", "......"},
            {"three in a row", 2, 3, "---", "..d"},
            {"it stays down", 2, 3, "------", "..d..."},
            {"one good is none", 2, 3, "---+-+-", "..d...."},
            {"two good bring it back", 2, 3, "---++", "..d.u"},
            {"and all begins anew", 2, 3, "---++--+---", "..d.u.....d"},
            {"at the first", 1, 1, "-+-+", "dudu"},
            {"flapping is quiet", 3, 2, "-+-+-+", "......"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            HealthRule rule;
            rule.healthy = row.healthy;
            rule.unhealthy = row.unhealthy;
            const auto target = make_target();
            std::string then;
            for (const char found : row.found) {
                const Target::Turn turn = target->checked(rule, found == '+');
                then += turn == Target::Turn::up ? 'u' : turn == Target::Turn::down ? 'd' : '.';
                if (turn != Target::Turn::none)
                    CHECK(target->is_unhealthy() == (turn == Target::Turn::down));
            }
            CHECK(then == row.then);
        }
    }

    TEST_CASE("statuses are good within their ranges") {
        HealthRule rule;
        rule.statuses = {{200, 299}, {304, 304}};
        for (const int status : {200, 204, 299, 304})
            CHECK(is_good_status(rule, status));
        for (const int status : {0, 199, 300, 303, 305, 404, 500})
            CHECK_FALSE(is_good_status(rule, status));
    }

    TEST_CASE("connections have places up to the limit") {
        Rules rules;
        rules.max_connections = 2;
        const auto target = make_target(rules);
        Place first = Place::take(target);
        Place second = Place::take(target);
        CHECK(first);
        CHECK(second);
        CHECK_FALSE(target->is_crowded());
        CHECK_FALSE(Place::take(target));
        CHECK(target->is_crowded());
        CHECK(target->connections() == 2);
        second = Place();
        CHECK_FALSE(target->is_crowded());
        CHECK(target->connections() == 1);
        Place moved = std::move(first);
        CHECK(target->connections() == 1);
        CHECK(Place::take(target));
        CHECK(target->connections() == 1);
    }

    TEST_CASE("without a limit connections are counted all the same") {
        const auto target = make_target();
        std::vector<Place> places;
        for (int i = 0; i < 100; ++i)
            places.push_back(Place::take(target));
        CHECK(target->connections() == 100);
        CHECK_FALSE(target->is_crowded());
        places.clear();
        CHECK(target->connections() == 0);
    }

    TEST_CASE("threads together never hold more places than there are") {
        Rules rules;
        rules.max_connections = 3;
        const auto target = make_target(rules);
        std::atomic<int> held{0};
        std::atomic<int> most{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < 2000; ++round) {
                    const Place place = Place::take(target);
                    if (!place) continue;
                    const int now = ++held;
                    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
                    }
                    --held;
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(most >= 1);
        CHECK(most <= 3);
        CHECK(target->connections() == 0);
    }
}

}  // namespace upstream_target_test
