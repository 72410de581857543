#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/fields.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace response_head_test {

using namespace gatehouse;
using forward::ForwardOptions;
using forward::ForwardPlan;
using test::RequestFixture;
using Kind = http::Framing::Kind;

namespace {

constexpr std::string_view kDate = "Tue, 24 Nov 2026 04:00:00 GMT";

struct Answer {
    int status = 200;
    std::string_view reason = "OK";
    std::vector<std::pair<std::string_view, std::string_view>> fields;
    http::Framing framing;
    bool keep_alive = true;
    bool plain = false;
};

std::string written(const Answer& answer) {
    ForwardOptions options;
    options.uri = "http://h/";
    options.plain_headers = answer.plain;
    const auto plan = ForwardPlan::make(options);
    REQUIRE(plan.has_value());
    std::vector<http::Field> fields;
    for (const auto& [name, value] : answer.fields)
        fields.push_back({name, value, http::find_field_id(name)});
    http::ResponseHead head;
    head.status = answer.status;
    head.reason = answer.reason;
    head.fields = fields;
    RequestFixture fixture;
    std::string out;
    plan->write_response_head(head, fixture.facts(), answer.framing, answer.keep_alive, kDate, out);
    return out;
}

bool has_line(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

bool has_name(const std::string& head, std::string_view name) {
    return head.find("\r\n" + std::string(name) + ":") != std::string::npos;
}

}  // namespace

TEST_SUITE("forward/response_head") {
    TEST_CASE("a recorded answer comes back as the service sends it") {
        const Answer answer{200,
                            "OK",
                            {{"Server", "gunicorn/19.9.0"},
                             {"Date", "Mon, 01 Jan 2024 00:00:00 GMT"},
                             {"Connection", "keep-alive"},
                             {"Content-Type", "text/plain"},
                             {"Content-Length", "790"},
                             {"Set-Cookie", "a=1"},
                             {"x-amzn-RequestId", "theirs"},
                             {"Set-Cookie", "b=2"}},
                            {Kind::length, 790}};
        CHECK(written(answer) ==
              "HTTP/1.1 200 OK\r\n"
              "Date: Tue, 24 Nov 2026 04:00:00 GMT\r\n"
              "Content-Length: 790\r\n"
              "Connection: keep-alive\r\n"
              "x-amzn-RequestId: 7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0\r\n"
              "x-amz-apigw-id: AyD6KEwwPHcEKxg=\r\n"
              "x-amzn-Remapped-Server: gunicorn/19.9.0\r\n"
              "x-amzn-Remapped-Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
              "x-amzn-Remapped-Connection: keep-alive\r\n"
              "Content-Type: text/plain\r\n"
              "x-amzn-Remapped-Content-Length: 790\r\n"
              "Set-Cookie: a=1\r\n"
              "x-amzn-Remapped-x-amzn-RequestId: theirs\r\n"
              "Set-Cookie: b=2\r\n"
              "\r\n");
    }

    TEST_CASE("plain answers keep their names and their date") {
        const Answer answer{201,
                            "Made",
                            {{"server", "x"},
                             {"Date", "Mon, 01 Jan 2024 00:00:00 GMT"},
                             {"Via", "1.1 a"},
                             {"WWW-Authenticate", "Basic"},
                             {"Connection", "keep-alive"},
                             {"Transfer-Encoding", "chunked"},
                             {"x-amzn-requestid", "theirs"}},
                            {Kind::chunked, 0},
                            false,
                            true};
        CHECK(written(answer) ==
              "HTTP/1.1 201 Made\r\n"
              "Transfer-Encoding: chunked\r\n"
              "Connection: close\r\n"
              "x-amzn-RequestId: 7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0\r\n"
              "x-amz-apigw-id: AyD6KEwwPHcEKxg=\r\n"
              "server: x\r\n"
              "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
              "Via: 1.1 a\r\n"
              "WWW-Authenticate: Basic\r\n"
              "\r\n");
    }

    TEST_CASE("content without a type is JSON to the service and nothing to a plain proxy") {
        struct Row {
            std::string_view name;
            http::Framing framing;
            bool plain;
            bool want;
        };

        const Row rows[] = {
            {"length", {Kind::length, 3}, false, true},
            {"chunked", {Kind::chunked, 0}, false, true},
            {"until close", {Kind::until_close, 0}, false, true},
            {"empty", {Kind::length, 0}, false, false},
            {"none", {Kind::none, 0}, false, false},
            {"none that tells a length", {Kind::none, 7}, false, false},
            {"plain", {Kind::length, 3}, true, false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const std::string head = written({200, "OK", {}, row.framing, true, row.plain});
            CHECK(has_line(head, "Content-Type: application/json") == row.want);
        }
        const std::string typed =
            written({200, "OK", {{"content-type", "a/b"}}, {Kind::length, 3}});
        CHECK_FALSE(has_line(typed, "Content-Type: application/json"));
    }

    TEST_CASE("fields between the upstream and us stay there") {
        for (const std::string_view name : {"Transfer-Encoding",
                                            "Keep-Alive",
                                            "Proxy-Connection",
                                            "Proxy-Authenticate",
                                            "TE",
                                            "Trailer",
                                            "Upgrade",
                                            "x-amz-apigw-id"}) {
            for (const bool is_plain : {false, true}) {
                CAPTURE(name);
                CAPTURE(is_plain);
                const std::string head =
                    written({200, "OK", {{name, "theirs"}}, {Kind::length, 1}, true, is_plain});
                CHECK(head.find("theirs") == std::string::npos);
            }
        }
    }

    TEST_CASE("what Connection names in an answer is left out") {
        for (const bool is_plain : {false, true}) {
            const std::string head =
                written({200,
                         "OK",
                         {{"X-Hop", "1"}, {"Connection", "close, x-hop, Date"}, {"X-End", "2"}},
                         {Kind::length, 1},
                         true,
                         is_plain});
            CHECK_FALSE(has_name(head, "X-Hop"));
            CHECK(has_line(head, "X-End: 2"));
            CHECK(has_line(head, "Content-Length: 1"));
            CHECK(has_line(head, "Connection: keep-alive"));
            CHECK(has_line(head, "Date: Tue, 24 Nov 2026 04:00:00 GMT"));
        }
        // A date that Connection takes away is not the client's date.
        const std::string head = written({200,
                                          "OK",
                                          {{"Date", "theirs"}, {"Connection", "Date"}},
                                          {Kind::length, 1},
                                          true,
                                          true});
        CHECK(has_line(head, "Date: Tue, 24 Nov 2026 04:00:00 GMT"));
        CHECK(head.find("theirs") == std::string::npos);
    }

    TEST_CASE("framing and connection are as told") {
        const std::string none =
            written({204, "No Content", {{"Content-Length", "9"}}, {Kind::none, 0}});
        CHECK_FALSE(has_name(none, "Content-Length"));
        CHECK_FALSE(has_name(none, "Transfer-Encoding"));
        CHECK(has_line(none, "Connection: keep-alive"));
        const std::string told = written({200, "OK", {{"Content-Length", "9"}}, {Kind::none, 9}});
        CHECK(has_line(told, "Content-Length: 9"));
        CHECK(has_line(told, "Connection: keep-alive"));
        const std::string open = written({200, "OK", {}, {Kind::until_close, 0}, true});
        CHECK(has_line(open, "Connection: close"));
        CHECK_FALSE(has_name(open, "Content-Length"));
        CHECK_FALSE(has_name(open, "Transfer-Encoding"));
    }

    TEST_CASE("a reason phrase is the upstream's if it can be shown") {
        struct Row {
            int status;
            std::string_view reason;
            std::string want;
        };

        const Row rows[] = {
            {200, "Fine by me", "HTTP/1.1 200 Fine by me\r\n"},
            {404, "", "HTTP/1.1 404 Not Found\r\n"},
            {200, "a\tb", "HTTP/1.1 200 OK\r\n"},
            {200, "a\r\nX-Evil: 1", "HTTP/1.1 200 OK\r\n"},
            {299, "", "HTTP/1.1 299 Success\r\n"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.want);
            CHECK(written({row.status, row.reason, {}, {Kind::length, 0}}).starts_with(row.want));
        }
    }
}

}  // namespace response_head_test
