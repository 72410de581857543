#include "gatehouse/authz/grant_cache.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
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

constexpr SteadyTime kNow{std::chrono::hours(1)};

/// Filled once: the library begins a benchmark several times until it has the number of turns.
struct Filled {
    explicit Filled(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            identities.push_back(identity_number(i));
            cache.store(scope,
                        identities.back(),
                        std::make_shared<const Grant>(),
                        kNow,
                        kNow + std::chrono::hours(1),
                        cache.generation(scope));
        }
    }

    GrantCache cache;
    CacheScope scope = cache.scope({"api", "stage", "authorizer", "fingerprint"});
    std::vector<std::string> identities;
};

void cache_hit(benchmark::State& state) {
    static std::map<std::size_t, Filled> caches;
    const auto count = static_cast<std::size_t>(state.range(0));
    Filled& filled = caches.try_emplace(count, count).first->second;
    std::size_t next = 0;
    for (auto _ : state) {
        const auto found = filled.cache.find(filled.scope, filled.identities[next], kNow);
        if (!found) state.SkipWithError("not cached");
        benchmark::DoNotOptimize(found);
        next = (next + 7919) % count;  // no order that a processor could foresee
    }
}

BENCHMARK(cache_hit)->Name("cache_hit")->Arg(1)->Arg(100)->Arg(10000)->Arg(100000);

}  // namespace
