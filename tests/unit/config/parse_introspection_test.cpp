#include "fixture.hpp"

namespace parse_introspection_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json document() {
    Json base = minimal_document();
    base["apis"][0]["authorizers"]["jwt"] = {{"type", "TOKEN"},
                                             {"authorizerUri", "gatehouse:introspection"},
                                             {"introspection",
                                              {{"endpoint", "https://as.example/introspect"},
                                               {"clientId", "gate"},
                                               {"clientSecret", "s3cret"}}}};
    return base;
}

#define AT "/apis/0/authorizers/jwt"

}  // namespace

TEST_SUITE("config/parse_introspection") {
    TEST_CASE("an endpoint and a client are enough and all else has a default") {
        const Loaded loaded = load(document());
        REQUIRE(show(loaded.problems) == "");
        const Authorizer& authorizer = loaded.model.apis.at(0).authorizers.at(0);
        REQUIRE(authorizer.introspection);
        const Introspection& settings = *authorizer.introspection;
        CHECK(settings.endpoint == "https://as.example/introspect");
        CHECK(settings.client_id == "gate");
        CHECK(settings.client_secret == "s3cret");
        CHECK_FALSE(settings.secret_in_form);
        CHECK(settings.timeout == std::chrono::milliseconds(2000));
        CHECK(settings.issuer.empty());
        CHECK(settings.audience.empty());
        CHECK_FALSE(settings.require_expiration);
        CHECK(settings.require_subject);
        CHECK(settings.context.size() == 3);
        CHECK(settings.resource == "stage");
        CHECK(authorizer.result_ttl == std::chrono::seconds(300));
    }

    TEST_CASE("what would be ignored or cannot work is refused at its place") {
        check_refusals(
            document(),
            {{"no block", AT "/introspection", "", AT, "\"introspection\" is missing"},
             {"a jwt block too", AT "/jwt", "{}", AT "/jwt", "decides, not \"gatehouse:jwt\""},
             {"no endpoint", AT "/introspection/endpoint", "", AT "/introspection", "is missing"},
             {"file",
              AT "/introspection/endpoint",
              "\"file:x\"",
              AT "/introspection/endpoint",
              "is a file"},
             {"another scheme",
              AT "/introspection/endpoint",
              "\"ftp://as.example/\"",
              AT "/introspection/endpoint",
              "is not supported"},
             {"no client", AT "/introspection/clientId", "", AT "/introspection", "is missing"},
             {"no secret", AT "/introspection/clientSecret", "", AT "/introspection", "is missing"},
             {"empty secret",
              AT "/introspection/clientSecret",
              "\"\"",
              AT "/introspection/clientSecret",
              "is empty"},
             {"odd method",
              AT "/introspection/authMethod",
              "\"private_key_jwt\"",
              AT "/introspection/authMethod",
              "client_secret_basic"},
             {"no audience",
              AT "/introspection/audience",
              "[]",
              AT "/introspection/audience",
              "is empty"},
             {"long",
              AT "/introspection/timeoutInMillis",
              "30001",
              AT "/introspection/timeoutInMillis",
              "30000"},
             {"slip",
              AT "/introspection/clientsecret",
              "\"x\"",
              AT "/introspection/clientsecret",
              "did you mean \"clientSecret\""}});
    }

    TEST_CASE("a secret is in no message") {
        Json base = document();
        base["apis"][0]["authorizers"]["jwt"]["introspection"]["clientSecret"] = "hush\nhush";
        const std::string problems = show(load(base).problems);
        CHECK(problems.find("control character") != std::string::npos);
        CHECK(problems.find("hush") == std::string::npos);
    }

    TEST_CASE("tokens that travel in the clear earn a warning") {
        Json base = document();
        Json& endpoint = base["apis"][0]["authorizers"]["jwt"]["introspection"]["endpoint"];
        endpoint = "http://as.example/introspect";
        CHECK(has_problem(load(base).warnings, AT "/introspection/endpoint", "plain http"));
        endpoint = "http://127.0.0.1:1/introspect";
        CHECK(show(load(base).warnings).find("plain http") == std::string::npos);
    }

    TEST_CASE("gatehouse:jwt has no introspection") {
        check_refusals(minimal_document(),
                       {{"block", AT "/introspection", "{}", AT "/introspection", "decides, not"}});
    }
}

}  // namespace parse_introspection_test
