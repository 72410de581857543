#include "gatehouse/authz/grant_cache.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace gatehouse;
using namespace gatehouse::authz;

namespace {

// Identities of a token's length, that differ near their ends as tokens of one issuer do.
std::string identity_number(std::size_t number) {
    return "Bearer " + std::string(700, 'e') + std::to_string(number) + std::string(30, 's');
}

void cache_hit(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const SteadyTime now{std::chrono::hours(1)};
    GrantCache cache;
    const CacheScope scope = cache.scope({"api", "stage", "authorizer", "fingerprint"});
    std::vector<std::string> identities;
    for (std::size_t i = 0; i < count; ++i) {
        identities.push_back(identity_number(i));
        cache.store(scope,
                    identities.back(),
                    std::make_shared<const Grant>(),
                    now,
                    now + std::chrono::hours(1),
                    cache.generation(scope));
    }
    std::size_t next = 0;
    for (auto _ : state) {
        const auto found = cache.find(scope, identities[next], now);
        if (!found) state.SkipWithError("not cached");
        benchmark::DoNotOptimize(found);
        next = (next + 7919) % count;  // no order that a processor could foresee
    }
}

BENCHMARK(cache_hit)->Name("cache_hit")->Arg(1)->Arg(100)->Arg(10000)->Arg(100000);

}  // namespace
