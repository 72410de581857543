#include "gatehouse/forward/forward_plan.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace custom_head_test {

using namespace gatehouse;
using forward::Additions;
using forward::ForwardOptions;
using forward::ForwardPlan;
using test::RequestFixture;
using Kind = http::Framing::Kind;

namespace {

ForwardOptions options(std::string uri, std::map<std::string, std::string> parameters = {}) {
    ForwardOptions made;
    made.uri = std::move(uri);
    made.path_parameters = {"id"};
    made.request_parameters = std::move(parameters);
    return made;
}

// The head, or the name of the error.
std::string write(const ForwardOptions& from,
                  RequestFixture& fixture,
                  const Additions& additions = {},
                  http::Framing framing = {}) {
    const auto plan = ForwardPlan::make(from);
    REQUIRE(plan.has_value());
    std::string out;
    const Errc error = plan->write_custom_head(fixture.facts(), framing, additions, out);
    if (error == Errc::none) return out;
    CHECK(out.empty());
    return std::string(reason_id(error));
}

std::string request_line(const std::string& head) {
    return head.substr(0, head.find("\r\n"));
}

constexpr std::string_view kDefaults =
    "Accept: application/json\r\n"
    "User-Agent: AmazonAPIGateway_abc123\r\n"
    "X-Amzn-Apigateway-Api-Id: abc123\r\n"
    "X-Amzn-Trace-Id: Root=1-6a5145a8-536f3e792f6be9b44c1f46fa\r\n";

}  // namespace

TEST_SUITE("forward/custom_head") {
    TEST_CASE("nothing of the client's goes on but what is mapped") {
        RequestFixture f;
        f.field("X-Mine", "mine").field("Cookie", "a=b").field("X-Forwarded-For", "1.2.3.4");
        CHECK(write(options("http://backend:3000/x",
                            {{"integration.request.header.X-To", "method.request.header.X-Mine"}}),
                    f) == "GET /x HTTP/1.1\r\nHost: backend:3000\r\nX-To: mine\r\n" +
                              std::string(kDefaults) + "\r\n");
    }

    TEST_CASE("content has a type and a length") {
        RequestFixture f;
        CHECK(write(options("http://b/"), f, {}, {Kind::length, 3}) ==
              "GET / HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\n" +
                  std::string(kDefaults) + "Content-Length: 3\r\n\r\n");
        f.field("Content-Type", "text/plain; charset=utf-8");
        CHECK(write(options("http://b/"), f, {}, {Kind::length, 3})
                  .find("Content-Type: text/plain; charset=utf-8\r\n") != std::string::npos);
        Additions additions;
        additions.headers = {{"content-type", {"a/b"}}};
        const std::string head = write(options("http://b/"), f, additions, {Kind::length, 3});
        CHECK(head.find("content-type: a/b\r\n") != std::string::npos);
        CHECK(head.find("text/plain") == std::string::npos);
    }

    TEST_CASE("paths and queries are made of the uri and what is mapped") {
        struct Row {
            const char* name;
            const char* uri;
            std::map<std::string, std::string> parameters;
            Additions additions;
            const char* line;
        };

        const Row rows[] = {
            {"parameter", "http://b/p/{id}", {}, {}, "GET /p/7 HTTP/1.1"},
            {"client query stays", "http://b/p?x=1", {}, {}, "GET /p?x=1 HTTP/1.1"},
            {"mapped query",
             "http://b/p?x=1",
             {{"integration.request.querystring.q", "method.request.querystring.a"}},
             {},
             "GET /p?x=1&q=1 HTTP/1.1"},
            {"override of a mapped query",
             "http://b/p",
             {{"integration.request.querystring.q", "'1'"}},
             {{}, {{"q", {"a b", "&"}}}, {}},
             "GET /p?q=a%20b&q=%26 HTTP/1.1"},
            {"a name that is encoded",
             "http://b/p",
             {},
             {{}, {{"a=&", {""}}}, {}},
             "GET /p?a%3D%26= HTTP/1.1"},
            {"override of a path",
             "http://b/p/{id}",
             {},
             {{}, {}, {{"id", {"a/b?c#d"}}}},
             "GET /p/a%2Fb%3Fc%23d HTTP/1.1"},
            {"override in a query",
             "http://b/p?i={id}",
             {},
             {{}, {}, {{"id", {"a&b=c"}}}},
             "GET /p?i=a%26b%3Dc HTTP/1.1"},
            {"empty in a path", "http://b/p/{id}", {}, {{}, {}, {{"id", {""}}}}, "mapping_invalid"},
            {"a dot segment", "http://b/p/{id}", {}, {{}, {}, {{"id", {".."}}}}, "mapping_invalid"},
            {"a control", "http://b/p/{id}", {}, {{}, {}, {{"id", {"a\r\nb"}}}}, "mapping_invalid"},
            {"no UTF-8", "http://b/p/{id}", {}, {{}, {}, {{"id", {"\xff"}}}}, "mapping_invalid"},
            {"the place of a body's value without one",
             "http://b/p/{shop}",
             {{"integration.request.path.shop", "''"}},
             {},
             "mapping_invalid"},
            {"the place of a body's value",
             "http://b/p/{shop}",
             {{"integration.request.path.shop", "''"}},
             {{}, {}, {{"shop", {"s"}}}},
             "GET /p/s HTTP/1.1"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture f;
            CHECK(request_line(write(options(row.uri, row.parameters), f, row.additions)) ==
                  row.line);
        }
    }

    TEST_CASE("what a template says of headers is checked as any mapped value") {
        struct Row {
            const char* name;
            const char* value;
            const char* found;  ///< in the head, or the error
        };

        const Row rows[] = {
            {"X-A", "a", "X-A: a\r\n"},
            {"Host", "other:1", "Host: other:1\r\n"},
            {"User-Agent", "me", "User-Agent: me\r\n"},
            {"X-A", "a\r\nX-Evil: 1", "mapping_invalid"},
            {"X-A", "a\nb", "mapping_invalid"},
            {"Host", "a b", "mapping_invalid"},
            {"a b", "x", "mapping_invalid"},
            {"", "x", "mapping_invalid"},
            {"Content-Length", "5", "mapping_invalid"},
            {"transfer-encoding", "chunked", "mapping_invalid"},
            {"X-Amzn-Trace-Id", "Root=1", "mapping_invalid"},
            {"x-amzn-request-context", "{}", "mapping_invalid"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CAPTURE(row.value);
            RequestFixture f;
            Additions additions;
            additions.headers = {{row.name, {row.value}}};
            const std::string head = write(options("http://b/"), f, additions);
            CHECK(head.find(row.found) != std::string::npos);
        }
        for (const char* name : {"Connection", "TE", "Expect", "Upgrade", "Via"}) {
            CAPTURE(name);
            RequestFixture f;
            Additions additions;
            additions.headers = {{name, {"x"}}};
            CHECK(write(options("http://b/"), f, additions).find(": x\r\n") == std::string::npos);
        }
    }

    TEST_CASE("each name is there once whoever gives it") {
        RequestFixture f;
        f.granted("me");
        f.grant.header_block = "X-Authorizer-Role: reader\r\nX-Authorizer-Tenant: acme\r\n";
        Additions additions;
        additions.headers = {{"x_authorizer_role", {"template"}}, {"X-A", {"template"}}};
        const std::string head = write(
            options("http://b/", {{"integration.request.header.X_A", "'mapping'"}}), f, additions);
        CHECK(head.find("reader") == std::string::npos);
        CHECK(head.find("mapping") == std::string::npos);
        CHECK(head.find("X-Authorizer-Tenant: acme\r\n") != std::string::npos);
    }
}

}  // namespace custom_head_test
