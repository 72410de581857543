#include "../../../src/net/head_parser.hpp"
#include "gatehouse/http/framing.hpp"
#include "support/gateway_fixture.hpp"

#include <benchmark/benchmark.h>

#include <string>

using namespace gatehouse;

namespace {

// As a browser sends it, with a token of 740 bytes.
std::string make_head() {
    return "GET /items HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
           "x86_64) AppleWebKit/537.36\r\nAccept: */*\r\nAccept-Encoding: gzip, "
           "br\r\nAccept-Language: en\r\nConnection: keep-alive\r\nAuthorization: Bearer " +
           std::string(740, 'e') + "\r\n\r\n";
}

void head_parse(benchmark::State& state) {
    const std::string bytes = make_head();
    constexpr net::HeadScanner::Limits kLimits{10240, 10240, 100};
    http::RequestHead head;
    net::HeadScanner scanner;
    for (auto _ : state) {
        scanner.reset();
        if (!scanner.scan(bytes, kLimits) || scanner.read_request_head(head) != Errc::none)
            state.SkipWithError("refused");
        benchmark::DoNotOptimize(head);
    }
}

void head_rewrite(benchmark::State& state) {
    test::GatewayFixture f;
    test::Call call(f.gateway,
                    f.clock,
                    "GET",
                    "/a",
                    {{"Authorization", f.bearer()},
                     {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},
                     {"Accept", "*/*"},
                     {"Connection", "keep-alive"}});
    if (call.begin() != app::Step::forward) state.SkipWithError("refused");
    std::string out;
    for (auto _ : state) {
        out.clear();
        const Errc error =
            call.request().route->forward->write_request_head(call.request().facts, {}, out);
        if (error != Errc::none) state.SkipWithError("not written");
        benchmark::DoNotOptimize(out);
    }
}

BENCHMARK(head_parse)->Name("head_parse");
BENCHMARK(head_rewrite)->Name("head_rewrite");

}  // namespace
