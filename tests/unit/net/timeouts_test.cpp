#include "../../../src/net/timeouts.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace timeouts_test {

using namespace gatehouse;
using namespace gatehouse::net;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("net/timeouts");

namespace {

const SteadyTime kStart{1000s};

// Owns one timeout, notes when it is told, and then does what the test wants.
struct Owner {
    Owner(std::string owner_name, std::vector<std::string>& owner_told)
        : name(std::move(owner_name)), told(owner_told), timeout(this, &Owner::expired) {}

    static void expired(void* owner, Timeout& timeout) {
        auto& self = *static_cast<Owner*>(owner);
        self.was_armed = timeout.armed();
        self.told.push_back(self.name);
        const auto then = self.then;  // a copy: the owner may be gone when it returns
        if (then) then();
    }

    std::string name;
    std::vector<std::string>& told;
    Timeout timeout;
    bool was_armed = false;
    std::function<void()> then;
};

using Names = std::vector<std::string>;

struct Fixture {
    TimeoutLists lists;
    Names told;
    Owner a{"a", told};
    Owner b{"b", told};
    Owner c{"c", told};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what is due is told once and nothing before its time") {
    lists.arm(a.timeout, 100ms, kStart);
    CHECK(a.timeout.armed());
    lists.sweep(kStart);
    lists.sweep(kStart + 99ms);
    CHECK(told.empty());
    lists.sweep(kStart + 100ms);
    CHECK(told == Names{"a"});
    CHECK_FALSE(a.was_armed);
    CHECK_FALSE(a.timeout.armed());
    lists.sweep(kStart + 1h);
    CHECK(told == Names{"a"});
}

TEST_CASE_FIXTURE(Fixture, "equal durations fall due in the order they were armed") {
    lists.arm(b.timeout, 100ms, kStart);
    lists.arm(a.timeout, 100ms, kStart + 1ms);
    lists.arm(c.timeout, 100ms, kStart + 50ms);
    lists.sweep(kStart + 101ms);
    CHECK(told == Names{"b", "a"});
    lists.sweep(kStart + 150ms);
    CHECK(told == Names{"b", "a", "c"});
}

TEST_CASE_FIXTURE(Fixture, "a long duration does not hold up a short one") {
    lists.arm(a.timeout, 10s, kStart);
    lists.arm(b.timeout, 100ms, kStart);
    lists.sweep(kStart + 100ms);
    CHECK(told == Names{"b"});
    CHECK(a.timeout.armed());
}

TEST_CASE_FIXTURE(Fixture, "arming again moves the deadline and the list") {
    lists.arm(a.timeout, 100ms, kStart);
    lists.arm(b.timeout, 100ms, kStart);
    lists.arm(a.timeout, 100ms, kStart + 60ms);
    lists.sweep(kStart + 100ms);
    CHECK(told == Names{"b"});
    lists.arm(a.timeout, 5s, kStart + 100ms);
    lists.sweep(kStart + 1s);
    CHECK(told == Names{"b"});
    lists.sweep(kStart + 6s);
    CHECK(told == Names{"b", "a"});
}

TEST_CASE_FIXTURE(Fixture, "what was disarmed or destroyed is never told") {
    lists.arm(a.timeout, 100ms, kStart);
    lists.arm(b.timeout, 100ms, kStart);
    a.timeout.disarm();
    a.timeout.disarm();
    CHECK_FALSE(a.timeout.armed());
    {
        Owner short_lived("gone", told);
        lists.arm(short_lived.timeout, 100ms, kStart);
        lists.arm(c.timeout, 100ms, kStart);
    }
    lists.sweep(kStart + 1s);
    CHECK(told == Names{"b", "c"});
}

TEST_CASE_FIXTURE(Fixture, "an owner may arm itself again while it is told") {
    SteadyTime now = kStart + 100ms;
    a.then = [&] { lists.arm(a.timeout, 100ms, now); };
    lists.arm(a.timeout, 100ms, kStart);
    lists.sweep(now);
    CHECK(told == Names{"a"});
    CHECK(a.timeout.armed());
    now += 100ms;
    lists.sweep(now);
    CHECK(told == Names{"a", "a"});
}

TEST_CASE_FIXTURE(Fixture, "an owner may begin a duration that no list has yet") {
    a.then = [&] {
        for (int i = 1; i <= 50; ++i)
            lists.arm(b.timeout, std::chrono::milliseconds(1000 + i), kStart + 100ms);
        lists.arm(c.timeout, 100ms, kStart);  // due already, in the list being swept
    };
    lists.arm(a.timeout, 100ms, kStart);
    lists.sweep(kStart + 100ms);
    CHECK(told == Names{"a", "c"});
    lists.sweep(kStart + 1149ms);
    CHECK(told == Names{"a", "c"});
    lists.sweep(kStart + 1150ms);
    CHECK(told == Names{"a", "c", "b"});
}

TEST_CASE_FIXTURE(Fixture, "an owner may disarm another that is due too") {
    a.then = [&] { b.timeout.disarm(); };
    lists.arm(a.timeout, 100ms, kStart);
    lists.arm(b.timeout, 100ms, kStart);
    lists.arm(c.timeout, 100ms, kStart);
    lists.sweep(kStart + 1s);
    CHECK(told == Names{"a", "c"});
}

TEST_CASE_FIXTURE(Fixture, "an owner may destroy itself and its neighbours") {
    auto first = std::make_unique<Owner>("first", told);
    auto second = std::make_unique<Owner>("second", told);
    auto third = std::make_unique<Owner>("third", told);
    lists.arm(first->timeout, 100ms, kStart);
    lists.arm(second->timeout, 100ms, kStart);
    lists.arm(third->timeout, 100ms, kStart);
    lists.arm(a.timeout, 100ms, kStart);
    first->then = [&] {
        first.reset();
        second.reset();
    };
    third->then = [&] { third.reset(); };
    lists.sweep(kStart + 1s);
    CHECK(told == Names{"first", "third", "a"});
}

TEST_CASE("timeouts outlive their lists without harm") {
    Names told;
    Owner owner("a", told);
    {
        TimeoutLists lists;
        lists.arm(owner.timeout, 100ms, kStart);
    }
    CHECK_FALSE(owner.timeout.armed());
    owner.timeout.disarm();
    CHECK(told.empty());
}

TEST_SUITE_END();

}  // namespace timeouts_test
