#include "gatehouse/authz/http_mapping.hpp"

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/request_identity.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace http_mapping_test {

using namespace gatehouse;
using authz::Expression;
using authz::HttpDestination;
using test::RequestFixture;

TEST_SUITE("authz/http_mapping") {
    TEST_CASE("destinations") {
        using Action = HttpDestination::Action;
        using Place = HttpDestination::Place;

        struct Row {
            std::string_view text;
            Action action;
            Place place;
            std::string name;
        };

        const Row rows[] = {
            {"append:header.X-A", Action::append, Place::header, "X-A"},
            {"overwrite:header.Host", Action::overwrite, Place::header, "Host"},
            {"remove:querystring.a.b", Action::remove, Place::query, "a.b"},
            {"overwrite:path", Action::overwrite, Place::path, ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            const auto parsed = authz::parse_http_destination(row.text);
            REQUIRE(parsed.has_value());
            CHECK(parsed->action == row.action);
            CHECK(parsed->place == row.place);
            CHECK(parsed->name == row.name);
        }
        for (const std::string_view text : {"",
                                            "header.X",
                                            "append:",
                                            "append:header.",
                                            "append:header.a b",
                                            "append:path",
                                            "remove:path",
                                            "overwrite:path.x",
                                            "append:querystring.",
                                            "append:querystring.a&b",
                                            "set:header.X",
                                            "Append:header.X",
                                            "overwrite:statuscode",
                                            "overwrite:header.Access-Control-Allow-Origin",
                                            "overwrite:header.apigw-requestid",
                                            "overwrite:header.Authorization",
                                            "overwrite:header.authorization",
                                            "append:header.x_forwarded_for",
                                            "remove:header.Via",
                                            "remove:header.Forwarded",
                                            "overwrite:header.Content-Length",
                                            "overwrite:header.transfer-encoding",
                                            "overwrite:header.x-amzn-request-context",
                                            "overwrite:header.X-Amz-Date",
                                            "overwrite:header.Connection",
                                            "integration.request.header.X"}) {
            CAPTURE(text);
            CHECK_FALSE(authz::parse_http_destination(text).has_value());
        }
    }

    TEST_CASE("values") {
        RequestFixture fixture;
        fixture.field("X-A", "one").field("x-a", "two");
        fixture.granted("u1", {{"k", "v"}});
        fixture.request.route_key = "GET /pets/{id}";
        fixture.stage.http_api = true;

        struct Row {
            std::string_view text;
            bool found;
            std::string want;
        };

        const Row rows[] = {
            {"$request.header.X-A", true, "one"},
            {"$request.querystring.a", true, "1"},
            {"$request.querystring.b", false, ""},
            {"$request.path", true, "/pets/7"},
            {"$request.path.id", true, "7"},
            {"$context.authorizer.k", true, "v"},
            {"$context.authorizer.none", false, ""},
            {"$context.routeKey", true, "GET /pets/{id}"},
            {"$context.requestId", true, "AyD6KEwwPHcEKxg="},
            {"$context.extendedRequestId", true, "AyD6KEwwPHcEKxg="},
            {"$stageVariables.backend", true, "127.0.0.1:3000"},
            {"", true, ""},
            {"text", true, "text"},
            {"a $ sign", true, "a $ sign"},
            {"a ${request.path.id}-${request.header.none}!", true, "a 7-!"},
            {"${context.authorizer.k}", true, "v"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            const auto expression = Expression::make_for_http(row.text);
            REQUIRE(expression.has_value());
            std::string out;
            CHECK(expression->append(fixture.facts(), out) == row.found);
            CHECK(out == row.want);
        }
        for (const std::string_view text : {"$request",
                                            "$request.header.",
                                            "$request.body",
                                            "$request.body.a",
                                            "$request.multivalueheader.a",
                                            "$method.request.header.a",
                                            "$response.header.a",
                                            "$context.nothing",
                                            "$contex.authorizer.k",
                                            "$",
                                            "${request.header.a",
                                            "x${nothing}",
                                            "x${}",
                                            "a\r\nb"}) {
            CAPTURE(text);
            CHECK_FALSE(Expression::make_for_http(text).has_value());
        }
        // REST mappings keep their own forms.
        CHECK_FALSE(Expression::make("context.routeKey").has_value());
        CHECK_FALSE(Expression::make("request.path").has_value());
    }

    TEST_CASE("which values carry authorizer context") {
        const auto reads = [](std::string_view text) {
            return Expression::make_for_http(text).value().reads("context.authorizer.");
        };
        CHECK(reads("$context.authorizer.k"));
        CHECK(reads("x-${context.authorizer.k}"));
        CHECK_FALSE(reads("context.authorizer.k"));
        CHECK_FALSE(reads("$request.header.X"));
    }

    TEST_CASE("identity sources of an HTTP API") {
        const auto make = [](std::vector<std::string> sources) {
            return authz::RequestIdentity::make_for_http(sources);
        };
        RequestFixture fixture;
        fixture.field("X-Key", "k:1");
        fixture.request.route_key = "GET /pets/{id}";
        const auto identity = make({"$request.header.x-key",
                                    "$request.querystring.a",
                                    "$context.routeKey",
                                    "$stageVariables.backend"});
        REQUIRE(identity.has_value());
        std::string scratch;
        const auto found = identity->find(fixture.facts(), scratch);
        CHECK(found.error == Errc::none);
        CHECK(authz::RequestIdentity::values_of(found.identity) ==
              std::vector<std::string>{"k:1", "1", "GET /pets/{id}", "127.0.0.1:3000"});
        CHECK(authz::RequestIdentity::values_of("").empty());
        CHECK(make({"$request.querystring.A"})->find(fixture.facts(), scratch).error ==
              Errc::identity_missing);
        for (const std::string_view text : {"method.request.header.X",
                                            "$request.path.id",
                                            "$request.path",
                                            "$request.body",
                                            "text",
                                            "",
                                            "${request.header.X}",
                                            "$context.authorizer.k",
                                            "$context.status",
                                            "$request.header."}) {
            CAPTURE(text);
            CHECK_FALSE(make({std::string(text)}).has_value());
        }
    }
}

}  // namespace http_mapping_test
