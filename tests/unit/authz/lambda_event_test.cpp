#include "gatehouse/authz/lambda_event.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "support/golden.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace lambda_event_test {

using namespace gatehouse;
using authz::EventFormat;
using test::RequestFixture;

namespace {

constexpr std::string_view kArn =
    "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets/7%20a";

// A request with something of everything.
void fill(RequestFixture& fixture) {
    fixture.field("host", "api.example.com:8080")
        .field("user-agent", "curl/8.7.1")
        .field("Authorization", "Bearer abc")
        .field("X-Probe", "first")
        .field("Content-Length", "5")
        .field("Connection", "keep-alive")
        .field("Cookie", "a=1; b=2")
        .field("x-probe", "second")
        .field("X-Forwarded-For", "203.0.113.9")
        .field("Referer", "https://example.com/\"q\"");
    fixture.request.target.path = "/prod/pets/7%20a";
    fixture.request.api_path = "/pets/7%20a";
    fixture.request.parameters = {"7%20a"};
    fixture.request.target.query = "repeat=one&repeat=two&plus=a+b&code=a%2Bb&empty=&bare";
}

void empty(RequestFixture& fixture) {
    fixture.stage.stage_variables.clear();
    fixture.stage.base_path.clear();
    fixture.request.target.path = "/";
    fixture.request.target.query = "";
    fixture.request.api_path = "/";
    fixture.request.resource_path = "/";
    fixture.request.parameters = {};
    fixture.request.trace_id = {};
    fixture.parameter_names.clear();
}

// What a client may send and JSON may not hold.
void spoil(RequestFixture& fixture) {
    fixture.field("X-Bytes", "a\xff\xc3(")
        .field("X-Text", "caf\xc3\xa9")
        .field("User-Agent", "\xe9");
    fixture.request.target.query = "%ff=%00%C3%28&%c3%a9=%22%5c";
    fixture.request.parameters = {"%FF"};
}

std::string event_of(RequestFixture& fixture,
                     EventFormat format,
                     std::optional<std::span<const std::string>> identity = std::nullopt) {
    std::string out;
    append_request_event({fixture.facts(), kArn, "GET /pets/{id}", identity}, format, out);
    return out;
}

}  // namespace

TEST_SUITE("authz/lambda_event") {
    TEST_CASE("section 2.2: a TOKEN event has exactly three keys and the whole header value") {
        std::string out;
        authz::append_token_event(kArn, "Bearer a\"b\xff", out);
        test::check_golden_json("lambda_event/token", out);
        CHECK(parse_json(out)->size() == 3);
    }

    TEST_CASE("section 3.2: every REQUEST event is what the golden file says") {
        struct Row {
            const char* name;
            EventFormat format;
            void (*prepare)(RequestFixture&);
            bool identity;
        };

        const Row rows[] = {
            {"request_rest", EventFormat::rest, fill, false},
            {"request_rest_bare", EventFormat::rest, empty, false},
            {"request_rest_bytes", EventFormat::rest, spoil, false},
            {"request_http_1", EventFormat::http_1_0, fill, true},
            {"request_http_1_bare", EventFormat::http_1_0, empty, false},
            {"request_http_2", EventFormat::http_2_0, fill, true},
            {"request_http_2_bare", EventFormat::http_2_0, empty, false},
            {"request_http_2_bytes", EventFormat::http_2_0, spoil, false},
        };
        const std::vector<std::string> identity = {"user1", "1\"23"};
        for (const Row& row : rows) {
            RequestFixture fixture;
            row.prepare(fixture);
            const std::string event = row.identity ? event_of(fixture, row.format, identity)
                                                   : event_of(fixture, row.format);
            CHECK(is_utf8(event));
            test::check_golden_json(std::string("lambda_event/") + row.name, event);
        }
    }

    TEST_CASE("nothing that an earlier authorizer said is in the event") {
        for (const EventFormat format :
             {EventFormat::rest, EventFormat::http_1_0, EventFormat::http_2_0}) {
            RequestFixture fixture;
            fixture.granted("u").grant.authorizer_json = R"({"principalId":"u"})";
            const auto event = parse_json(event_of(fixture, format));
            REQUIRE(event.has_value());
            CHECK_FALSE((*event)["requestContext"].contains("authorizer"));
            for (const char* absent : {"body", "isBase64Encoded"})
                CHECK_FALSE(event->contains(absent));
        }
    }

    TEST_CASE("a head at its limits gives an event of bounded size") {
        RequestFixture fixture;
        const std::string value(10000, '\x01');
        const std::string query(10000, '\xff');
        fixture.field("X-A", value);
        fixture.request.target.query = query;
        for (const EventFormat format :
             {EventFormat::rest, EventFormat::http_1_0, EventFormat::http_2_0})
            CHECK(event_of(fixture, format).size() < 256 * 1024);
    }
}

}  // namespace lambda_event_test
