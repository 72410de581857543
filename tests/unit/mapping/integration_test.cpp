#include "gatehouse/mapping/integration.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

namespace integration_test {

using namespace gatehouse;
using namespace gatehouse::mapping;

namespace {

Integration make(IntegrationSpec spec) {
    auto made = Integration::make(std::move(spec));
    REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail));
    return std::move(made).value();
}

ResponseSpec response(std::string key, int status, std::string pattern = {}) {
    return {std::move(key), status, std::move(pattern), {}, {}};
}

struct Backend {
    std::vector<http::Field> fields;

    Backend& field(std::string_view name, std::string_view value) {
        fields.push_back({name, value, http::find_field_id(name)});
        return *this;
    }

    BackendAnswer answer(int status, std::string_view content) const {
        return {status, fields, content};
    }
};

constexpr std::string_view kIds =
    "x-amzn-RequestId: 7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0\r\n"
    "x-amz-apigw-id: AyD6KEwwPHcEKxg=\r\n";

}  // namespace

TEST_SUITE("mapping/integration") {
    TEST_CASE(
        "section 13.2: the request template is chosen by Content-Type and passthroughBehavior") {
        using P = Passthrough;
        const std::map<std::string, std::string> json = {{"application/json", "json"}};
        const std::map<std::string, std::string> both = {{"application/json", "json"},
                                                         {"$default", "default"}};
        const std::map<std::string, std::string> none;

        struct Row {
            const char* name;
            const std::map<std::string, std::string>& templates;
            P passthrough;
            const char* type;
            const char* body;  ///< nullptr: 415
        };

        const Row rows[] = {
            {"its own", json, P::never, "application/json", "json"},
            {"with parameters", json, P::never, "application/json;charset=utf-8", "json"},
            {"in another case", json, P::never, "APPLICATION/JSON", "json"},
            {"no type", json, P::never, nullptr, "json"},
            {"default", both, P::never, "text/plain", "default"},
            {"its own before the default", both, P::never, "application/json", "json"},
            {"no match passes", json, P::when_no_match, "text/plain", "body"},
            {"no templates pass", none, P::when_no_match, "text/plain", "body"},
            {"others exist", json, P::when_no_templates, "text/plain", nullptr},
            {"none exists", none, P::when_no_templates, "text/plain", "body"},
            {"never with others", json, P::never, "text/plain", nullptr},
            {"never without any", none, P::never, nullptr, nullptr},
            {"an empty type", json, P::never, "", "json"},
            {"a list of types", both, P::when_no_match, "application/json, text/plain", nullptr},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            IntegrationSpec spec;
            spec.request_templates = row.templates;
            spec.passthrough = row.passthrough;
            spec.responses = {response("200", 200)};
            test::RequestFixture f;
            if (row.type != nullptr) f.field("Content-Type", row.type);
            const auto mapped = make(spec).map_request(f.facts(), "body");
            CHECK(mapped.has_value() == (row.body != nullptr));
            if (mapped && row.body != nullptr) CHECK(mapped->body == row.body);
            if (!mapped) CHECK(mapped.error().errc() == Errc::media_type_unsupported);
            f.field("Content-Type", "application/json").field("Content-Type", "text/plain");
            CHECK_FALSE(make(spec).map_request(f.facts(), "body").has_value());
        }
    }

    TEST_CASE("a template reads the request and its context") {
        IntegrationSpec spec;
        spec.responses = {response("200", 200)};
        spec.reserved_prefixes = {"X-Authorizer-"};
        spec.request_templates = {
            {"application/json",
             "$input.params('id')|$input.params('a')|$input.params('X-Mine')|"
             "$input.params('X-Authorizer-User')|$input.json('$.n')|$context.authorizer.tenant|"
             "$context.authorizer.principalId|$context.stage|$context.identity.user|"
             "$stageVariables.backend"}};
        test::RequestFixture f;
        f.field("X-Mine", "mine")
            .field("X-Authorizer-User", "forged")
            .granted("me", {{"tenant", "acme"}});
        const Integration integration = make(spec);  // `chosen` points into it
        const auto mapped = integration.map_request(f.facts(), R"({"n":{"a":1}})");
        REQUIRE(mapped.has_value());
        CHECK(mapped->body == R"(7|1|mine||{"a":1}|acme|me|prod||127.0.0.1:3000)");
        CHECK(mapped->chosen == "application/json");
    }

    TEST_CASE("what goes wrong in a request is the client's fault or the template's") {
        struct Row {
            const char* text;
            const char* body;
            Errc error;
        };

        for (const Row& row :
             {Row{"$input.json('$.a')", "no json", Errc::request_body_not_json},
              Row{"$input.path('$.a')", "{\"a\":1,\"a\":2}", Errc::request_body_not_json},
              Row{"#set($a = [1])$a.get(2)", "{}", Errc::template_failed},
              Row{"#foreach($i in [1..1001])x#end", "{}", Errc::template_failed}}) {
            CAPTURE(row.text);
            IntegrationSpec spec;
            spec.responses = {response("200", 200)};
            spec.request_templates = {{"application/json", row.text}};
            test::RequestFixture f;
            const auto mapped = make(spec).map_request(f.facts(), row.body);
            REQUIRE_FALSE(mapped.has_value());
            CHECK(mapped.error().errc() == row.error);
        }
    }

    TEST_CASE("values of the body and overrides come beside it") {
        IntegrationSpec spec;
        spec.responses = {response("200", 200)};
        spec.request_templates = {{"application/json",
                                   "#set($context.requestOverride.header.X-A = 'override')"
                                   "#set($context.requestOverride.path.id = 'p')"
                                   "#set($context.requestOverride.querystring.q = ['1', '2'])out"}};
        spec.body_parameters = {{"integration.request.header.x_a", "method.request.body.a"},
                                {"integration.request.header.X-B", "method.request.body.b.c"},
                                {"integration.request.header.X-D", "method.request.body.none"},
                                {"integration.request.querystring.all", "method.request.body"}};
        test::RequestFixture f;
        const std::string body = R"({"a":"body","b":{"c":[1]}})";
        const auto mapped = make(spec).map_request(f.facts(), body);
        REQUIRE(mapped.has_value());
        const auto show = [](const authz::ValueMap& map) {
            std::string text;
            authz::append_all_values(map, text);
            return text;
        };
        CHECK(show(mapped->additions.headers) == R"({"X-A":["override"],"X-B":["[1]"]})");
        CHECK(show(mapped->additions.path) == R"({"id":["p"]})");
        CHECK(mapped->additions.querystring.size() == 2);
        CHECK(mapped->additions.querystring[1].values.front() == body);
        CHECK(mapped->body == "out");
        const auto bad = make(spec).map_request(f.facts(), "text");
        REQUIRE_FALSE(bad.has_value());
        CHECK(bad.error().errc() == Errc::request_body_not_json);
    }

    TEST_CASE("the integration response is chosen by the whole status") {
        IntegrationSpec spec;
        spec.responses = {response("200", 200),
                          response("400", 400, "4\\d\\d"),
                          response("418", 418, "41"),
                          response("500", 500, "5..|600")};
        const Integration integration = make(spec);
        test::RequestFixture f;
        for (const auto& [status, wanted] : {std::pair{200, 200},
                                             {204, 200},
                                             {400, 400},
                                             {418, 400},
                                             {41, 418},
                                             {503, 500},
                                             {600, 500}}) {
            CAPTURE(status);
            const auto mapped = integration.map_response(f.facts(), {}, {status, {}, "body"});
            REQUIRE(mapped.has_value());
            CHECK(mapped->response.status == wanted);
            CHECK(mapped->response.body == "body");
        }
        spec.responses = {response("400", 400, "4\\d\\d")};
        const auto unmatched = make(spec).map_response(f.facts(), {}, {200, {}, "body"});
        REQUIRE_FALSE(unmatched.has_value());
        CHECK(unmatched.error().errc() == Errc::integration_response_unmatched);
    }

    TEST_CASE("section 13.1: a MOCK answers by the statusCode of its request template") {
        IntegrationSpec spec;
        spec.mock = true;
        spec.request_templates = {{"application/json", "{statusCode: $input.params('a')}"}};
        spec.responses = {response("200", 200), response("404", 404, "404")};
        const Integration mock = make(spec);
        for (const auto& [query, status] :
             {std::pair{"a=200", 200}, {"a=404", 404}, {"a=x", 0}, {"", 0}}) {
            CAPTURE(query);
            test::RequestFixture f;
            f.request.target.query = query;
            const auto mapped = mock.map_request(f.facts(), "");
            CHECK(mapped.has_value() == (status != 0));
            if (!mapped) {
                CHECK(mapped.error().errc() == Errc::mock_status_invalid);
                continue;
            }
            const auto answer =
                mock.map_response(f.facts(), mapped->overrides, {mapped->status, {}, {}});
            REQUIRE(answer.has_value());
            CHECK(answer->response.status == status);
            CHECK(answer->response.headers ==
                  "Content-Type: application/json\r\n" + std::string(kIds));
        }
        // Without a template that fits the default answers.
        test::RequestFixture f;
        f.field("Content-Type", "text/plain");
        const auto passed = mock.map_request(f.facts(), "404");
        REQUIRE(passed.has_value());
        CHECK(mock.map_response(f.facts(), {}, {passed->status, {}, {}})->response.status == 200);
    }

    TEST_CASE("section 13.2: the response template is chosen by Accept") {
        IntegrationSpec spec;
        spec.mock = true;
        spec.responses = {response("200", 200)};
        spec.responses[0].response_templates = {
            {"application/json", "json"}, {"application/xml", "xml"}, {"text/plain", "text"}};
        const Integration integration = make(spec);
        for (const auto& [accept, body] : {std::pair<const char*, const char*>{nullptr, "json"},
                                           {"application/xml", "xml"},
                                           {"text/plain;q=1, application/xml", "text"},
                                           {"*/*", "json"},
                                           {"image/png", "json"}}) {
            CAPTURE(body);
            test::RequestFixture f;
            if (accept != nullptr) f.field("Accept", accept);
            const auto mapped = integration.map_response(f.facts(), {}, {200, {}, {}});
            REQUIRE(mapped.has_value());
            CHECK(mapped->response.body == body);
            CHECK(mapped->response.headers.find("Content-Type: " + std::string(mapped->chosen)) ==
                  0);
        }
    }

    TEST_CASE("no header of the backend's goes on but what is mapped") {
        IntegrationSpec spec;
        spec.responses = {response("200", 201)};
        spec.responses[0].response_parameters = {
            {"method.response.header.Location", "integration.response.header.location"},
            {"method.response.header.Set-Cookie",
             "integration.response.multivalueheader.Set-Cookie"},
            {"method.response.header.X-Id", "integration.response.body.id"},
            {"method.response.header.X-None", "integration.response.body.none"},
            {"method.response.header.X-Stage", "context.stage"},
            {"method.response.header.X-Text", "'text'"},
            {"method.response.header.Server", "integration.response.header.Server"}};
        spec.responses[0].response_templates = {
            {"application/json",
             "#set($context.responseOverride.header.X-Text = 'override')"
             "#set($context.responseOverride.status = 202)$input.json('$.id')"}};
        Backend backend;
        backend.field("Location", "/1")
            .field("Location", "/2")
            .field("Set-Cookie", "a=1")
            .field("Set-Cookie", "b=2")
            .field("Server", "nginx")
            .field("X-Secret", "s")
            .field("Content-Type", "text/html");
        test::RequestFixture f;
        const auto mapped =
            make(spec).map_response(f.facts(), {}, backend.answer(200, R"({"id":"i"})"));
        REQUIRE(mapped.has_value());
        CHECK(mapped->response.status == 202);
        CHECK(mapped->response.body == "\"i\"");
        CHECK(mapped->response.headers ==
              "Content-Type: application/json\r\n" + std::string(kIds) +
                  "X-Amzn-Trace-Id: Root=1-6a5145a8-536f3e792f6be9b44c1f46fa\r\n"
                  "Location: /2\r\n"
                  "x-amzn-Remapped-Server: nginx\r\n"
                  "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                  "X-Id: i\r\nX-Stage: prod\r\nX-Text: override\r\n");
    }

    TEST_CASE("an answer cannot write lines of its own") {
        for (const char* body : {R"({"a":"x\r\nX-Evil: 1"})", R"({"a":"x\u0000"})"}) {
            CAPTURE(body);
            IntegrationSpec spec;
            spec.responses = {response("200", 200)};
            spec.responses[0].response_parameters = {
                {"method.response.header.X-A", "integration.response.body.a"}};
            test::RequestFixture f;
            const auto mapped = make(spec).map_response(f.facts(), {}, {200, {}, body});
            REQUIRE_FALSE(mapped.has_value());
            CHECK(mapped.error().errc() == Errc::mapping_invalid);
        }
        IntegrationSpec spec;
        spec.responses = {response("200", 200)};
        spec.responses[0].response_templates = {
            {"application/json", "#set($context.responseOverride.header['a b'] = 'x')"}};
        test::RequestFixture f;
        CHECK_FALSE(make(spec).map_response(f.facts(), {}, {200, {}, "{}"}).has_value());
        spec.responses[0].response_templates = {
            {"application/json", "#set($context.responseOverride.header.Content-Length = '1')x"}};
        const auto framing = make(spec).map_response(f.facts(), {}, {200, {}, "{}"});
        REQUIRE(framing.has_value());
        CHECK(framing->response.headers.find("Content-Length") == std::string::npos);
    }

    TEST_CASE("what cannot be mapped is refused with its place") {
        struct Row {
            const char* name;
            void (*change)(IntegrationSpec&);
            const char* words;
        };

        const Row rows[] = {
            {"template",
             [](IntegrationSpec& s) {
                 s.request_templates = {{"a/b", "#macro(x)#end"}};
             },
             "/requestTemplates/a~1b: line 1, column 1"},
            {"response template",
             [](IntegrationSpec& s) {
                 s.responses[0].response_templates = {{"a/b", "$util.x()"}};
             },
             "/integrationResponses/200/responseTemplates/a~1b: "},
            {"pattern",
             [](IntegrationSpec& s) { s.responses[0].selection_pattern = "(?=2)"; },
             "/integrationResponses/200/selectionPattern: "},
            {"status",
             [](IntegrationSpec& s) { s.responses[0].status_code = 199; },
             "/integrationResponses/200/statusCode: "},
            {"destination",
             [](IntegrationSpec& s) {
                 s.responses[0].response_parameters = {{"header.A", "'a'"}};
             },
             "expected method.response.header.NAME"},
            {"source of the other side",
             [](IntegrationSpec& s) {
                 s.responses[0].response_parameters = {
                     {"method.response.header.A", "method.request.header.A"}};
             },
             "a response is mapped from"},
            {"unknown source",
             [](IntegrationSpec& s) {
                 s.responses[0].response_parameters = {
                     {"method.response.header.A", "integration.response.status"}};
             },
             "allowed behind integration.response."},
            {"path of the body",
             [](IntegrationSpec& s) {
                 s.body_parameters = {
                     {"integration.request.header.A", "method.request.body.a[?(@.b)]"}};
             },
             "/requestParameters/integration.request.header.A: "},
            {"quotes in a path of the body",
             [](IntegrationSpec& s) {
                 s.body_parameters = {{"integration.request.header.A", "method.request.body.a')"}};
             },
             "without quotes"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            IntegrationSpec spec;
            spec.responses = {response("200", 200)};
            row.change(spec);
            const auto made = Integration::make(spec);
            REQUIRE_FALSE(made.has_value());
            CAPTURE(made.error().detail);
            CHECK(made.error().detail.find(row.words) != std::string::npos);
        }
    }
}

}  // namespace integration_test
