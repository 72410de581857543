#include "gatehouse/app/single_flight.hpp"

#include "gatehouse/app/authorize.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace single_flight_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

using ResultPtr = std::shared_ptr<const AuthorizeResult>;

ResultPtr result_with(Errc error) {
    auto result = std::make_shared<AuthorizeResult>();
    result->error = error;
    return result;
}

// Counts what it is told.
struct Waiter {
    std::vector<ResultPtr> told;
    int asked = 0;  // how often a wake was made

    std::function<Wake()> maker() {
        return [this] {
            ++asked;
            return Wake([this](ResultPtr result) { told.push_back(std::move(result)); });
        };
    }
};

}  // namespace

TEST_SUITE("app/single_flight") {
    TEST_CASE("the first to ask leads and makes no wake") {
        SingleFlight flight;
        Waiter waiter;
        CHECK(flight.lead_or_join(1, "token", waiter.maker()));
        CHECK(waiter.asked == 0);
        CHECK(flight.size() == 1);
    }

    TEST_CASE("all who joined are told one and the same result once") {
        SingleFlight flight;
        Waiter leader;
        Waiter second;
        Waiter third;
        REQUIRE(flight.lead_or_join(1, "token", leader.maker()));
        CHECK_FALSE(flight.lead_or_join(1, "token", second.maker()));
        CHECK_FALSE(flight.lead_or_join(1, "token", third.maker()));
        const ResultPtr result = result_with(Errc::none);
        flight.complete(1, "token", result);
        CHECK(leader.told.empty());
        CHECK(second.told == std::vector{result});
        CHECK(third.told == std::vector{result});
        CHECK(second.asked == 1);
        flight.complete(1, "token", result);
        CHECK(second.told.size() == 1);
    }

    TEST_CASE("errors are shared like any other result") {
        SingleFlight flight;
        Waiter leader;
        Waiter second;
        REQUIRE(flight.lead_or_join(1, "token", leader.maker()));
        REQUIRE_FALSE(flight.lead_or_join(1, "token", second.maker()));
        flight.complete(1, "token", result_with(Errc::token_key_unknown));
        REQUIRE(second.told.size() == 1);
        CHECK(second.told[0]->error == Errc::token_key_unknown);
    }

    TEST_CASE("a leader that must wait too is told as one among equals") {
        SingleFlight flight;
        Waiter leader;
        REQUIRE(flight.lead_or_join(1, "token", leader.maker()));
        flight.join(1, "token", leader.maker()());
        flight.complete(1, "token", result_with(Errc::none));
        CHECK(leader.told.size() == 1);
    }

    TEST_CASE("calls of another authorizer or another identity are not joined") {
        struct Row {
            const char* name;
            authz::CacheScope scope;
            std::string_view identity;
        };

        const Row rows[] = {
            {"another scope", 2, "token"},
            {"another identity", 1, "token2"},
            {"a prefix of the identity", 1, "toke"},
            {"another case", 1, "Token"},
            {"an empty identity", 1, ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            SingleFlight flight;
            Waiter leader;
            Waiter other;
            REQUIRE(flight.lead_or_join(1, "token", leader.maker()));
            CHECK(flight.lead_or_join(row.scope, row.identity, other.maker()));
            flight.complete(row.scope, row.identity, result_with(Errc::none));
            CHECK(flight.size() == 1);
        }
    }

    TEST_CASE("after the end of a call the next to ask leads anew") {
        SingleFlight flight;
        Waiter waiter;
        REQUIRE(flight.lead_or_join(1, "token", waiter.maker()));
        flight.complete(1, "token", result_with(Errc::none));
        CHECK(flight.size() == 0);
        CHECK(flight.lead_or_join(1, "token", waiter.maker()));
    }

    TEST_CASE("a wake may ask again at once") {
        SingleFlight flight;
        Waiter leader;
        bool leads_next = false;
        REQUIRE(flight.lead_or_join(1, "token", leader.maker()));
        flight.join(1, "token", [&](const ResultPtr&) {
            leads_next = flight.lead_or_join(1, "token", leader.maker());
        });
        flight.complete(1, "token", result_with(Errc::none));
        CHECK(leads_next);
    }

    TEST_CASE("of many threads exactly one leads and all others are told") {
        constexpr int kThreads = 8;
        SingleFlight flight;
        std::atomic<int> leaders{0};
        std::atomic<int> told{0};
        const std::function<Wake()> make_wake = [&] {
            return Wake([&](const ResultPtr&) { ++told; });
        };
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&] {
                if (flight.lead_or_join(1, "token", make_wake)) ++leaders;
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(leaders == 1);
        flight.complete(1, "token", result_with(Errc::none));
        CHECK(told == kThreads - 1);
    }
}

}  // namespace single_flight_test
