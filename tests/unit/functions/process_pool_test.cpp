#include "gatehouse/functions/process_pool.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

namespace process_pool_test {

using namespace gatehouse;
using namespace gatehouse::functions;
using namespace std::chrono_literals;
using Ending = ProcessPool::Ending;

namespace {

const SteadyTime kStart{1000h};
const SteadyTime kLater = kStart + 1h;  // patience of callers who are not the point of a test

std::string name(Ending ending) {
    switch (ending) {
        case Ending::returned:
            return "returned";
        case Ending::failed:
            return "failed";
        case Ending::too_large:
            return "too_large";
        case Ending::gave_up:
            return "gave_up";
        case Ending::timed_out:
            return "timed_out";
        case Ending::crashed:
            return "crashed";
        case Ending::init_failed:
            return "init_failed";
        case Ending::init_timed_out:
            return "init_timed_out";
        case Ending::unstartable:
            return "unstartable";
        case Ending::queue_full:
            return "queue_full";
        case Ending::stopping:
            return "stopping";
    }
    return "?";
}

// "start 0, deliver 0 7, kill 0 timed_out, finish 7 returned"
std::string text(const ProcessPool::Actions& actions) {
    using Kind = ProcessPool::Action::Kind;
    std::string all;
    for (const auto& action : actions) {
        if (!all.empty()) all += ", ";
        const std::string slot = std::to_string(action.slot);
        const std::string call = std::to_string(action.call);
        switch (action.kind) {
            case Kind::start:
                all += "start " + slot;
                break;
            case Kind::deliver:
                all += "deliver " + slot + " " + call;
                break;
            case Kind::terminate:
                all += "terminate " + slot;
                break;
            case Kind::kill:
                all += "kill " + slot + " " + name(action.ending);
                break;
            case Kind::finish:
                all += "finish " + call + " " + name(action.ending);
                break;
        }
    }
    return all;
}

std::string text(const std::optional<ProcessPool::Actions>& actions) {
    return actions ? text(*actions) : "refused";
}

PoolRules rules(unsigned concurrency = 1, std::size_t queue = 100) {
    PoolRules rules;
    rules.concurrency = concurrency;
    rules.queue = queue;
    rules.timeout = 3000ms;
    rules.start_time = 10000ms;
    rules.grace = 1000ms;
    return rules;
}

// One process, asking for work.
ProcessPool ready(unsigned concurrency = 1, std::size_t queue = 100) {
    ProcessPool pool(rules(concurrency, queue));
    REQUIRE(text(pool.start(kStart)) == "start 0");
    REQUIRE(text(pool.next(0, kStart)) == "");
    return pool;
}

}  // namespace

TEST_SUITE("functions/process_pool") {
    TEST_CASE("the first process starts at once and is given the call that waits for it") {
        ProcessPool pool(rules());
        CHECK(text(pool.start(kStart)) == "start 0");
        CHECK(text(pool.call(1, kLater, kStart)) == "");
        CHECK(text(pool.next(0, kStart + 1s)) == "deliver 0 1");
        CHECK(text(pool.answered(0, 1, Ending::returned, kStart + 2s)) == "finish 1 returned");
        CHECK(text(pool.next(0, kStart + 2s)) == "");
        CHECK(text(pool.call(2, kLater, kStart + 3s)) == "deliver 0 2");
    }

    TEST_CASE("processes start while calls wait and never more than the concurrency") {
        ProcessPool pool = ready(3);
        CHECK(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        CHECK(text(pool.call(2, kLater, kStart)) == "start 1");
        CHECK(text(pool.call(3, kLater, kStart)) == "start 2");
        CHECK(text(pool.call(4, kLater, kStart)) == "");
        CHECK(text(pool.next(2, kStart)) == "deliver 2 2");
        CHECK(text(pool.answered(0, 1, Ending::returned, kStart)) == "finish 1 returned");
        CHECK(text(pool.next(0, kStart)) == "deliver 0 3");
        CHECK(text(pool.next(1, kStart)) == "deliver 1 4");
    }

    TEST_CASE("a process that starts or has just answered is waited for before another starts") {
        ProcessPool pool = ready(2);
        REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.answered(0, 1, Ending::returned, kStart)) == "finish 1 returned");
        CHECK(text(pool.call(2, kLater, kStart)) == "");  // 0 will ask in a moment
        CHECK(text(pool.call(3, kLater, kStart)) == "start 1");
        CHECK(text(pool.next(0, kStart)) == "deliver 0 2");
    }

    TEST_CASE("a process gets one call at a time and answers each once") {
        struct Row {
            const char* name;
            std::optional<ProcessPool::Actions> (*event)(ProcessPool&);
        };

        // 0 works on call 1.
        const Row rows[] = {
            {"asks for more before it answered", [](ProcessPool& p) { return p.next(0, kStart); }},
            {"answers another call",
             [](ProcessPool& p) { return p.answered(0, 2, Ending::returned, kStart); }},
            {"reports that it cannot start",
             [](ProcessPool& p) { return p.init_error(0, kStart); }},
            {"answers twice",
             [](ProcessPool& p) {
                 REQUIRE(p.answered(0, 1, Ending::returned, kStart));
                 return p.answered(0, 1, Ending::failed, kStart);
             }},
            {"answers after it was killed",
             [](ProcessPool& p) {
                 REQUIRE(text(p.tick(kStart + 3s)) == "finish 1 timed_out, kill 0 timed_out");
                 return p.answered(0, 1, Ending::returned, kStart);
             }},
            {"asks after it was killed",
             [](ProcessPool& p) {
                 REQUIRE(text(p.tick(kStart + 3s)) == "finish 1 timed_out, kill 0 timed_out");
                 return p.next(0, kStart);
             }},
            {"answers after its end",
             [](ProcessPool& p) {
                 REQUIRE(text(p.exited(0, kStart)) == "finish 1 crashed");
                 return p.answered(0, 1, Ending::returned, kStart);
             }},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ProcessPool pool = ready();
            REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
            CHECK(text(row.event(pool)) == "refused");
        }
    }

    TEST_CASE("an idle process cannot answer what it was not given and may ask again") {
        ProcessPool pool = ready();
        CHECK(text(pool.answered(0, 0, Ending::returned, kStart)) == "refused");
        CHECK(text(pool.init_error(0, kStart)) == "refused");
        CHECK(text(pool.next(0, kStart)) == "");
    }

    TEST_CASE("calls beyond the queue are refused") {
        ProcessPool pool = ready(1, 2);
        REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        CHECK(text(pool.call(2, kLater, kStart)) == "");
        CHECK(text(pool.call(3, kLater, kStart)) == "");
        CHECK(text(pool.call(4, kLater, kStart)) == "finish 4 queue_full");
    }

    TEST_CASE("the own limit counts from when the process got the call and ends its group") {
        ProcessPool pool(rules());
        REQUIRE(text(pool.start(kStart)) == "start 0");
        REQUIRE(text(pool.call(1, kLater, kStart)) == "");
        REQUIRE(text(pool.next(0, kStart + 2s)) == "deliver 0 1");
        CHECK(pool.due() == kStart + 5s);
        CHECK(text(pool.tick(kStart + 5s - 1ms)) == "");
        CHECK(text(pool.tick(kStart + 5s)) == "finish 1 timed_out, kill 0 timed_out");
        // Replaced as soon as it is gone: being slow is no reason to wait.
        CHECK(text(pool.call(2, kLater, kStart + 5s)) == "");
        CHECK(text(pool.exited(0, kStart + 5s)) == "start 0");
    }

    TEST_CASE("the caller's patience counts from the call and leaves the function at work") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.call(1, kStart + 1s, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.call(2, kStart + 2s, kStart)) == "");
        CHECK(pool.due() == kStart + 1s);
        CHECK(text(pool.tick(kStart + 1s)) == "finish 1 gave_up");
        CHECK(text(pool.tick(kStart + 2s)) == "finish 2 gave_up");
        CHECK(pool.due() == kStart + 3s);
        // Its answer is taken, though nobody hears it.
        CHECK(text(pool.answered(0, 1, Ending::returned, kStart + 2s)) == "");
        CHECK(text(pool.next(0, kStart + 2s)) == "");
    }

    TEST_CASE("a call that nobody waits for still ends at the function's own limit") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.call(1, kStart + 1s, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.tick(kStart + 1s)) == "finish 1 gave_up");
        CHECK(text(pool.tick(kStart + 3s)) == "kill 0 timed_out");
    }

    TEST_CASE("when both limits are reached at once the function's own is told") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.call(1, kStart + 3s, kStart)) == "deliver 0 1");
        CHECK(text(pool.tick(kStart + 3s)) == "finish 1 timed_out, kill 0 timed_out");
    }

    TEST_CASE("a crash ends its call alone and pauses double up to ten seconds") {
        ProcessPool pool = ready();
        SteadyTime now = kStart;
        for (const auto pause :
             {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10000ms, 10000ms}) {
            CAPTURE(pause.count());
            REQUIRE(text(pool.call(1, kLater, now)) == "deliver 0 1");
            CHECK(text(pool.exited(0, now)) == "finish 1 crashed");
            CHECK(pool.restart_in(now) == pause);
            CHECK(pool.due() == now + pause);
            CHECK(text(pool.tick(now + pause - 1ms)) == "");
            now += pause;
            CHECK(text(pool.tick(now)) == "start 0");
            REQUIRE(text(pool.next(0, now)) == "");
        }
    }

    TEST_CASE("an answer ends the series of pauses and asking for work does not") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.exited(0, kStart)) == "");
        REQUIRE(text(pool.tick(kStart + 100ms)) == "start 0");
        REQUIRE(text(pool.next(0, kStart + 100ms)) == "");
        REQUIRE(text(pool.exited(0, kStart + 100ms)) == "");
        CHECK(pool.restart_in(kStart + 100ms) == 200ms);
        REQUIRE(text(pool.tick(kStart + 300ms)) == "start 0");
        REQUIRE(text(pool.next(0, kStart + 300ms)) == "");
        REQUIRE(text(pool.call(1, kLater, kStart + 300ms)) == "deliver 0 1");
        REQUIRE(text(pool.answered(0, 1, Ending::failed, kStart + 300ms)) == "finish 1 failed");
        REQUIRE(text(pool.exited(0, kStart + 300ms)) == "");
        CHECK(pool.restart_in(kStart + 300ms) == 100ms);
    }

    TEST_CASE("many crashes do not overflow") {
        ProcessPool pool = ready();
        SteadyTime now = kStart;
        for (int i = 0; i < 100; ++i) {
            REQUIRE(text(pool.exited(0, now)) == "");
            CHECK(pool.restart_in(now) > 0ms);
            CHECK(pool.restart_in(now) <= 10s);
            now += 10s;
            REQUIRE(text(pool.tick(now)) == "start 0");
            REQUIRE(text(pool.next(0, now)) == "");
        }
    }

    TEST_CASE("calls wait through the pause after a crash") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.exited(0, kStart)) == "");
        CHECK(text(pool.call(1, kLater, kStart + 50ms)) == "");
        CHECK(text(pool.tick(kStart + 100ms)) == "start 0");
        CHECK(text(pool.next(0, kStart + 200ms)) == "deliver 0 1");
    }

    TEST_CASE("a function that does not get to its first next fails its calls at once") {
        struct Row {
            const char* name;
            ProcessPool::Actions (*event)(ProcessPool&);
            const char* actions;
            const char* later;
        };

        const Row rows[] = {
            {"ends",
             [](ProcessPool& p) { return p.exited(0, kStart); },
             "finish 1 init_failed",
             "finish 2 init_failed"},
            {"says so",
             [](ProcessPool& p) { return *p.init_error(0, kStart); },
             "kill 0 init_failed, finish 1 init_failed",
             "finish 2 init_failed"},
            {"cannot be executed",
             [](ProcessPool& p) { return p.unstartable(0, kStart); },
             "finish 1 unstartable",
             "finish 2 unstartable"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ProcessPool pool(rules());
            REQUIRE(text(pool.start(kStart)) == "start 0");
            REQUIRE(text(pool.call(1, kLater, kStart)) == "");
            CHECK(text(row.event(pool)) == row.actions);
            CHECK(text(pool.call(2, kLater, kStart + 99ms)) == row.later);
        }
    }

    TEST_CASE("a function that hangs in its start is killed after the start time") {
        ProcessPool pool(rules());
        REQUIRE(text(pool.start(kStart)) == "start 0");
        REQUIRE(text(pool.call(1, kLater, kStart)) == "");
        CHECK(pool.due() == kStart + 10s);
        CHECK(text(pool.tick(kStart + 10s)) == "kill 0 init_timed_out, finish 1 init_timed_out");
        CHECK(text(pool.call(2, kLater, kStart + 10s)) == "finish 2 init_timed_out");
        CHECK(text(pool.exited(0, kStart + 10s)) == "");
        CHECK(text(pool.tick(kStart + 10100ms)) == "start 0");
    }

    TEST_CASE("a start that fails is tried again by itself and calls wait for the trial") {
        ProcessPool pool(rules());
        REQUIRE(text(pool.start(kStart)) == "start 0");
        REQUIRE(text(pool.exited(0, kStart)) == "");
        CHECK(text(pool.tick(kStart + 100ms)) == "start 0");
        CHECK(text(pool.call(1, kLater, kStart + 150ms)) == "");
        CHECK(text(pool.next(0, kStart + 200ms)) == "deliver 0 1");
        REQUIRE(text(pool.exited(0, kStart + 200ms)) == "finish 1 crashed");
        CHECK(text(pool.call(2, kLater, kStart + 200ms)) == "");  // it can start: this waits
    }

    TEST_CASE("a start that fails leaves the calls to the processes that run") {
        ProcessPool pool = ready(2);
        REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.call(2, kLater, kStart)) == "start 1");
        CHECK(text(pool.exited(1, kStart)) == "");
        CHECK(text(pool.call(3, kLater, kStart)) == "");
        REQUIRE(text(pool.answered(0, 1, Ending::returned, kStart)) == "finish 1 returned");
        CHECK(text(pool.next(0, kStart)) == "deliver 0 2");
    }

    TEST_CASE("a process that answers and never asks again is killed") {
        ProcessPool pool = ready();
        REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.answered(0, 1, Ending::returned, kStart + 1s)) == "finish 1 returned");
        CHECK(pool.due() == kStart + 11s);
        CHECK(text(pool.tick(kStart + 11s)) == "kill 0 init_timed_out");
        CHECK(text(pool.exited(0, kStart + 11s)) == "start 0");
    }

    TEST_CASE("an idle process has no deadline") {
        ProcessPool pool = ready();
        CHECK_FALSE(pool.due());
        CHECK(text(pool.tick(kStart + 1000h)) == "");
    }

    TEST_CASE("stopping ends calls then processes first kindly then not") {
        ProcessPool pool = ready(2);
        REQUIRE(text(pool.call(1, kLater, kStart)) == "deliver 0 1");
        REQUIRE(text(pool.call(2, kLater, kStart)) == "start 1");
        CHECK(text(pool.stop(kStart)) ==
              "finish 2 stopping, finish 1 stopping, terminate 0, terminate 1");
        CHECK(text(pool.stop(kStart)) == "");
        CHECK_FALSE(pool.stopped());
        CHECK(text(pool.call(3, kLater, kStart)) == "finish 3 stopping");
        CHECK(text(pool.next(1, kStart)) == "refused");
        CHECK(pool.due() == kStart + 1s);
        CHECK(text(pool.exited(1, kStart + 500ms)) == "");
        CHECK(text(pool.tick(kStart + 999ms)) == "");
        CHECK(text(pool.tick(kStart + 1s)) == "kill 0 stopping");
        CHECK_FALSE(pool.due());
        CHECK(text(pool.exited(0, kStart + 1s)) == "");
        CHECK(pool.stopped());
    }

    TEST_CASE("stopping what does not run is over at once and starts nothing") {
        ProcessPool pool(rules());
        REQUIRE(text(pool.start(kStart)) == "start 0");
        REQUIRE(text(pool.unstartable(0, kStart)) == "");
        CHECK(text(pool.stop(kStart)) == "");
        CHECK(pool.stopped());
        CHECK_FALSE(pool.due());
        CHECK(text(pool.tick(kStart + 1h)) == "");
    }
}

}  // namespace process_pool_test
