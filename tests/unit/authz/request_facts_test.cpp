#include "gatehouse/authz/request_facts.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace request_facts_test {

using namespace gatehouse;
using test::RequestFixture;

namespace {

std::optional<std::string> value_of(const authz::RequestFacts& facts, std::string_view name) {
    std::string out = "kept ";
    if (!authz::append_variable(facts, name, out)) {
        CHECK(out == "kept ");
        return std::nullopt;
    }
    return out.substr(5);
}

struct Row {
    std::string_view name;
    std::optional<std::string> value;
};

constexpr auto kNothing = std::nullopt;

}  // namespace

TEST_SUITE("authz/request_facts") {
    TEST_CASE("a traceparent is shown in its exact form alone") {
        struct Row {
            const char* name;
            const char* value;
            bool shown;
        };

        const Row rows[] = {
            {"sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true},
            {"not sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true},
            {"no trace id", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
            {"no parent id", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
            {"capitals", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
            {"another version", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
            {"no version", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
            {"too short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", false},
            {"too long", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false},
            {"other signs", "00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01", false},
            {"no dashes", "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", false},
            {"words", "a trace", false},
            {"empty", "", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.field("TraceParent", row.value);
            const auto shown = value_of(fixture.facts(), "context.gatehouse.traceparent");
            CHECK(shown == (row.shown ? std::optional<std::string>(row.value) : kNothing));
        }
        RequestFixture silent;
        CHECK(value_of(silent.facts(), "context.gatehouse.traceparent") == kNothing);
    }

    TEST_CASE("section 20: context variables have the values that the service documents") {
        RequestFixture fixture;
        fixture.field("User-Agent", "curl/8.7.1");
        const Row rows[] = {
            {"context.requestId", "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0"},
            {"context.extendedRequestId", "AyD6KEwwPHcEKxg="},
            {"context.accountId", "123456789012"},
            {"context.apiId", "abc123"},
            {"context.stage", "prod"},
            {"context.path", "/prod/pets/7"},
            {"context.resourcePath", "/pets/{id}"},
            {"context.httpMethod", "GET"},
            {"context.protocol", "HTTP/1.1"},
            {"context.requestTime", "10/Jul/2026:19:19:04 +0000"},
            {"context.requestTimeEpoch", "1783711144836"},
            {"context.domainName", "api.example.com"},
            {"context.domainPrefix", "api"},
            {"context.deploymentId", "82c3yw"},  // made of the stage's ARN
            {"context.identity.sourceIp", "192.0.2.7"},
            {"context.identity.userAgent", "curl/8.7.1"},
            {"context.customDomain.basePathMatched", "prod"},
            {"context.xrayTraceId", "Root=1-6a5145a8-536f3e792f6be9b44c1f46fa"},
            {"stageVariables.backend", "127.0.0.1:3000"},
            // Known, but there is none of it here.
            {"context.identity.caller", kNothing},
            {"context.identity.apiKey", kNothing},
            {"context.authorizer.principalId", kNothing},
            {"context.error.message", kNothing},
            {"context.error.messageString", kNothing},
            {"context.status", kNothing},
            {"context.responseLatency", kNothing},
            {"context.wafResponseCode", kNothing},
            // Not known at all.
            {"context.requestID", kNothing},
            {"context.", kNothing},
            {"context", kNothing},
            {"stageVariables.Backend", kNothing},
            {"stageVariables.", kNothing},
            {"requestId", kNothing},
            {"", kNothing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(value_of(fixture.facts(), row.name) == row.value);
        }
    }

    TEST_CASE("a resource id depends on the template alone") {
        RequestFixture fixture;
        const auto first = value_of(fixture.facts(), "context.resourceId");
        REQUIRE(first);
        CHECK(first->size() == 6);
        fixture.request.parameters = {"8"};
        CHECK(value_of(fixture.facts(), "context.resourceId") == first);
        fixture.request.resource_path = "/pets";
        CHECK(value_of(fixture.facts(), "context.resourceId") != first);
    }

    TEST_CASE("the domain name is the host without its port") {
        struct HostRow {
            std::string_view host;
            std::string name;
            std::string prefix;
        };

        const HostRow rows[] = {
            {"example.com", "example.com", "example"},
            {"example.com:80", "example.com", "example"},
            {"[2001:db8::1]:8080", "[2001:db8::1]", "[2001:db8::1]"},
            {"[2001:db8::1]", "[2001:db8::1]", "[2001:db8::1]"},
            {"localhost:1", "localhost", "localhost"},
        };
        for (const HostRow& row : rows) {
            CAPTURE(row.host);
            RequestFixture fixture;
            fixture.head.host = row.host;
            CHECK(value_of(fixture.facts(), "context.domainName") == row.name);
            CHECK(value_of(fixture.facts(), "context.domainPrefix") == row.prefix);
        }
    }

    TEST_CASE("times are written in UTC with two digits everywhere") {
        RequestFixture fixture;
        fixture.request.time = WallTime{};
        CHECK(value_of(fixture.facts(), "context.requestTime") == "01/Jan/1970:00:00:00 +0000");
        CHECK(value_of(fixture.facts(), "context.requestTimeEpoch") == "0");
        fixture.request.time = WallTime(std::chrono::milliseconds(1709251199999));
        CHECK(value_of(fixture.facts(), "context.requestTime") == "29/Feb/2024:23:59:59 +0000");
    }

    TEST_CASE("authorizer context is text and a null has no value") {
        using Kind = authz::ContextItem::Kind;
        RequestFixture fixture;
        fixture.granted("user-1",
                        {{"n", "1", Kind::number},
                         {"b", "true", Kind::boolean},
                         {"gone", "", Kind::null},
                         {"status", "gold", Kind::string},
                         {"principalId", "mallory", Kind::string},
                         {"empty", "", Kind::string}});
        fixture.grant.claims = Json{{"sub", "s-1"}, {"cognito:username", "u"}, {"odd", 5}};
        authz::AnswerFacts answer;
        answer.authorizer_status = 200;
        answer.authorizer_latency_ms = 3;
        fixture.request.answer = &answer;
        const Row rows[] = {
            {"context.authorizer.principalId", "user-1"},
            {"context.authorizer.n", "1"},
            {"context.authorizer.b", "true"},
            {"context.authorizer.empty", ""},
            {"context.authorizer.gone", kNothing},
            {"context.authorizer.N", kNothing},
            {"context.authorizer.status", "gold"},
            {"context.authorizer.integrationStatus", "200"},
            {"context.authorizer.latency", "3"},
            {"context.authorizer.claims.sub", "s-1"},
            {"context.authorizer.claims.cognito:username", "u"},
            {"context.authorizer.claims.odd", kNothing},
            {"context.authorizer.claims.none", kNothing},
            {"context.authorizer.claims", kNothing},
            {"context.authorizer", kNothing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(value_of(fixture.facts(), row.name) == row.value);
        }
        fixture.grant.principal_id.clear();
        CHECK(value_of(fixture.facts(), "context.authorizer.principalId") == kNothing);
    }

    TEST_CASE("an error has a message or a null") {
        RequestFixture fixture;
        authz::ErrorFacts error{authz::ResponseType::unauthorized, "say \"no\"", {}};
        fixture.request.error = &error;
        CHECK(value_of(fixture.facts(), "context.error.message") == "say \"no\"");
        CHECK(value_of(fixture.facts(), "context.error.messageString") == R"("say \"no\"")");
        CHECK(value_of(fixture.facts(), "context.error.responseType") == "UNAUTHORIZED");
        error.message = std::nullopt;
        CHECK(value_of(fixture.facts(), "context.error.message") == kNothing);
        CHECK(value_of(fixture.facts(), "context.error.messageString") == "null");
    }

    TEST_CASE("an answer tells its counts and which step failed") {
        RequestFixture fixture;
        authz::AnswerFacts answer;
        answer.status = 502;
        answer.response_length = 36;
        answer.response_latency_ms = 12;
        answer.integration_latency_ms = 0;
        answer.error = "upstream_reset";
        answer.reason = "upstream_reset";
        answer.cache = "hit";
        answer.decision = true;
        fixture.request.answer = &answer;
        const Row rows[] = {
            {"context.status", "502"},
            {"context.responseLength", "36"},
            {"context.responseLatency", "12"},
            {"context.integrationLatency", "0"},
            {"context.integration.latency", "0"},
            {"context.integrationStatus", kNothing},
            {"context.integration.error", "upstream_reset"},
            {"context.integrationErrorMessage", "upstream_reset"},
            {"context.authorizer.error", kNothing},
            {"context.authorize.error", kNothing},
            {"context.gatehouse.reason", "upstream_reset"},
            {"context.gatehouse.cache", "hit"},
            {"context.gatehouse.decision", "true"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(value_of(fixture.facts(), row.name) == row.value);
        }
        answer.error = "token_expired";
        CHECK(value_of(fixture.facts(), "context.authorizer.error") == "token_expired");
        CHECK(value_of(fixture.facts(), "context.integration.error") == kNothing);
        answer.error = "function_timeout";
        CHECK(value_of(fixture.facts(), "context.integration.error") == "function_timeout");
        CHECK(value_of(fixture.facts(), "context.authorizer.error") == kNothing);
        answer.error = "authorizer_timeout";
        CHECK(value_of(fixture.facts(), "context.authorizer.error") == "authorizer_timeout");
        answer.error = "explicit_deny";
        CHECK(value_of(fixture.facts(), "context.authorize.error") == "explicit_deny");
    }

    TEST_CASE("headers are found by their case first and the last of several counts") {
        RequestFixture fixture;
        fixture.field("X-One", "a").field("x-one", "b").field("X-ONE", "c").field("Accept", "x/y");
        const Row rows[] = {
            {"method.request.header.X-One", "a"},
            {"method.request.header.x-one", "b"},
            {"method.request.header.x-One", "c"},
            {"method.request.header.accept", "x/y"},
            {"method.request.multivalueheader.X-One", "a,b,c"},
            {"method.request.header.X_One", kNothing},
            {"method.request.header.", kNothing},
            {"method.request.multivalueheader.none", kNothing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(value_of(fixture.facts(), row.name) == row.value);
        }
        CHECK(value_of(authz::RequestFacts{}, "method.request.header.X-One") == kNothing);
    }

    TEST_CASE("query values are decoded and the last of several counts") {
        RequestFixture fixture;
        fixture.request.target.query =
            "a=1&b=x+y%2Bz&a=two&flag&empty=&%61b=%E2%82%AC&bad=%zz%4&c=1;d=2&x=a=b&&=n";
        const Row rows[] = {
            {"method.request.querystring.a", "two"},
            {"method.request.multivaluequerystring.a", "1,two"},
            {"method.request.querystring.b", "x y+z"},
            {"method.request.querystring.flag", ""},
            {"method.request.querystring.empty", ""},
            {"method.request.querystring.ab", "\xe2\x82\xac"},
            {"method.request.querystring.bad", "%zz%4"},
            {"method.request.querystring.c", "1"},
            {"method.request.querystring.d", "2"},
            {"method.request.querystring.x", "a=b"},
            {"method.request.querystring.A", kNothing},
            {"method.request.querystring.", kNothing},
            {"method.request.multivaluequerystring.none", kNothing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(value_of(fixture.facts(), row.name) == row.value);
        }
    }

    TEST_CASE("path parameters are as they came") {
        RequestFixture fixture;
        fixture.request.parameters = {"a%2Fb+c"};
        CHECK(value_of(fixture.facts(), "method.request.path.id") == "a%2Fb+c");
        CHECK(value_of(fixture.facts(), "method.request.path.ID") == kNothing);
        fixture.request.parameters.clear();
        CHECK(value_of(fixture.facts(), "method.request.path.id") == kNothing);
    }

    TEST_CASE("facts of a request that nothing is known of have no values") {
        const authz::RequestFacts nothing;
        for (const std::string_view name : {"context.apiId",
                                            "context.domainName",
                                            "context.domainPrefix",
                                            "context.protocol",
                                            "context.httpMethod",
                                            "context.resourceId",
                                            "context.identity.userAgent",
                                            "context.customDomain.basePathMatched",
                                            "stageVariables.x",
                                            "method.request.path.id"}) {
            CAPTURE(name);
            CHECK(value_of(nothing, name) == kNothing);
        }
    }

    TEST_CASE("a name is known whether or not it has a value") {
        for (const std::string_view name : {"context.identity.caller",
                                            "context.authorizer.anything",
                                            "context.authorizer.claims.sub",
                                            "context.requestOverride.header.X",
                                            "context.waf.latency",
                                            "stageVariables.x",
                                            "method.request.header.X",
                                            "method.request.querystring.x",
                                            "method.request.path.x",
                                            "method.request.multivalueheader.X",
                                            "method.request.multivaluequerystring.x"}) {
            CAPTURE(name);
            CHECK(authz::is_known_variable(name));
        }
        for (const std::string_view name : {"context.identity.sourceip",
                                            "context.authorizer.",
                                            "context.authorizer",
                                            "context.nothing",
                                            "context.identity",
                                            "stageVariables.",
                                            "method.request.header.",
                                            "method.request.body",
                                            "method.request.cookie.x",
                                            "integration.response.header.X",
                                            "input.body",
                                            ""}) {
            CAPTURE(name);
            CHECK_FALSE(authz::is_known_variable(name));
        }
    }
}

}  // namespace request_facts_test
