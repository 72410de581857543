#include "gatehouse/authz/dev_override.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

namespace override_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

test::ConfigText overridable() {
    test::ConfigText config;
    config.routes = R"(
        { "routeKey": "GET /a", "authorizer": "jwt",
          "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a" } },
        { "routeKey": "GET /scoped", "authorizer": "jwt", "authorizationScopes": ["read"],
          "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/s" } },
        { "routeKey": "GET /open", "authorizer": "NONE",
          "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/o" } })";
    config.top += R"(, "devOverride": { "secret": "0123456789abcdef0123456789abcdef" })";
    return config;
}

struct Fixture : test::GatewayFixture {
    explicit Fixture(bool dev = true) : GatewayFixture(overridable(), true, dev) {}

    std::string mint(const Json& changes = Json::object(),
                     const std::string& secret = kSecret) const {
        Json all = {{"effect", "Allow"},
                    {"principalId", "dev"},
                    {"exp", clock.now().wall.time_since_epoch().count() / 1000 + 60}};
        all.merge_patch(changes);
        return authz::make_override(all, secret);
    }

    std::unique_ptr<test::Call> ask(const std::string& target,
                                    const std::string& value,
                                    bool token = false) {
        return send("GET", target, token ? bearer() : "", {{"X-Gatehouse-Override", value}});
    }
};

}  // namespace

TEST_SUITE("app/override") {
    TEST_CASE("an override stands in the place of the authorizer for one request") {
        Fixture f;
        auto call = f.ask("/a", f.mint({{"context", {{"tenant", "acme"}}}}));
        CHECK(call->step() == Step::forward);
        CHECK(call->cache() == CacheUse::none);
        std::string head;
        CHECK(call->request().route->forward->write_request_head(call->request().facts, {}, head) ==
              Errc::none);
        CHECK(head.find("X-Authorizer-tenant: acme") != std::string::npos);
        CHECK(head.find("X-Authorizer-Principal-Id: dev") != std::string::npos);
        CHECK(head.find("verride") == std::string::npos);
        const Json trace = call->finish();
        CHECK(test::step_of(trace, "override")["result"] == "in place of the authorizer");
        CHECK(test::step_of(trace, "policy")["principalId"] == "dev");
        CHECK(test::step_of(trace, "cache") == nullptr);
        CHECK(dump_json(trace).find("eyJ") == std::string::npos);
        // Nothing is kept of it.
        CHECK(f.send("GET", "/a")->reason() == Errc::identity_missing);
        CHECK(f.cache.stats().entries == 0);
        CHECK(f.authorize.calls() == 0);
    }

    TEST_CASE("it beats a token and a deny is a deny") {
        Fixture f;
        CHECK(f.ask("/a", f.mint({{"effect", "Deny"}}), true)->reason() == Errc::explicit_deny);
        CHECK(f.ask("/open", f.mint({{"effect", "Deny"}}))->reason() == Errc::explicit_deny);
        CHECK(f.ask("/open", f.mint())->reason() == Errc::allowed);
        CHECK(f.ask("/scoped", f.mint())->reason() == Errc::allowed);
        CHECK(f.ask("/scoped", f.mint({{"effect", "Deny"}}))->reason() == Errc::explicit_deny);
        CHECK(f.ask("/none", f.mint())->reason() == Errc::route_unmatched);
        const std::string other = std::string(test::kStagePrefix) + "GET/b";
        CHECK(f.ask("/a", f.mint({{"methodArn", other}}), true)->reason() == Errc::implicit_deny);
    }

    TEST_CASE("a bad one is 401 and not ignored") {
        Fixture f;
        const std::string good = f.mint();
        const std::string values[] = {
            "", "x", good + "x", f.mint(Json::object(), std::string(32, 'x'))};
        for (const std::string& value : values) {
            for (const char* target : {"/a", "/open"}) {
                CAPTURE(value);
                auto call = f.ask(target, value, true);
                CHECK(call->reason() == Errc::override_invalid);
                CHECK(call->answer().status == 401);
                CHECK(call->answer().body == R"({"message":"Unauthorized"})");
                CHECK(test::step_of(call->finish(), "override")["result"] == "override_invalid");
            }
        }
        auto twice = f.send("GET",
                            "/a",
                            f.bearer(),
                            {{"x-gatehouse-override", good}, {"X-GATEHOUSE-OVERRIDE", good}});
        CHECK(twice->reason() == Errc::override_invalid);
        f.clock.step(60s);
        CHECK(f.ask("/a", good, true)->reason() == Errc::override_expired);
        CHECK(f.ask("/a", good, true)->answer().status == 401);
    }

    TEST_CASE("a context that cannot be used is the authorizer's fault as ever") {
        Fixture f;
        auto call = f.ask("/a", f.mint({{"context", {{"bad", "a\nb"}}}}));
        CHECK(call->reason() == Errc::context_unusable);
        CHECK(call->answer().status == 500);
    }

    TEST_CASE("without dev it is a header like any other and reaches nobody") {
        Fixture f(false);
        CHECK(f.ask("/a", f.mint())->reason() == Errc::identity_missing);
        CHECK(f.ask("/a", "nonsense", true)->reason() == Errc::allowed);
        for (const char* name : {"x-gatehouse-override",
                                 "X-GATEHOUSE-OVERRIDE",
                                 "x_gatehouse_override",
                                 "X-Gatehouse_Override"}) {
            CAPTURE(name);
            for (const char* target : {"/a", "/open"}) {
                auto call = f.send("GET", target, f.bearer(), {{name, "nonsense"}});
                REQUIRE(call->step() == Step::forward);
                std::string head;
                CHECK(call->request().route->forward->write_request_head(
                          call->request().facts, {}, head) == Errc::none);
                CHECK(head.find("nonsense") == std::string::npos);
            }
        }
    }
}

}  // namespace override_test
