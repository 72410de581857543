#include "fixture.hpp"
#include "gatehouse/authz/response_type.hpp"

namespace parse_gateway_response_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

TEST_SUITE("config/parse_gateway_response") {
    TEST_CASE("every customisable type loads") {
        Json document = full_document();
        for (int i = 0; i < authz::kResponseTypeCount; ++i) {
            const auto type = static_cast<authz::ResponseType>(i);
            if (type == authz::ResponseType::request_too_large) continue;
            document["apis"][0]["gatewayResponses"][std::string(authz::to_string(type))] = {
                {"statusCode", "418"}};
        }
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.apis.at(0).gateway_responses.size() == 20);
        CHECK(loaded.model.apis.at(0).gateway_responses.at("THROTTLED").status_code == 418);
    }

    TEST_CASE("what cannot be customised is refused") {
        check_refusals(full_document(),
                       {
                           {"too large",
                            "/apis/0/gatewayResponses/REQUEST_TOO_LARGE",
                            "{}",
                            "/apis/0/gatewayResponses/REQUEST_TOO_LARGE",
                            "cannot be customised"},
                           {"unknown type",
                            "/apis/0/gatewayResponses/UNAUTHORISED",
                            "{}",
                            "/apis/0/gatewayResponses/UNAUTHORISED",
                            "did you mean \"UNAUTHORIZED\"?"},
                           {"status as a type",
                            "/apis/0/gatewayResponses/401",
                            "{}",
                            "/apis/0/gatewayResponses/401",
                            "no gateway response"},
                           {"low status",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "199",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "allowed: 200 to 599"},
                           {"high status",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "\"600\"",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "allowed: 200 to 599"},
                           {"status with a sign",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "\"+40\"",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "allowed: 200 to 599"},
                           {"status in words",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "\"4xx\"",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "allowed: 200 to 599"},
                           {"fraction",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "401.5",
                            "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode",
                            "whole number"},
                       });
    }

    TEST_CASE("headers and templates are checked") {
        const std::string at = "/apis/0/gatewayResponses/UNAUTHORIZED/responseParameters";

        struct Row {
            const char* name;
            const char* header;
            const char* source;
            const char* words;
        };

        const Row rows[] = {
            {"constant", "gatewayresponse.header.WWW-Authenticate", "'Bearer'", ""},
            {"request header", "gatewayresponse.header.X-A", "method.request.header.Origin", ""},
            {"request query", "gatewayresponse.header.X-A", "method.request.querystring.a", ""},
            {"request path", "gatewayresponse.header.X-A", "method.request.path.a", ""},
            {"context", "gatewayresponse.header.X-A", "context.requestId", ""},
            {"stage variable", "gatewayresponse.header.X-A", "stageVariables.backend", ""},
            {"path destination", "gatewayresponse.path.x", "'a'", "would be ignored"},
            {"query destination", "gatewayresponse.querystring.x", "'a'", "would be ignored"},
            {"bare header", "X-A", "'a'", "no destination"},
            {"integration header", "integration.request.header.X-A", "'a'", "no destination"},
            {"no name", "gatewayresponse.header.", "'a'", "no header name"},
            {"length", "gatewayresponse.header.Content-Length", "'0'", "connection's own"},
            {"coding", "gatewayresponse.header.transfer-encoding", "'chunked'", "connection's own"},
            {"connection", "gatewayresponse.header.Connection", "'close'", "connection's own"},
            {"repeated in another case",
             "gatewayresponse.header.access-control-allow-origin",
             "'x'",
             "sets the header"},
            {"star without quotes",
             "gatewayresponse.header.X-A",
             "*",
             "'constant' in single quotes"},
            {"several values",
             "gatewayresponse.header.X-A",
             "method.request.multivalueheader.a",
             "no part of a request"},
            {"unset stage variable",
             "gatewayresponse.header.X-A",
             "stageVariables.none",
             "is not set"},
            {"line end", "gatewayresponse.header.X-A", "'a\nb'", "control character"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = full_document();
            document[Json::json_pointer(at)][row.header] = row.source;
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(loaded.problems.size() == (*row.words == '\0' ? 0U : 1U));
            if (*row.words != '\0')
                CHECK(has_problem(loaded.problems, at + "/" + row.header, row.words));
        }
        check_refusals(
            full_document(),
            {
                {"unknown variable",
                 "/apis/0/gatewayResponses/UNAUTHORIZED/responseTemplates/application~1json",
                 "\"$context.error.mesage\"",
                 "/apis/0/gatewayResponses/UNAUTHORIZED/responseTemplates/application~1json",
                 "did you mean \"error.message\"?"},
                {"no media type",
                 "/apis/0/gatewayResponses/UNAUTHORIZED/responseTemplates/json",
                 "\"x\"",
                 "/apis/0/gatewayResponses/UNAUTHORIZED/responseTemplates/json",
                 "no MIME type"},
            });
    }
}

}  // namespace parse_gateway_response_test
