#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace user_pool_test {

using namespace gatehouse;
using namespace std::chrono_literals;
using app::CacheUse;
using app::Step;
using test::GatewayFixture;

namespace {

constexpr const char* kPool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123";

std::string make_config(const std::string& more = {}) {
    return R"({ "accessLog": { "format": "off" }, "apis": [ { "name": "users",
        "contextHeaders": { "requestContext": true },
        "authorizers": { "pool": { "type": "COGNITO_USER_POOLS",
          "providerARNs": ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Abc123"])" +
           more + R"( } },
        "routes": [
          { "routeKey": "GET /id", "authorizer": "pool", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /access", "authorizer": "pool", "authorizationScopes": ["items/read"],
            "integration": { "type": "MOCK" } } ] } ] })";
}

const jwt::SigningKey& pool_key() {
    static const jwt::SigningKey key =
        jwt::generate_signing_key(jwt::Algorithm::rs256, "pool").value();
    return key;
}

struct PoolFixture : GatewayFixture {
    explicit PoolFixture(const std::string& more = {})
        : GatewayFixture(make_config(more), false, false) {
        keys.tick(clock.now().steady);
        Json set = {{"keys", {pool_key().public_jwk()}}};
        keys.fetched(0, jwt::parse_key_set(set.dump()), kPool, clock.now().steady);
    }

    std::string token(const Json& changes = Json::object()) const {
        Json all = claims();
        all.merge_patch({{"iss", kPool}, {"token_use", "id"}, {"aud", "client-1"}});
        if (changes.is_object()) all.merge_patch(changes);
        return pool_key().mint(all).value();
    }

    std::string access(const Json& changes = Json::object()) const {
        Json all = {{"token_use", "access"},
                    {"aud", nullptr},
                    {"client_id", "client-1"},
                    {"scope", "openid items/read"}};
        if (changes.is_object()) all.merge_patch(changes);
        return token(all);
    }
};

}  // namespace

TEST_SUITE("app/user_pool") {
    TEST_CASE(
        "section 9.1: an identity token opens routes without scopes and an access token those "
        "with") {
        PoolFixture f;
        const std::string id = f.token();
        const std::string access = f.access();
        auto first = f.send("GET", "/id", id);
        CHECK(first->step() == Step::mock);
        CHECK(f.send("GET", "/id", "Bearer " + id)->step() == Step::mock);
        CHECK(f.send("GET", "/access", access)->step() == Step::mock);

        // Each at the other kind of route, cached by now.
        auto wrong = f.send("GET", "/access", id);
        CHECK(wrong->cache() == CacheUse::hit);
        CHECK(wrong->step() == Step::refuse);
        CHECK(wrong->reason() == Errc::token_use_refused);
        CHECK(wrong->answer().status == 401);
        CHECK(wrong->answer().body == R"({"message":"Unauthorized"})");
        auto other = f.send("GET", "/id", access);
        CHECK(other->step() == Step::refuse);
        CHECK(other->reason() == Errc::token_use_refused);

        auto narrow = f.send("GET", "/access", f.access({{"scope", "items/readonly"}}));
        CHECK(narrow->step() == Step::refuse);
        CHECK(narrow->reason() == Errc::scope_missing);
    }

    TEST_CASE("what no user pool of the list has issued is 401") {
        struct Row {
            const char* name;
            Json changes;
            Errc reason;
        };

        const Row rows[] = {
            {"another pool",
             {{"iss", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}},
             Errc::token_issuer_unknown},
            {"a slash more", {{"iss", std::string(kPool) + "/"}}, Errc::token_issuer_unknown},
            {"no token_use", {{"token_use", nullptr}}, Errc::token_use_refused},
            {"a refresh token", {{"token_use", "refresh"}}, Errc::token_use_refused},
            {"token_use as list", {{"token_use", {"id"}}}, Errc::token_use_refused},
            {"no sub", {{"sub", nullptr}}, Errc::token_subject_missing},
            {"no exp", {{"exp", nullptr}}, Errc::token_expiry_missing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            PoolFixture f;
            auto call = f.send("GET", "/id", f.token(row.changes));
            CHECK(call->step() == Step::refuse);
            CHECK(call->reason() == row.reason);
            CHECK(call->answer().status == 401);
            CHECK(call->answer().body == R"({"message":"Unauthorized"})");
        }
    }

    TEST_CASE("section 9.1: an expired token has a text of its own on hits that ended too") {
        PoolFixture f;
        const std::string id = f.token();
        CHECK(f.send("GET", "/id", id)->step() == Step::mock);
        f.clock.step(600s);
        auto late = f.send("GET", "/id", id);
        CHECK(late->reason() == Errc::token_expired);
        CHECK(late->answer().status == 401);
        CHECK(late->answer().body == R"({"message":"The incoming token has expired"})");
        CHECK(late->answer().headers.find("UnauthorizedException") != std::string::npos);
    }

    TEST_CASE(
        "section 9.1: identityValidationExpression is for the whole aud which access tokens lack") {
        PoolFixture f(R"(, "identityValidationExpression": "client-[0-9]")");
        CHECK(f.send("GET", "/id", f.token())->step() == Step::mock);
        for (const Json& aud :
             {Json("client-12"), Json("xclient-1"), Json(""), Json({"client-1"})}) {
            CAPTURE(aud.dump());
            auto call = f.send("GET", "/id", f.token({{"aud", aud}}));
            CHECK(call->step() == Step::refuse);
            CHECK(call->answer().status == 401);
        }
        auto access = f.send("GET", "/access", f.access());
        CHECK(access->step() == Step::refuse);
        CHECK(access->reason() == Errc::token_audience_refused);
    }

    TEST_CASE("section 9.1: claims are strings and dates as the service shows them") {
        PoolFixture f;
        auto call = f.send("GET",
                           "/id",
                           f.token({{"cognito:groups", {"admin", "staff"}},
                                    {"email_verified", true},
                                    {"auth_time", 1494138999},
                                    {"iat", 1494139638}}));
        REQUIRE(call->step() == Step::mock);
        const authz::Grant& grant = *call->request().grant;
        CHECK(grant.claims["iat"] == "Sun May 07 06:47:18 UTC 2017");
        CHECK(grant.claims["exp"] == "Tue Nov 24 04:10:00 UTC 2026");
        CHECK(grant.claims["auth_time"] == "1494138999");
        CHECK(grant.claims["cognito:groups"] == "admin,staff");
        CHECK(grant.claims["email_verified"] == "true");
        CHECK(grant.context.empty());
        CHECK(Json::parse(grant.authorizer_json) == Json({{"claims", grant.claims}}));
        CHECK(grant.header_block == "X-Authorizer-Principal-Id: user-1\r\n");
    }
}

}  // namespace user_pool_test
