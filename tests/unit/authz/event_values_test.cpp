#include "gatehouse/authz/event_values.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace event_values_test {

using namespace gatehouse;
using authz::EventFormat;
using authz::ValueMap;
using test::RequestFixture;

namespace {

// "a=1,2&b=3"
std::string text_of(const ValueMap& map) {
    std::string text;
    for (const auto& [name, values] : map) {
        if (!text.empty()) text += '&';
        text += name + '=';
        for (std::size_t i = 0; i < values.size(); ++i)
            text += (i > 0 ? "," : "") + values[i];
    }
    return text;
}

// The values of one header in an event; "(none)" when the name is not there.
std::string header(const ValueMap& map, std::string_view name) {
    for (const auto& entry : map) {
        if (entry.name == name) return text_of({entry}).substr(name.size() + 1);
    }
    return "(none)";
}

}  // namespace

TEST_SUITE("authz/event_values") {
    TEST_CASE("a query is decoded once and keeps the order of its names") {
        struct Row {
            const char* query;
            const char* text;
        };

        const Row rows[] = {
            {"", ""},
            {"a=1", "a=1"},
            {"b=1&a=2", "b=1&a=2"},
            {"a=1&b=2&a=3", "a=1,3&b=2"},
            {"a=1;b=2", "a=1&b=2"},
            {"a", "a="},
            {"a=", "a="},
            {"&&a=1&", "a=1"},
            {"=x", "=x"},
            {"a=b=c", "a=b=c"},
            {"a+b=c+d", "a b=c d"},
            {"a%2Bb=c%2bd", "a+b=c+d"},
            {"%61=1&a=2", "a=1,2"},
            {"A=1&a=2", "A=1&a=2"},
            {"a=%2561", "a=%61"},
            {"a=%", "a=%"},
            {"a=%4", "a=%4"},
            {"a=%zz", "a=%zz"},
            {"a%3D1=2", "a=1=2"},
            {"a%26b=1", "a&b=1"},
            {"%ff=1&%fe=2&%ef%bf%bd=%ff", "\xef\xbf\xbd=1,2,\xff"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.query);
            CHECK(text_of(authz::query_values(row.query)) == row.text);
        }
    }

    TEST_CASE("which headers an event shows and under which name") {
        constexpr const char* kGone = "(none)";

        struct Row {
            const char* sent;
            const char* rest;  // the event's name, or "(none)"
            const char* http;
        };

        const Row rows[] = {
            {"X-Probe", "X-Probe", "x-probe"},
            {"accept", "accept", "accept"},
            {"HOST", "Host", "host"},
            {"user-AGENT", "User-Agent", "user-agent"},
            {"Authorization", "Authorization", "authorization"},
            {"Content-Type", "Content-Type", "content-type"},
            {"Content-Encoding", "Content-Encoding", "content-encoding"},
            {"Date", "Date", "date"},
            {"Range", "Range", "range"},
            {"Via", "Via", "via"},
            {"Content-Length", kGone, "content-length"},
            {"Content-MD5", kGone, "content-md5"},
            {"Max-Forwards", kGone, "max-forwards"},
            {"Proxy-Authenticate", kGone, "proxy-authenticate"},
            {"Server", kGone, "server"},
            {"WWW-Authenticate", kGone, "www-authenticate"},
            {"Expect", kGone, kGone},
            {"Keep-Alive", kGone, kGone},
            {"Proxy-Authorization", kGone, kGone},
            {"Proxy-Connection", kGone, kGone},
            {"TE", kGone, kGone},
            {"Trailer", kGone, kGone},
            {"Transfer-Encoding", kGone, kGone},
            {"Upgrade", kGone, kGone},
            {"HTTP2-Settings", kGone, kGone},
            {"Named", kGone, kGone},
            {"x-amzn-request-context", kGone, kGone},
            {"X_Amzn-Request_Context", kGone, kGone},
            {"X-Amzn-Apigateway-Api-Id", kGone, kGone},
            {"x_forwarded_for", kGone, kGone},
            {"X_Forwarded-Proto", kGone, kGone},
            {"X_Amzn_Trace_Id", kGone, kGone},
            {"X-Authorizer-userId", kGone, kGone},
            {"x_authorizer_userid", kGone, kGone},
            {"X-Mapped", kGone, kGone},
            {"x_mapped", kGone, kGone},
        };
        const std::vector<std::string> names = {"X-Mapped"};
        const std::vector<std::string> prefixes = {"X-Other-", "X-Authorizer-"};
        const authz::HiddenHeaders hidden{names, prefixes};
        for (const Row& row : rows) {
            CAPTURE(row.sent);
            RequestFixture fixture;
            fixture.field(row.sent, "v").field("Connection", "close, named, host");
            for (const EventFormat format :
                 {EventFormat::rest, EventFormat::http_1_0, EventFormat::http_2_0}) {
                const ValueMap map = header_values(fixture.facts(), format, hidden);
                const std::string_view name = format == EventFormat::rest ? row.rest : row.http;
                if (name == kGone) {
                    CHECK(text_of(map).find("=v") == std::string::npos);
                } else {
                    CHECK(header(map, name) == "v");
                }
            }
        }
    }

    TEST_CASE("what the gateway says of the connection is its own word") {
        RequestFixture fixture;
        fixture.field("x-forwarded-for", "203.0.113.9")
            .field("X-Forwarded-For", "198.51.100.1")
            .field("x-forwarded-proto", "gopher")
            .field("X-FORWARDED-PORT", "1")
            .field("x-amzn-trace-id", "forged");
        const ValueMap rest = header_values(fixture.facts(), EventFormat::rest, {});
        CHECK(text_of(rest) ==
              "X-Amzn-Trace-Id=Root=1-6a5145a8-536f3e792f6be9b44c1f46fa&"
              "X-Forwarded-For=203.0.113.9, 198.51.100.1, 192.0.2.7&"
              "X-Forwarded-Port=8080&X-Forwarded-Proto=http");
        fixture.request.secure = true;
        fixture.request.listener_port = 443;
        const ValueMap http = header_values(fixture.facts(), EventFormat::http_2_0, {});
        CHECK(header(http, "x-forwarded-proto") == "https");
        CHECK(header(http, "x-forwarded-port") == "443");
        CHECK(header(http, "x-amzn-trace-id") == "Root=1-6a5145a8-536f3e792f6be9b44c1f46fa");
    }

    TEST_CASE("headers of one name are one entry whatever their case") {
        RequestFixture fixture;
        fixture.field("X-a", "1").field("b", "2").field("x-A", "3");
        const ValueMap map = header_values(fixture.facts(), EventFormat::rest, {});
        CHECK(header(map, "X-a") == "1,3");
        CHECK(header(map, "x-A") == "(none)");
    }

    TEST_CASE("a signature is hidden from integrations alone") {
        RequestFixture fixture;
        fixture.field("authorization", "AWS4-HMAC-SHA256 Credential=x");
        CHECK(header(header_values(fixture.facts(), EventFormat::rest, {}), "authorization") !=
              "(none)");
        const authz::HiddenHeaders hidden{.signatures = true};
        CHECK(header(header_values(fixture.facts(), EventFormat::rest, hidden), "authorization") ==
              "(none)");
    }

    TEST_CASE("cookies are in the array of format 2.0 alone") {
        RequestFixture fixture;
        fixture.field("Cookie", "a=1; b=2;c").field("cookie", " ;; d=4 ");
        CHECK(authz::cookie_values(fixture.facts()) ==
              std::vector<std::string>{"a=1", "b=2", "c", "d=4"});
        CHECK(header(header_values(fixture.facts(), EventFormat::http_2_0, {}), "cookie") ==
              "(none)");
        CHECK(header(header_values(fixture.facts(), EventFormat::http_1_0, {}), "cookie") ==
              "a=1; b=2;c, ;; d=4 ");
    }

    TEST_CASE("the event's path is without what stands for the stage") {
        struct Row {
            const char* name;
            const char* base_path;
            const char* path;
            const char* api_path;
            const char* rest;
            const char* http;
        };

        const Row rows[] = {
            {"stage", "/prod", "/prod/a%20b/", "/a%20b/", "/a%20b/", "/prod/a b/"},
            {"no base path", "", "/a", "/a", "/a", "/a"},
            {"custom domain", "/v1", "/v1/a", "/a", "/v1/a", "/v1/a"},
            {"stage as a part", "/prod/x", "/prod/x/a", "/a", "/prod/x/a", "/prod/x/a"},
            {"a question mark", "", "/a%3Fb", "/a%3Fb", "/a%3Fb", "/a?b"},
            {"decoded once", "", "/a%2541", "/a%2541", "/a%2541", "/a%41"},
            {"plus", "", "/a+b%2Bc", "/a+b%2Bc", "/a+b%2Bc", "/a+b+c"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.stage.base_path = row.base_path;
            fixture.request.target.path = row.path;
            fixture.request.api_path = row.api_path;
            CHECK(event_path(fixture.facts(), EventFormat::rest) == row.rest);
            CHECK(event_path(fixture.facts(), EventFormat::http_1_0) == row.http);
            CHECK(event_path(fixture.facts(), EventFormat::http_2_0) == row.http);
        }
    }

    TEST_CASE("the three ways to write values") {
        const ValueMap map = {{"a", {"1", "2"}}, {"b\"", {""}}};
        std::string out;
        append_last_values(map, out);
        CHECK(out == R"({"a":"2","b\"":""})");
        out.clear();
        append_all_values(map, out);
        CHECK(out == R"({"a":["1","2"],"b\"":[""]})");
        out.clear();
        append_joined_values(map, out);
        CHECK(out == R"({"a":"1,2","b\"":""})");
        out.clear();
        authz::append_last_values({}, out);
        CHECK(out == "{}");
    }
}

}  // namespace event_values_test
