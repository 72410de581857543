#include "gatehouse/config/report.hpp"

#include "fixture.hpp"

namespace report_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

std::vector<RouteReport> report_of(const Json& document) {
    const Loaded loaded = load(document);
    REQUIRE(show(loaded.problems) == "");
    return make_report(loaded.model);
}

std::string join(const std::vector<std::string>& differences) {
    std::string text;
    for (const std::string& difference : differences)
        text += difference.substr(0, difference.find(" (")) + ";";
    return text;
}

// A document that behaves as the service does.
Json exact_document() {
    Json document = minimal_document();
    Json& api = document["apis"][0];
    api["contextHeaders"] = false;
    api["authorizers"]["jwt"]["limitToExpiration"] = false;
    api["routes"][0]["integration"]["requestParameters"] = {
        {"integration.request.path.proxy", "method.request.path.proxy"}};
    return document;
}

}  // namespace

TEST_SUITE("config/report") {
    TEST_CASE("every route has a row that says who may pass") {
        const std::vector<RouteReport> report = report_of(full_document());
        REQUIRE(report.size() == 3);
        CHECK(report[0].api == "users");
        CHECK(report[0].method == "GET");
        CHECK(report[0].path == "/items");
        CHECK(report[0].authorizer == "jwt");
        CHECK(report[0].authorizer_type == "TOKEN gatehouse:jwt");
        CHECK(report[0].integration == "HTTP_PROXY http://127.0.0.1:3000/items");
        CHECK(report[2].authorizer == "NONE");
        CHECK(report[2].authorizer_type == "open");
        CHECK(report[2].integration == "MOCK 200");
        Json keyed = full_document();
        for (const int i : {0, 2})
            keyed["apis"][0]["routes"][i]["apiKeyRequired"] = true;
        CHECK(report_of(keyed)[0].authorizer_type == "TOKEN gatehouse:jwt, API key");
        CHECK(report_of(keyed)[2].authorizer_type == "open, API key");
    }

    TEST_CASE("values in an integration's query are not shown") {
        Json document = minimal_document();
        document["apis"][0]["routes"][0]["integration"]["uri"] =
            "http://127.0.0.1:3000/{proxy}?code=hunter2&path={proxy}";
        CHECK(report_of(document)[0].integration ==
              "HTTP_PROXY http://127.0.0.1:3000/{proxy}?code=***&path={proxy}");
    }

    TEST_CASE("differences are told one by one") {
        CHECK(report_of(exact_document())[0].differences.empty());

        struct Row {
            const char* name;
            const char* at;
            const char* value;
            const char* want;
        };

        const Row rows[] = {
            {"no mapping",
             "/apis/0/routes/0/integration/requestParameters",
             "{}",
             "needs integration.request.path.proxy;"},
            {"context headers", "/apis/0/contextHeaders", "{}", "contextHeaders;"},
            {"request context",
             "/apis/0/contextHeaders",
             "{\"requestContext\": true}",
             "contextHeaders;x-amzn-request-context;"},
            {"plain headers", "/apis/0/headerHandling", "\"plain\"", "headerHandling plain;"},
            {"limit to expiration",
             "/apis/0/authorizers/jwt/limitToExpiration",
             "true",
             "limitToExpiration;"},
            {"encoded slash", "/apis/0/encodedSlash", "\"refuse\"", "encodedSlash refuse;"},
            {"older messages", "/apis/0/denyMessages", "\"2015\"", ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = exact_document();
            change(document, row.at, row.value);
            CHECK(join(report_of(document)[0].differences) == row.want);
        }
    }

    // README, "Kind by kind": an authorizer, function or count that it calls approximated is not
    // shown as exact.
    TEST_CASE("each kind says what it approximates") {
        struct Row {
            const char* name;
            const char* at;
            const char* value;
            const char* want;
        };

        const char* const kFunction = R"({"type": "TOKEN", "authorizerUri":
            "arn:aws:lambda:us-east-1:123456789012:function:FUNCTION"})";
        const auto function = [&](std::string name) {
            std::string text = kFunction;
            return text.replace(text.find("FUNCTION"), 8, name);
        };
        const std::string run = function("run");
        const std::string asked = function("asked");
        const std::string route = "/apis/0/routes/0";
        const std::string scopes = route + "/authorizationScopes";
        const std::string key = route + "/apiKeyRequired";
        const std::string throttle = "/apis/0/throttle";
        const Row rows[] = {
            {"a function elsewhere", "/apis/0/authorizers/jwt", asked.c_str(), ""},
            {"a function here", "/apis/0/authorizers/jwt", run.c_str(), "function run run here;"},
            {"scopes of a TOKEN authorizer", scopes.c_str(), R"(["a"])", "authorizationScopes;"},
            {"an API key", key.c_str(), "true", "counts of requests;"},
            {"a throttle",
             throttle.c_str(),
             R"({"rateLimit": 1, "burstLimit": 1})",
             "counts of requests;"},
            {"a throttle of all",
             "/throttle",
             R"({"rateLimit": 1, "burstLimit": 1})",
             "counts of requests;"},
            {"a native JWT",
             "/apis/0/authorizers/jwt",
             R"({"type": "JWT", "identitySource": "method.request.header.Authorization",
                 "jwtConfiguration": {"defaultAlgorithms": ["RS256"], "issuers":
                     [{"issuer": "https://i.example/", "audiences": ["a"]}]}})",
             "JWT;"},
            {"a pool",
             "/apis/0/authorizers/jwt",
             R"({"type": "COGNITO_USER_POOLS", "limitToExpiration": false, "providerARNs":
                 ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Ab"]})",
             ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = exact_document();
            document["functions"] = {{"run", {{"command", {"./run"}}}},
                                     {"asked", {{"endpoint", "http://127.0.0.1:9000"}}}};
            change(document, row.at, row.value);
            CHECK(join(report_of(document)[0].differences) == row.want);
        }
    }

    TEST_CASE("signatures and pools with scopes are not the whole of the service's") {
        Json document = exact_document();
        document["accessKeys"] = {
            {{"accessKeyId", "AK"}, {"secretAccessKey", "s"}, {"principalId", "p"}}};
        document["apis"][0]["routes"][0]["authorizer"] = "AWS_IAM";
        CHECK(join(report_of(document)[0].differences) == "AWS_IAM;");

        document = exact_document();
        document["apis"][0]["authorizers"]["jwt"] = {
            {"type", "COGNITO_USER_POOLS"},
            {"limitToExpiration", false},
            {"providerARNs", {"arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Ab"}}};
        document["apis"][0]["routes"][0]["authorizationScopes"] = {"a"};
        CHECK(join(report_of(document)[0].differences) == "authorizationScopes;");
    }

    TEST_CASE("an open route has no differences that only authorizers make") {
        Json document = minimal_document();
        Json& api = document["apis"][0];
        api["routes"][0]["authorizer"] = "NONE";
        CHECK(join(report_of(document)[0].differences) == "needs integration.request.path.proxy;");
    }

    TEST_CASE("without a cache nothing outlives a token") {
        Json document = exact_document();
        document["apis"][0]["authorizers"]["jwt"]["limitToExpiration"] = true;
        document["apis"][0]["authorizers"]["jwt"]["authorizerResultTtlInSeconds"] = 0;
        CHECK(report_of(document)[0].differences.empty());
    }

    TEST_CASE("the table has aligned columns and names the API when there are several") {
        std::vector<RouteReport> report = {
            {"users",
             "GET",
             "/items",
             "jwt",
             "TOKEN gatehouse:jwt",
             {},
             "HTTP_PROXY http://a/",
             {}},
            {"users", "OPTIONS", "/", "NONE", "open", {}, "MOCK 200", {"one", "two"}},
        };
        CHECK(to_text(report) ==
              "GET      /items  jwt (TOKEN gatehouse:jwt)  HTTP_PROXY http://a/  exact\n"
              "OPTIONS  /       NONE (open)                MOCK 200              differs from the "
              "service: one; two\n");
        report[1].api = "b";
        CHECK(to_text(report).starts_with("users  GET "));
        CHECK(to_text(report).find("\nb      OPTIONS ") != std::string::npos);
        CHECK(to_text(std::vector<RouteReport>{}) == "");
    }

    TEST_CASE("the JSON report has the same facts") {
        const Json json = to_json(report_of(full_document()));
        REQUIRE(json.size() == 3);
        CHECK(json[2]["authorizer"] == "NONE");
        CHECK(json[2]["authorizerType"] == "open");
        CHECK(json[2]["exact"] == false);
        CHECK(json[0]["differences"].size() == 2);
        CHECK(to_json(report_of(exact_document()))[0]["exact"] == true);
    }

    TEST_CASE("only the word NONE is ever shown as open") {
        Model model;
        Api& api = model.apis.emplace_back();
        for (const char* name : {"", "nobody", "none", "NONE"}) {
            Route& route = api.routes.emplace_back();
            route.authorizer = name;
        }
        const std::vector<RouteReport> report = make_report(model);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(report[i].authorizer != "");
            CHECK(report[i].authorizer_type == "unknown");
        }
        CHECK(report[3].authorizer_type == "open");
    }
}

}  // namespace report_test
