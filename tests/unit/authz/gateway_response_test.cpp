#include "gatehouse/authz/gateway_response.hpp"

#include "gatehouse/core/json.hpp"
#include "gatehouse/http/framing.hpp"
#include "support/golden.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace gateway_response_test {

using namespace gatehouse;
using authz::GatewayError;
using authz::GatewayResponses;
using authz::GatewayResponseSpec;
using authz::RenderedResponse;
using authz::ResponseType;
using test::RequestFixture;

namespace {

using Specs = std::map<std::string, GatewayResponseSpec>;

GatewayResponses make(const Specs& specs) {
    auto made = GatewayResponses::make(specs);
    REQUIRE(made.has_value());
    return std::move(made).value();
}

authz::Verdict refusal(ResponseType response, int status, Errc reason) {
    return {false, response, status, reason};
}

GatewayError denial(Errc reason = Errc::implicit_deny) {
    return make_error(refusal(ResponseType::access_denied, 403, reason), {}, false);
}

GatewayError unauthorized() {
    return make_error(refusal(ResponseType::unauthorized, 401, Errc::token_expired), {}, false);
}

// The status, the header lines and the body, as a file that a person can read.
std::string to_text(const RenderedResponse& response) {
    std::string text = std::to_string(response.status) + "\n";
    for (const char c : response.headers) {
        if (c != '\r') text += c;
    }
    return text + "\n" + response.body + "\n";
}

std::string golden(const std::string& name, const std::string& found) {
    return test::golden("gateway_responses/" + name + ".want.txt", found);
}

struct Cell {
    std::string name;
    GatewayError error;
};

Cell verdict_cell(std::string name,
                  ResponseType response,
                  int status,
                  Errc reason,
                  std::string_view authorization = {},
                  bool deny_messages_2015 = false) {
    return {std::move(name),
            make_error(refusal(response, status, reason), authorization, deny_messages_2015)};
}

std::vector<Cell> verdict_cells() {
    using Type = ResponseType;
    return {
        verdict_cell("explicit_deny", Type::access_denied, 403, Errc::explicit_deny),
        verdict_cell("explicit_deny_2015", Type::access_denied, 403, Errc::explicit_deny, {}, true),
        verdict_cell("implicit_deny", Type::access_denied, 403, Errc::implicit_deny),
        verdict_cell("implicit_deny_2015", Type::access_denied, 403, Errc::implicit_deny, {}, true),
        verdict_cell("scope_missing", Type::access_denied, 403, Errc::scope_missing),
        verdict_cell("identity_missing", Type::unauthorized, 401, Errc::identity_missing),
        verdict_cell("token_expired", Type::unauthorized, 401, Errc::token_expired),
        verdict_cell("keys_unavailable", Type::authorizer_failure, 503, Errc::keys_unavailable),
        verdict_cell("authorizer_failure",
                     Type::authorizer_configuration_error,
                     500,
                     Errc::authorizer_failure),
        verdict_cell("authorizer_function_error",
                     Type::authorizer_configuration_error,
                     500,
                     Errc::authorizer_function_error),
        verdict_cell(
            "authorizer_unauthorized", Type::unauthorized, 401, Errc::authorizer_unauthorized),
        verdict_cell(
            "route_unmatched", Type::missing_authentication_token, 403, Errc::route_unmatched),
        verdict_cell("route_unmatched_bearer",
                     Type::missing_authentication_token,
                     403,
                     Errc::route_unmatched,
                     "Bearer abc"),
        verdict_cell("route_unmatched_signed",
                     Type::missing_authentication_token,
                     403,
                     Errc::route_unmatched,
                     "Bearer abc="),
        verdict_cell("api_unmatched", Type::default_4xx, 403, Errc::api_unmatched),
        verdict_cell("target_dot_segment", Type::default_4xx, 400, Errc::target_dot_segment),
        verdict_cell("arn_too_long", Type::default_4xx, 414, Errc::arn_too_long),
        verdict_cell("internal", Type::api_configuration_error, 500, Errc::internal),
    };
}

std::vector<Cell> failure_cells() {
    std::vector<Cell> cells;
    for (const Errc reason : {Errc::request_malformed,
                              Errc::head_timeout,
                              Errc::body_too_large,
                              Errc::target_too_long,
                              Errc::expectation_failed,
                              Errc::head_too_large,
                              Errc::method_unsupported,
                              Errc::version_unsupported,
                              Errc::upstream_refused,
                              Errc::upstream_timeout,
                              Errc::function_error,
                              Errc::function_timeout,
                              Errc::function_not_invokable,
                              Errc::function_event_too_large,
                              Errc::function_answer_too_large,
                              Errc::function_answer_invalid,
                              Errc::overloaded,
                              Errc::mapping_invalid,
                              Errc::context_unusable}) {
        cells.push_back({"failure_" + std::string(reason_id(reason)), authz::make_error(reason)});
    }
    return cells;
}

}  // namespace

TEST_SUITE("authz/gateway_response") {
    TEST_CASE(
        "section 7.3: every cell of the error table is what the golden file says to the byte") {
        RequestFixture fixture;
        std::vector<Cell> cells = verdict_cells();
        for (Cell& cell : failure_cells())
            cells.push_back(std::move(cell));
        for (const Cell& cell : cells) {
            CAPTURE(cell.name);
            const RenderedResponse response =
                GatewayResponses().render(cell.error, fixture.facts());
            const std::string text = to_text(response);
            CHECK(text == golden(cell.name, text));
            if (!cell.error.plain_text) CHECK(parse_json(response.body).has_value());
        }
    }

    TEST_CASE("default bodies have the lengths that were seen on the wire") {
        struct Row {
            std::string_view name;
            GatewayError error;
            std::size_t bytes;
        };

        const auto unrouted = [](std::string_view authorization) {
            return make_error(
                refusal(ResponseType::missing_authentication_token, 403, Errc::route_unmatched),
                authorization,
                false);
        };
        const auto old_denial = [](Errc reason) {
            return make_error(refusal(ResponseType::access_denied, 403, reason), {}, true);
        };
        const Row rows[] = {
            {"unauthorized", unauthorized(), 26},
            {"authorizer fault", authz::make_error(Errc::context_unusable), 16},
            {"explicit deny", denial(Errc::explicit_deny), 110},
            {"implicit deny", denial(), 130},
            {"explicit deny 2015", old_denial(Errc::explicit_deny), 82},
            {"implicit deny 2015", old_denial(Errc::implicit_deny), 60},
            {"no such route", unrouted({}), 42},
            {"broken backend", authz::make_error(Errc::upstream_reset), 36},
            {"slow backend", authz::make_error(Errc::upstream_timeout), 41},
        };
        RequestFixture fixture;
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(GatewayResponses().render(row.error, fixture.facts()).body.size() == row.bytes);
        }
    }

    TEST_CASE("a request that does not pass validation is told so as on the wire") {
        RequestFixture fixture;
        const auto render = [&](const GatewayError& error, const Specs& specs = {}) {
            return make(specs).render(error, fixture.facts());
        };
        const auto missing =
            render(authz::make_validation_error(Errc::parameters_missing, "[divisor, dividend]"));
        CHECK(missing.status == 400);
        CHECK(missing.body ==
              R"({"message": "Missing required request parameters: [divisor, dividend]"})");
        CHECK(missing.headers.find("x-amzn-ErrorType: BadRequestException\r\n") !=
              std::string::npos);
        CHECK(missing.headers.find("X-Amzn-Trace-Id: ") != std::string::npos);
        const GatewayError invalid =
            authz::make_validation_error(Errc::request_body_invalid, "[a client's \"value\"]");
        CHECK(render(invalid).body == R"({"message": "Invalid request body"})");
        const Specs specs = {{"BAD_REQUEST_BODY",
                              {{}, {}, {{"text/plain", "$context.error.validationErrorString"}}}}};
        CHECK(render(invalid, specs).body == "[a client's \"value\"]");
        const auto media = render(authz::make_error(Errc::media_type_unsupported));
        CHECK(media.status == 415);
        CHECK(media.body == R"({"message": "Unsupported Media Type"})");
        CHECK(media.headers.find("X-Amzn-Trace-Id") == std::string::npos);
        CHECK(authz::make_error(Errc::upstream_body_too_large).status == 502);
        CHECK(authz::make_error(Errc::integration_response_unmatched).type ==
              ResponseType::api_configuration_error);
    }

    TEST_CASE("an unrouted request shows the digest of its Authorization and nothing else of it") {
        constexpr std::string_view kSecret = "Bearer s3cr3t-t0ken";
        RequestFixture fixture;
        for (const std::string& value : {std::string(kSecret), std::string(kSecret) + "="}) {
            const auto error = make_error(
                refusal(ResponseType::missing_authentication_token, 403, Errc::route_unmatched),
                value,
                false);
            const auto response = GatewayResponses().render(error, fixture.facts());
            CHECK(response.body.find("s3cr3t") == std::string::npos);
            CHECK(response.headers.find("s3cr3t") == std::string::npos);
            CHECK(response.headers.find("IncompleteSignatureException") != std::string::npos);
        }
    }

    TEST_CASE("every reason has an answer and none is a success") {
        RequestFixture fixture;
        for (int i = 0; i < errc_count(); ++i) {
            const auto reason = static_cast<Errc>(i);
            CAPTURE(reason_id(reason));
            const GatewayError error = authz::make_error(reason);
            CHECK(error.status >= 400);
            CHECK(error.status <= 505);
            const int reading = http::status_of_read_error(reason);
            if (reading != 0) CHECK(error.status == reading);
            CHECK_FALSE(GatewayResponses().render(error, fixture.facts()).body.empty());
        }
        CHECK(authz::make_error(Errc::upstream_connect_timeout).status == 504);
        CHECK(authz::make_error(Errc::draining).status == 503);
        CHECK(authz::make_error(Errc::upstream_tls).type == ResponseType::integration_failure);
        CHECK(authz::make_error(Errc::upstream_timeout).type == ResponseType::integration_timeout);
    }

    TEST_CASE("an allow has no error to show and answers 500") {
        const GatewayError error = make_error(
            authz::Verdict{true, ResponseType::unauthorized, 200, Errc::allowed}, {}, false);
        CHECK(error.status == 500);
        CHECK(error.type == ResponseType::api_configuration_error);
    }

    TEST_CASE("the text of a body that is too large names the limit") {
        RequestFixture fixture;
        const auto response =
            GatewayResponses().render(authz::make_error(Errc::body_too_large, 99), fixture.facts());
        CHECK(response.status == 413);
        CHECK(response.body == "HTTP content length exceeded 99 bytes.");
        CHECK(response.headers.starts_with("Content-Type: text/plain\r\n"));
    }

    TEST_CASE("a configured type beats the default of its class and that beats the built-in") {
        GatewayResponseSpec own;
        own.status_code = 499;
        own.response_templates = {{"application/json", "own"}};
        GatewayResponseSpec all4;
        all4.response_templates = {{"application/json", "4xx"}};
        GatewayResponseSpec all5;
        all5.status_code = 599;
        const GatewayResponses responses =
            make({{"UNAUTHORIZED", own}, {"DEFAULT_4XX", all4}, {"DEFAULT_5XX", all5}});
        RequestFixture fixture;

        struct Row {
            std::string_view name;
            GatewayError error;
            int status;
            std::string body;
        };

        const Row rows[] = {
            {"own", unauthorized(), 499, "own"},
            {"class keeps the status of the type", denial(), 403, "4xx"},
            {"class sets the status",
             authz::make_error(Errc::upstream_timeout),
             599,
             R"({"message": "Endpoint request timed out"})"},
            {"a 503 is of the same class",
             authz::make_error(Errc::draining),
             599,
             R"({"message":"Service Unavailable"})"},
            {"413 cannot be configured",
             authz::make_error(Errc::body_too_large),
             413,
             "HTTP content length exceeded 10485760 bytes."},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto response = responses.render(row.error, fixture.facts());
            CHECK(response.status == row.status);
            CHECK(response.body == row.body);
        }
        const auto untouched = make({{"THROTTLED", own}}).render(unauthorized(), fixture.facts());
        CHECK(untouched.status == 401);
    }

    TEST_CASE("a body template shows the error and the context") {
        GatewayResponseSpec spec;
        spec.response_templates = {
            {"application/json",
             R"({"m":$context.error.messageString,"t":"$context.error.responseType","u":"$context.authorizer.userId","x":"$context.nothing"})"}};
        const GatewayResponses responses = make({{"ACCESS_DENIED", spec},
                                                 {"AUTHORIZER_CONFIGURATION_ERROR", spec},
                                                 {"UNAUTHORIZED", spec}});
        RequestFixture fixture;
        fixture.granted("p", {{"userId", "u1"}});
        CHECK(
            responses.render(denial(Errc::explicit_deny), fixture.facts()).body ==
            R"({"m":"User is not authorized to access this resource with an explicit deny in an identity-based policy","t":"ACCESS_DENIED","u":"u1","x":""})");
        // Where nobody was authorized there is no context to show.
        CHECK(responses.render(authz::make_error(Errc::context_unusable), fixture.facts()).body ==
              R"({"m":null,"t":"AUTHORIZER_CONFIGURATION_ERROR","u":"","x":""})");
        CHECK(responses.render(unauthorized(), fixture.facts()).body ==
              R"({"m":"Unauthorized","t":"UNAUTHORIZED","u":"","x":""})");
    }

    TEST_CASE("JSON is chosen among templates and else the first") {
        GatewayResponseSpec both;
        both.response_templates = {{"application/xml", "<no/>"}, {"application/json", "{}"}};
        GatewayResponseSpec xml;
        xml.response_templates = {{"text/xml", "<t/>"}, {"application/xml", "<a/>"}};
        const GatewayResponses responses = make({{"UNAUTHORIZED", both}, {"ACCESS_DENIED", xml}});
        RequestFixture fixture;
        const auto json = responses.render(unauthorized(), fixture.facts());
        CHECK(json.body == "{}");
        CHECK(json.headers.starts_with("Content-Type: application/json\r\n"));
        const auto first = responses.render(denial(), fixture.facts());
        CHECK(first.body == "<a/>");
        CHECK(first.headers.starts_with("Content-Type: application/xml\r\n"));
    }

    TEST_CASE("configured headers come last and replace defaults of their name") {
        GatewayResponseSpec spec;
        spec.response_parameters = {
            {"gatewayresponse.header.Access-Control-Allow-Origin", "'*'"},
            {"gatewayresponse.header.content-type", "'application/problem+json'"},
            {"gatewayresponse.header.X-Path", "context.path"},
            {"gatewayresponse.header.X-None", "method.request.header.None"},
            {"gatewayresponse.header.X-Evil", "method.request.querystring.evil"},
            {"gatewayresponse.header.X-Stage", "stageVariables.backend"}};
        const GatewayResponses responses = make({{"DEFAULT_4XX", spec}});
        RequestFixture fixture;
        fixture.request.target.query = "evil=a%0d%0aSet-Cookie:%20x";
        CHECK(responses.render(unauthorized(), fixture.facts()).headers ==
              "x-amzn-ErrorType: UnauthorizedException\r\n"
              "x-amzn-RequestId: 7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0\r\n"
              "x-amz-apigw-id: AyD6KEwwPHcEKxg=\r\n"
              "Access-Control-Allow-Origin: *\r\n"
              "content-type: application/problem+json\r\n"
              "X-Path: /prod/pets/7\r\n"
              "X-Stage: 127.0.0.1:3000\r\n");
    }

    TEST_CASE("what could never have an effect is refused with its place") {
        const auto with_header = [](std::string key, std::string value) {
            GatewayResponseSpec spec;
            spec.response_parameters = {{std::move(key), std::move(value)}};
            return Specs{{"UNAUTHORIZED", spec}};
        };
        const auto with_status = [](int status) {
            GatewayResponseSpec spec;
            spec.status_code = status;
            return Specs{{"UNAUTHORIZED", spec}};
        };
        GatewayResponseSpec twice;
        twice.response_parameters = {{"gatewayresponse.header.A", "'1'"},
                                     {"gatewayresponse.header.a", "'2'"}};
        GatewayResponseSpec type;
        type.response_templates = {{"json", "{}"}};

        struct Row {
            std::string_view name;
            Specs specs;
            std::string_view place;
        };

        const Row rows[] = {
            {"unknown type", {{"NOT_A_TYPE", {}}}, "/NOT_A_TYPE: "},
            {"type in lower case", {{"unauthorized", {}}}, "/unauthorized: "},
            {"pointer is escaped", {{"a/b~c", {}}}, "/a~1b~0c: "},
            {"status too low", with_status(199), "/UNAUTHORIZED/statusCode: "},
            {"status too high", with_status(600), "/UNAUTHORIZED/statusCode: "},
            {"query parameter",
             with_header("gatewayresponse.querystring.a", "'1'"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.querystring.a: "},
            {"method response",
             with_header("method.response.header.A", "'1'"),
             "/UNAUTHORIZED/responseParameters/method.response.header.A: "},
            {"no name",
             with_header("gatewayresponse.header.", "'1'"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.: "},
            {"no token",
             with_header("gatewayresponse.header.A b", "'1'"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.A b: "},
            {"framing",
             with_header("gatewayresponse.header.Content-Length", "'1'"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.Content-Length: "},
            {"connection",
             with_header("gatewayresponse.header.connection", "'close'"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.connection: "},
            {"unquoted value",
             with_header("gatewayresponse.header.A", "*"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.A: "},
            {"unknown variable",
             with_header("gatewayresponse.header.A", "context.nothing"),
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.A: "},
            {"header twice",
             {{"UNAUTHORIZED", twice}},
             "/UNAUTHORIZED/responseParameters/gatewayresponse.header.a: "},
            {"no media type", {{"UNAUTHORIZED", type}}, "/UNAUTHORIZED/responseTemplates/json: "},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto made = GatewayResponses::make(row.specs);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK(made.error().detail.starts_with(row.place));
        }
        CHECK(GatewayResponses::make({}).has_value());
    }
}

}  // namespace gateway_response_test
