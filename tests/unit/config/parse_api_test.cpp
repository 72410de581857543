#include "fixture.hpp"

namespace parse_api_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

TEST_SUITE("config/parse_api") {
    TEST_CASE("names and ids have their forms") {
        check_refusals(
            full_document(),
            {
                {"empty name", "/apis/0/name", "\"\"", "/apis/0/name", "no name"},
                {"name with a space", "/apis/0/name", "\"a b\"", "/apis/0/name", "no name"},
                {"name with a slash", "/apis/0/name", "\"a/b\"", "/apis/0/name", "no name"},
                {"WebSocket API",
                 "/apis/0/protocolType",
                 "\"WEBSOCKET\"",
                 "/apis/0/protocolType",
                 "not supported by this version of Gatehouse yet"},
                {"other protocol",
                 "/apis/0/protocolType",
                 "\"rest\"",
                 "/apis/0/protocolType",
                 "allowed: \"REST\""},
                {"api id", "/apis/0/apiId", "\"a/b\"", "/apis/0/apiId", "no API id"},
                {"api id with a star", "/apis/0/apiId", "\"*\"", "/apis/0/apiId", "no API id"},
                {"stage with a slash",
                 "/apis/0/stageName",
                 "\"a/b\"",
                 "/apis/0/stageName",
                 "no stage name"},
                {"stage with a dot",
                 "/apis/0/stageName",
                 "\"v1.2\"",
                 "/apis/0/stageName",
                 "no stage name"},
                {"stage of HTTP APIs",
                 "/apis/0/stageName",
                 "\"$default\"",
                 "/apis/0/stageName",
                 "HTTP APIs"},
                {"empty stage", "/apis/0/stageName", "\"\"", "/apis/0/stageName", "no stage name"},
                {"region", "/apis/0/region", "\"US East\"", "/apis/0/region", "no region"},
                {"region with colons",
                 "/apis/0/region",
                 "\"us:east\"",
                 "/apis/0/region",
                 "no region"},
                {"short account",
                 "/apis/0/accountId",
                 "\"1234\"",
                 "/apis/0/accountId",
                 "12 digits"},
                {"account with letters",
                 "/apis/0/accountId",
                 "\"12345678901x\"",
                 "/apis/0/accountId",
                 "12 digits"},
            });
    }

    TEST_CASE("base paths and host names are plain") {
        check_refusals(
            full_document(),
            {
                {"no slash",
                 "/apis/0/basePath",
                 "\"prod\"",
                 "/apis/0/basePath",
                 "does not begin with \"/\""},
                {"empty",
                 "/apis/0/basePath",
                 "\"\"",
                 "/apis/0/basePath",
                 "does not begin with \"/\""},
                {"trailing slash",
                 "/apis/0/basePath",
                 "\"/prod/\"",
                 "/apis/0/basePath",
                 "ends with \"/\""},
                {"two slashes",
                 "/apis/0/basePath",
                 "\"/a//b\"",
                 "/apis/0/basePath",
                 "empty or a dot segment"},
                {"only slashes",
                 "/apis/0/basePath",
                 "\"//\"",
                 "/apis/0/basePath",
                 "ends with \"/\""},
                {"dot segment",
                 "/apis/0/basePath",
                 "\"/a/../b\"",
                 "/apis/0/basePath",
                 "empty or a dot segment"},
                {"encoded",
                 "/apis/0/basePath",
                 "\"/a%2Fb\"",
                 "/apis/0/basePath",
                 "percent-encoding"},
                {"query", "/apis/0/basePath", "\"/a?b\"", "/apis/0/basePath", "cannot have"},
                {"space", "/apis/0/basePath", "\"/a b\"", "/apis/0/basePath", "cannot have"},
                {"placeholder",
                 "/apis/0/basePath",
                 "\"/{stage}\"",
                 "/apis/0/basePath",
                 "cannot have"},
                {"not ASCII", "/apis/0/basePath", "\"/\u00e9\"", "/apis/0/basePath", "cannot have"},
                {"host with port",
                 "/apis/0/domainNames",
                 "[\"a.example:80\"]",
                 "/apis/0/domainNames/0",
                 "without port"},
                {"URL",
                 "/apis/0/domainNames",
                 "[\"https://a.example\"]",
                 "/apis/0/domainNames/0",
                 "the host name alone"},
                {"wildcard",
                 "/apis/0/domainNames",
                 "[\"*.example\"]",
                 "/apis/0/domainNames/0",
                 "wildcards"},
                {"last dot",
                 "/apis/0/domainNames",
                 "[\"a.example.\"]",
                 "/apis/0/domainNames/0",
                 "without the last dot"},
                {"empty label",
                 "/apis/0/domainNames",
                 "[\"a..example\"]",
                 "/apis/0/domainNames/0",
                 "empty label"},
                {"hyphen at an end",
                 "/apis/0/domainNames",
                 "[\"a-.example\"]",
                 "/apis/0/domainNames/0",
                 "no host name"},
                {"empty host",
                 "/apis/0/domainNames",
                 "[\"\"]",
                 "/apis/0/domainNames/0",
                 "is empty"},
                {"path in a host",
                 "/apis/0/domainNames",
                 "[\"a.example/x\"]",
                 "/apis/0/domainNames/0",
                 "no host name"},
            });
        check_acceptances(full_document(),
                          {
                              {"one segment", "/apis/0/basePath", "\"/prod\""},
                              {"two segments", "/apis/0/basePath", "\"/api/v1.2\""},
                              {"address as host", "/apis/0/domainNames", "[\"127.0.0.1\"]"},
                              {"underscore", "/apis/0/domainNames", "[\"my_service\"]"},
                          });
        Json document = full_document();
        document["apis"][0]["domainNames"] = {"API.Example.COM"};
        CHECK(load(document).model.apis.at(0).domain_names ==
              std::vector<std::string>{"api.example.com"});
    }

    TEST_CASE("stage variables follow the rules of the service") {
        check_refusals(full_document(),
                       {
                           {"hyphen in a name",
                            "/apis/0/stageVariables/a-b",
                            "\"x\"",
                            "/apis/0/stageVariables/a-b",
                            "no name of a stage variable"},
                           {"empty name",
                            "/apis/0/stageVariables/",
                            "\"x\"",
                            "/apis/0/stageVariables/",
                            "no name of a stage variable"},
                           {"space in a value",
                            "/apis/0/stageVariables/x",
                            "\"a b\"",
                            "/apis/0/stageVariables/x",
                            "1 to 512"},
                           {"empty value",
                            "/apis/0/stageVariables/x",
                            "\"\"",
                            "/apis/0/stageVariables/x",
                            "1 to 512"},
                           {"brace in a value",
                            "/apis/0/stageVariables/x",
                            "\"{a}\"",
                            "/apis/0/stageVariables/x",
                            "1 to 512"},
                           {"used and wrong",
                            "/apis/0/stageVariables/backend",
                            "\"a b\"",
                            "/apis/0/stageVariables/backend",
                            "1 to 512"},
                       });
        for (const auto& [name, value, good] :
             std::vector<std::tuple<std::size_t, std::size_t, bool>>{
                 {64, 512, true}, {65, 512, false}, {64, 513, false}}) {
            Json document = full_document();
            document["apis"][0]["stageVariables"][std::string(name, 'n')] = std::string(value, 'v');
            CHECK(load(document).problems.empty() == good);
        }
        Json document = full_document();
        for (int i = 1; i < 100; ++i)
            document["apis"][0]["stageVariables"]["v" + std::to_string(i)] = "x";
        CHECK(load(document).problems.empty());
        document["apis"][0]["stageVariables"]["v100"] = "x";
        CHECK(has_problem(load(document).problems, "/apis/0/stageVariables", "more than 100"));
    }

    TEST_CASE("switches have fixed words") {
        check_refusals(full_document(),
                       {
                           {"headerHandling",
                            "/apis/0/headerHandling",
                            "\"plian\"",
                            "/apis/0/headerHandling",
                            "did you mean \"plain\"?"},
                           {"encodedSlash",
                            "/apis/0/encodedSlash",
                            "\"decode\"",
                            "/apis/0/encodedSlash",
                            "allowed: \"keep\", \"refuse\""},
                           {"denyMessages",
                            "/apis/0/denyMessages",
                            "\"2020\"",
                            "/apis/0/denyMessages",
                            "allowed: \"2026\", \"2015\""},
                           {"denyMessages as a number",
                            "/apis/0/denyMessages",
                            "2015",
                            "/apis/0/denyMessages",
                            "must be a string"},
                           {"contextHeaders true",
                            "/apis/0/contextHeaders",
                            "true",
                            "/apis/0/contextHeaders",
                            "must be false, or an object"},
                           {"contextHeaders word",
                            "/apis/0/contextHeaders",
                            "\"false\"",
                            "/apis/0/contextHeaders",
                            "must be false, or an object"},
                           {"empty prefix",
                            "/apis/0/contextHeaders/prefix",
                            "\"\"",
                            "/apis/0/contextHeaders/prefix",
                            "cannot begin"},
                           {"prefix with a colon",
                            "/apis/0/contextHeaders/prefix",
                            "\"X:\"",
                            "/apis/0/contextHeaders/prefix",
                            "cannot begin"},
                           {"prefix that is too broad",
                            "/apis/0/contextHeaders/prefix",
                            "\"x-\"",
                            "/apis/0/contextHeaders/prefix",
                            "X-Forwarded-For"},
                           {"prefix over Content-Type",
                            "/apis/0/contextHeaders/prefix",
                            "\"content_\"",
                            "/apis/0/contextHeaders/prefix",
                            "Content-Type"},
                       });
        Json document = full_document();
        document["apis"][0]["headerHandling"] = "plain";
        document["apis"][0]["encodedSlash"] = "refuse";
        document["apis"][0]["denyMessages"] = "2015";
        document["apis"][0]["methodOverride"] = true;
        document["apis"][0]["contextHeaders"] = false;
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        const Api& api = loaded.model.apis.at(0);
        CHECK(api.plain_headers);
        CHECK(api.encoded_slash == EncodedSlash::refuse);
        CHECK(api.deny_messages_2015);
        CHECK(api.method_override);
        CHECK_FALSE(api.context_headers.enabled);
    }

    TEST_CASE("a route says who may pass") {
        check_refusals(full_document(),
                       {
                           {"nobody",
                            "/apis/0/routes/2/authorizer",
                            "",
                            "/apis/0/routes/2",
                            "says neither an authorizer nor \"NONE\""},
                           {"empty",
                            "/apis/0/routes/2/authorizer",
                            "\"\"",
                            "/apis/0/routes/2/authorizer",
                            "says neither an authorizer nor \"NONE\""},
                           {"null",
                            "/apis/0/routes/2/authorizer",
                            "null",
                            "/apis/0/routes/2/authorizer",
                            "says neither an authorizer nor \"NONE\""},
                           {"false",
                            "/apis/0/routes/2/authorizer",
                            "false",
                            "/apis/0/routes/2/authorizer",
                            "must be a string"},
                           {"none in small letters",
                            "/apis/0/routes/2/authorizer",
                            "\"none\"",
                            "/apis/0/routes/2/authorizer",
                            "did you mean \"NONE\"?"},
                           {"IAM",
                            "/apis/0/routes/2/authorizer",
                            "\"AWS_IAM\"",
                            "/apis/0/routes/2/authorizer",
                            "there are none: no request could pass"},
                           {"unknown",
                            "/apis/0/routes/2/authorizer",
                            "\"jwtt\"",
                            "/apis/0/routes/2/authorizer",
                            "there is no authorizer \"jwtt\"; allowed: \"NONE\", \"jwt\"; did you "
                            "mean \"jwt\"?"},
                           {"by id",
                            "/apis/0/routes/2/authorizer",
                            "\"abc123\"",
                            "/apis/0/routes/2/authorizer",
                            "there is no authorizer"},
                           {"by ARN",
                            "/apis/0/routes/2/authorizer",
                            "\"arn:aws:lambda:us-east-1:123456789012:function:f\"",
                            "/apis/0/routes/2/authorizer",
                            "there is no authorizer"},
                       });
    }

    TEST_CASE("route keys and scopes have their forms") {
        check_refusals(full_document(),
                       {
                           {"no method",
                            "/apis/0/routes/2/routeKey",
                            "\"/health\"",
                            "/apis/0/routes/2/routeKey",
                            "no route key"},
                           {"default route",
                            "/apis/0/routes/2/routeKey",
                            "\"$default\"",
                            "/apis/0/routes/2/routeKey",
                            "no route key"},
                           {"method in small letters",
                            "/apis/0/routes/2/routeKey",
                            "\"get /health\"",
                            "/apis/0/routes/2/routeKey",
                            "GET"},
                           {"two spaces",
                            "/apis/0/routes/2/routeKey",
                            "\"GET  /health\"",
                            "/apis/0/routes/2/routeKey",
                            "no route key"},
                           {"trailing slash",
                            "/apis/0/routes/2/routeKey",
                            "\"GET /health/\"",
                            "/apis/0/routes/2/routeKey",
                            "trailing slash"},
                           {"greedy in the middle",
                            "/apis/0/routes/2/routeKey",
                            "\"GET /{a+}/b\"",
                            "/apis/0/routes/2/routeKey",
                            "{a+}"},
                           {"parameter in a segment",
                            "/apis/0/routes/2/routeKey",
                            "\"GET /x{a}\"",
                            "/apis/0/routes/2/routeKey",
                            "whole segment"},
                           {"scope with a space",
                            "/apis/0/routes/0/authorizationScopes",
                            "[\"a b\"]",
                            "/apis/0/routes/0/authorizationScopes/0",
                            "no scope"},
                           {"empty scope",
                            "/apis/0/routes/0/authorizationScopes",
                            "[\"\"]",
                            "/apis/0/routes/0/authorizationScopes/0",
                            "no scope"},
                           {"scopes on an open route",
                            "/apis/0/routes/2/authorizationScopes",
                            "[\"a\"]",
                            "/apis/0/routes/2/authorizationScopes",
                            "would be ignored"},
                           {"no routes", "/apis/0/routes", "[]", "/apis/0/routes", "is empty"},
                       });
    }

    TEST_CASE("authorizer names are not the words that routes reserve") {
        for (const char* name : {"NONE", "AWS_IAM", "", "a b", "a/b"}) {
            CAPTURE(name);
            Json document = full_document();
            Json& authorizers = document["apis"][0]["authorizers"];
            authorizers[name] = authorizers["jwt"];
            CHECK(load(document).problems.size() == 1);
        }
    }
}

}  // namespace parse_api_test
