#include "gatehouse/app/usage_report.hpp"
#include "gatehouse/authz/dev_override.hpp"
#include "support/allocations.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

namespace usage_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

const std::string kFirst = "value-of-the-first-key";
const std::string kSecond = "value-of-the-second-key";
const std::string kOff = "value-of-a-disabled-key";
const std::string kLoose = "value-of-a-key-without-plan";
const std::string kElsewhere = "value-of-a-key-of-elsewhere";

constexpr std::string_view kTarget =
    R"("integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/x" })";

std::string route(const std::string& key, const std::string& more) {
    return "{ \"routeKey\": \"" + key + "\", " + more + ", " + std::string(kTarget) + " }";
}

test::ConfigText keyed(const std::string& plan = "", const std::string& top = "") {
    test::ConfigText config;
    config.routes = route("GET /keyed", R"("authorizer": "jwt", "apiKeyRequired": true)") + "," +
                    route("GET /other", R"("authorizer": "jwt", "apiKeyRequired": true)") + "," +
                    route("GET /open", R"("authorizer": "NONE", "apiKeyRequired": true)") + "," +
                    route("GET /free", R"("authorizer": "jwt")");
    config.top += R"(, "apiKeys": [
        { "id": "k1", "value": "value-of-the-first-key" },
        { "id": "k2", "value": "value-of-the-second-key" },
        { "id": "off", "value": "value-of-a-disabled-key", "enabled": false },
        { "id": "loose", "value": "value-of-a-key-without-plan" },
        { "id": "elsewhere", "value": "value-of-a-key-of-elsewhere" } ],
      "usagePlans": [ { "id": "gold", "keys": ["k1", "k2", "off"],
                        "apiStages": [ { "apiId": "local", "stage": "prod" } ])" +
                  plan + R"( }, { "id": "nothing", "keys": ["elsewhere"] } ])" + top;
    return config;
}

struct Asker {
    test::GatewayFixture& f;

    std::unique_ptr<test::Call> operator()(const std::string& target,
                                           test::Headers headers = {},
                                           bool token = true) const {
        return f.send("GET", target, token ? f.bearer() : "", std::move(headers));
    }

    Errc reason(const std::string& target, test::Headers headers = {}, bool token = true) const {
        return (*this)(target, std::move(headers), token)->reason();
    }
};

test::Headers with_key(const std::string& value) {
    return {{"x-api-key", value}};
}

}  // namespace

TEST_SUITE("app/usage") {
    TEST_CASE("section 16: who shows a good key passes and everybody else gets the service's 403") {
        test::GatewayFixture f(keyed());
        const Asker ask{f};

        struct Row {
            std::string_view name;
            test::Headers headers;
            Errc reason;
        };

        const Row rows[] = {
            {"no key", {}, Errc::api_key_missing},
            {"an empty one", with_key(""), Errc::api_key_missing},
            {"an unknown one", with_key("value-of-nobody-at-all"), Errc::api_key_unknown},
            {"a beginning", with_key(kFirst.substr(0, 20)), Errc::api_key_unknown},
            {"too short", with_key("short"), Errc::api_key_unknown},
            {"very long", with_key(std::string(5000, 'x')), Errc::api_key_unknown},
            {"the id", with_key("k1"), Errc::api_key_unknown},
            {"a disabled one", with_key(kOff), Errc::api_key_disabled},
            {"one without a plan", with_key(kLoose), Errc::api_key_unplanned},
            {"one of a plan without stages", with_key(kElsewhere), Errc::api_key_unplanned},
            {"two", {{"x-api-key", kFirst}, {"X-API-Key", kFirst}}, Errc::api_key_repeated},
            {"another spelling", {{"x_api_key", kFirst}}, Errc::api_key_missing},
            {"a good one", with_key(kFirst), Errc::allowed},
            {"in any case", {{"X-API-KEY", kSecond}}, Errc::allowed},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            for (const char* target : {"/keyed", "/open"}) {
                CAPTURE(target);
                auto call = ask(target, row.headers, target != std::string_view("/open"));
                const Errc pass =
                    target == std::string_view("/open") ? Errc::open_route : Errc::allowed;
                CHECK(call->reason() == (row.reason == Errc::allowed ? pass : row.reason));
                if (row.reason == Errc::allowed) {
                    CHECK(call->step() == Step::forward);
                    CHECK(call->request().facts.api_key_id.starts_with("k"));
                } else {
                    CHECK(call->answer().status == 403);
                    CHECK(call->answer().body == R"({"message":"Forbidden"})");
                    CHECK(call->answer().headers.find("x-amzn-ErrorType: ForbiddenException") !=
                          std::string::npos);
                }
                const std::string trace = dump_json(call->finish());
                for (const std::string& value : {kFirst, kSecond, kOff, kLoose})
                    CHECK(trace.find(value) == std::string::npos);
            }
            CHECK(ask.reason("/free", row.headers) == Errc::allowed);
        }
    }

    TEST_CASE("the authorizer comes first") {
        test::GatewayFixture f(keyed());
        const Asker ask{f};
        CHECK(ask.reason("/keyed", {}, false) == Errc::identity_missing);
        CHECK(ask.reason("/keyed", with_key(kFirst), false) == Errc::identity_missing);
        const Json trace = ask("/keyed", with_key(kFirst))->finish();
        CHECK(test::step_of(trace, "apiKey")["id"] == "k1");
        CHECK(test::step_of(trace, "apiKey")["usagePlan"] == "gold");
        CHECK(test::step_of(trace, "apiKey")["result"] == "valid");
        CHECK(test::step_of(trace, "limits")["result"] == "within");
        const Json refused = ask("/keyed", with_key(kLoose))->finish();
        CHECK(test::step_of(refused, "apiKey")["id"] == "loose");
        CHECK(test::step_of(refused, "apiKey")["result"] == "api_key_unplanned");
        CHECK(test::step_of(refused, "limits") == nullptr);
    }

    TEST_CASE("a plan's throttle and quota are each key's own") {
        test::GatewayFixture f(keyed(R"(, "throttle": { "rateLimit": 2, "burstLimit": 2 },
                     "quota": { "limit": 5, "period": "DAY" })"));
        const Asker ask{f};
        const auto first = with_key(kFirst);
        CHECK(ask.reason("/keyed", first) == Errc::allowed);
        CHECK(ask.reason("/other", first) == Errc::allowed);
        auto throttled = ask("/keyed", first);
        CHECK(throttled->answer().status == 429);
        CHECK(throttled->answer().body == R"({"message":"Too Many Requests"})");
        CHECK(throttled->answer().headers.find("x-amzn-ErrorType: TooManyRequestsException") !=
              std::string::npos);
        CHECK(throttled->answer().headers.find("Retry-After") == std::string::npos);
        const Json trace = throttled->finish();
        CHECK(trace["detail"] == "throttle of usage plan gold");
        CHECK(test::step_of(trace, "limits")["result"] == "throttled");
        CHECK(ask.reason("/keyed", with_key(kSecond)) == Errc::allowed);
        f.clock.step(500ms);
        CHECK(ask.reason("/keyed", first) == Errc::allowed);
        CHECK(ask.reason("/keyed", first) == Errc::throttled);
        f.clock.step(10s);
        CHECK(ask.reason("/keyed", first) == Errc::allowed);
        // Five were let through, throttled ones not counted.
        CHECK(ask.reason("/keyed", first) == Errc::allowed);
        f.clock.step(10s);
        auto over = ask("/keyed", first);
        CHECK(over->answer().status == 429);
        CHECK(over->answer().body == R"({"message":"Limit Exceeded"})");
        CHECK(over->answer().headers.find("x-amzn-ErrorType: LimitExceededException") !=
              std::string::npos);
        CHECK(over->finish()["detail"] == "quota of usage plan gold");
        const Json report = usage_report(*f.snapshot, f.clock.now().wall);
        const Json& row = report["usagePlans"][0]["keys"][0];
        CHECK(row["id"] == "k1");
        CHECK(row["admitted"] == 5);
        CHECK(row["throttled"] == 2);
        CHECK(row["quotaExceeded"] == 1);
        CHECK(row["quota"] == Json({{"limit", 5},
                                    {"period", "DAY"},
                                    {"used", 5},
                                    {"remaining", 0},
                                    {"resets", "2026-11-25T00:00:00Z"}}));
        CHECK(dump_json(report).find(kFirst) == std::string::npos);
        f.clock.step_wall(24h);
        CHECK(ask.reason("/keyed", first) == Errc::allowed);
    }

    TEST_CASE("a refused request takes nothing") {
        test::GatewayFixture f(keyed(R"(, "quota": { "limit": 1, "period": "MONTH" })"));
        const Asker ask{f};
        for (int i = 0; i < 5; ++i) {
            CHECK(ask.reason("/keyed", with_key(kFirst), false) == Errc::identity_missing);
            CHECK(ask.reason("/free", with_key(kFirst)) == Errc::allowed);
        }
        CHECK(ask.reason("/keyed", with_key(kFirst)) == Errc::allowed);
        CHECK(ask.reason("/keyed", with_key(kFirst)) == Errc::quota_exceeded);
    }

    TEST_CASE("section 16: throttles of methods routes APIs and of all") {
        struct Row {
            std::string_view name;
            std::string plan;
            std::string api;
            std::string top;
            int keyed;  // of 10 requests, how many pass
            int other;  // and then of 10 others
            std::string_view detail;
        };

        const std::string one = R"({ "rateLimit": 0, "burstLimit": 1 })";
        const std::string three = R"({ "rateLimit": 0, "burstLimit": 3 })";
        const Row rows[] = {
            {"none", "", "", "", 10, 10, ""},
            {"the plan's",
             R"(, "throttle": )" + three,
             "",
             "",
             3,
             0,
             "throttle of usage plan gold"},
            {"the API's", "", R"(, "throttle": )" + three, "", 3, 0, "throttle of the API"},
            {"the account's", "", "", R"(, "throttle": )" + three, 3, 0, "throttle of all APIs"},
            {"the narrowest",
             R"(, "throttle": )" + three,
             R"(, "throttle": )" + one,
             R"(, "throttle": )" + three,
             1,
             0,
             "throttle of usage plan gold"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::ConfigText config = keyed(row.plan, row.top);
            config.api = row.api;
            test::GatewayFixture f(config);
            const Asker ask{f};
            const auto count = [&](const char* target) {
                int passed = 0;
                for (int i = 0; i < 10; ++i)
                    passed += ask.reason(target, with_key(kFirst)) == Errc::allowed ? 1 : 0;
                return passed;
            };
            CHECK(count("/keyed") == row.keyed);
            const auto last = ask("/keyed", with_key(kFirst));
            if (last->step() == Step::refuse) CHECK(last->finish()["detail"] == row.detail);
            CHECK(count("/other") == row.other);
        }
    }

    TEST_CASE("a route's own throttle stands in the place of its API's") {
        test::ConfigText config;
        config.routes =
            route("GET /own",
                  R"("authorizer": "NONE", "throttle": { "rateLimit": 0, "burstLimit": 2 })") +
            "," + route("GET /a", R"("authorizer": "NONE")") + "," +
            route("GET /b", R"("authorizer": "NONE")");
        config.api = R"(, "throttle": { "rateLimit": 0, "burstLimit": 1 })";
        test::GatewayFixture f(config);
        CHECK(f.send("GET", "/own")->reason() == Errc::open_route);
        CHECK(f.send("GET", "/own")->reason() == Errc::open_route);
        const auto third = f.send("GET", "/own");
        CHECK(third->reason() == Errc::throttled);
        CHECK(third->finish()["detail"] == "throttle of the route");
        CHECK(f.send("GET", "/a")->reason() == Errc::open_route);
        CHECK(f.send("GET", "/b")->reason() == Errc::throttled);  // one bucket for both
    }

    TEST_CASE("a method's throttle in a plan") {
        test::ConfigText config = keyed();
        const std::string stage = R"({ "apiId": "local", "stage": "prod" })";
        config.top.replace(config.top.find(stage),
                           stage.size(),
                           R"({ "apiId": "local", "stage": "prod",
                                "throttle": { "/keyed/GET": { "rateLimit": 0, "burstLimit": 1 } } })");
        const std::string plan = R"("keys": ["k1", "k2", "off"],)";
        config.top.replace(config.top.find(plan),
                           plan.size(),
                           plan + R"( "throttle": { "rateLimit": 0, "burstLimit": 2 },)");
        test::GatewayFixture f(config);
        const Asker ask{f};
        CHECK(ask.reason("/keyed", with_key(kFirst)) == Errc::allowed);
        CHECK(ask.reason("/keyed", with_key(kFirst)) == Errc::throttled);
        CHECK(ask.reason("/other", with_key(kFirst)) == Errc::allowed);
        CHECK(ask.reason("/open", with_key(kFirst), false) == Errc::open_route);
        CHECK(ask.reason("/other", with_key(kFirst)) == Errc::throttled);
        CHECK(ask.reason("/keyed", with_key(kSecond)) == Errc::allowed);
    }

    TEST_CASE("gateway responses answer for keys and limits") {
        test::ConfigText config = keyed(R"(, "quota": { "limit": 0, "period": "DAY" })");
        config.api = R"(, "gatewayResponses": {
            "INVALID_API_KEY": { "statusCode": 418 },
            "QUOTA_EXCEEDED": { "responseTemplates": { "application/json":
                "$context.error.responseType $context.identity.apiKeyId" } } })";
        test::GatewayFixture f(config);
        const Asker ask{f};
        CHECK(ask("/keyed")->answer().status == 418);
        auto over = ask("/keyed", with_key(kSecond));
        CHECK(over->answer().status == 429);
        CHECK(over->answer().body == "QUOTA_EXCEEDED k2");
    }

    TEST_CASE("access logs tell keys apart and show none") {
        test::ConfigText config = keyed();
        config.top.replace(
            config.top.find(R"("off")"),
            5,
            R"("$context.requestId $context.identity.apiKey $context.identity.apiKeyId")");
        test::GatewayFixture f(config);
        const Asker ask{f};
        ask("/keyed", with_key(kFirst))->finish();
        ask("/keyed", with_key("value-of-nobody-at-all"))->finish();
        ask("/free", with_key(kFirst))->finish();
        const std::string log = f.gateway.take_access_log();
        CHECK(log.find(" " + jwt::short_digest(kFirst) + " k1\n") != std::string::npos);
        CHECK(log.find(" " + jwt::short_digest("value-of-nobody-at-all") + " -\n") !=
              std::string::npos);
        CHECK(log.find(" - -\n") != std::string::npos);
        CHECK(log.find("value-of") == std::string::npos);
    }

    TEST_CASE("a keyed and throttled request on a cache hit takes no memory") {
        test::ConfigText config = keyed(
            R"(, "throttle": { "rateLimit": 1000, "burstLimit": 1000 },
                 "quota": { "limit": 1000, "period": "DAY" })",
            R"(, "throttle": { "rateLimit": 1000, "burstLimit": 1000 })");
        config.api = R"(, "throttle": { "rateLimit": 1000, "burstLimit": 1000 })";
        test::GatewayFixture f(config);
        test::Call call(f.gateway,
                        f.clock,
                        "GET",
                        "/keyed",
                        {{"Authorization", f.bearer()}, {"x-api-key", kFirst}});
        const auto round = [&] {
            call.request().clear();
            const Step step = call.begin();
            call.request().record.status = 200;
            f.gateway.finish(call.request(), f.clock.now());
            return step == Step::forward;
        };
        for (int i = 0; i < 3; ++i)
            REQUIRE(round());
        const test::AllocationCount allocations;
        const bool passed = round();
        const std::size_t taken = allocations.count();
        CHECK(passed);
        CHECK(taken == 0);
    }

    TEST_CASE("the authorizer names the key where apiKeySource says so") {
        const std::string text =
            R"({ "functions": { "authz": { "endpoint": "http://127.0.0.1:9" } },
              "accessLog": { "format": "off" },
              "apiKeys": [ { "id": "k1", "value": "value-of-the-first-key" } ],
              "usagePlans": [ { "id": "p", "keys": ["k1"], "quota": { "limit": 2, "period": "DAY" },
                                "apiStages": [ { "apiId": "local", "stage": "prod" } ] } ],
              "apis": [ { "name": "a", "apiKeySource": "AUTHORIZER", "authorizers": { "fn": {
                  "type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:1:function:authz" } },
                "routes": [ { "routeKey": "GET /a", "authorizer": "fn", "apiKeyRequired": true,
                              "integration": { "type": "MOCK" } } ] } ] })";
        test::GatewayFixture f(text, false, false);
        const auto reply = [](const std::string& more) {
            return R"({"policyDocument":{"Version":"2012-10-17","Statement":[)"
                   R"({"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]})" +
                   more + "}";
        };
        const auto send = [&](const std::string& token, const std::string& more) {
            // A key in the header counts for nothing here.
            auto call = f.send("GET", "/a", token, with_key(kFirst));
            if (call->step() == Step::wait) {
                f.invoker.end(authz::Invocation::End::returned, reply(more));
                call->resume();
            }
            return call->reason();
        };
        CHECK(send("none", "") == Errc::api_key_missing);
        CHECK(send("null", R"(,"usageIdentifierKey":null)") == Errc::api_key_missing);
        CHECK(send("empty", R"(,"usageIdentifierKey":"")") == Errc::api_key_missing);
        CHECK(send("id", R"(,"usageIdentifierKey":"k1")") == Errc::api_key_unknown);
        CHECK(send("key", R"(,"usageIdentifierKey":"value-of-the-first-key")") == Errc::allowed);
        CHECK(send("key", "") == Errc::allowed);  // a hit: the key is kept with the policy
        CHECK(send("key", "") == Errc::quota_exceeded);
        CHECK(f.invoker.started == 5);
    }

    TEST_CASE("events show the key where the route requires one") {
        const std::string text =
            R"({ "functions": { "authz": { "endpoint": "http://127.0.0.1:9" } },
              "accessLog": { "format": "off" },
              "apiKeys": [ { "id": "k1", "value": "value-of-the-first-key" } ],
              "usagePlans": [ { "id": "p", "keys": ["k1"],
                                "apiStages": [ { "apiId": "local", "stage": "prod" } ] } ],
              "apis": [ { "name": "a", "authorizers": { "fn": { "type": "REQUEST",
                  "identitySource": "context.identity.apiKey",
                  "authorizerUri": "arn:aws:lambda:us-east-1:1:function:authz" } },
                "routes": [ { "routeKey": "GET /a", "authorizer": "fn", "apiKeyRequired": true,
                              "integration": { "type": "MOCK" } },
                            { "routeKey": "GET /b", "authorizer": "fn",
                              "integration": { "type": "MOCK" } } ] } ] })";
        test::GatewayFixture f(text, false, false);
        CHECK(f.send("GET", "/b", "", with_key(kFirst))->reason() == Errc::identity_missing);
        auto call = f.send("GET", "/a", "", with_key(kFirst));
        REQUIRE(f.invoker.pending() == 1);
        const Json identity = Json::parse(f.invoker.call().payload)["requestContext"]["identity"];
        CHECK(identity["apiKey"] == kFirst);
        CHECK(identity["apiKeyId"] == "k1");
        auto unknown = f.send("GET", "/a", "", with_key("value-of-nobody-at-all"));
        REQUIRE(f.invoker.pending() == 2);
        f.invoker.allow("*");
        const Json other = Json::parse(f.invoker.call().payload)["requestContext"]["identity"];
        CHECK(other["apiKey"] == "value-of-nobody-at-all");
        CHECK(other["apiKeyId"] == nullptr);
        CHECK(call->resume() == Step::mock);
        f.invoker.allow("*");
        CHECK(unknown->resume() == Step::refuse);
        CHECK(unknown->reason() == Errc::api_key_unknown);
    }
}

}  // namespace usage_test
