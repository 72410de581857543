#include "gatehouse/forward/forward_plan.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>

namespace forward_plan_test {

using namespace gatehouse;
using forward::ForwardOptions;
using forward::ForwardPlan;
using test::RequestFixture;

namespace {

using Parameters = std::map<std::string, std::string>;

ForwardOptions options_for(std::string uri, Parameters parameters = {}) {
    ForwardOptions options;
    options.uri = std::move(uri);
    options.request_parameters = std::move(parameters);
    options.path_parameters = {"id"};
    return options;
}

// The request line that the upstream gets, or the reason why it gets none.
std::string request_line(const ForwardOptions& options, RequestFixture& fixture) {
    const auto plan = ForwardPlan::make(options);
    REQUIRE(plan.has_value());
    std::string out = "before";
    const Errc error = plan->write_request_head(fixture.facts(), {}, out);
    if (error != Errc::none) {
        CHECK(out == "before");
        return std::string(reason_id(error));
    }
    return out.substr(6, out.find("\r\n") - 6);
}

}  // namespace

TEST_SUITE("forward/forward_plan") {
    TEST_CASE("the uri is filled in with path parameters as they came") {
        struct Row {
            std::string_view name;
            std::string uri;
            Parameters parameters;
            std::string id;
            std::string want;
        };

        const std::string kSource = "method.request.path.id";
        const Row rows[] = {
            {"no placeholder", "http://h/items", {}, "7", "GET /items?a=1 HTTP/1.1"},
            {"no path", "http://h", {}, "7", "GET /?a=1 HTTP/1.1"},
            {"by name", "http://h/items/{id}", {}, "7", "GET /items/7?a=1 HTTP/1.1"},
            {"greedy", "http://h/{id}", {}, "a/b/c", "GET /a/b/c?a=1 HTTP/1.1"},
            {"encoding kept", "http://h/{id}", {}, "a%2Fb%20+;c", "GET /a%2Fb%20+;c?a=1 HTTP/1.1"},
            {"by mapping",
             "http://h/{x}",
             {{"integration.request.path.x", kSource}},
             "7",
             "GET /7?a=1 HTTP/1.1"},
            {"overridden",
             "http://h/{id}",
             {{"integration.request.path.id", "'9'"}},
             "7",
             "GET /9?a=1 HTTP/1.1"},
            {"between text", "http://h/v{id}.json", {}, "7", "GET /v7.json?a=1 HTTP/1.1"},
            {"twice", "http://h/{id}/{id}", {}, "7", "GET /7/7?a=1 HTTP/1.1"},
            {"in the query", "http://h/x?q={id}", {}, "7", "GET /x?q=7&a=1 HTTP/1.1"},
            {"no new parameter",
             "http://h/x?q={id}",
             {},
             "7&admin=1+%26",
             "GET /x?q=7%26admin%3D1%2B%26&a=1 HTTP/1.1"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.request.parameters = {row.id};
            CHECK(request_line(options_for(row.uri, row.parameters), fixture) == row.want);
        }
    }

    TEST_CASE("a mapped value is data wherever it stands in a path") {
        struct Row {
            std::string_view name;
            std::string value;
            std::string want;
        };

        const Row rows[] = {
            {"plain", "abc", "GET /u/abc/x HTTP/1.1"},
            {"slash", "a/b", "GET /u/a%2Fb/x HTTP/1.1"},
            {"query", "a?b=c&d", "GET /u/a%3Fb%3Dc%26d/x HTTP/1.1"},
            {"fragment", "a#b", "GET /u/a%23b/x HTTP/1.1"},
            {"percent", "a%2Fb", "GET /u/a%252Fb/x HTTP/1.1"},
            {"space", "a b", "GET /u/a%20b/x HTTP/1.1"},
            {"UTF-8", "K\xc3\xb6ln", "GET /u/K%C3%B6ln/x HTTP/1.1"},
            {"dot", ".", "mapping_invalid"},
            {"dots", "..", "mapping_invalid"},
            {"climbing", "../admin", "mapping_invalid"},
            {"climbing later", "a/../../admin", "mapping_invalid"},
            {"backslash", "a\\b", "mapping_invalid"},
            {"C1 control", "a\xc2\x99", "mapping_invalid"},
            {"empty", "", "mapping_invalid"},
            {"slash alone", "/", "mapping_invalid"},
            {"line end", "a\r\nX: 1", "context_unusable"},
            {"control", "a\x01", "context_unusable"},
            {"not UTF-8", "a\xf7", "context_unusable"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.request.target.has_query = false;
            fixture.granted("p", {{"user", row.value}});
            const auto options =
                options_for("http://h/u/{who}/x",
                            {{"integration.request.path.who", "context.authorizer.user"}});
            CHECK(request_line(options, fixture) == row.want);
        }
    }

    TEST_CASE("a path without its value is not sent") {
        RequestFixture fixture;
        CHECK(request_line(options_for("http://h/{x}",
                                       {{"integration.request.path.x", "context.authorizer.user"}}),
                           fixture) == "mapping_invalid");
        CHECK(request_line(
                  options_for("http://h/{x}",
                              {{"integration.request.path.x", "method.request.querystring.b"}}),
                  fixture) == "mapping_invalid");
        fixture.request.parameters.clear();
        CHECK(request_line(options_for("http://h/{id}"), fixture) == "mapping_invalid");
        // Harmless parts make a dot segment together.
        RequestFixture parts;
        parts.request.parameters = {"."};
        CHECK(request_line(options_for("http://h/{id}{id}"), parts) == "mapping_invalid");
        CHECK(request_line(options_for("http://h/.{id}/a"), parts) == "mapping_invalid");
    }

    TEST_CASE("the client's query goes on byte for byte") {
        struct Row {
            std::string_view name;
            std::string uri;
            Parameters parameters;
            bool has_query;
            std::string_view query;
            std::string want;
        };

        const Parameters literal = {{"integration.request.querystring.x", "'1'"}};
        const Parameters twice = {
            {"integration.request.querystring.b c", "method.request.querystring.u"},
            {"integration.request.querystring.u", "method.request.querystring.u"}};
        const Parameters absent = {
            {"integration.request.querystring.x", "method.request.querystring.none"}};
        const Row rows[] = {
            {"none", "http://h/p", {}, false, "", "/p"},
            {"lone question mark", "http://h/p", {}, true, "", "/p?"},
            {"odd bytes",
             "http://h/p",
             {},
             true,
             "a=%zz&&b=http://x/?y=%2f;c+d&a",
             "/p?a=%zz&&b=http://x/?y=%2f;c+d&a"},
            {"after the uri's own", "http://h/p?k=v", {}, true, "a=1", "/p?k=v&a=1"},
            {"uri's own alone", "http://h/p?k=v", {}, false, "", "/p?k=v"},
            {"uri's own and nothing", "http://h/p?k=v", {}, true, "", "/p?k=v"},
            {"uri's own is empty", "http://h/p?", {}, true, "a=1", "/p?a=1"},
            {"uri's own is empty too", "http://h/p?", {}, true, "", "/p?"},
            {"mapped", "http://h/p", literal, false, "", "/p?x=1"},
            {"mapped is appended", "http://h/p", literal, true, "x=0", "/p?x=0&x=1"},
            {"mapped after a lone mark", "http://h/p", literal, true, "", "/p?x=1"},
            {"mapped after all", "http://h/p?k=v", literal, true, "a=1", "/p?k=v&a=1&x=1"},
            {"encoded once",
             "http://h/p",
             twice,
             true,
             "u=a+b%2Bc%26d%2525%0A",
             "/p?u=a+b%2Bc%26d%2525%0A&b%20c=a%20b%2Bc%26d%2525%0A&u=a%20b%2Bc%26d%2525%0A"},
            {"absent is left out", "http://h/p", absent, false, "", "/p"},
            {"absent is left out after others", "http://h/p", absent, true, "a=1", "/p?a=1"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.request.target.query = row.query;
            fixture.request.target.has_query = row.has_query;
            CHECK(request_line(options_for(row.uri, row.parameters), fixture) ==
                  "GET " + row.want + " HTTP/1.1");
        }
    }

    TEST_CASE("the method is the integration's or else the client's") {
        RequestFixture fixture;
        fixture.head.method = "PATCH";
        for (const auto& [configured, want] :
             Parameters{{"", "PATCH"}, {"ANY", "PATCH"}, {"POST", "POST"}, {"PATCH", "PATCH"}}) {
            CAPTURE(configured);
            ForwardOptions options = options_for("http://h/");
            options.http_method = configured;
            const auto plan = ForwardPlan::make(options);
            REQUIRE(plan.has_value());
            CHECK(plan->method(fixture.facts()) == want);
            CHECK(request_line(options, fixture).starts_with(want + " /"));
        }
    }

    TEST_CASE("an endpoint is what the uri says") {
        const auto plan = ForwardPlan::make(options_for("https://Backend.example:8443/x"));
        REQUIRE(plan.has_value());
        CHECK(plan->endpoint() == forward::Endpoint{true,
                                                    "backend.example",
                                                    8443,
                                                    "Backend.example:8443",
                                                    "Host: Backend.example:8443\r\n",
                                                    {}});
    }

    TEST_CASE("plans share an endpoint when all of it is equal") {
        forward::SharedParts shared;
        const auto endpoint_of = [&](const std::string& uri, std::string tls_name = {}) {
            ForwardOptions options = options_for(uri);
            options.tls_name = std::move(tls_name);
            return ForwardPlan::make(options, shared).value();
        };
        const ForwardPlan first = endpoint_of("http://backend:81/a");
        CHECK(&first.endpoint() == &endpoint_of("http://backend:81/b/c?d=e").endpoint());
        CHECK(&first.endpoint() != &endpoint_of("http://backend:82/a").endpoint());
        CHECK(&first.endpoint() != &endpoint_of("http://backend/a").endpoint());
        CHECK(&first.endpoint() != &endpoint_of("http://Backend:81/a").endpoint());
        CHECK(&first.endpoint() != &endpoint_of("https://backend:81/a").endpoint());
        const ForwardPlan named = endpoint_of("https://backend:81/a", "other");
        CHECK(&named.endpoint() != &endpoint_of("https://backend:81/a").endpoint());
        CHECK(named.endpoint().tls_name == "other");
    }

    TEST_CASE("an integration that cannot work is refused") {
        const std::string kHeader = "integration.request.header.";

        struct Row {
            std::string_view name;
            ForwardOptions options;
        };

        const auto mapped = [&](const std::string& key, const std::string& value) {
            return options_for("http://h/{id}", {{key, value}});
        };
        ForwardOptions method = options_for("http://h/");
        method.http_method = "GET /x";
        ForwardOptions connect = options_for("http://h/");
        connect.http_method = "CONNECT";
        ForwardOptions prefix = options_for("http://h/");
        prefix.context_headers.prefix = "";
        ForwardOptions odd_prefix = options_for("http://h/");
        odd_prefix.context_headers.prefix = "X Authorizer";
        const Row rows[] = {
            {"no uri", options_for("")},
            {"bad uri", options_for("http://h/a b")},
            {"unknown placeholder", options_for("http://h/{other}")},
            {"unknown placeholder in the query", options_for("http://h/?a={other}")},
            {"mapping without a placeholder", mapped("integration.request.path.x", "'1'")},
            {"mapping from no path parameter", mapped(kHeader + "X", "method.request.path.other")},
            {"placeholder from no path parameter",
             mapped("integration.request.path.id", "method.request.path.other")},
            {"unknown destination", mapped("integration.request.cookie.x", "'1'")},
            {"response destination", mapped("integration.response.header.x", "'1'")},
            {"no destination name", mapped(kHeader, "'1'")},
            {"no query name", mapped("integration.request.querystring.", "'1'")},
            {"no header name", mapped(kHeader + "A B", "'1'")},
            {"header with line end", mapped(kHeader + "A\r\nB", "'1'")},
            {"bad source", mapped(kHeader + "A", "context.nothing")},
            {"body source", mapped(kHeader + "A", "method.request.body")},
            {"Content-Length", mapped(kHeader + "content-length", "'1'")},
            {"Transfer-Encoding", mapped(kHeader + "Transfer-Encoding", "'chunked'")},
            {"Connection", mapped(kHeader + "Connection", "'close'")},
            {"Upgrade", mapped(kHeader + "Upgrade", "'h2c'")},
            {"TE", mapped(kHeader + "TE", "'trailers'")},
            {"Via", mapped(kHeader + "Via", "'x'")},
            {"Expect", mapped(kHeader + "Expect", "'100-continue'")},
            {"trace id", mapped(kHeader + "X-Amzn-Trace-Id", "'x'")},
            {"API id", mapped(kHeader + "X-Amzn-Apigateway-Api-Id", "'x'")},
            {"request context", mapped(kHeader + "x-amzn-request-context", "'{}'")},
            {"one header twice",
             options_for("http://h/", {{kHeader + "X-A", "'1'"}, {kHeader + "x_a", "'2'"}})},
            {"method with a space", method},
            {"CONNECT", connect},
            {"empty prefix", prefix},
            {"prefix with a space", odd_prefix},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto plan = ForwardPlan::make(row.options);
            REQUIRE_FALSE(plan.has_value());
            CHECK(plan.error().errc() == Errc::config_invalid);
            CHECK_FALSE(plan.error().detail.empty());
        }
    }
}

}  // namespace forward_plan_test
