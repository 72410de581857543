#include "gatehouse/app/gateway.hpp"
#include "support/allocations.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace app_http_api_test {

using namespace gatehouse;
using namespace gatehouse::test;
using app::Step;

namespace {

std::string config(const std::string& more = {}) {
    return R"({ "accessLog": { "format": "$context.requestId $context.routeKey $context.status" },
      "functions": { "f": { "endpoint": "http://127.0.0.1:9000" } },
      "apis": [ { "name": "h", "protocolType": "HTTP", "authorizers": {
        "jwt": { "type": "JWT", "identitySource": ["$request.header.Authorization"],
                 "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["api://users"],
                                       "jwksUri": "https://issuer.example/jwks.json" } },
        "fn": { "type": "REQUEST", "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "authorizerPayloadFormatVersion": "2.0", "identitySource": ["$request.header.K"] } },
      "routes": [
        { "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a" } },
        { "routeKey": "GET /s", "authorizer": "jwt", "authorizationScopes": ["x"],
          "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/s" } },
        { "routeKey": "ANY /f/{p+}", "authorizer": "fn", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/f" } }
      ] )" +
           more + " } ] }";
}

// Tokens of HTTP APIs are signed with RSA keys.
const jwt::SigningKey& rsa_key() {
    static const jwt::SigningKey key =
        jwt::generate_signing_key(jwt::Algorithm::rs256, "r1").value();
    return key;
}

struct Fixture : GatewayFixture {
    explicit Fixture(const std::string& more = {}) : GatewayFixture(config(more), false, false) {
        keys.tick(clock.now().steady);
        Json set = {{"keys", Json::array({rsa_key().public_jwk()})}};
        keys.fetched(
            0, jwt::parse_key_set(set.dump()).value(), std::string(kJwksUri), clock.now().steady);
    }

    std::string token(const Json& changes = Json::object()) const {
        Json all = claims();
        all.merge_patch(changes);
        return rsa_key().mint(all).value();
    }
};

}  // namespace

TEST_SUITE("app/http_api") {
    TEST_CASE("a token opens its route, and a cached hit allocates nothing") {
        Fixture fixture;
        const std::string token = fixture.token();
        CHECK(fixture.send("GET", "/a", "Bearer " + token)->step() == Step::forward);
        CHECK(fixture.send("GET", "/a", token)->step() == Step::forward);
        Call call(fixture.gateway, fixture.clock, "GET", "/a", {{"Authorization", token}});
        for (int hit = 0; hit < 2; ++hit) {  // with the second the worker counts the grant itself
            call.begin();
            call.finish();
            call.request().clear();
        }
        const AllocationCount count;
        CHECK(call.begin() == Step::forward);
        CHECK(count.count() == 0);
        CHECK(call.cache() == app::CacheUse::hit);
    }

    TEST_CASE("a token of another kind is refused") {
        Fixture fixture;
        // An ES256 key of the set would verify it: HTTP APIs take RSA alone.
        CHECK(fixture.send("GET", "/a", fixture.bearer())
                  ->answer()
                  .headers.find("signing method is invalid") != std::string::npos);
        CHECK(fixture.send("GET", "/a")
                  ->answer()
                  .headers.starts_with("www-authenticate: Bearer\r\n"));
        const auto scope = fixture.send("GET", "/s", fixture.token());
        CHECK(scope->answer().status == 403);
        CHECK(scope->answer().body == R"({"message":"Forbidden"})");
    }

    TEST_CASE("an expired token is refused from the cache too") {
        Fixture fixture;
        const std::string token = fixture.token();
        CHECK(fixture.send("GET", "/a", token)->step() == Step::forward);
        fixture.clock.step(std::chrono::seconds(601));
        CHECK(fixture.send("GET", "/a", token)->answer().headers.find("the token has expired") !=
              std::string::npos);
    }

    TEST_CASE("encoded slashes are separators, for routing, judging and forwarding alike") {
        Fixture fixture;
        const auto call = fixture.send("GET", "/f%2Fb%2fc%20d", {}, {{"K", "1"}});
        REQUIRE(call->step() == Step::wait);
        CHECK(call->request().facts.api_path == "/f/b/c%20d");
        CHECK(call->request().facts.parameters[0] == "b/c%20d");
        CHECK(call->request().arn.text ==
              "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/f/b/c%20d");
        fixture.invoker.allow(
            "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/f/b/*");
        CHECK(call->resume() == Step::forward);
        CHECK(fixture.send("GET", "/f%2F..%2Fa", {}, {{"K", "1"}})->reason() ==
              Errc::target_dot_segment);
        CHECK(fixture.send("GET", "/f%2Fb;x", {}, {{"K", "1"}})->answer().body ==
              R"({"message":"Bad Request"})");
    }

    TEST_CASE("encodedSlash can refuse them") {
        Fixture fixture(R"(, "encodedSlash": "refuse")");
        const auto call = fixture.send("GET", "/f%2Fb", {}, {{"K", "1"}});
        CHECK(call->reason() == Errc::target_encoded_slash);
        CHECK(call->answer().status == 400);
    }

    TEST_CASE("what a function is asked and given") {
        Fixture fixture;
        const auto call = fixture.send("POST", "/f/x?q=1", {}, {{"K", "one"}});
        REQUIRE(call->step() == Step::wait);
        const app::LambdaCall& invocation = fixture.invoker.call();
        CHECK(invocation.timeout == std::chrono::seconds(10));
        const Json event = Json::parse(invocation.payload);
        CHECK(event["version"] == "2.0");
        CHECK(event["identitySource"] == Json({"one"}));
        CHECK(event["routeKey"] == "ANY /f/{p+}");
        fixture.invoker.end(authz::Invocation::End::failed, R"({"errorMessage":"Unauthorized"})");
        call->resume();
        CHECK(call->answer().status == 401);
        CHECK(call->answer().headers.find("www-authenticate") == std::string::npos);
        const auto broken = fixture.send("POST", "/f/x", {}, {{"K", "one"}});
        fixture.invoker.end(authz::Invocation::End::returned, R"({"isAuthorized":true})");
        broken->resume();
        CHECK(broken->answer().status == 500);
        CHECK(broken->answer().body == R"({"message":"Internal Server Error"})");
        CHECK(fixture.send("POST", "/f/x")->answer().status == 401);
    }

    TEST_CASE("preflights are answered where no route is") {
        const Headers preflight = {{"Origin", "https://a.example"},
                                   {"Access-Control-Request-Method", "GET"}};
        Fixture plain;
        CHECK(plain.send("OPTIONS", "/a", {}, preflight)->answer().status == 404);
        Fixture fixture(R"(, "corsConfiguration": { "allowOrigins": ["*"] })");
        const auto call = fixture.send("OPTIONS", "/a", {}, preflight);
        CHECK(call->step() == Step::preflight);
        CHECK(call->reason() == Errc::cors_preflight);
        CHECK(fixture.gateway.render_preflight(call->request()).status == 204);
        // A route that takes OPTIONS has an authorizer, and that is asked.
        CHECK(fixture.send("OPTIONS", "/f/x", {}, preflight)->answer().status == 401);
        CHECK(fixture.send("OPTIONS", "/a", {}, {preflight[0]})->answer().status == 404);
        CHECK(fixture.send("OPTIONS", "/a/../b", {}, preflight)->answer().status == 400);
    }

    TEST_CASE("logs name the one id and the route key") {
        Fixture fixture;
        auto call = fixture.send("GET", "/a", fixture.token());
        const std::string id(call->request().ids.extended());
        call->finish();
        CHECK(fixture.gateway.take_access_log() == id + " GET /a 200\n");
    }
}

}  // namespace app_http_api_test
