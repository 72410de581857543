#include "fixture.hpp"

namespace parse_mapping_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

// Route 0 is a mapped and validated HTTP integration, route 1 a MOCK in full.
Json mapped_document() {
    return parse_document(R"x({ "apis": [ {
        "name": "pets",
        "stageVariables": { "backend": "app:3000" },
        "requestValidators": { "all": { "validateRequestBody": true, "validateRequestParameters": true },
                               "body": { "validateRequestBody": true } },
        "models": { "Pet": { "type": "object", "required": ["name"] } },
        "routes": [
          { "routeKey": "POST /pets/{id}", "authorizer": "NONE",
            "requestValidator": "all",
            "requestParameters": { "method.request.header.X-A": true, "method.request.path.id": true },
            "requestModels": { "application/json": "Pet", "$default": "Empty" },
            "integration": { "type": "HTTP", "uri": "http://app/{id}", "httpMethod": "PUT",
              "requestParameters": { "integration.request.header.X-B": "method.request.body.b" },
              "requestTemplates": { "application/json": "{}", "$default": "$input.body" },
              "passthroughBehavior": "NEVER",
              "integrationResponses": {
                "200": { "responseParameters": { "method.response.header.X-C": "integration.response.header.X-C" },
                         "responseTemplates": { "application/json": "$input.json('$')"
}
}

, "400" : {
    "statusCode" : "400", "selectionPattern" : "4\\d\\d"
}
}
}
},
          { "routeKey": "GET /mock", "authorizer": "NONE", "requestValidator": "body",
            "integration": { "type": "MOCK", "requestTemplates": { "application/json": "{\"statusCode\":200}" },
              "integrationResponses": { "default": { "statusCode": 201 } } } } ]
} ]
})x");
    ;
}

}  // namespace

TEST_SUITE("config/parse_mapping") {
    TEST_CASE("mapping and validation are read") {
        const Loaded loaded = load(mapped_document());
        REQUIRE(show(loaded.problems) == "");
        const Api& api = loaded.model.apis.at(0);
        REQUIRE(api.request_validators.size() == 2);
        CHECK(api.request_validators[0].validate_parameters);
        CHECK_FALSE(api.request_validators[1].validate_parameters);
        const Route& route = api.routes.at(0);
        CHECK(route.request_parameters.at("method.request.header.X-A"));
        CHECK(route.request_models.at("$default") == "Empty");
        const Integration& http = route.integration;
        CHECK(http.type == IntegrationType::http);
        CHECK(http.mapped());
        CHECK(http.passthrough == Passthrough::never);
        REQUIRE(http.integration_responses.size() == 2);
        CHECK(http.integration_responses[1].status_code == 400);
        CHECK(http.integration_responses[1].selection_pattern == "4\\d\\d");
        const Integration& mock = api.routes.at(1).integration;
        CHECK(mock.mapped());
        CHECK(mock.passthrough == Passthrough::when_no_match);
        CHECK(mock.integration_responses.at(0).status_code == 201);
    }

    TEST_CASE("what is wrong with a mapping is told with its place") {
        const std::string http = "/apis/0/routes/0/integration";
        const std::string mock = "/apis/0/routes/1/integration";
        const std::string ok = http + "/integrationResponses/200";
        const std::string templates = http + "/requestTemplates/application~1json";
        const std::string body = http + "/requestParameters/integration.request.header.X-B";
        const std::string header = ok + "/responseParameters/method.response.header.X-C";
        const std::string later = http + "/integrationResponses/600";
        const std::string again = http + "/integrationResponses/404";
        const std::string sets = ok + "/responseParameters/method.response.header.x-c";
        const std::string length = ok + "/responseParameters/method.response.header.Content-Length";
        const std::string host = ok + "/responseParameters/method.response.header.Host";
        const std::string query = ok + "/responseParameters/method.response.querystring.a";
        const auto p = [](const std::string& text) { return text.c_str(); };
        check_refusals(
            mapped_document(),
            {
                {"directive",
                 p(templates),
                 "\"a\\n#macro(x)#end\"",
                 p(templates),
                 "line 2, column 1"},
                {"function",
                 p(templates),
                 "\"$util.x('a')\"",
                 p(templates),
                 "$util.x is not supported"},
                {"no text", p(templates), "5", p(templates), "must be a string"},
                {"behaviour",
                 p(http + "/passthroughBehavior"),
                 "\"never\"",
                 p(http + "/passthroughBehavior"),
                 "WHEN_NO_MATCH"},
                {"no responses",
                 p(http + "/integrationResponses"),
                 "",
                 p(http),
                 "integrationResponses"},
                {"empty responses",
                 p(http + "/integrationResponses"),
                 "{}",
                 p(http + "/integrationResponses"),
                 "every answer would be a 500"},
                {"key is no status",
                 p(later),
                 R"({"selectionPattern":"6.."})",
                 p(later),
                 "200 to 599"},
                {"two defaults", p(again), "{}", p(again), "one can be the default"},
                {"two statuses",
                 p(ok + "/statusCode"),
                 "201",
                 p(ok + "/statusCode"),
                 "an entry's key is its status"},
                {"pattern",
                 p(http + "/integrationResponses/400/selectionPattern"),
                 "\"(?!4)\"",
                 p(http + "/integrationResponses/400/selectionPattern"),
                 "RE2"},
                {"unknown key",
                 p(ok + "/contentHandling"),
                 "\"CONVERT_TO_TEXT\"",
                 p(ok + "/contentHandling"),
                 "contentHandling"},
                {"request source in an answer",
                 p(header),
                 "\"method.request.header.A\"",
                 p(header),
                 "integration.response"},
                {"unknown source",
                 p(header),
                 "\"integration.response.status\"",
                 p(header),
                 "is no part of an answer"},
                {"path of an answer's body",
                 p(header),
                 "\"integration.response.body.a[?(@.b)]\"",
                 p(header),
                 ""},
                {"a header twice", p(sets), "\"'a'\"", p(sets), "sets the header"},
                {"framing", p(length), "\"'1'\"", p(length), "the gateway's own"},
                {"never passed on", p(host), "\"'a'\"", p(host), "would be ignored"},
                {"no destination", p(query), "\"'a'\"", p(query), "is no destination"},
                {"path of the body", p(body), "\"method.request.body.a'\"", p(body), "no quotes"},
                {"short form beside the full",
                 p(http + "/statusCode"),
                 "200",
                 p(http + "/statusCode"),
                 "integrationResponses"},
                {"uri of a MOCK",
                 p(mock + "/uri"),
                 "\"http://app/\"",
                 p(mock + "/uri"),
                 "calls nothing"},
                {"default with a pattern",
                 p(mock + "/integrationResponses/default/selectionPattern"),
                 "\"2..\"",
                 p(mock + "/integrationResponses/default/selectionPattern"),
                 "default"},
                {"default without a status",
                 p(mock + "/integrationResponses/default"),
                 "{}",
                 p(mock + "/integrationResponses/default"),
                 "statusCode"},
            });
    }

    TEST_CASE("nothing is mapped in a proxy") {
        Json document = minimal_document();
        check_refusals(document,
                       {
                           {"templates",
                            "/apis/0/routes/0/integration/requestTemplates",
                            "{}",
                            "/apis/0/routes/0/integration/requestTemplates",
                            "nothing is mapped in a proxy"},
                           {"passthrough",
                            "/apis/0/routes/0/integration/passthroughBehavior",
                            "\"NEVER\"",
                            "/apis/0/routes/0/integration/passthroughBehavior",
                            "nothing is mapped in a proxy"},
                           {"responses",
                            "/apis/0/routes/0/integration/integrationResponses",
                            "{}",
                            "/apis/0/routes/0/integration/integrationResponses",
                            "nothing is mapped in a proxy"},
                       });
    }

    TEST_CASE("validation that would not happen is refused") {
        const std::string route = "/apis/0/routes/0";
        const auto p = [](const std::string& text) { return text.c_str(); };
        check_refusals(mapped_document(),
                       {
                           {"unknown validator",
                            p(route + "/requestValidator"),
                            "\"alll\"",
                            p(route + "/requestValidator"),
                            "did you mean \"all\"?"},
                           {"required and not checked",
                            p(route + "/requestValidator"),
                            "\"body\"",
                            p(route + "/requestParameters/method.request.header.X-A"),
                            "would be ignored"},
                           {"unknown model",
                            p(route + "/requestModels/application~1json"),
                            "\"Pat\"",
                            p(route + "/requestModels/application~1json"),
                            "did you mean \"Pet\"?"},
                           {"no parameter",
                            p(route + "/requestParameters/method.request.body"),
                            "true",
                            p(route + "/requestParameters/method.request.body"),
                            "is no parameter"},
                           {"a mapping on a route",
                            p(route + "/requestParameters/integration.request.header.A"),
                            "\"'a'\"",
                            p(route + "/requestParameters/integration.request.header.A"),
                            "is no parameter"},
                           {"not true or false",
                            p(route + "/requestParameters/method.request.header.X-A"),
                            "\"yes\"",
                            p(route + "/requestParameters/method.request.header.X-A"),
                            "true (required)"},
                           {"no such path parameter",
                            p(route + "/requestParameters/method.request.path.di"),
                            "true",
                            p(route + "/requestParameters/method.request.path.di"),
                            "did you mean \"id\"?"},
                           {"a validator of nothing",
                            "/apis/0/requestValidators/none",
                            "{}",
                            "/apis/0/requestValidators/none",
                            "validates nothing"},
                           {"a model that is no object",
                            "/apis/0/models/Pat",
                            "true",
                            "/apis/0/models/Pat",
                            "an object"},
                           {"a keyword that is not enforced",
                            "/apis/0/models/Pet/const",
                            "1",
                            "/apis/0/models/Pet/const",
                            "later draft"},
                           {"a pattern that takes exponential time elsewhere",
                            "/apis/0/models/Pet/pattern",
                            "\"(?=a)\"",
                            "/apis/0/models/Pet/pattern",
                            "RE2"},
                       });
        Json document = mapped_document();
        document["apis"][0]["routes"][0].erase("requestValidator");
        const Loaded loaded = load(document);
        CHECK(has_problem(loaded.problems, "/apis/0/routes/0/requestModels", "would be ignored"));
        CHECK(has_problem(loaded.problems,
                          "/apis/0/routes/0/requestParameters/method.request.header.X-A",
                          "would be ignored"));
        CHECK(loaded.problems.size() == 2);
    }
}

}  // namespace parse_mapping_test
