#include "fixture.hpp"
#include "gatehouse/config/validate.hpp"

namespace parse_functions_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

constexpr const char* kArn = "arn:aws:lambda:eu-west-1:123456789012:function:authz";

std::string wrapped(const std::string& arn) {
    return "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + arn + "/invocations";
}

// One function behind an endpoint, one that is run; the first decides, the second answers.
Json document_of(const std::string& authorizer = kArn, const std::string& backend = "") {
    Json document = minimal_document();
    document["functions"] = parse_document(
        R"({ "authz": { "endpoint": "http://127.0.0.1:9000" },
             "app": { "command": ["node", "app.handler"], "directory": "app",
                      "environment": { "A": "b" }, "concurrency": 2, "timeoutInMillis": 1000 } })");
    Json& api = document["apis"][0];
    api["authorizers"] = {{"fn", {{"type", "TOKEN"}, {"authorizerUri", authorizer}}}};
    Json& route = api["routes"][0];
    route["authorizer"] = "fn";
    route["integration"] = {
        {"type", "AWS_PROXY"},
        {"uri", backend.empty() ? "arn:aws:lambda:eu-west-1:1:function:app:live" : backend}};
    return document;
}

}  // namespace

TEST_SUITE("config/parse_functions") {
    TEST_CASE("functions are read and found by the last part of an ARN") {
        const Loaded loaded = load(document_of());
        REQUIRE(show(loaded.problems) == "");
        const Model& model = loaded.model;
        REQUIRE(model.functions.size() == 2);
        CHECK(model.functions[0].name == "app");  // the file's order is not kept by JSON objects
        CHECK(model.functions[0].command == std::vector<std::string>{"node", "app.handler"});
        CHECK(model.functions[0].directory == "app");
        CHECK(model.functions[0].environment ==
              std::vector<std::pair<std::string, std::string>>{{"A", "b"}});
        CHECK(model.functions[0].concurrency == 2);
        CHECK(model.functions[0].timeout.count() == 1000);
        CHECK(model.functions[1].endpoint == "http://127.0.0.1:9000");
        CHECK(model.apis[0].authorizers[0].function == 1);
        CHECK(model.apis[0].routes[0].integration.function == 0);
    }

    TEST_CASE("every form of naming a function") {
        struct Row {
            std::string uri;
            int function;  // 1: authz; 2: one of its own
        };

        const Row rows[] = {
            {kArn, 1},
            {std::string(kArn) + ":$LATEST", 1},
            {std::string(kArn) + ":7", 1},
            {wrapped(kArn), 1},
            {wrapped(std::string(kArn) + ":live"), 1},
            {"arn:aws-cn:lambda:cn-north-1:1:function:authz", 1},
            {"http://10.0.0.9:3001/2015-03-31/functions/other/invocations", 2},
            {"https://host/base/2015-03-31/functions/authz/invocations", 2},
        };
        for (const Row& row : rows) {
            CAPTURE(row.uri);
            const Loaded loaded = load(document_of(row.uri));
            CHECK(show(loaded.problems) == "");
            CHECK(loaded.model.apis.at(0).authorizers.at(0).function == row.function);
        }
        const Loaded url = load(document_of(rows[6].uri));
        CHECK(url.model.functions.at(2).endpoint == rows[6].uri);
    }

    TEST_CASE("what names no function is refused with advice") {
        struct Row {
            std::string uri;
            std::string words;
        };

        const Row rows[] = {
            {"arn:aws:lambda:eu-west-1:1:function:autz", "did you mean \"authz\"?"},
            {"arn:aws:lambda:eu-west-1:1:function:nobody", "AWS_ENDPOINT_URL_LAMBDA is not set"},
            {"arn:aws:lambda:eu-west-1:1:function", "is no ARN of a function"},
            {"arn:aws:lambda:eu-west-1:1:layer:authz", "is no ARN of a function"},
            {"arn:aws:lambda:eu-west-1:1:function:authz:", "is no ARN of a function"},
            {"arn:aws:lambda:eu-west-1:1:function:authz:a:b", "is no ARN of a function"},
            {"arn:aws:lambda:eu-west-1:1:function:", "is no function name"},
            {"arn:aws:lambda:eu-west-1:1:function:a/b", "is no function name"},
            {"arn:aws:s3:::bucket", "is no ARN of a function"},
            {"arn:", "is no ARN of a function"},
            {wrapped("authz"), "is no ARN of a function"},
            {wrapped("") + "x", "does not end in \"/invocations\""},
            {wrapped(""), "is no ARN of a function"},
            {"http://h/2015-03-31/functions/authz", "calls no function"},
            {"http://h/2015-03-31/functions//invocations", "empty segment"},
            {"http://u:p@h/2015-03-31/functions/a/invocations", "user name or password"},
            {"http://h/2015-03-31/functions/{x}/invocations", "is no function name"},
            {"http://h/2015-03-31/functions/a/b?c/invocations", "is no function name"},
            {"authz", "allowed: \"gatehouse:jwt\""},
            {"http://127.0.0.1:9000/", "allowed: \"gatehouse:jwt\""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.uri);
            const Loaded loaded = load(document_of(row.uri));
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(has_problem(loaded.problems, "/apis/0/authorizers/fn/authorizerUri", row.words));
        }
        for (const std::string uri : {"app", "http://127.0.0.1:3000/", "gatehouse:jwt"}) {
            CAPTURE(uri);
            const Loaded loaded = load(document_of(kArn, uri));
            CHECK(has_problem(
                loaded.problems, "/apis/0/routes/0/integration/uri", "names no function"));
        }
    }

    TEST_CASE("AWS_ENDPOINT_URL_LAMBDA takes those that are not listed") {
        const std::string arn = "arn:aws:lambda:eu-west-1:1:function:elsewhere";
        const Loaded loaded = load(
            document_of(arn), make_environment({{"AWS_ENDPOINT_URL_LAMBDA", "http://h:4566"}}));
        REQUIRE(show(loaded.problems) == "");
        const Function& function = loaded.model.functions.at(2);
        CHECK(function.name == "elsewhere");
        CHECK(function.called == arn);
        CHECK(function.endpoint == "http://h:4566");
    }

    TEST_CASE("functions of one name and different ARNs are different functions") {
        const Environment environment =
            make_environment({{"AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:4566"}});
        const std::string one = "arn:aws:lambda:us-east-1:111111111111:function:twin:dev";
        const std::string two = "arn:aws:lambda:eu-west-1:222222222222:function:twin:prod";
        Json document = document_of(one);
        document["apis"][0]["authorizers"]["two"] = {{"type", "TOKEN"}, {"authorizerUri", two}};
        document["apis"][0]["authorizers"]["again"] = {{"type", "TOKEN"}, {"authorizerUri", one}};
        const Loaded loaded = load(document, environment);
        REQUIRE(show(loaded.problems) == "");
        const auto called = [&](std::size_t authorizer) {
            const int index = loaded.model.apis[0].authorizers[authorizer].function;
            return loaded.model.functions.at(static_cast<std::size_t>(index)).called;
        };
        CHECK(called(0) == one);  // "again", "fn", "two"
        CHECK(called(1) == one);
        CHECK(called(2) == two);
        CHECK(loaded.model.functions.size() == 4);
        // A URL that was named before is no listing.
        Json url = document_of("http://127.0.0.1:7777/2015-03-31/functions/other/invocations");
        url["apis"][0]["authorizers"]["later"] = {
            {"type", "TOKEN"}, {"authorizerUri", "arn:aws:lambda:eu-west-1:1:function:other"}};
        CHECK(has_problem(load(url).problems,
                          "/apis/0/authorizers/later/authorizerUri",
                          "AWS_ENDPOINT_URL_LAMBDA is not set"));
        const Loaded nonsense =
            load(document_of(one), make_environment({{"AWS_ENDPOINT_URL_LAMBDA", "nonsense"}}));
        CHECK(has_problem(nonsense.problems,
                          "/apis/0/authorizers/fn/authorizerUri",
                          "AWS_ENDPOINT_URL_LAMBDA, which"));
    }

    TEST_CASE("functions that could not be called are refused") {
        check_refusals(
            document_of(),
            {
                {"nothing", "/functions/authz", "{}", "/functions/authz", "says neither"},
                {"both",
                 "/functions/authz/command",
                 "[\"node\"]",
                 "/functions/authz/command",
                 "take one of the two"},
                {"half a function",
                 "/functions/authz/endpoint",
                 "\"http://h/2015-03-31/functions/x\"",
                 "/functions/authz/endpoint",
                 "does not end in"},
                {"no URL",
                 "/functions/authz/endpoint",
                 "\"h:1\"",
                 "/functions/authz/endpoint",
                 "URL"},
                {"query",
                 "/functions/authz/endpoint",
                 "\"http://h?a=1\"",
                 "/functions/authz/endpoint",
                 "query"},
                {"no list", "/functions/app/command", "\"node\"", "/functions/app/command", "list"},
                {"no program",
                 "/functions/app/command",
                 "[\"\"]",
                 "/functions/app/command",
                 "names no program"},
                {"empty",
                 "/functions/app/command",
                 "[]",
                 "/functions/app/command",
                 "names no program"},
                {"folder",
                 "/functions/app/directory",
                 "\"\"",
                 "/functions/app/directory",
                 "is empty"},
                {"variable",
                 "/functions/app/environment",
                 "{\"A=B\":\"c\"}",
                 "/functions/app/environment/A=B",
                 "no name"},
                {"number",
                 "/functions/app/environment",
                 "{\"A\":1}",
                 "/functions/app/environment/A",
                 "string"},
                {"processes",
                 "/functions/app/concurrency",
                 "0",
                 "/functions/app/concurrency",
                 "1 to 64"},
                {"time",
                 "/functions/app/timeoutInMillis",
                 "10",
                 "/functions/app/timeoutInMillis",
                 "50 to 900000"},
                {"name",
                 "/functions/a b",
                 "{\"endpoint\":\"http://h\"}",
                 "/functions/a b",
                 "no function name"},
                {"jwt beside a function",
                 "/apis/0/authorizers/fn/jwt",
                 "{}",
                 "/apis/0/authorizers/fn/jwt",
                 "the function decides"},
                {"exp beside a function",
                 "/apis/0/authorizers/fn/limitToExpiration",
                 "true",
                 "/apis/0/authorizers/fn/limitToExpiration",
                 "no exp"},
                {"scopes beside a function",
                 "/apis/0/routes/0/authorizationScopes",
                 "[\"a\"]",
                 "/apis/0/routes/0/authorizationScopes",
                 "no scopes"},
                {"method",
                 "/apis/0/routes/0/integration/httpMethod",
                 "\"GET\"",
                 "/apis/0/routes/0/integration/httpMethod",
                 "POST"},
                {"mapping",
                 "/apis/0/routes/0/integration/requestParameters",
                 "{}",
                 "/apis/0/routes/0/integration/requestParameters",
                 "as it is"},
                {"media type",
                 "/apis/0/binaryMediaTypes",
                 "[\"image\"]",
                 "/apis/0/binaryMediaTypes/0",
                 ""},
            });
        check_acceptances(
            document_of(),
            {{"any image", "/apis/0/binaryMediaTypes", "[\"image/*\",\"*/*\",\"a/b\"]"}});
    }

    TEST_CASE("stage variables are filled into the authorizerUri") {
        Json document = document_of("arn:aws:lambda:eu-west-1:1:function:${stageVariables.fn}");
        document["apis"][0]["stageVariables"] = {{"fn", "authz"}};
        Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.apis[0].authorizers[0].function == 1);
        CHECK(loaded.model.apis[0].authorizers[0].authorizer_uri ==
              "arn:aws:lambda:eu-west-1:1:function:authz");
        document["apis"][0]["stageVariables"] = {{"fm", "authz"}};
        CHECK(has_problem(load(document).problems,
                          "/apis/0/authorizers/fn/authorizerUri",
                          "stage variable \"fn\" is not set"));
        document["apis"][0]["stageVariables"] = {{"fn", "other"}};
        CHECK_FALSE(load(document).problems.empty());
    }

    TEST_CASE("section 4.5: how long an authorizer's function may take") {
        CHECK(load(document_of()).model.apis[0].authorizers[0].timeout.count() == 29000);
        Json document = document_of();
        document["apis"][0]["authorizers"]["fn"]["timeoutInMillis"] = 50;
        CHECK(load(document).model.apis[0].authorizers[0].timeout.count() == 50);
        const char* const kAt = "/apis/0/authorizers/fn/timeoutInMillis";
        check_refusals(document_of(),
                       {{"too short", kAt, "49", kAt, "allowed: 50 to 29000"},
                        {"too long", kAt, "29001", kAt, "allowed: 50 to 29000"}});
        check_refusals(minimal_document(),
                       {{"no function",
                         "/apis/0/authorizers/jwt/timeoutInMillis",
                         "1000",
                         "/apis/0/authorizers/jwt/timeoutInMillis",
                         "would be ignored"}});
    }

    TEST_CASE("a function that nothing calls is a warning") {
        Json document = document_of();
        CHECK(show(load(document).warnings).find("no route") == std::string::npos);
        document["functions"]["spare"] = {{"command", {"node", "spare"}}};
        CHECK(has_problem(load(document).warnings, "/functions/spare", "not started"));
        document = document_of();
        // An authorizer that no route names calls nobody.
        document["apis"][0]["routes"][0]["authorizer"] = "NONE";
        const Loaded loaded = load(document);
        CHECK(has_problem(loaded.warnings, "/functions/authz", "not started"));
        CHECK(find_used_functions(loaded.model) == std::vector<bool>{true, false});
    }
}

}  // namespace parse_functions_test
