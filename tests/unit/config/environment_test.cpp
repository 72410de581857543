#include "fixture.hpp"

namespace config_environment_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

using Variables = std::map<std::string, std::string>;

Variables enough() {
    return {{"UPSTREAM_URL", "http://127.0.0.1:3000"},
            {"EXPECTED_ISSUER", "https://issuer.example/"},
            {"EXPECTED_AUDIENCE", "api://a"}};
}

}  // namespace

TEST_SUITE("config/environment") {
    TEST_CASE("three variables make a gateway that guards everything") {
        const Loaded loaded = parse_environment(make_environment(enough()));
        REQUIRE(show(loaded.problems) == "");
        CHECK(show(loaded.warnings) == "");
        CHECK(loaded.model.listeners.at(0).address == "127.0.0.1");
        CHECK(loaded.model.listeners.at(0).port == 8080);
        const Api& api = loaded.model.apis.at(0);
        CHECK(api.plain_headers);
        CHECK(api.context_headers.enabled);
        REQUIRE(api.routes.size() == 2);
        CHECK(api.routes[0].route_key == "ANY /");
        CHECK(api.routes[1].route_key == "ANY /{proxy+}");
        for (const Route& route : api.routes) {
            CHECK(route.authorizer == api.authorizers.at(0).name);
            CHECK(route.integration.uri == "http://127.0.0.1:3000/");
            CHECK(route.integration.append_path);
        }
        const Authorizer& authorizer = api.authorizers.at(0);
        CHECK(authorizer.type == "TOKEN");
        CHECK(authorizer.authorizer_uri == "gatehouse:jwt");
        CHECK(authorizer.jwt.context.size() == 3);
        const JwtProvider& provider = authorizer.jwt.providers.at(0);
        CHECK(provider.issuer == "https://issuer.example/");
        CHECK(provider.audience == std::vector<std::string>{"api://a"});
        CHECK(provider.jwks_uri == "");
        CHECK(provider.algorithms == std::vector<std::string>{"RS256"});
    }

    TEST_CASE("optional variables are taken") {
        Variables variables = enough();
        variables["UPSTREAM_URL"] = "http://app:3000/base/";
        variables["EXPECTED_AUDIENCE"] = "a, b,";
        variables["JWKS_URL"] = "file:jwks.json";
        variables["GATEHOUSE_OPEN_ROUTES"] = "GET /health, OPTIONS /{proxy+} ,GET /pets/{id}/photo";
        const Loaded loaded = parse_environment(make_environment(variables));
        REQUIRE(show(loaded.problems) == "");
        const Api& api = loaded.model.apis.at(0);
        CHECK(api.authorizers.at(0).jwt.providers.at(0).audience ==
              std::vector<std::string>{"a", "b"});
        CHECK(api.authorizers.at(0).jwt.providers.at(0).jwks_uri == "file:jwks.json");
        REQUIRE(api.routes.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(api.routes[i].authorizer == (i < 2 ? "jwt" : "NONE"));
            CHECK(api.routes[i].integration.uri == "http://app:3000/base/");
            CHECK(api.routes[i].integration.append_path);
        }
    }

    TEST_CASE("missing variables are named all at once") {
        const Loaded nothing = parse_environment(make_environment());
        REQUIRE(nothing.problems.size() == 1);
        CHECK(nothing.problems[0].message ==
              "not set in the environment: UPSTREAM_URL, EXPECTED_ISSUER, EXPECTED_AUDIENCE");
        for (const char* name : {"UPSTREAM_URL", "EXPECTED_ISSUER", "EXPECTED_AUDIENCE"}) {
            for (const char* blank : {"", " "}) {
                Variables variables = enough();
                variables[name] = blank;
                const Loaded loaded = parse_environment(make_environment(variables));
                REQUIRE(loaded.problems.size() == 1);
                CHECK(loaded.problems[0].message ==
                      std::string("not set in the environment: ") + name);
                CHECK(loaded.model.apis.empty());
            }
        }
    }

    TEST_CASE("everything that is wrong is named at once") {
        const Loaded loaded = parse_environment(make_environment({
            {"UPSTREAM_URL", "ftp://app"},
            {"EXPECTED_ISSUER", "me"},
            {"JWKS_URL", "redis://user:hunter2@keys"},
            {"GATEHOUSE_OPEN_ROUTES", "FETCH /a,ANY /{proxy+}"},
        }));
        const std::string problems = show(loaded.problems);
        CAPTURE(problems);
        for (const char* words : {"not set in the environment: EXPECTED_AUDIENCE",
                                  "UPSTREAM_URL: \"ftp://app\" is no URL",
                                  "JWKS_URL: \"redis://***@keys\" is not supported",
                                  "GATEHOUSE_OPEN_ROUTES: \"FETCH /a\"",
                                  "which is what Gatehouse guards"}) {
            CAPTURE(words);
            CHECK(problems.find(words) != std::string::npos);
        }
        for (const char* words : {"hunter2", "/apis/", "jwksUri", "beside this file"}) {
            CAPTURE(words);
            CHECK(problems.find(words) == std::string::npos);
        }
        CHECK(loaded.model.apis.empty());
    }

    TEST_CASE("an issuer that cannot be asked names the variable for its keys") {
        Variables variables = enough();
        variables["EXPECTED_ISSUER"] = "me";
        CHECK(show(parse_environment(make_environment(variables)).problems) ==
              "file: EXPECTED_ISSUER: \"me\" is no http or https URL, so its keys cannot be "
              "discovered; name them with JWKS_URL\n");
    }

    TEST_CASE("the admin token is taken from its variable") {
        Variables variables = enough();
        CHECK(parse_environment(make_environment(variables)).model.admin.token == "");
        variables["GATEHOUSE_ADMIN_TOKEN"] = "correct-horse-${battery";
        const Loaded bad = parse_environment(make_environment(variables));
        CHECK(show(bad.problems).starts_with("file: GATEHOUSE_ADMIN_TOKEN: "));
        CHECK(show(bad.problems).find("horse") == std::string::npos);
        variables["GATEHOUSE_ADMIN_TOKEN"] = "correct-horse-battery";
        CHECK(parse_environment(make_environment(variables)).model.admin.token ==
              "correct-horse-battery");
    }

    TEST_CASE("wrong values name their variable") {
        struct Row {
            const char* name;
            const char* variable;
            const char* value;
            const char* words;
        };

        const Row rows[] = {
            {"no URL", "UPSTREAM_URL", "127.0.0.1:3000", "is no URL"},
            {"upstream with a query", "UPSTREAM_URL", "http://app/?x=1", "nothing else"},
            {"upstream with a placeholder", "UPSTREAM_URL", "http://app/{x}", "nothing else"},
            {"upstream with a fragment", "UPSTREAM_URL", "http://app/#x", "fragment"},
            {"upstream with a reference",
             "UPSTREAM_URL",
             "http://${HOST}/",
             "placeholder in its host"},
            {"issuer that is no URL without keys", "EXPECTED_ISSUER", "me", "cannot be discovered"},
            {"audience of commas", "EXPECTED_AUDIENCE", ",,", "no token could pass"},
            {"keys from nowhere", "JWKS_URL", "jwks.json", "is not supported"},
            {"no route key", "GATEHOUSE_OPEN_ROUTES", "/health", "no route key"},
            {"unknown method", "GATEHOUSE_OPEN_ROUTES", "get /health", "no route key"},
            {"bad path", "GATEHOUSE_OPEN_ROUTES", "GET /a/../b", "GET /a/../b"},
            {"all open", "GATEHOUSE_OPEN_ROUTES", "ANY /{proxy+}", "matches the same requests"},
            {"root open", "GATEHOUSE_OPEN_ROUTES", "ANY /", "matches the same requests"},
            {"twice", "GATEHOUSE_OPEN_ROUTES", "GET /a,GET /a", "matches the same requests"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Variables variables = enough();
            variables[row.variable] = row.value;
            const Loaded loaded = parse_environment(make_environment(variables));
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            REQUIRE_FALSE(loaded.problems.empty());
            CHECK(loaded.problems[0].message.starts_with(std::string(row.variable) + ": "));
            CHECK(problems.find(row.words) != std::string::npos);
            for (const Problem& problem : loaded.problems) {
                CHECK(problem.line == 0);
                CHECK(problem.pointer == "");
            }
        }
    }

    TEST_CASE("values are never expanded a second time") {
        Variables variables = enough();
        variables["EXPECTED_ISSUER"] = "https://a/${EXPECTED_AUDIENCE}";
        variables["JWKS_URL"] = "https://a/jwks";
        const Loaded loaded = parse_environment(make_environment(variables));
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.apis.at(0).authorizers.at(0).jwt.providers.at(0).issuer ==
              "https://a/${EXPECTED_AUDIENCE}");
    }
}

}  // namespace config_environment_test
