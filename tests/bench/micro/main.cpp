// Micro-benchmarks of what a request passes: `./dev bench --micro`. The fixtures are those of the
// tests, whose checks end the program here.
#define DOCTEST_CONFIG_IMPLEMENT
#include <benchmark/benchmark.h>
#include <doctest/doctest.h>

int main(int argc, char** argv) {
    doctest::Context checks;
    checks.setAsDefaultForAssertsOutOfTestCases();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
