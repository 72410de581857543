#include "fixture.hpp"
#include "gatehouse/config/report.hpp"

namespace parse_user_pools_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

#define AT "/apis/0/authorizers/jwt"

constexpr const char* kArn = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12";

Json document() {
    Json base = minimal_document();
    base["apis"][0]["authorizers"]["jwt"] = {{"type", "COGNITO_USER_POOLS"},
                                             {"providerARNs", {kArn}}};
    return base;
}

}  // namespace

TEST_SUITE("config/parse_user_pools") {
    TEST_CASE("issuer and keys follow from the ARN unless userPools names others") {
        Json base = document();
        Loaded loaded = load(base);
        REQUIRE(show(loaded.problems) == "");
        const Authorizer& plain = loaded.model.apis.at(0).authorizers.at(0);
        REQUIRE(plain.jwt.providers.size() == 1);
        CHECK(plain.jwt.providers[0].issuer ==
              "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12");
        CHECK(plain.jwt.providers[0].jwks_uri ==
              "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12/.well-known/jwks.json");
        CHECK(plain.jwt.providers[0].algorithms == std::vector<std::string>{"RS256"});
        CHECK_FALSE(plain.user_pools[0].elsewhere);
        CHECK(plain.result_ttl == std::chrono::seconds(300));

        Json& authorizer = base["apis"][0]["authorizers"]["jwt"];
        authorizer["userPools"][kArn] = {{"issuer", "http://127.0.0.1:9229/eu-west-1_Ab12"}};
        loaded = load(base);
        REQUIRE(show(loaded.problems) == "");
        const JwtProvider& local = loaded.model.apis.at(0).authorizers.at(0).jwt.providers.at(0);
        CHECK(local.issuer == "http://127.0.0.1:9229/eu-west-1_Ab12");
        CHECK(local.jwks_uri == "http://127.0.0.1:9229/eu-west-1_Ab12/.well-known/jwks.json");

        // A production issuer with keys from elsewhere: what moto's tokens need.
        authorizer["userPools"][kArn] = {{"jwksUri", "file:jwks.json"}};
        loaded = load(base);
        REQUIRE(show(loaded.problems) == "");
        const JwtProvider& mixed = loaded.model.apis.at(0).authorizers.at(0).jwt.providers.at(0);
        CHECK(mixed.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12");
        CHECK(mixed.jwks_uri == "file:jwks.json");
    }

    TEST_CASE("what is no user pool and what would be ignored is refused") {
        const std::vector<Refusal> arns = {
            {"empty", AT "/providerARNs", "[]", AT "/providerARNs", "is empty"},
            {"away", AT "/providerARNs", "", AT, "\"providerARNs\" is missing"},
        };
        check_refusals(document(), arns);
        for (const char* arn :
             {"x",
              "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/",
              "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/us-east-1_Ab12",
              "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_",
              "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a/b",
              "arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Ab12",
              "arn:aws:cognito-idp:evil.example/:123456789012:userpool/evil.example/_Ab12",
              "arn:aws:cognito-idp::123456789012:userpool/_Ab12",
              "arn:aws:cognito-identity:eu-west-1:123456789012:userpool/eu-west-1_Ab12",
              "arn:gcp:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12"}) {
            CAPTURE(arn);
            Json base = document();
            base["apis"][0]["authorizers"]["jwt"]["providerARNs"] = {arn};
            const Loaded loaded = load(base);
            CHECK(has_problem(loaded.problems, AT "/providerARNs/0", "is no ARN of a user pool"));
        }
        check_refusals(
            document(),
            {{"a uri", AT "/authorizerUri", "\"gatehouse:jwt\"", AT "/authorizerUri", "asks its"},
             {"jwt", AT "/jwt", "{}", AT "/jwt", "asks its user pools"},
             {"introspection", AT "/introspection", "{}", AT "/introspection", "asks its"},
             {"timeout",
              AT "/timeoutInMillis",
              "100",
              AT "/timeoutInMillis",
              "asks its user pools"},
             {"principal",
              AT "/requirePrincipalId",
              "true",
              AT "/requirePrincipalId",
              "has no principalId"},
             {"query",
              AT "/identitySource",
              "\"method.request.querystring.t\"",
              AT "/identitySource",
              "exactly one header"},
             {"expression",
              AT "/identityValidationExpression",
              "\"(\"",
              AT "/identityValidationExpression",
              ""},
             {"another pool",
              AT "/userPools",
              R"({"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab13":{"issuer":"http://127.0.0.1:1"}})",
              AT "/userPools/arn:aws:cognito-idp:eu-west-1:123456789012:userpool~1eu-west-1_Ab13",
              "is none of \"providerARNs\""},
             {"nothing named",
              AT "/userPools",
              R"({"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12":{}})",
              AT "/userPools/arn:aws:cognito-idp:eu-west-1:123456789012:userpool~1eu-west-1_Ab12",
              "would change nothing"}});
        check_refusals(
            minimal_document(),
            {{"pools of gatehouse:jwt", AT "/providerARNs", "[]", AT "/providerARNs", "only"}});
    }

    TEST_CASE("a local pool is reported and its claims are all that a mapping can take") {
        Json base = document();
        base["apis"][0]["authorizers"]["jwt"]["userPools"][kArn] = {
            {"issuer", "http://127.0.0.1:9229/eu-west-1_Ab12"}};
        const Loaded loaded = load(base);
        REQUIRE(show(loaded.problems) == "");
        const std::string report = to_text(make_report(loaded.model));
        CHECK(report.find("COGNITO_USER_POOLS") != std::string::npos);
        CHECK(report.find("http://127.0.0.1:9229/eu-west-1_Ab12") != std::string::npos);
        base = document();
        base["apis"][0]["routes"][0]["integration"]["requestParameters"] = {
            {"integration.request.header.X-User", "context.authorizer.userId"}};
        CHECK(load(base).problems.size() == 1);
        base["apis"][0]["routes"][0]["integration"]["requestParameters"] = {
            {"integration.request.header.X-User", "context.authorizer.claims.sub"}};
        CHECK(show(load(base).problems) == "");
    }
}

}  // namespace parse_user_pools_test
