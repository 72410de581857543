#include "gatehouse/config/validate.hpp"

#include "fixture.hpp"

namespace validate_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json two_apis() {
    Json document = minimal_document();
    document["apis"].push_back(document["apis"][0]);
    Json& second = document["apis"][1];
    second["name"] = "second";
    second["apiId"] = "second";
    second["basePath"] = "/second";
    return document;
}

}  // namespace

TEST_SUITE("config/validate") {
    TEST_CASE("two APIs are told apart by host or base path") {
        check_refusals(
            two_apis(),
            {
                {"same base path", "/apis/1/basePath", "\"/\"", "/apis/1", "as /apis/0 does"},
                {"same name",
                 "/apis/1/name",
                 "\"users\"",
                 "/apis/1/name",
                 "is the name of /apis/0 too"},
                {"one host twice",
                 "/apis/1/domainNames",
                 "[\"a.example\", \"A.example\"]",
                 "/apis/1",
                 "twice"},
            });
        Json document = two_apis();
        document["apis"][0]["domainNames"] = {"a.example", "b.example"};
        document["apis"][1]["domainNames"] = {"c.example", "B.EXAMPLE"};
        document["apis"][1]["basePath"] = "/";
        const Loaded clash = load(document);
        CHECK(clash.problems.size() == 1);
        CHECK(has_problem(clash.problems, "/apis/1", "the domain name \"b.example\""));
        document["apis"][1]["domainNames"] = {"c.example"};
        CHECK(show(load(document).problems) == "");
        document["apis"][1]["domainNames"] = Json::array();
        CHECK(show(load(document).problems) == "");
    }

    TEST_CASE("two APIs with one id and stage earn a warning") {
        Json document = two_apis();
        CHECK(show(load(document).warnings) == "");
        document["apis"][1]["apiId"] = "local";
        CHECK(has_problem(load(document).warnings, "/apis/1", "cannot tell the two apart"));
        document["apis"][1]["stageName"] = "dev";
        CHECK(show(load(document).warnings) == "");
    }

    TEST_CASE("two routes never match the same requests") {
        struct Row {
            const char* first;
            const char* second;
            bool good;
        };

        const Row rows[] = {
            {"GET /a", "GET /a", false},
            {"GET /a/{x}", "GET /a/{y}", false},
            {"ANY /{proxy+}", "ANY /{rest+}", false},
            {"GET /%61", "GET /a", false},
            {"ANY /", "ANY /", false},
            {"GET /a", "POST /a", true},
            {"GET /a", "ANY /a", true},
            {"GET /a/{x}", "GET /a/{x+}", true},
            {"GET /a/{x}", "GET /a/b", true},
            {"GET /a", "GET /A", true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.first);
            CAPTURE(row.second);
            Json document = minimal_document();
            Json& routes = document["apis"][0]["routes"];
            routes[0]["integration"]["uri"] = "http://app/";
            routes[0]["routeKey"] = row.first;
            routes.push_back(routes[0]);
            routes[1]["routeKey"] = row.second;
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(loaded.problems.size() == (row.good ? 0U : 1U));
            if (!row.good)
                CHECK(has_problem(
                    loaded.problems, "/apis/0/routes/1/routeKey", "matches the same requests"));
        }
    }

    TEST_CASE("what the route table refuses is refused at load") {
        Json document = minimal_document();
        std::string path;
        for (int i = 0; i < 17; ++i)
            path += "/{p" + std::to_string(i) + "}";
        document["apis"][0]["routes"][0]["routeKey"] = "GET " + path;
        document["apis"][0]["routes"][0]["integration"]["uri"] = "http://app/";
        CHECK(load(document).problems.size() == 1);
    }

    TEST_CASE("listeners and admin do not want one port") {
        struct Row {
            const char* name;
            const char* listeners;
            const char* admin;
            const char* pointer;
        };

        const Row rows[] = {
            {"same listener", R"([{}, {}])", "{}", "/listeners/1"},
            {"under every address",
             R"([{"address": "0.0.0.0"}, {"address": "127.0.0.1"}])",
             "{}",
             "/listeners/1"},
            {"under every address of IPv6",
             R"([{"address": "127.0.0.1"}, {"address": "::"}])",
             "{}",
             "/listeners/1"},
            {"admin on a listener", R"([{}])", R"({"port": 8080})", "/admin/port"},
            {"admin under every address",
             R"([{"address": "0.0.0.0", "port": 9901}])",
             "{}",
             "/admin/port"},
            {"two free ports", R"([{"port": 0}, {"port": 0}])", R"({"port": 0})", ""},
            {"two families", R"([{"address": "::1"}, {"address": "127.0.0.1"}])", "{}", ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = minimal_document();
            document["listeners"] = parse_document(row.listeners);
            document["admin"] = parse_document(row.admin);
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(loaded.problems.size() == (*row.pointer == '\0' ? 0U : 1U));
            if (*row.pointer != '\0') CHECK(has_problem(loaded.problems, row.pointer, "port"));
        }
    }

    TEST_CASE("the admin API goes beyond loopback only with a token") {
        struct Row {
            const char* address;
            const char* token;
            bool good;
            bool warned;
        };

        const Row rows[] = {
            {"127.0.0.1", "", true, false},
            {"127.8.9.10", "", true, false},
            {"::1", "", true, false},
            {"0.0.0.0", "", false, false},
            {"::", "", false, false},
            {"10.0.0.1", "", false, false},
            {"128.0.0.1", "", false, false},
            {"::ffff:127.0.0.1", "", false, false},
            {"0.0.0.0", "short", true, true},
            {"0.0.0.0", "0123456789abcdef", true, false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.address);
            CAPTURE(row.token);
            Json document = minimal_document();
            document["admin"] = {{"address", row.address}, {"token", row.token}};
            const Loaded loaded = load(document);
            CHECK(loaded.problems.empty() == row.good);
            if (!row.good)
                CHECK(has_problem(loaded.problems, "/admin/address", "\"token\" must be set"));
            CHECK(loaded.warnings.empty() != row.warned);
        }
    }

    TEST_CASE("an open route has no authorizer context to map") {
        Json document = full_document();
        document["apis"][0]["routes"][0]["authorizer"] = "NONE";
        const Loaded loaded = load(document);
        CHECK(loaded.problems.size() == 1);
        CHECK(has_problem(
            loaded.problems,
            "/apis/0/routes/0/integration/requestParameters/integration.request.header.X-User-Id",
            "would be ignored"));
    }

    TEST_CASE("a mapped placeholder needs no path parameter") {
        Json document = minimal_document();
        Json& route = document["apis"][0]["routes"][0];
        route["integration"]["uri"] = "http://app/{tenant}/{proxy}";
        CHECK(load(document).problems.size() == 1);
        route["integration"]["requestParameters"] = {
            {"integration.request.path.tenant", "context.authorizer.tenantId"}};
        CHECK(show(load(document).problems) == "");
    }

    TEST_CASE("an authorizer that no route uses earns a warning") {
        Json document = minimal_document();
        Json& authorizers = document["apis"][0]["authorizers"];
        authorizers["spare"] = authorizers["jwt"];
        const Loaded loaded = load(document);
        CHECK(show(loaded.problems) == "");
        CHECK(has_problem(loaded.warnings, "/apis/0/authorizers/spare", "no route uses"));
    }

    TEST_CASE("a cached policy for one method earns a warning that names a route") {
        struct Row {
            const char* name;
            const char* route;
            int ttl;
            bool warned;
        };

        const Row rows[] = {{"any method", "ANY /{proxy+}", 300, true},
                            {"parameter", "GET /items/{proxy}", 300, true},
                            {"one request only", "GET /items", 300, false},
                            {"no cache", "ANY /{proxy+}", 0, false}};
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = minimal_document();
            Json& api = document["apis"][0];
            api["authorizers"]["jwt"]["jwt"]["resource"] = "method";
            api["authorizers"]["jwt"]["authorizerResultTtlInSeconds"] = row.ttl;
            api["routes"][0]["routeKey"] = row.route;
            api["routes"][0]["integration"]["uri"] = "http://app/";
            const Loaded loaded = load(document);
            REQUIRE(show(loaded.problems) == "");
            CHECK(has_problem(loaded.warnings, "/apis/0/authorizers/jwt/jwt/resource", row.route) ==
                  row.warned);
        }
    }

    TEST_CASE("context keys that cannot be told apart as headers earn a warning") {
        Json document = minimal_document();
        Json& context = document["apis"][0]["authorizers"]["jwt"]["jwt"]["context"];
        context = {{"user-id", {{"claim", "a"}}},
                   {"User_ID", {{"claim", "b"}}},
                   {"a b", {{"claim", "c"}}},
                   {"plain", {{"claim", "d"}}},
                   {"principal_id", {{"claim", "e"}}}};
        const Loaded loaded = load(document);
        CHECK(show(loaded.problems) == "");
        CHECK(loaded.warnings.size() == 3);
        CHECK(has_problem(
            loaded.warnings, "/apis/0/authorizers/jwt/jwt/context/a b", "no header name"));
        CHECK(has_problem(loaded.warnings,
                          "/apis/0/authorizers/jwt/jwt/context/user-id",
                          "same header name as \"User_ID\""));
        CHECK(has_problem(loaded.warnings,
                          "/apis/0/authorizers/jwt/jwt/context/principal_id",
                          "\"Principal-Id\""));
        document["apis"][0]["contextHeaders"] = false;
        CHECK(show(load(document).warnings) == "");
    }

    TEST_CASE("a model made by hand is judged by the same rules") {
        Model model;
        Api& api = model.apis.emplace_back();
        api.pointer = "/apis/0";
        api.name = "hand";
        Route& route = api.routes.emplace_back();
        route.pointer = "/apis/0/routes/0";
        route.method = "GET";
        route.path = "/x";
        route.authorizer = "nobody";
        std::vector<Problem> problems;
        std::vector<Problem> warnings;
        validate(model, problems, warnings);
        CHECK(has_problem(problems, "/apis/0/routes/0/authorizer", "there is no authorizer"));
    }

    TEST_CASE("placeholders are found in order") {
        CHECK(find_placeholders("http://a/{x}/b{y}?c={x}") ==
              std::vector<std::string>{"x", "y", "x"});
        CHECK(find_placeholders("http://a/").empty());
        CHECK(find_placeholders("{a").empty());
    }
}

}  // namespace validate_test
