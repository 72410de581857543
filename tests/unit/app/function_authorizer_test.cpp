#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace function_authorizer_test {

using namespace gatehouse;
using app::CacheUse;
using app::Step;
using authz::Invocation;
using test::GatewayFixture;

namespace {

const std::string kStage = std::string(test::kStagePrefix) + "*";

// Two routes behind one function, and one that a function answers.
std::string make_config(const std::string& authorizer = {}, const std::string& type = "TOKEN") {
    return R"({ "functions": { "authz": { "endpoint": "http://127.0.0.1:9" }, "app": { "endpoint": "http://127.0.0.1:9" } },
        "accessLog": { "format": "off" }, "apis": [ { "name": "users",
        "authorizers": { "fn": { "type": ")" +
           type + R"(", "authorizerUri": "arn:aws:lambda:us-east-1:1:function:authz")" +
           authorizer +
           R"( } },
        "routes": [
          { "routeKey": "GET /a", "authorizer": "fn", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /b", "authorizer": "fn", "integration": { "type": "MOCK" } },
          { "routeKey": "POST /f", "authorizer": "fn", "integration": { "type": "AWS_PROXY", "timeoutInMillis": 500,
            "uri": "arn:aws:lambda:us-east-1:1:function:app" } } ] } ] })";
}

struct FunctionFixture : GatewayFixture {
    explicit FunctionFixture(const std::string& authorizer = {}, const std::string& type = "TOKEN")
        : GatewayFixture(make_config(authorizer, type), false, false) {}
};

}  // namespace

TEST_SUITE("app/function_authorizer") {
    TEST_CASE("a miss asks the function with the event of its type and a hit asks nobody") {
        FunctionFixture f;
        auto first = f.send("GET", "/a", "Bearer x");
        CHECK(first->step() == Step::wait);
        REQUIRE(f.invoker.pending() == 1);
        CHECK(f.invoker.call().function == 1);  // "app", "authz"
        CHECK(Json::parse(f.invoker.call().payload) ==
              Json({{"type", "TOKEN"},
                    {"methodArn", std::string(test::kStagePrefix) + "GET/a"},
                    {"authorizationToken", "Bearer x"}}));
        CHECK(f.invoker.call().source_arn ==
              "arn:aws:execute-api:us-east-1:123456789012:local/authorizers/fn");
        f.invoker.allow(kStage);
        REQUIRE(first->wakes() == 1);
        CHECK(first->resume() == Step::mock);
        auto second = f.send("GET", "/b", "Bearer x");
        CHECK(second->step() == Step::mock);
        CHECK(second->cache() == CacheUse::hit);
        CHECK(second->request().grant->find_context("tenant")->value == "acme");
        CHECK(f.invoker.started == 1);
        const Json step = test::step_of(first->finish(), "function");
        CHECK(step["name"] == "authz");
        CHECK(step["result"] == "a policy");
    }

    TEST_CASE("section 4.2: what a call ended with is its verdict and no failure is kept") {
        struct Row {
            const char* name;
            Invocation::End end;
            std::string payload;
            int status;
            Errc reason;
        };

        const Row rows[] = {
            {"thrown Unauthorized",
             Invocation::End::failed,
             R"({"errorType":"Error","errorMessage":"Unauthorized"})",
             401,
             Errc::authorizer_unauthorized},
            {"thrown else",
             Invocation::End::failed,
             R"({"errorType":"Error","errorMessage":"no"})",
             500,
             Errc::authorizer_function_error},
            {"late", Invocation::End::timed_out, "", 500, Errc::authorizer_timeout},
            {"away", Invocation::End::not_invokable, "", 500, Errc::authorizer_not_invokable},
            {"huge", Invocation::End::too_large, "", 500, Errc::authorizer_result_too_large},
            {"null", Invocation::End::returned, "null", 500, Errc::authorizer_result_invalid},
            {"garbage", Invocation::End::returned, "<html>", 500, Errc::authorizer_result_invalid},
            {"nothing", Invocation::End::returned, "", 500, Errc::authorizer_result_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(std::string(row.name));
            FunctionFixture f;
            for (int round = 1; round <= 2; ++round) {
                auto call = f.send("GET", "/a", "Bearer secret-token");
                REQUIRE(f.invoker.pending() == 1);
                f.invoker.end(row.end, row.payload, "why it was so");
                CHECK(call->resume() == Step::refuse);
                CHECK(call->reason() == row.reason);
                CHECK(call->answer().status == row.status);
                CHECK(f.invoker.started == round);
                const std::string trace = call->finish().dump();
                CHECK(trace.find("secret-token") == std::string::npos);
                // Of a reply that came its fault is told, else what the invoker says.
                if (row.end != Invocation::End::returned)
                    CHECK(trace.find("why it was so") != std::string::npos);
            }
        }
    }

    TEST_CASE("equal misses are one call and unequal ones are not") {
        FunctionFixture f;
        auto one = f.send("GET", "/a", "Bearer x");
        auto two = f.send("GET", "/b", "Bearer x");
        auto other = f.send("GET", "/a", "Bearer y");
        CHECK(f.invoker.started == 2);
        f.invoker.allow(std::string(test::kStagePrefix) + "GET/a");
        CHECK(one->resume() == Step::mock);
        CHECK(two->resume() == Step::refuse);  // judged by its own ARN
        CHECK(two->reason() == Errc::implicit_deny);
        CHECK(other->wakes() == 0);
        f.invoker.end(Invocation::End::timed_out);
        CHECK(other->resume() == Step::refuse);
        REQUIRE(f.warnings.size() == 1);
        CHECK(f.warnings[0].find("and not \"GET /b\"") != std::string::npos);
    }

    TEST_CASE("a result that a flush overtakes answers and is not kept") {
        FunctionFixture f;
        auto call = f.send("GET", "/a", "Bearer x");
        f.cache.flush("local", "prod");
        f.invoker.allow(kStage);
        CHECK(call->resume() == Step::mock);
        CHECK(f.send("GET", "/a", "Bearer x")->step() == Step::wait);
        CHECK(f.invoker.started == 2);
    }

    TEST_CASE("TTL 0 joins nobody") {
        FunctionFixture f(R"(, "authorizerResultTtlInSeconds": 0)");
        auto one = f.send("GET", "/a", "Bearer x");
        auto two = f.send("GET", "/a", "Bearer x");
        CHECK(f.invoker.started == 2);
        f.invoker.allow(kStage);
        CHECK(one->resume() == Step::mock);
        CHECK(two->wakes() == 0);
        f.invoker.end(Invocation::End::not_invokable);
        CHECK(two->resume() == Step::refuse);
    }

    TEST_CASE("section 5: an entry ends with its TTL and a key set's change does not touch it") {
        FunctionFixture f;
        auto call = f.send("GET", "/a", "Bearer x");
        f.invoker.allow(kStage);
        call->resume();
        f.clock.step(std::chrono::seconds(299));
        CHECK(f.send("GET", "/a", "Bearer x")->step() == Step::mock);
        f.clock.step(std::chrono::seconds(1));
        CHECK(f.send("GET", "/a", "Bearer x")->step() == Step::wait);
    }

    TEST_CASE("without a token no function is asked") {
        FunctionFixture f;
        CHECK(f.send("GET", "/a")->reason() == Errc::identity_missing);
        CHECK(f.send("GET", "/nowhere", "Bearer x")->reason() == Errc::route_unmatched);
        CHECK(f.invoker.started == 0);
    }

    TEST_CASE("a REQUEST authorizer is asked with the request") {
        FunctionFixture f(R"(, "identitySource": "method.request.header.Auth")", "REQUEST");
        CHECK(f.send("GET", "/a")->reason() == Errc::identity_missing);
        auto call = f.send("GET", "/a?x=1", {}, {{"Auth", "me"}});
        REQUIRE(f.invoker.pending() == 1);
        const Json event = Json::parse(f.invoker.call().payload);
        CHECK(event["type"] == "REQUEST");
        CHECK(event["headers"]["Auth"] == "me");
        CHECK(event["queryStringParameters"]["x"] == "1");
        f.invoker.allow(kStage);
        CHECK(call->resume() == Step::mock);
        CHECK(f.send("GET", "/b", {}, {{"Auth", "me"}})->cache() == CacheUse::hit);
    }

    TEST_CASE("an allowed request goes to its function and its answer comes back") {
        FunctionFixture f;
        auto call = f.send("POST", "/f", "Bearer x");
        f.invoker.allow(kStage);
        CHECK(call->resume() == Step::collect);
        std::string content = "hello";
        CHECK(f.gateway.take_content(call->request(), content, f.clock.now()).value() ==
              Step::invoke);
        app::LambdaOutcome told;
        CHECK(f.gateway.invoke(
                  call->request(), "hello", f.clock.now(), [&](app::LambdaOutcome outcome) {
                      told = std::move(outcome);
                  }) == Errc::none);
        REQUIRE(f.invoker.pending() == 1);
        CHECK(f.invoker.call().function == 0);
        CHECK(f.invoker.call().timeout == std::chrono::milliseconds(500));
        const Json event = Json::parse(f.invoker.call().payload);
        CHECK(event["body"] == "hello");
        CHECK(event["requestContext"]["authorizer"]["tenant"] == "acme");
        f.invoker.end(Invocation::End::returned, R"({"statusCode":201,"body":"made"})");
        const auto answer = f.gateway.read_answer(call->request(), told, f.clock.now());
        CHECK(answer.status == 201);
        CHECK(answer.body == "made");

        struct Row {
            Invocation::End end;
            const char* payload;
            int status;
        };

        for (const Row& row : {Row{Invocation::End::failed, "{}", 502},
                               Row{Invocation::End::returned, "\"text\"", 502},
                               Row{Invocation::End::timed_out, "", 504},
                               Row{Invocation::End::not_invokable, "", 500},
                               Row{Invocation::End::too_large, "", 502}}) {
            CAPTURE(row.status);
            CHECK(f.gateway.read_answer(call->request(), {row.end, row.payload, {}}, f.clock.now())
                      .status == row.status);
        }
    }

    TEST_CASE("no client field under a context prefix reaches a function") {
        // This API writes none, another one does: an application may be behind both.
        std::string text = make_config();
        text.replace(text.find(R"("name": "users",)"),
                     std::string(R"("name": "users",)").size(),
                     R"("name": "users", "contextHeaders": false,)");
        text.replace(
            text.rfind("] }"),
            3,
            R"(, { "name": "other", "basePath": "/other", "contextHeaders": { "prefix": "X-Other-" },
                         "routes": [ { "routeKey": "GET /x", "authorizer": "NONE", "integration": { "type": "MOCK" } } ] } ] })");
        GatewayFixture f(text, false, false);
        auto call =
            f.send("POST",
                   "/f",
                   "Bearer x",
                   {{"X-Other-User", "forged"}, {"x_other_role", "forged"}, {"X-Mine", "kept"}});
        f.invoker.allow(kStage);
        REQUIRE(call->resume() == Step::collect);
        CHECK(f.gateway.invoke(call->request(), "", f.clock.now(), [](app::LambdaOutcome) {}) ==
              Errc::none);
        const std::string& event = f.invoker.call().payload;
        CHECK(event.find("forged") == std::string::npos);
        CHECK(event.find("kept") != std::string::npos);
    }

    TEST_CASE("what a function sees of an API tells cached results apart") {
        const auto changed = [](const std::string& from, const std::string& to) {
            std::string text = make_config();
            return text.replace(text.find(from), from.size(), to);
        };
        authz::GrantCache cache;
        app::KeyStore keys;
        const auto scope_of = [&](const std::string& text) {
            const auto snapshot = app::make_snapshot(test::parse_config(text), cache, keys, false);
            REQUIRE(snapshot.has_value());
            return (*snapshot)->apis[0].authorizers[0]->scope;
        };
        const authz::CacheScope plain = scope_of(make_config());
        CHECK(scope_of(make_config()) == plain);
        for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
                 {R"("name": "users",)", R"("name": "other",)"},
                 {R"("name": "users",)", R"("name": "users", "basePath": "/v1",)"},
                 {R"("name": "users",)", R"("name": "users", "domainNames": ["a.example"],)"},
                 {R"("name": "users",)", R"("name": "users", "stageVariables": { "realm": "x" },)"},
                 {R"("authz": { "endpoint": "http://127.0.0.1:9" })",
                  R"("authz": { "endpoint": "http://127.0.0.1:8" })"},
                 {R"("authz": { "endpoint": "http://127.0.0.1:9" })",
                  R"("authz": { "command": ["a"], "environment": { "A": "b" } })"},
                 {"1:function:authz", "1:function:app"}}) {
            CAPTURE(to);
            CHECK(scope_of(changed(from, to)) != plain);
        }
    }

    TEST_CASE("where nothing can call functions they cannot be invoked") {
        FunctionFixture f;
        app::Authorize lone(f.cache, f.keys, f.clock, [](const std::string&) {});
        const auto snapshot =
            app::make_snapshot(test::parse_config(make_config()), f.cache, f.keys, false);
        app::Gateway gateway(snapshot.value(), f.cache, lone);
        test::Call call(gateway, f.clock, "GET", "/a", {{"Authorization", "Bearer x"}});
        CHECK(call.begin() == Step::wait);
        CHECK(call.resume() == Step::refuse);
        CHECK(call.reason() == Errc::authorizer_not_invokable);
    }

    TEST_CASE("a trace names the identity source that is missing") {
        FunctionFixture f(
            R"(, "identitySource": "method.request.header.A, method.request.querystring.b")",
            "REQUEST");

        struct Row {
            const char* target;
            test::Headers headers;
            const char* detail;
        };

        const Row rows[] = {
            {"/a?b=1", {}, "identity source method.request.header.A"},
            {"/a", {{"A", "1"}}, "identity source method.request.querystring.b"},
            {"/a?b=", {{"A", "1"}}, "identity source method.request.querystring.b"},
            {"/a?b=1", {{"A", "secret"}, {"a", "2"}}, "identity source method.request.header.A"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.detail);
            const Json trace = f.send("GET", row.target, "", row.headers)->finish();
            CHECK(trace["detail"] == row.detail);
            CHECK(dump_json(trace).find("secret") == std::string::npos);
        }
    }

    TEST_CASE("an authorizer's own limit is the call's") {
        FunctionFixture f(R"(, "timeoutInMillis": 1500)");
        f.send("GET", "/a", "Bearer x");
        CHECK(f.invoker.call().timeout.count() == 1500);
    }
}

}  // namespace function_authorizer_test
