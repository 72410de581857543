#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace introspection_authorizer_test {

using namespace gatehouse;
using namespace std::chrono_literals;
using app::CacheUse;
using app::Step;
using test::GatewayFixture;

namespace {

std::string make_config(const std::string& settings = {}, const std::string& authorizer = {}) {
    return R"({ "accessLog": { "format": "off" }, "apis": [ { "name": "users",
        "authorizers": { "opaque": { "type": "TOKEN", "authorizerUri": "gatehouse:introspection",
          "introspection": { "endpoint": "http://127.0.0.1:9/introspect", "clientId": "gate", "clientSecret": "s3cret")" +
           settings + " }" + authorizer + R"( } },
        "routes": [
          { "routeKey": "GET /a", "authorizer": "opaque", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /b", "authorizer": "opaque", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /scoped", "authorizer": "opaque", "authorizationScopes": ["write"],
            "integration": { "type": "MOCK" } } ] } ] })";
}

struct Fixture : GatewayFixture {
    explicit Fixture(const std::string& settings = {}, const std::string& authorizer = {})
        : GatewayFixture(make_config(settings, authorizer), false, false) {}

    std::string active(const Json& more = Json::object()) const {
        Json body = {{"active", true}, {"sub", "user-1"}, {"scope", "read"}};
        body.merge_patch(more);
        return body.dump();
    }

    std::int64_t seconds() const {
        return std::chrono::floor<std::chrono::seconds>(clock.now().wall)
            .time_since_epoch()
            .count();
    }
};

constexpr const char* kToken = "Bearer opaque-token-of-somebody";

}  // namespace

TEST_SUITE("app/introspection_authorizer") {
    TEST_CASE("a miss asks the endpoint once and hits ask nobody") {
        Fixture f(R"(, "timeoutInMillis": 700)");
        auto first = f.send("GET", "/a", kToken);
        CHECK(first->step() == Step::wait);
        REQUIRE(f.introspector.pending() == 1);
        CHECK(f.introspector.call().endpoint == "http://127.0.0.1:9/introspect");
        CHECK(f.introspector.call().form ==
              "token=opaque-token-of-somebody&token_type_hint=access_token");
        CHECK(f.introspector.call().authorization.starts_with("Basic "));
        CHECK(f.introspector.call().timeout == 700ms);
        auto joined = f.send("GET", "/b", kToken);
        CHECK(joined->step() == Step::wait);
        CHECK(joined->cache() == CacheUse::joined);
        f.introspector.answer(f.active());
        CHECK(first->resume() == Step::mock);
        CHECK(joined->resume() == Step::mock);
        auto hit = f.send("GET", "/b", kToken);
        CHECK(hit->step() == Step::mock);
        CHECK(hit->cache() == CacheUse::hit);
        auto scoped = f.send("GET", "/scoped", kToken);
        CHECK(scoped->step() == Step::refuse);
        CHECK(scoped->reason() == Errc::scope_missing);
        CHECK(f.introspector.started == 1);
        CHECK(first->finish().dump().find("opaque-token") == std::string::npos);
    }

    TEST_CASE("what the endpoint says decides and only inactive is remembered") {
        struct Row {
            const char* name;
            std::string body;
            int status;
            Errc reason;
            bool kept;
        };

        const Row rows[] = {
            {"inactive", R"({"active":false})", 401, Errc::token_inactive, true},
            {"text", R"({"active":"true","sub":"u"})", 503, Errc::introspection_invalid, false},
            {"page", "<html>", 503, Errc::introspection_invalid, false},
            {"expired", R"({"active":true,"sub":"u","exp":1})", 401, Errc::token_expired, false},
            {"echo",
             R"({"active":"opaque-token-of-somebody s3cret"})",
             503,
             Errc::introspection_invalid,
             false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Fixture f;
            auto call = f.send("GET", "/a", kToken);
            f.introspector.answer(row.body);
            CHECK(call->resume() == Step::refuse);
            CHECK(call->reason() == row.reason);
            CHECK(call->answer().status == row.status);
            if (row.status == 503)
                CHECK(call->answer().body == R"({"message":"Service Unavailable"})");
            const std::string trace = call->finish().dump();
            CHECK(trace.find("opaque-token") == std::string::npos);
            CHECK(trace.find("s3cret") == std::string::npos);
            auto again = f.send("GET", "/a", kToken);
            CHECK(again->step() == (row.kept ? Step::refuse : Step::wait));
            CHECK(f.introspector.started == (row.kept ? 1 : 2));
            if (!row.kept) continue;
            CHECK(again->cache() == CacheUse::negative_hit);
            f.clock.step(limits::kNegativeTtl);
            CHECK(f.send("GET", "/a", kToken)->step() == Step::wait);
        }
    }

    TEST_CASE("an endpoint that is away is 503 for all who wait and is asked again") {
        Fixture f;
        auto one = f.send("GET", "/a", kToken);
        auto two = f.send("GET", "/a", kToken);
        f.introspector.fail("http://127.0.0.1:9/introspect: Connection refused");
        for (const auto& call : {one.get(), two.get()}) {
            CHECK(call->resume() == Step::refuse);
            CHECK(call->reason() == Errc::introspection_failed);
            CHECK(call->answer().status == 503);
        }
        const Json trace = one->finish();
        CHECK(trace.dump().find("Connection refused") != std::string::npos);
        auto next = f.send("GET", "/a", kToken);
        CHECK(next->step() == Step::wait);
        f.introspector.answer(f.active());
        CHECK(next->resume() == Step::mock);
    }

    TEST_CASE("a grant ends at exp and with TTL 0 nothing is kept or joined") {
        Fixture f;
        auto call = f.send("GET", "/a", kToken);
        f.introspector.answer(f.active({{"exp", f.seconds() + 20}}));
        CHECK(call->resume() == Step::mock);
        f.clock.step(19s);
        CHECK(f.send("GET", "/a", kToken)->cache() == CacheUse::hit);
        f.clock.step(1s);
        CHECK(f.send("GET", "/a", kToken)->step() == Step::wait);

        Fixture off("", R"(, "authorizerResultTtlInSeconds": 0)");
        auto first = off.send("GET", "/a", kToken);
        auto second = off.send("GET", "/a", kToken);
        CHECK(off.introspector.started == 2);
        off.introspector.answer(off.active());
        CHECK(first->resume() == Step::mock);
        CHECK(second->wakes() == 0);
        off.introspector.answer(R"({"active":false})");
        CHECK(second->resume() == Step::refuse);
        CHECK(off.send("GET", "/a", kToken)->step() == Step::wait);
    }

    TEST_CASE("what is no token is not asked about and a flush forgets what is under way") {
        Fixture f;
        auto basic = f.send("GET", "/a", "Basic abc");
        CHECK(basic->step() == Step::refuse);
        CHECK(basic->reason() == Errc::token_not_bearer);
        CHECK(basic->answer().status == 401);
        CHECK(f.introspector.started == 0);
        auto call = f.send("GET", "/a", kToken);
        f.cache.flush("local", "prod");
        f.introspector.answer(f.active());
        CHECK(call->resume() == Step::mock);
        CHECK(f.send("GET", "/a", kToken)->step() == Step::wait);
    }
}

}  // namespace introspection_authorizer_test
