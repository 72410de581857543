#include "gatehouse/app/trace.hpp"
#include "support/gateway_fixture.hpp"

#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

using namespace gatehouse;

namespace {

// All that a cached hit costs between reading the head and sending the next: routing, identity,
// cache, judgement, the upstream's head, trace and counters.
void cached_hit(benchmark::State& state) {
    test::GatewayFixture f;
    test::Call call(f.gateway,
                    f.clock,
                    "GET",
                    "/a",
                    {{"Authorization", f.bearer()}, {"User-Agent", "load"}, {"Accept", "*/*"}});
    std::string out;
    call.begin();  // a miss
    for (auto _ : state) {
        call.request().clear();
        if (call.begin() != app::Step::forward) state.SkipWithError("refused");
        out.clear();
        const Errc error =
            call.request().route->forward->write_request_head(call.request().facts, {}, out);
        if (error != Errc::none) state.SkipWithError("not written");
        call.request().record.status = 200;
        f.gateway.finish(call.request(), f.clock.now());
        benchmark::DoNotOptimize(out);
    }
    if (call.cache() != app::CacheUse::hit) state.SkipWithError("no hit");
}

// What a trace of a cached Allow costs: the record filled and put into the ring.
void trace_record(benchmark::State& state) {
    test::GatewayFixture f;
    app::Journal journal;
    journal.begin(f.snapshot);
    std::uint64_t number = 0;
    for (auto _ : state) {
        app::TraceRecord record;
        std::memcpy(record.request_id.data(), &++number, sizeof(number));
        std::memcpy(record.method_path, "GET /items", 10);
        record.wall_ms = static_cast<std::int64_t>(number);
        record.response_bytes = 1024;
        record.status = record.upstream_status = 200;
        record.path_bytes = 10;
        record.api = record.route = record.authorizer = 0;
        record.cache = app::CacheUse::hit;
        record.outcome = policy::Outcome::allow;
        record.judged = record.identity_found = true;
        journal.add(record, nullptr, f.snapshot.get());
    }
}

BENCHMARK(cached_hit)->Name("cached_hit");
BENCHMARK(trace_record)->Name("trace_record");

}  // namespace
