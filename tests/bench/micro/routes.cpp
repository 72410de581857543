#include "gatehouse/routing/route_table.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

using namespace gatehouse::routing;

namespace {

void route_match(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<RouteSpec> specs;
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < count; ++i) {
        specs.push_back({"GET", "/r" + std::to_string(i) + "/items/{id}"});
        paths.push_back("/r" + std::to_string(i) + "/items/7");
    }
    const RouteTable table = RouteTable::make(specs).value();
    std::size_t next = 0;
    for (auto _ : state) {
        PathParameters parameters;
        const int found = table.find("GET", paths[next], parameters);
        if (found != static_cast<int>(next)) state.SkipWithError("another route");
        benchmark::DoNotOptimize(parameters);
        next = (next + 7919) % count;
    }
}

BENCHMARK(route_match)->Name("route_match")->RangeMultiplier(10)->Range(10, 10000);

}  // namespace
