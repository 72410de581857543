#include "gatehouse/app/metrics.hpp"

#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

namespace metrics_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

TraceRecord record_of(int api, int route, int status, Errc reason) {
    TraceRecord record;
    record.api = static_cast<std::int16_t>(api);
    record.route = static_cast<std::int16_t>(route);
    record.status = static_cast<std::uint16_t>(status);
    record.reason = static_cast<std::uint16_t>(reason);
    record.total_us = 700;
    record.request_bytes = 3;
    record.response_bytes = 5;
    return record;
}

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::set<std::string> lines_of(const std::string& text, const std::string& start) {
    std::set<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(start)) lines.insert(line);
    }
    return lines;
}

}  // namespace

TEST_SUITE("app/metrics") {
    TEST_CASE("a histogram counts a value in the bucket that it is not above") {
        Histogram histogram;
        for (const double seconds : {0.0, 0.0005, 0.00051, 30.0, 30.1, 1000.0})
            histogram.observe(seconds);
        CHECK(histogram.buckets.front() == 2);
        CHECK(histogram.buckets[1] == 1);
        CHECK(histogram.buckets[kDurationBounds.size() - 1] == 1);
        CHECK(histogram.buckets.back() == 2);
        CHECK(histogram.count == 6);
        CHECK(histogram.sum == doctest::Approx(1060.10101));
    }

    TEST_CASE("requests are counted by route status and reason") {
        const test::GatewayFixture f;
        Metrics metrics;
        metrics.count(record_of(0, 0, 200, Errc::allowed));
        metrics.count(record_of(0, 0, 200, Errc::allowed));
        metrics.count(record_of(0, 1, 403, Errc::implicit_deny));
        metrics.count(record_of(0, -1, 403, Errc::route_unmatched));
        metrics.count(record_of(-1, -1, 400, Errc::request_malformed));
        CHECK(
            lines_of(to_prometheus(metrics, {}, *f.snapshot), "gatehouse_requests_total{") ==
            std::set<std::string>{
                R"(gatehouse_requests_total{api="users",route="GET /a",status="200",reason="allowed"} 2)",
                R"(gatehouse_requests_total{api="users",route="GET /b",status="403",reason="implicit_deny"} 1)",
                R"(gatehouse_requests_total{api="users",route="none",status="403",reason="route_unmatched"} 1)",
                R"(gatehouse_requests_total{api="none",route="none",status="400",reason="request_malformed"} 1)",
            });
        CHECK(metrics.request_bytes == 15);
        CHECK(metrics.response_bytes == 25);
    }

    TEST_CASE("each target of an upstream has its own series and others add none") {
        CHECK(to_prometheus({}, {}, *test::GatewayFixture().snapshot).find("upstream_target") ==
              std::string::npos);
        test::ConfigText config;
        config.routes =
            R"({ "routeKey": "GET /a", "authorizer": "NONE", "integration": { "type": "HTTP_PROXY", "uri": "http://users/" } })";
        config.top +=
            R"(, "upstreams": { "users": { "targets": ["http://127.0.0.1:1", "http://127.0.0.1:2"], "maxRequests": 1, "ejection": { "consecutiveFailures": 1 } } })";
        const test::GatewayFixture f(config);
        upstream::Upstream& users = *f.snapshot->upstreams.at(0);
        ProcessFacts facts;
        facts.now = f.clock.now().steady;
        upstream::Call call;
        upstream::Call other;
        REQUIRE(call.begin(users, 0, facts.now) == Errc::none);
        call.failed(facts.now);
        CHECK(other.begin(users, 0, facts.now) == Errc::upstream_overloaded);
        call.end();
        Metrics metrics;
        metrics.target_idle[users.targets()[1].get()] = 3;
        Metrics sum;
        sum.add(metrics);
        sum.add(metrics);
        const std::string text = to_prometheus(sum, facts, *f.snapshot);
        const std::string one = R"({upstream="users",target="http://127.0.0.1:1"} )";
        const std::string two = R"({upstream="users",target="http://127.0.0.1:2"} )";
        for (
            const std::string& line : {
                "gatehouse_upstream_target_up" + one + "0",
                "gatehouse_upstream_target_up" + two + "1",
                "gatehouse_upstream_target_ejected" + one + "1",
                "gatehouse_upstream_target_unhealthy" + one + "0",
                "gatehouse_upstream_target_requests_total" + one + "1",
                "gatehouse_upstream_target_requests_total" + two + "0",
                "gatehouse_upstream_target_failures_total" + one + "1",
                "gatehouse_upstream_target_ejections_total" + one + "1",
                "gatehouse_upstream_target_connections" + one + "0",
                "gatehouse_upstream_target_idle_connections" + one + "0",
                "gatehouse_upstream_target_idle_connections" + two + "6",
                std::string(R"(gatehouse_upstream_retries_total{upstream="users"} 0)"),
                std::string(
                    R"(gatehouse_upstream_refusals_total{upstream="users",limit="maxRequests"} 1)"),
                std::string(
                    R"(gatehouse_upstream_refusals_total{upstream="users",limit="maxConnections"} 0)"),
            }) {
            CAPTURE(line);
            CHECK(has_line(text, line));
        }
    }

    TEST_CASE("random paths and tokens add no series") {
        test::GatewayFixture f;
        for (int i = 0; i < 200; ++i) {
            f.send("GET", "/nowhere/" + std::to_string(i))->finish();
            f.send("GET", "/a", "Bearer " + std::to_string(i))->finish();
        }
        CHECK(f.gateway.metrics().requests.size() == 2);
    }

    TEST_CASE("workers add up") {
        const test::GatewayFixture f;
        Metrics one;
        one.count(record_of(0, 0, 200, Errc::allowed));
        one.cache_hits = 1;
        one.connections_open = 2;
        Metrics two;
        two.count(record_of(0, 0, 200, Errc::allowed));
        two.count(record_of(0, 1, 200, Errc::allowed));
        two.cache_hits = 10;
        two.cache_misses = 20;
        two.cache_joined = 30;
        two.cache_negative_hits = 40;
        two.upstream_seconds.observe(1);
        one.connections_refused_by_address = 3;
        two.connections_refused_by_address = 4;
        one.upstream_active = 1;
        two.upstream_active = 5;
        Metrics sum;
        sum.add(one);
        sum.add(two);
        const std::string text = to_prometheus(sum, {}, *f.snapshot);
        for (
            const char* line : {
                R"(gatehouse_requests_total{api="users",route="GET /a",status="200",reason="allowed"} 2)",
                "gatehouse_cache_hits_total 11",
                "gatehouse_cache_misses_total 20",
                "gatehouse_cache_joined_total 30",
                "gatehouse_cache_negative_hits_total 40",
                "gatehouse_connections_open 2",
                R"(gatehouse_request_duration_seconds_count{api="users"} 3)",
                R"(gatehouse_request_duration_seconds_bucket{api="users",le="0.0005"} 0)",
                R"(gatehouse_request_duration_seconds_bucket{api="users",le="0.001"} 3)",
                R"(gatehouse_request_duration_seconds_bucket{api="users",le="+Inf"} 3)",
                R"(gatehouse_connections_refused_total{limit="connections"} 0)",
                R"(gatehouse_connections_refused_total{limit="connectionsPerAddress"} 7)",
                "gatehouse_upstream_active_connections 6",
                "gatehouse_upstream_first_byte_seconds_sum 1",
                "gatehouse_response_bytes_total 15",
            }) {
            CAPTURE(line);
            CHECK(has_line(text, line));
        }
    }

    TEST_CASE("authorizer calls are timed by authorizer and requests by API") {
        const test::GatewayFixture f;
        TraceRecord record = record_of(0, 0, 200, Errc::allowed);
        record.authorizer = 0;
        record.authorizer_us = 2000;
        Metrics metrics;
        metrics.observe_authorizer(record);
        metrics.observe_authorizer(record);
        metrics.count(record);
        metrics.count(record_of(-1, -1, 400, Errc::request_malformed));
        Metrics sum;
        sum.add(metrics);
        sum.add(metrics);
        const std::string text = to_prometheus(sum, {}, *f.snapshot);
        for (
            const char* line : {
                R"(gatehouse_authorizer_duration_seconds_bucket{api="users",authorizer="jwt",le="0.001"} 0)",
                R"(gatehouse_authorizer_duration_seconds_bucket{api="users",authorizer="jwt",le="0.0025"} 4)",
                R"(gatehouse_authorizer_duration_seconds_sum{api="users",authorizer="jwt"} 0.008)",
                R"(gatehouse_authorizer_duration_seconds_count{api="users",authorizer="jwt"} 4)",
                R"(gatehouse_request_duration_seconds_count{api="users"} 2)",
                R"(gatehouse_request_duration_seconds_count{api="none"} 2)",
            }) {
            CAPTURE(line);
            CHECK(has_line(text, line));
        }
        CHECK(lines_of(text, "gatehouse_authorizer_duration_seconds_count").size() == 1);
    }

    TEST_CASE("two key sources of one issuer make one series with the worse of both") {
        const test::GatewayFixture f;
        ProcessFacts facts;
        facts.key_sources.resize(3);
        for (KeySourceStatus& source : facts.key_sources) {
            source.issuer = "https://a.example/";
            source.usable = true;
            source.age = std::chrono::seconds(10);
            source.keys = {"one", "two"};
            source.fetches = 5;
            source.fetch_seconds.observe(0.02);
        }
        facts.key_sources[1].usable = false;
        facts.key_sources[1].stale = true;
        facts.key_sources[1].age = std::chrono::seconds(900);
        facts.key_sources[1].keys = {"one"};
        facts.key_sources[2].issuer = "https://b.example/";
        const std::string text = to_prometheus({}, facts, *f.snapshot);
        for (
            const char* line : {
                R"(gatehouse_jwks_usable{issuer="https://a.example/"} 0)",
                R"(gatehouse_jwks_usable{issuer="https://b.example/"} 1)",
                R"(gatehouse_jwks_stale{issuer="https://a.example/"} 1)",
                R"(gatehouse_jwks_age_seconds{issuer="https://a.example/"} 900)",
                R"(gatehouse_jwks_keys{issuer="https://a.example/"} 1)",
                R"(gatehouse_jwks_fetches_total{issuer="https://a.example/"} 10)",
                R"(gatehouse_jwks_fetch_duration_seconds_bucket{issuer="https://a.example/",le="0.01"} 0)",
                R"(gatehouse_jwks_fetch_duration_seconds_bucket{issuer="https://a.example/",le="0.025"} 2)",
            }) {
            CAPTURE(line);
            CHECK(has_line(text, line));
        }
        CHECK(lines_of(text, "gatehouse_jwks_usable{").size() == 2);
        facts.key_sources[1].age.reset();  // one that was never fetched
        CHECK(has_line(to_prometheus({}, facts, *f.snapshot),
                       R"(gatehouse_jwks_age_seconds{issuer="https://a.example/"} -1)"));
    }

    TEST_CASE("every sample follows the type line of its family") {
        const test::GatewayFixture f;
        ProcessFacts facts;
        facts.key_sources = f.keys.status(f.clock.now().steady);
        Metrics metrics;
        metrics.count(record_of(0, 0, 200, Errc::allowed));
        std::istringstream stream(to_prometheus(metrics, facts, *f.snapshot));
        std::set<std::string> families;
        std::string family;
        for (std::string line; std::getline(stream, line);) {
            CAPTURE(line);
            if (line.starts_with("# HELP ")) continue;
            if (line.starts_with("# TYPE ")) {
                family = line.substr(7, line.find(' ', 7) - 7);
                CHECK(families.insert(family).second);
                continue;
            }
            CHECK(line.starts_with(family));
            CHECK(line.find(' ') != std::string::npos);
        }
        CHECK(families.size() > 25);
    }

    TEST_CASE("facts of the process and of key sources are shown") {
        const test::GatewayFixture f;
        ProcessFacts facts;
        facts.version = "1.2.3";
        facts.ready = true;
        facts.uptime_seconds = 1.5;
        facts.authorizer_calls = 7;
        facts.cache.entries = 3;
        facts.buffered_bytes = 77;
        facts.usage = ProcessUsage{1.25, 4096, 12, 1024};
        facts.key_sources.resize(1);
        facts.key_sources[0].issuer = "https://a.example/\"\\\n";
        facts.key_sources[0].fetches = 4;
        facts.key_sources[0].failures = 2;
        const std::string text = to_prometheus({}, facts, *f.snapshot);
        for (const char* line : {
                 R"(gatehouse_info{version="1.2.3"} 1)",
                 "gatehouse_ready 1",
                 "gatehouse_uptime_seconds 1.5",
                 "gatehouse_authorizer_calls_total 7",
                 "gatehouse_cache_entries 3",
                 "gatehouse_buffered_bytes 77",
                 "process_cpu_seconds_total 1.25",
                 "process_resident_memory_bytes 4096",
                 "process_open_fds 12",
                 "process_max_fds 1024",
                 R"(gatehouse_jwks_usable{issuer="https://a.example/\"\\\n"} 0)",
                 R"(gatehouse_jwks_age_seconds{issuer="https://a.example/\"\\\n"} -1)",
                 R"(gatehouse_jwks_fetches_total{issuer="https://a.example/\"\\\n"} 4)",
                 R"(gatehouse_jwks_fetch_failures_total{issuer="https://a.example/\"\\\n"} 2)",
             }) {
            CAPTURE(line);
            CHECK(has_line(text, line));
        }
    }

    TEST_CASE("what is shared has metrics only where something is") {
        const test::GatewayFixture f;
        app::ProcessFacts facts;
        CHECK(to_prometheus({}, facts, *f.snapshot).find("gatehouse_shared") == std::string::npos);
        facts.shared.emplace();
        facts.shared->up = true;
        facts.shared->hits = 1;
        facts.shared->misses = 2;
        facts.shared->away = 3;
        facts.shared->bad = 4;
        facts.shared->errors = 5;
        facts.shared->flushes = 6;
        facts.shared->look_up_seconds.observe(0.002);
        const std::string text = to_prometheus({}, facts, *f.snapshot);
        for (const char* line : {"gatehouse_shared_up 1",
                                 "gatehouse_shared_lookups_total{result=\"hit\"} 1",
                                 "gatehouse_shared_lookups_total{result=\"miss\"} 2",
                                 "gatehouse_shared_lookups_total{result=\"away\"} 3",
                                 "gatehouse_shared_lookups_total{result=\"bad\"} 4",
                                 "gatehouse_shared_lookup_duration_seconds_count 1",
                                 "gatehouse_shared_errors_total 5",
                                 "gatehouse_shared_flushes_total 6"}) {
            CAPTURE(line);
            CHECK(text.find("\n" + std::string(line) + "\n") != std::string::npos);
        }
    }
}

}  // namespace metrics_test
