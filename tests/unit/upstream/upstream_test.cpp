#include "gatehouse/upstream/upstream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace upstream_test {

using namespace gatehouse;
using namespace gatehouse::upstream;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kStart{std::chrono::hours(1000)};

struct Made {
    Rules rules;

    explicit Made(std::size_t targets) {
        rules.name = "users";
        for (std::size_t i = 0; i < targets; ++i)
            rules.targets.push_back("http://10.0.0." + std::to_string(i + 1));
        rules.ejection.emplace();
        rules.ejection->consecutive_failures = 2;
        rules.ejection->max_percent = 100;
        rules.health.emplace();
        rules.health->unhealthy = rules.health->healthy = 1;
    }

    Upstream make() const {
        std::vector<forward::Endpoint> endpoints;
        for (const std::string& target : rules.targets)
            endpoints.push_back(forward::parse_endpoint(target).value());
        return Upstream(rules, std::move(endpoints));
    }
};

void set_healthy(const Upstream& upstream, std::size_t target, bool healthy) {
    upstream.targets()[target]->checked(*upstream.rules().health, healthy);
}

// Fails as often as it takes.
void eject(Upstream& upstream, std::size_t target, SteadyTime now) {
    for (int i = 0; i < 1000 && !upstream.targets()[target]->is_ejected(now); ++i) {
        Call call;
        REQUIRE(call.begin(upstream, 0, now) == Errc::none);
        if (call.index() == target) call.failed(now);
    }
}

std::string chosen(Upstream& upstream, std::size_t worker, int times, SteadyTime now = kStart) {
    std::string text;
    for (int i = 0; i < times; ++i)
        text += static_cast<char>('a' + upstream.choose(worker, {}, now));
    return text;
}

}  // namespace

TEST_SUITE("upstream/upstream") {
    TEST_CASE("round robin goes on from where the worker began") {
        struct Row {
            std::string_view name;
            std::size_t targets;
            std::size_t worker;
            std::string_view out;  ///< letters of targets that are unhealthy
            std::string_view want;
        };

        const Row rows[] = {
            {"one target", 1, 0, "", "aaaa"},
            {"two", 2, 0, "", "abab"},
            {"another worker begins elsewhere", 2, 1, "", "baba"},
            {"three, third worker", 3, 2, "", "cabc"},
            {"more workers than targets", 3, 4, "", "bcab"},
            {"one is out", 3, 0, "a", "bcbc"},
            {"its neighbour gets no more than the others", 3, 0, "b", "acac"},
            {"one is left", 3, 0, "ac", "bbbb"},
            {"all are out so all are asked", 3, 0, "abc", "abca"},
            {"the only one is out", 1, 0, "a", "aaaa"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Upstream upstream = Made(row.targets).make();
            for (const char letter : row.out)
                set_healthy(upstream, static_cast<std::size_t>(letter - 'a'), false);
            CHECK(chosen(upstream, row.worker, 4) == row.want);
        }
    }

    TEST_CASE("another target is one that was not tried and is up") {
        struct Row {
            std::string_view name;
            std::string_view out;
            std::uint64_t tried;
            int want;
        };

        const Row rows[] = {
            {"the next", "", 1, 1},
            {"the last", "", 3, 2},
            {"none is left", "", 7, -1},
            {"the next is out", "b", 1, 2},
            {"only the tried one is up", "bc", 1, -1},
            {"none is up so the next", "abc", 1, 1},
            {"none is up and all were tried", "abc", 7, -1},
            {"the tried one is out", "a", 1, 1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Upstream upstream = Made(3).make();
            for (const char letter : row.out)
                set_healthy(upstream, static_cast<std::size_t>(letter - 'a'), false);
            CHECK(upstream.choose(0, row.tried, kStart) == row.want);
        }
    }

    TEST_CASE("as many targets as there may be are all asked in turn and none twice") {
        Upstream upstream = Made(limits::kUpstreamTargets).make();
        Tried tried;
        for (std::size_t i = 0; i < limits::kUpstreamTargets; ++i) {
            const int next = upstream.choose(0, tried, kStart);
            REQUIRE(next >= 0);
            REQUIRE_FALSE(tried[static_cast<std::size_t>(next)]);
            tried.set(static_cast<std::size_t>(next));
        }
        CHECK(upstream.choose(0, tried, kStart) == -1);
    }

    TEST_CASE("least requests goes to the target with the fewest open ones of any worker") {
        Made made(3);
        made.rules.balance = Balance::least_requests;
        Upstream upstream = made.make();
        Call a;
        Call b;
        Call c;
        Call d;
        REQUIRE(a.begin(upstream, 0, kStart) == Errc::none);
        REQUIRE(b.begin(upstream, 1, kStart) == Errc::none);
        REQUIRE(c.begin(upstream, 0, kStart) == Errc::none);
        CHECK(a.index() + b.index() + c.index() == 3);  // each another one
        const std::size_t free = b.index();
        b.end();
        CHECK(upstream.targets()[free]->open_requests() == 0);
        for (std::size_t worker = 0; worker < 3; ++worker)
            CHECK(upstream.choose(worker, {}, kStart) == static_cast<int>(free));
        set_healthy(upstream, free, false);
        REQUIRE(d.begin(upstream, 2, kStart) == Errc::none);
        CHECK(d.index() != free);
        CHECK(upstream.targets()[d.index()]->open_requests() == 2);
        d.end();
        d.end();
        CHECK(upstream.targets()[a.index()]->open_requests() == 1);
    }

    TEST_CASE("failures in a row eject a target and a success ends the row") {
        struct Row {
            std::string_view name;
            std::string_view ends;  ///< + succeeded, - failed, . neither
            bool out;
        };

        const Row rows[] = {{"one failure", "-", false},
                            {"two", "--", true},
                            {"a success between", "-+-", false},
                            {"the client left between", "-.-", true},
                            {"none", "+++", false}};
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Upstream upstream = Made(2).make();
            for (const char end : row.ends) {
                Call call;
                do {
                    REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
                } while (call.index() != 0);
                if (end == '-') {
                    call.failed(kStart);
                    call.failed(kStart);  // one call fails once
                    call.succeeded();
                }
                if (end == '+') call.succeeded();
            }
            const Target& target = *upstream.targets()[0];
            CHECK(target.is_ejected(kStart) == row.out);
            CHECK(target.ejections() == (row.out ? 1 : 0));
            CHECK_FALSE(target.is_unhealthy());
            CHECK(target.failures() ==
                  static_cast<std::uint64_t>(std::ranges::count(row.ends, '-')));
        }
    }

    TEST_CASE("failures of requests that were under way do not eject once more") {
        Upstream upstream = Made(2).make();
        Call calls[8];
        for (Call& call : calls)
            REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
        for (Call& call : calls) {
            if (call.index() == 0) call.failed(kStart);
        }
        CHECK(upstream.targets()[0]->failures() == 4);
        CHECK(upstream.targets()[0]->ejections() == 1);
        CHECK_FALSE(upstream.targets()[0]->is_ejected(kStart + 30s));
    }

    TEST_CASE("each target that a call was with fails by itself") {
        Upstream upstream = Made(3).make();
        Call call;
        REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
        do {
            call.failed(kStart);
        } while (call.move_on(kStart));
        for (const auto& target : upstream.targets())
            CHECK(target->failures() == 1);
    }

    TEST_CASE("a second choice is no turn") {
        Upstream upstream = Made(3).make();
        Call call;
        REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
        REQUIRE(call.move_on(kStart));
        CHECK(call.index() == 1);
        CHECK(chosen(upstream, 0, 3) == "bca");
    }

    TEST_CASE("where none has more requests open than another least requests is round robin") {
        Made made(3);
        made.rules.balance = Balance::least_requests;
        Upstream upstream = made.make();
        CHECK(chosen(upstream, 0, 4) == "abca");
    }

    TEST_CASE("without ejection nothing ejects") {
        Made made(2);
        made.rules.ejection.reset();
        Upstream upstream = made.make();
        for (int i = 0; i < 100; ++i) {
            Call call;
            REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
            call.failed(kStart);
        }
        CHECK(upstream.targets()[0]->is_up(kStart));
        CHECK(upstream.targets()[0]->failures() == 50);
    }

    TEST_CASE("an ejected target comes back by itself and is told of both") {
        Upstream upstream = Made(2).make();
        CHECK(upstream.tick(kStart).empty());
        eject(upstream, 1, kStart);
        const auto out = upstream.tick(kStart);
        REQUIRE(out.size() == 1);
        CHECK(out[0] ==
              "upstream users: http://10.0.0.2 is ejected for 30000 ms: 2 failures in a row");
        CHECK(upstream.tick(kStart + 29'999ms).empty());
        CHECK(chosen(upstream, 0, 3, kStart + 29'999ms) == "aaa");
        const auto back = upstream.tick(kStart + 30s);
        REQUIRE(back.size() == 1);
        CHECK(back[0] == "upstream users: http://10.0.0.2 is back from its ejection");
        CHECK(chosen(upstream, 0, 2, kStart + 30s) == "ba");
        eject(upstream, 1, kStart + 30s);
        CHECK(upstream.targets()[1]->is_ejected(kStart + 89'999ms));
        CHECK_FALSE(upstream.targets()[1]->is_ejected(kStart + 90s));
    }

    TEST_CASE("no more than maxPercent are ejected at once") {
        Made made(4);
        made.rules.ejection->max_percent = 50;
        Upstream upstream = made.make();
        for (int i = 0; i < 100; ++i) {
            Call call;
            REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
            call.failed(kStart);
        }
        int out = 0;
        for (const auto& target : upstream.targets())
            out += target->is_ejected(kStart) ? 1 : 0;
        CHECK(out == 2);
    }

    TEST_CASE("unhealthy and ejected are two reasons and each keeps a target out") {
        Upstream upstream = Made(2).make();
        eject(upstream, 0, kStart);
        set_healthy(upstream, 0, false);
        CHECK_FALSE(upstream.targets()[0]->is_up(kStart + 1h));
        set_healthy(upstream, 0, true);
        CHECK_FALSE(upstream.targets()[0]->is_up(kStart));
        CHECK(upstream.targets()[0]->is_up(kStart + 1h));
    }

    TEST_CASE("maxRequests are open and not one more") {
        Made made(2);
        made.rules.max_requests = 2;
        Upstream upstream = made.make();
        Call a;
        Call b;
        Call c;
        CHECK(a.begin(upstream, 0, kStart) == Errc::none);
        CHECK(b.begin(upstream, 1, kStart) == Errc::none);
        CHECK(c.begin(upstream, 2, kStart) == Errc::upstream_overloaded);
        CHECK_FALSE(c.is_active());
        CHECK(upstream.refused_requests() == 1);
        a.end();
        CHECK(c.begin(upstream, 2, kStart) == Errc::none);
        CHECK(upstream.open_requests() == 2);
        c.end();
        b.end();
        CHECK(upstream.open_requests() == 0);
    }

    TEST_CASE("a call that reached nothing moves on to what is up within the budget") {
        struct Row {
            std::string_view name;
            std::size_t targets;
            std::string_view out;
            unsigned budget;
            std::string_view want;  ///< targets that were asked
        };

        const Row rows[] = {{"nowhere to go", 1, "", 10, "a"},
                            {"the other one", 2, "", 10, "ab"},
                            {"not to one that is out", 2, "b", 10, "a"},
                            {"past one that is out", 3, "b", 10, "ac"},
                            {"three in all", 5, "", 10, "abc"},
                            {"no budget", 2, "", 0, "a"},
                            {"a budget of one", 3, "", 1, "ab"}};
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Made made(row.targets);
            made.rules.retries = {0, row.budget};
            Upstream upstream = made.make();
            for (const char letter : row.out)
                set_healthy(upstream, static_cast<std::size_t>(letter - 'a'), false);
            Call call;
            REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
            std::string asked;
            do {
                asked += static_cast<char>('a' + call.index());
                CHECK(call.attempts() == asked.size());
            } while (call.move_on(kStart));
            CHECK(asked == row.want);
            CHECK(upstream.retries() == asked.size() - 1);
            CHECK(upstream.retries_refused() == (row.budget < 2 ? 1 : 0));
        }
    }

    TEST_CASE("a repeated call goes to another target or to the same one") {
        Upstream two = Made(2).make();
        Call call;
        REQUIRE(call.begin(two, 0, kStart) == Errc::none);
        REQUIRE(call.repeat(kStart));
        CHECK(call.index() == 1);
        call.end();
        Upstream one = Made(1).make();
        REQUIRE(call.begin(one, 0, kStart) == Errc::none);
        REQUIRE(call.repeat(kStart));
        CHECK(call.index() == 0);
        CHECK(call.attempts() == 2);
        Made poor(2);
        poor.rules.retries = {0, 0};
        Upstream none = poor.make();
        REQUIRE(call.begin(none, 0, kStart) == Errc::none);
        CHECK_FALSE(call.repeat(kStart));
        CHECK(none.retries_refused() == 1);
        call.end();
    }

    TEST_CASE("a target without room is passed by and that is no retry") {
        Made made(2);
        made.rules.retries = {0, 0};
        Upstream upstream = made.make();
        Call call;
        REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
        CHECK(call.pass_by(kStart));
        CHECK(call.index() == 1);
        CHECK(call.attempts() == 1);
        CHECK_FALSE(call.pass_by(kStart));
        CHECK(upstream.refused_connections() == 1);
        CHECK(upstream.retries() == 0);
    }

    TEST_CASE("no more than sixty-four targets without room are passed by") {
        for (const std::size_t targets : {2U, 64U, 65U, 256U}) {
            CAPTURE(targets);
            Upstream upstream = Made(targets).make();
            Call call;
            REQUIRE(call.begin(upstream, 0, kStart) == Errc::none);
            std::size_t asked = 1;
            while (call.pass_by(kStart))
                ++asked;
            CHECK(asked == std::min<std::size_t>(targets, 64));
            CHECK(upstream.refused_connections() == 1);
        }
    }

    TEST_CASE("requests are counted by target and by all workers") {
        Upstream upstream = Made(2).make();
        for (std::size_t worker = 0; worker < 3; ++worker) {
            for (int i = 0; i < 5; ++i) {
                Call call;
                REQUIRE(call.begin(upstream, worker, kStart) == Errc::none);
            }
        }
        CHECK(upstream.requests() == 15);
        CHECK(upstream.requests(0) == 8);  // 3 + 2 + 3
        CHECK(upstream.requests(1) == 7);
    }

    TEST_CASE("the name for TLS is that of all targets") {
        Made made(2);
        made.rules.tls_name = "users.example";
        const Upstream upstream = made.make();
        CHECK(upstream.targets()[1]->endpoint().tls_name == "users.example");
    }

    TEST_CASE("workers use one upstream at the same time") {
        Made made(3);
        made.rules.balance = Balance::least_requests;
        made.rules.max_requests = 3;
        made.rules.ejection->base_time = 1ms;
        Upstream upstream = made.make();
        std::vector<std::thread> threads;
        for (std::size_t worker = 0; worker < 4; ++worker) {
            threads.emplace_back([&upstream, worker] {
                for (int i = 0; i < 2000; ++i) {
                    const SteadyTime now = kStart + std::chrono::microseconds(i * 10);
                    Call call;
                    if (call.begin(upstream, worker, now) != Errc::none) continue;
                    if (i % 3 == 0) call.failed(now);
                    if (i % 5 == 0) call.move_on(now);
                    call.succeeded();
                }
            });
        }
        for (int i = 0; i < 100; ++i)
            upstream.tick(kStart + std::chrono::microseconds(i * 200));
        for (std::thread& thread : threads)
            thread.join();
        CHECK(upstream.open_requests() == 0);
        for (const auto& target : upstream.targets())
            CHECK(target->open_requests() == 0);
    }
}

}  // namespace upstream_test
