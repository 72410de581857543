#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace request_head_test {

using namespace gatehouse;
using forward::ForwardOptions;
using forward::ForwardPlan;
using test::RequestFixture;
using Kind = http::Framing::Kind;

namespace {

constexpr std::string_view kHeader = "integration.request.header.";

ForwardOptions simple() {
    ForwardOptions options;
    options.uri = "http://backend:3000/x";
    options.path_parameters = {"id"};
    return options;
}

ForwardOptions mapping(std::string_view name, std::string source) {
    ForwardOptions options = simple();
    options.request_parameters = {{std::string(kHeader) + std::string(name), std::move(source)}};
    return options;
}

ForwardOptions plain() {
    ForwardOptions options = simple();
    options.plain_headers = true;
    return options;
}

// The lines of a head after the request line, the empty line left out.
std::vector<std::string> lines_of(const ForwardOptions& options,
                                  RequestFixture& fixture,
                                  http::Framing framing = {}) {
    const auto plan = ForwardPlan::make(options);
    REQUIRE(plan.has_value());
    std::string out;
    REQUIRE(plan->write_request_head(fixture.facts(), framing, out) == Errc::none);
    REQUIRE(out.ends_with("\r\n\r\n"));
    std::vector<std::string> lines;
    std::string_view rest = std::string_view(out).substr(out.find("\r\n") + 2);
    while (rest != "\r\n") {
        const std::size_t end = rest.find("\r\n");
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 2);
    }
    return lines;
}

// The values of a field, read as an upstream that folds names would.
std::vector<std::string> values_of(const std::vector<std::string>& lines, std::string_view name) {
    std::vector<std::string> values;
    for (const std::string& line : lines) {
        const std::size_t colon = line.find(": ");
        REQUIRE(colon != std::string::npos);
        if (equals_folded(line.substr(0, colon), name)) values.push_back(line.substr(colon + 2));
    }
    return values;
}

using Values = std::vector<std::string>;

}  // namespace

TEST_SUITE("forward/request_head") {
    TEST_CASE("fields are written in one form, however they stood in the client's head") {
        // Runs of lines that stand as they are to be written, and each way to end one.
        const std::string head =
            "A: 1\r\nB: 2\r\nConnection: close\r\nC:3\r\nD:  4\r\nE: 5 \r\n"
            "F:\t6\r\nG: \r\nH:\r\nI: 7\r\nHost: x\r\n";
        RequestFixture fixture;
        for (std::string_view rest = head; !rest.empty();) {
            const std::size_t taken = http::take_field_line(rest, fixture.fields.emplace_back());
            REQUIRE(taken != 0);
            rest.remove_prefix(taken);
        }
        std::vector<std::string> lines = lines_of(plain(), fixture);
        REQUIRE(lines.size() > 10);
        lines.resize(10);
        CHECK(lines == Values{"Host: backend:3000",
                              "A: 1",
                              "B: 2",
                              "C: 3",
                              "D: 4",
                              "E: 5",
                              "F: 6",
                              "G: ",
                              "H: ",
                              "I: 7"});
    }

    TEST_CASE("section 11.2: a whole head is written to the byte") {
        RequestFixture fixture;
        fixture.field("Host", "api.example.com")
            .field("accept", "*/*")
            .field("X-Two", "1")
            .field("User-Agent", "curl/8")
            .field("X-Two", "2")
            .field("Connection", "keep-alive")
            .field("Authorization", "Bearer abc");
        fixture.granted("u1").grant.header_block = "X-Authorizer-Principal-Id: u1\r\n";
        const auto plan = ForwardPlan::make(mapping("X-User", "context.authorizer.principalId"));
        REQUIRE(plan.has_value());
        std::string out;
        REQUIRE(plan->write_request_head(fixture.facts(), {Kind::length, 12}, out) == Errc::none);
        CHECK(out ==
              "GET /x?a=1 HTTP/1.1\r\n"
              "Host: backend:3000\r\n"
              "accept: */*\r\n"
              "X-Two: 1\r\n"
              "User-Agent: curl/8\r\n"
              "X-Two: 2\r\n"
              "Authorization: Bearer abc\r\n"
              "X-User: u1\r\n"
              "X-Authorizer-Principal-Id: u1\r\n"
              "X-Amzn-Apigateway-Api-Id: abc123\r\n"
              "X-Amzn-Trace-Id: Root=1-6a5145a8-536f3e792f6be9b44c1f46fa\r\n"
              "X-Forwarded-For: 192.0.2.7\r\n"
              "X-Forwarded-Port: 8080\r\n"
              "X-Forwarded-Proto: http\r\n"
              "Content-Length: 12\r\n"
              "\r\n");
    }

    TEST_CASE("defaults are written where the client has none") {
        RequestFixture fixture;
        fixture.request.secure = true;
        const auto lines = lines_of(simple(), fixture);
        CHECK(values_of(lines, "Accept") == Values{"application/json"});
        CHECK(values_of(lines, "User-Agent") == Values{"AmazonAPIGateway_abc123"});
        CHECK(values_of(lines, "X-Forwarded-Proto") == Values{"https"});
        CHECK(values_of(lines, "Content-Length").empty());
        CHECK(values_of(lines, "Transfer-Encoding").empty());
    }

    TEST_CASE("plain headers add what a proxy adds and no more") {
        RequestFixture fixture;
        fixture.field("Content-Encoding", "gzip")
            .field("X-Amzn-Trace-Id", "Root=mine")
            .field("Via", "1.1 a");
        const Values want = {"Host: backend:3000",
                             "Content-Encoding: gzip",
                             "X-Amzn-Trace-Id: Root=mine",
                             "Via: 1.1 a",
                             "X-Forwarded-For: 192.0.2.7",
                             "X-Forwarded-Port: 8080",
                             "X-Forwarded-Proto: http"};
        CHECK(lines_of(plain(), fixture) == want);
    }

    TEST_CASE("client fields that are not the upstream's are left out") {
        struct Row {
            std::string_view name;
            std::string_view value;
        };

        const Row rows[] = {
            {"Connection", "close"},
            {"Keep-Alive", "timeout=5"},
            {"Proxy-Connection", "keep-alive"},
            {"TE", "trailers"},
            {"Trailer", "X"},
            {"Upgrade", "websocket"},
            {"HTTP2-Settings", "AAMAAABk"},
            {"Proxy-Authorization", "Basic eA=="},
            {"Expect", "100-continue"},
            {"Content-Length", "5"},
            {"Transfer-Encoding", "chunked"},
            {"Content_Length", "5"},
            {"transfer_encoding", "chunked"},
            {"Content-Encoding", "gzip"},
            {"Content-MD5", "x"},
            {"Max-Forwards", "1"},
            {"Server", "x"},
            {"Via", "1.1 x"},
            {"WWW-Authenticate", "Basic"},
            {"Authorization", "AWS4-HMAC-SHA256 Credential=x"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.field(row.name, row.value);
            CHECK(values_of(lines_of(simple(), fixture), row.name).empty());
        }
    }

    TEST_CASE("no client field comes under a name that the gateway writes in any spelling") {
        ForwardOptions options = mapping("X-User", "context.authorizer.userId");
        options.reserved_headers = {"X-Tenant_Name", "Cookie"};

        struct Row {
            std::string_view name;
            bool replaced;  // the gateway has a value of its own
        };

        const Row rows[] = {
            {"X-Authorizer-userId", false},
            {"x-authorizer-", false},
            {"X_Authorizer_userId", false},
            {"x-AUTHORIZER_principal-id", false},
            {"X-Authorizer-Anything", false},
            {"X-User", false},
            {"x_user", false},
            {"X-USER", false},
            {"X-Tenant-Name", false},
            {"x_tenant_name", false},
            {"Cookie", false},
            {"x-amzn-request-context", false},
            {"X_Amzn_Request_Context", false},
            {"x-amzn_request-CONTEXT", false},
            {"X-Amzn-Apigateway-Api-Id", true},
            {"X_Amzn_Apigateway_Api_Id", true},
            {"X-Amzn-Trace-Id", true},
            {"X_Amzn_Trace_Id", true},
            {"X-Forwarded-Proto", true},
            {"X_FORWARDED_PROTO", true},
            {"X-Forwarded-Port", true},
            {"X_Forwarded_Port", true},
            {"X_Forwarded_For", true},
            {"Host", true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;  // no authorizer, no grant: removed all the same
            fixture.field(row.name, "forged");
            const Values values = values_of(lines_of(options, fixture), row.name);
            CHECK(values.size() == (row.replaced ? 1 : 0));
            for (const std::string& value : values)
                CHECK(value.find("forged") == std::string::npos);
        }
        for (const std::string_view name :
             {"X-Authorizer", "X-Auth", "X-Users", "XUser", "X-Forwarded-Host", "Cookies"}) {
            CAPTURE(name);
            RequestFixture fixture;
            fixture.field(name, "kept");
            CHECK(values_of(lines_of(options, fixture), name) == Values{"kept"});
        }
    }

    TEST_CASE("without context headers their prefix is the client's") {
        ForwardOptions options = simple();
        options.context_headers.enabled = false;
        RequestFixture fixture;
        fixture.field("X-Authorizer-A", "mine");
        fixture.granted("u").grant.header_block = "X-Authorizer-Principal-Id: u\r\n";
        const auto lines = lines_of(options, fixture);
        CHECK(values_of(lines, "X-Authorizer-A") == Values{"mine"});
        CHECK(values_of(lines, "X-Authorizer-Principal-Id").empty());
    }

    TEST_CASE("what Connection names goes with it but nothing that is the gateway's") {
        RequestFixture fixture;
        fixture.field("X-Hop", "1")
            .field(
                "Connection",
                "close, x-hop , Host,Content-Length, X-Authorizer-Principal-Id, X-Forwarded-Proto")
            .field("X-End", "2")
            .field("Connection", "X-End, X-User")
            .field("X-Stay", "3")
            .field("Host", "api");
        fixture.granted("u").grant.header_block = "X-Authorizer-Principal-Id: u\r\n";
        const auto lines = lines_of(
            mapping("X-User", "context.authorizer.principalId"), fixture, {Kind::length, 1});
        CHECK(values_of(lines, "X-Hop").empty());
        CHECK(values_of(lines, "X-End").empty());
        CHECK(values_of(lines, "Connection").empty());
        CHECK(values_of(lines, "X-Stay") == Values{"3"});
        CHECK(values_of(lines, "Host") == Values{"backend:3000"});
        CHECK(values_of(lines, "Content-Length") == Values{"1"});
        CHECK(values_of(lines, "X-User") == Values{"u"});
        CHECK(values_of(lines, "X-Authorizer-Principal-Id") == Values{"u"});
        CHECK(values_of(lines, "X-Forwarded-Proto") == Values{"http"});
    }

    TEST_CASE("the client's forwarded-for list begins ours") {
        RequestFixture fixture;
        fixture.field("X-Forwarded-For", "203.0.113.1, 10.0.0.1")
            .field("x-forwarded-for", "10.0.0.2");
        CHECK(values_of(lines_of(simple(), fixture), "X-Forwarded-For") ==
              Values{"203.0.113.1, 10.0.0.1, 10.0.0.2, 192.0.2.7"});
        CHECK(values_of(lines_of(plain(), fixture), "X-Forwarded-For") ==
              Values{"203.0.113.1, 10.0.0.1, 10.0.0.2, 192.0.2.7"});
        CHECK(values_of(lines_of(mapping("X-Forwarded-For", "'9.9.9.9'"), fixture),
                        "X-Forwarded-For") == Values{"9.9.9.9"});
        ForwardOptions reserved = simple();
        reserved.reserved_headers = {"x-forwarded-for"};
        CHECK(values_of(lines_of(reserved, fixture), "X-Forwarded-For") == Values{"192.0.2.7"});
        fixture.field("Connection", "X-Forwarded-For");
        CHECK(values_of(lines_of(simple(), fixture), "X-Forwarded-For") == Values{"192.0.2.7"});
    }

    TEST_CASE("a mapped header replaces the client's and the default") {
        struct Row {
            std::string_view name;
            std::string source;
            std::string want;  // empty: no such field
        };

        const Row rows[] = {
            {"X-A", "'literal'", "literal"},
            {"X-A", "method.request.header.x-in", "in"},
            {"X-A", "method.request.querystring.a", "1"},
            {"X-A", "method.request.path.id", "7"},
            {"X-A", "context.identity.sourceIp", "192.0.2.7"},
            {"X-A", "stageVariables.backend", "127.0.0.1:3000"},
            {"X-A", "context.authorizer.city", "K\xc3\xb6ln"},
            {"X-A", "context.authorizer.none", ""},
            {"User-Agent", "'mine'", "mine"},
            {"Accept", "'text/plain'", "text/plain"},
            {"Accept", "method.request.header.none", "application/json"},
            {"Authorization", "'Bearer backend'", "Bearer backend"},
            {"Authorization", "method.request.header.none", ""},
            {"Host", "'other.example:81'", "other.example:81"},
            {"Host", "method.request.header.none", "backend:3000"},
            {"Content-Encoding", "'gzip'", "gzip"},
            {"X-Forwarded-Proto", "'https'", "https"},
            {"X-Forwarded-Port", "'443'", "443"},
            {"Content-Type", "'text/x'", "text/x"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CAPTURE(row.source);
            RequestFixture fixture;
            fixture.field("X-In", "in")
                .field("X-A", "client")
                .field("User-Agent", "client")
                .field("Accept", "client/client")
                .field("Authorization", "Bearer client")
                .field("Content-Type", "client/client");
            fixture.granted("p", {{"city", "K\xc3\xb6ln"}});
            const Values want = row.want.empty() ? Values{} : Values{row.want};
            CHECK(values_of(lines_of(mapping(row.name, row.source), fixture), row.name) == want);
        }
    }

    TEST_CASE("a mapped value that cannot stand in a head is an error and nothing is written") {
        struct Row {
            std::string_view name;
            std::string_view header;
            std::string source;
            Errc want;
        };

        const Row rows[] = {
            {"query with a line end",
             "X-A",
             "method.request.querystring.evil",
             Errc::mapping_invalid},
            {"context with a line end", "X-A", "context.authorizer.evil", Errc::context_unusable},
            {"context that is not UTF-8",
             "X-A",
             "context.authorizer.bytes",
             Errc::context_unusable},
            {"host with a line end",
             "Host",
             "method.request.querystring.evil",
             Errc::mapping_invalid},
            {"host with a path", "Host", "'a/b'", Errc::mapping_invalid},
            {"host of two", "Host", "'a, b'", Errc::mapping_invalid},
            {"host that is empty", "Host", "''", Errc::mapping_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.request.target.query = "evil=a%0d%0aX-Evil:1";
            fixture.granted("p", {{"evil", "a\r\nX-Evil: 1"}, {"bytes", "\xff"}});
            const auto plan = ForwardPlan::make(mapping(row.header, row.source));
            REQUIRE(plan.has_value());
            std::string out = "kept";
            CHECK(reason_id(plan->write_request_head(fixture.facts(), {}, out)) ==
                  reason_id(row.want));
            CHECK(out == "kept");
        }
        const auto plan = ForwardPlan::make(simple());
        REQUIRE(plan.has_value());
        std::string out;
        CHECK(plan->write_request_head(authz::RequestFacts{}, {}, out) == Errc::internal);
    }

    TEST_CASE("a mapped header takes the place of the context header of its name") {
        RequestFixture fixture;
        fixture.granted("u").grant.header_block =
            "X-Authorizer-Principal-Id: u\r\nX-Authorizer-tenant_id: t\r\nX-Authorizer-a: 1\r\n";
        const auto lines = lines_of(mapping("x-authorizer-Tenant-Id", "'mapped'"), fixture);
        CHECK(values_of(lines, "X-Authorizer-Tenant-Id") == Values{"mapped"});
        CHECK(values_of(lines, "X-Authorizer-Principal-Id") == Values{"u"});
        CHECK(values_of(lines, "X-Authorizer-a") == Values{"1"});
    }

    TEST_CASE("framing is exactly what it was told") {
        struct Row {
            std::string_view name;
            std::string_view method;
            http::Framing framing;
            Values length;
            Values coding;
        };

        const Row rows[] = {
            {"GET", "GET", {}, {}, {}},
            {"DELETE", "DELETE", {}, {}, {}},
            {"HEAD", "HEAD", {}, {}, {}},
            {"POST without content", "POST", {}, {"0"}, {}},
            {"PUT without content", "PUT", {}, {"0"}, {}},
            {"PATCH without content", "PATCH", {}, {"0"}, {}},
            {"length", "POST", {Kind::length, 18446744073709551615U}, {"18446744073709551615"}, {}},
            {"length of nothing", "GET", {Kind::length, 0}, {"0"}, {}},
            {"chunked", "POST", {Kind::chunked, 0}, {}, {"chunked"}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.head.method = row.method;
            fixture.field("Content-Length", "77").field("Transfer-Encoding", "gzip");
            const auto lines = lines_of(simple(), fixture, row.framing);
            CHECK(values_of(lines, "Content-Length") == row.length);
            CHECK(values_of(lines, "Transfer-Encoding") == row.coding);
        }
        RequestFixture fixture;
        ForwardOptions post = simple();
        post.http_method = "POST";
        CHECK(values_of(lines_of(post, fixture), "Content-Length") == Values{"0"});
    }

    TEST_CASE("the request context is what a function would see") {
        ForwardOptions options = simple();
        options.context_headers.request_context = true;
        RequestFixture fixture;
        fixture.field("User-Agent", "caf\xc3\xa9 \"x\"\\")
            .field("x-amzn-request-context", "{\"forged\":1}");
        fixture.granted("u").grant.authorizer_json =
            R"({"principalId":"u","integrationLatency":0})";
        const Values values = values_of(lines_of(options, fixture), "x-amzn-request-context");
        REQUIRE(values.size() == 1);
        CHECK(values[0].find("forged") == std::string::npos);
        const auto parsed = parse_json(values[0]);
        REQUIRE(parsed.has_value());
        for (const char c : values[0])
            REQUIRE(static_cast<unsigned char>(c) < 0x80);
        const Json& context = *parsed;
        CHECK(context["authorizer"]["principalId"] == "u");
        CHECK(context["path"] == "/prod/pets/7");
        CHECK(context["resourcePath"] == "/pets/{id}");
        CHECK(context["requestTime"] == "10/Jul/2026:19:19:04 +0000");
        CHECK(context["requestTimeEpoch"] == 1783711144836);
        CHECK(context["domainName"] == "api.example.com");
        CHECK(context["domainPrefix"] == "api");
        CHECK(context["identity"]["sourceIp"] == "192.0.2.7");
        CHECK(context["identity"]["userAgent"] == "caf\xc3\xa9 \"x\"\\");
        CHECK(context["identity"]["caller"].is_null());
        CHECK(context["identity"].size() == 12);
        CHECK(context["deploymentId"] == "82c3yw");
        CHECK(context.size() == 17);
    }

    TEST_CASE("the request context of an open route has no authorizer") {
        ForwardOptions options = simple();
        options.context_headers = {false, "X-Authorizer-", true};
        RequestFixture fixture;
        const Values values = values_of(lines_of(options, fixture), "x-amzn-request-context");
        REQUIRE(values.size() == 1);
        const auto parsed = parse_json(values[0]);
        REQUIRE(parsed.has_value());
        CHECK_FALSE(parsed->contains("authorizer"));
        CHECK((*parsed)["identity"]["userAgent"].is_null());
    }
}

}  // namespace request_head_test
