#include "gatehouse/policy/evaluate.hpp"

#include <benchmark/benchmark.h>

#include <string>

using namespace gatehouse;
using namespace gatehouse::policy;

namespace {

constexpr const char* kStage = "arn:aws:execute-api:us-east-1:123456789012:local/prod/";

// Of so many statements the last allows.
Document make_policy(int statements) {
    Json document = {{"Version", "2012-10-17"}, {"Statement", Json::array()}};
    for (int i = 1; i <= statements; ++i) {
        const std::string path = i == statements ? "*" : "GET/s" + std::to_string(i) + "/*";
        document["Statement"].push_back(
            {{"Effect", "Allow"}, {"Action", "execute-api:Invoke"}, {"Resource", kStage + path}});
    }
    return parse_document(document).value();
}

void policy_judgement(benchmark::State& state) {
    const Document policy = make_policy(static_cast<int>(state.range(0)));
    std::string buffer;
    const MethodArn arn = make_method_arn(kStage, "GET", "/items/7", buffer).value();
    ConditionContext context;
    context.source_ip = "127.0.0.1";
    for (auto _ : state) {
        const Decision decision = evaluate(policy, arn, context);
        if (decision.outcome != Outcome::allow) state.SkipWithError("not allowed");
        benchmark::DoNotOptimize(decision);
    }
}

BENCHMARK(policy_judgement)->Name("policy_judgement")->RangeMultiplier(10)->Range(1, 1000);

}  // namespace
