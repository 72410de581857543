#include "gatehouse/authz/cors.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace http_plan_test {

using namespace gatehouse;
using forward::ForwardOptions;
using forward::ForwardPlan;
using test::RequestFixture;

namespace {

using Parameters = std::map<std::string, std::string>;

ForwardOptions options_for(Parameters parameters = {}, std::string uri = "http://h/x") {
    ForwardOptions options;
    options.uri = std::move(uri);
    options.request_parameters = std::move(parameters);
    options.path_parameters = {"id"};
    options.http_api = true;
    return options;
}

std::string head_of(const ForwardOptions& options, RequestFixture& fixture) {
    const auto plan = ForwardPlan::make(options);
    REQUIRE_MESSAGE(plan.has_value(), plan.error().detail);
    std::string out;
    const Errc error = plan->write_request_head(fixture.facts(), {}, out);
    return error == Errc::none ? out : std::string(reason_id(error));
}

std::string target_of(const ForwardOptions& options, RequestFixture& fixture) {
    const std::string head = head_of(options, fixture);
    const std::size_t end = head.find(" HTTP/1.1");
    return end == std::string::npos ? head : head.substr(4, end - 4);
}

}  // namespace

TEST_SUITE("forward/http_plan") {
    TEST_CASE("the whole head") {
        RequestFixture fixture;
        fixture.field("Accept", "*/*")
            .field("X-Forwarded-For", "203.0.113.9, unknown, 2001:db8::1")
            .field("Forwarded", "for=6.6.6.6")
            .field("Via", "1.1 me")
            .field("X_Forwarded_Proto", "https")
            .field("X-Amzn-Trace-Id", "Root=1-client")
            .field("Connection", "close, X-Drop")
            .field("X-Drop", "1");
        CHECK(head_of(options_for(), fixture) ==
              "GET /x?a=1 HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n"
              "Via: HTTP/1.1 AmazonAPIGateway\r\n"
              "Forwarded: for=203.0.113.9, for=\"[2001:db8::1]\", "
              "for=192.0.2.7;host=\"api.example.com:8080\";proto=http\r\n"
              "X-Amzn-Trace-Id: Root=1-6a5145a8-536f3e792f6be9b44c1f46fa\r\n"
              "Content-Length: 0\r\n\r\n");
    }

    TEST_CASE("the default route adds the path to its uri") {
        RequestFixture fixture;
        ForwardOptions options = options_for();
        options.append_request_path = true;
        for (const auto& [uri, want] :
             std::map<std::string, std::string>{{"http://h", "/pets/7?a=1"},
                                                {"http://h/", "/pets/7?a=1"},
                                                {"http://h/v2", "/v2/pets/7?a=1"},
                                                {"http://h/v2/?b=2", "/v2/pets/7?b=2&a=1"}}) {
            CAPTURE(uri);
            options.uri = uri;
            CHECK(target_of(options, fixture) == want);
        }
    }

    TEST_CASE("query parameters") {
        struct Row {
            std::string_view name;
            Parameters parameters;
            std::string_view query;
            std::string_view want;
        };

        const Row rows[] = {
            {"append", {{"append:querystring.a", "2"}}, "a=1", "/x?a=1&a=2"},
            {"overwrite", {{"overwrite:querystring.a", "2"}}, "a=1&b=3&a=4", "/x?b=3&a=2"},
            {"remove", {{"remove:querystring.a", ""}}, "a=1&b=3", "/x?b=3"},
            {"remove all", {{"remove:querystring.a", ""}}, "a=1;a", "/x"},
            {"encoded name", {{"remove:querystring.ab", ""}}, "%61b=1&c=%2f", "/x?c=%2f"},
            {"case counts", {{"remove:querystring.a", ""}}, "A=1", "/x?A=1"},
            {"no value: taken away",
             {{"overwrite:querystring.a", "$request.header.X"}},
             "a=1",
             "/x"},
            {"escaped", {{"overwrite:querystring.a", "1&b=2 #"}}, "", "/x?a=1%26b%3D2%20%23"},
            {"bytes stay",
             {{"append:querystring.z", "1"}},
             "a=%2f&&b=\x5b]",
             "/x?a=%2f&&b=\x5b]&z=1"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            fixture.request.target.query = row.query;
            fixture.request.target.has_query = !row.query.empty();
            CHECK(target_of(options_for(row.parameters), fixture) == row.want);
        }
    }

    TEST_CASE("the path") {
        struct Row {
            std::string value;
            std::string_view want;
        };

        const Row rows[] = {
            {"/new", "/new?a=1"},
            {"$request.path", "/pets/7?a=1"},
            {"/v2${request.path}", "/v2/pets/7?a=1"},
            {"/u/${request.path.id}", "/u/7?a=1"},
            {"/u/${context.authorizer.k}", "/u/a%2Fb%3F?a=1"},
            {"/u/${request.header.X-Path}", "/u/..%2F..?a=1"},
            {"/u/${context.authorizer.none}", "mapping_invalid"},
            {"/u/${context.authorizer.dots}/x", "mapping_invalid"},
            {"/u/${context.authorizer.control}", "context_unusable"},
            {"/u//${request.path.id}", "mapping_invalid"},
            {"/u/${request.path.id}?x=1", "mapping_invalid"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.value);
            RequestFixture fixture;
            fixture.field("X-Path", "../..");
            fixture.granted("u", {{"k", "a/b?"}, {"dots", ".."}, {"control", "a\nb"}});
            const std::string got =
                target_of(options_for({{"overwrite:path", row.value}}), fixture);
            if (row.value.find("X-Path") != std::string::npos) {
                // A dot segment behind an encoded slash is one, too.
                CHECK(got == "mapping_invalid");
            } else {
                CHECK(got == row.want);
            }
        }
    }

    TEST_CASE("headers: what is set is the gateway's, what is appended to the client's") {
        RequestFixture fixture;
        fixture.field("X-Set", "client")
            .field("x_set", "client")
            .field("X-Add", "client")
            .field("X-Who", "client")
            .field("X-Gone", "client");
        fixture.granted("alice");
        const std::string head =
            head_of(options_for({{"overwrite:header.X-Set", "s"},
                                 {"append:header.X-Set", "t"},
                                 {"append:header.X-Add", "a"},
                                 {"append:header.X-Who", "$context.authorizer.principalId"},
                                 {"remove:header.X-Gone", ""},
                                 {"overwrite:header.X-None", "$request.querystring.none"}}),
                    fixture);
        CHECK(head.find("\r\nX-Add: client\r\n") != std::string::npos);
        const std::size_t set = head.find("X-Set: s\r\n");
        REQUIRE(set != std::string::npos);
        CHECK(head.substr(set).starts_with("X-Set: s\r\nX-Add: a\r\nX-Set: t\r\nX-Who: alice\r\n"));
        for (const std::string_view gone :
             {"X-Set: client", "x_set", "X-Who: client", "X-Gone", "X-None"}) {
            CAPTURE(gone);
            CHECK(head.find(gone) == std::string::npos);
        }
    }

    TEST_CASE("what cannot be mapped") {
        for (const Parameters& parameters :
             {Parameters{{"overwrite:header.Authorization", "x"}},
              Parameters{{"append:header.Host", "x"}},
              Parameters{{"remove:header.X", "x"}},
              Parameters{{"overwrite:header.X", "$request.path.none"}},
              Parameters{{"overwrite:header.X", "1"}, {"overwrite:header.x", "2"}},
              Parameters{{"integration.request.header.X", "'x'"}}}) {
            CAPTURE(parameters.begin()->first);
            CHECK_FALSE(ForwardPlan::make(options_for(parameters)).has_value());
        }
    }

    TEST_CASE("the answer's head") {
        RequestFixture fixture;
        fixture.field("Origin", "https://a.example");
        const auto plan = ForwardPlan::make(options_for()).value();
        const http::Field fields[] = {
            {"Date", "then", http::find_field_id("Date")},
            {"Server", "s", http::find_field_id("Server")},
            {"WWW-Authenticate", "Basic", http::find_field_id("WWW-Authenticate")},
            {"APIGW-RequestId", "forged", http::FieldId::other},
            {"Access-Control-Allow-Origin", "*", http::FieldId::other},
            {"Keep-Alive", "1", http::find_field_id("Keep-Alive")},
        };
        http::ResponseHead head;
        head.status = 200;
        head.fields = fields;
        http::Framing framing;
        framing.kind = http::Framing::Kind::length;
        framing.length = 2;
        const auto write = [&] {
            std::string out;
            plan.write_response_head(head, fixture.facts(), framing, true, "now", out);
            return out;
        };
        const std::string common =
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
            "apigw-requestid: AyD6KEwwPHcEKxg=\r\n";
        CHECK(write() == common +
                             "Server: s\r\nWWW-Authenticate: Basic\r\n"
                             "Access-Control-Allow-Origin: *\r\n\r\n");
        authz::CorsOptions cors;
        cors.allow_origins = {"https://a.example"};
        fixture.stage.cors = std::make_shared<const authz::Cors>(cors);
        CHECK(write() == common +
                             "vary: Origin\r\naccess-control-allow-origin: https://a.example\r\n"
                             "Server: s\r\nWWW-Authenticate: Basic\r\n\r\n");
    }

    TEST_CASE("the answer's head, mapped") {
        RequestFixture fixture;
        ForwardOptions options = options_for();
        options.answer_parameters["200"] = {{"overwrite:statuscode", "201"},
                                            {"append:header.X-A", "t"},
                                            {"overwrite:header.x-b", "${response.header.X-B}!"},
                                            {"remove:header.X-C", ""},
                                            {"append:header.X-None", "$response.header.X-D"},
                                            {"append:header.X-Bad", "$response.header.X-Tab"}};
        options.answer_parameters["204"] = {{"overwrite:statuscode", "200"}};
        const auto plan = ForwardPlan::make(options).value();
        const http::Field fields[] = {{"X-A", "1", http::FieldId::other},
                                      {"X-B", "2", http::FieldId::other},
                                      {"x-b", "3", http::FieldId::other},
                                      {"X-C", "4", http::FieldId::other},
                                      {"X-Tab", "a\x01", http::FieldId::other}};

        struct Row {
            int status;
            http::Framing framing;
            const char* method;
            const char* line;
            const char* length;
            bool mapped;
        };

        using Kind = http::Framing::Kind;
        const Row rows[] = {
            {200, {Kind::length, 2}, "GET", "HTTP/1.1 201 Created", "Content-Length: 2", true},
            {204, {Kind::none, 0}, "GET", "HTTP/1.1 200 OK", "Content-Length: 0", false},
            {204, {Kind::none, 0}, "HEAD", "HTTP/1.1 200 OK", nullptr, false},
            {304, {Kind::none, 0}, "GET", "HTTP/1.1 304 Not Modified", nullptr, false},
            {404, {Kind::length, 2}, "GET", "HTTP/1.1 404 Not Found", "Content-Length: 2", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.status);
            CAPTURE(std::string(row.method));
            http::ResponseHead head;
            head.status = row.status;
            head.fields = fields;
            fixture.head.method = row.method;
            CHECK(plan.answer_status(row.status) == std::atoi(row.line + 9));
            std::string out;
            plan.write_response_head(head, fixture.facts(), row.framing, true, "now", out);
            CHECK(out.starts_with(std::string(row.line) + "\r\n"));
            const std::size_t length = out.find("Content-Length");
            CHECK((length == std::string::npos) == (row.length == nullptr));
            if (row.length != nullptr) CHECK(out.find(row.length) == length);
            const auto has = [&](const char* line) { return out.find(line) != std::string::npos; };
            CHECK(has("X-A: 1\r\n"));
            CHECK(has("\r\nX-A: t\r\n") == row.mapped);
            CHECK(has("\r\nx-b: 2, 3!\r\n") == row.mapped);
            CHECK(has("\r\nX-B: 2\r\n") != row.mapped);
            CHECK(has("X-C") != row.mapped);
            CHECK_FALSE(has("X-None"));
            CHECK_FALSE(has("X-Bad"));
        }
    }

    TEST_CASE("what cannot be mapped of answers") {
        const std::pair<std::string, Parameters> rows[] = {
            {"199", {}},
            {"600", {}},
            {"2xx", {}},
            {"200", {{"overwrite:statuscode", "304"}}},
            {"200", {{"append:header.Transfer-Encoding", "x"}}},
            {"200", {{"append:header.X", "$response.body"}}},
            {"200", {{"append:header.X", "$request.header.X"}}},
            {"200", {{"append:header.X", "1"}, {"append:header.x", "2"}}},
            {"200", {{"overwrite:path", "/x"}}},
        };
        for (const auto& [status, mappings] : rows) {
            CAPTURE(status);
            ForwardOptions options = options_for();
            options.answer_parameters[status] = mappings;
            CHECK_FALSE(ForwardPlan::make(options).has_value());
        }
    }
}

}  // namespace http_plan_test
