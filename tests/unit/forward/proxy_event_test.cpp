#include "gatehouse/forward/proxy_event.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/forward/context_headers.hpp"
#include "support/golden.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace proxy_event_test {

using namespace gatehouse;
using namespace std::chrono_literals;
using authz::EventFormat;
using forward::AuthorizerKind;
using forward::ProxyEventOptions;
using forward::ProxyRequest;
using test::RequestFixture;
using Kind = authz::ContextItem::Kind;

namespace {

constexpr EventFormat kFormats[] = {
    EventFormat::rest, EventFormat::http_1_0, EventFormat::http_2_0};

// A request with something of everything.
void fill(RequestFixture& fixture) {
    fixture.head.method = "POST";
    fixture.field("host", "api.example.com:8080")
        .field("User-Agent", "curl/8.7.1")
        .field("Authorization", "Bearer abc")
        .field("content-type", "application/json")
        .field("Content-Length", "8")
        .field("X-Authorizer-userId", "forged")
        .field("x-probe", "first")
        .field("x-probe", "second")
        .field("cookie", "a=1; b=2");
    fixture.request.target.path = "/prod/pets/7%20a";
    fixture.request.api_path = "/pets/7%20a";
    fixture.request.parameters = {"7%20a"};
    fixture.request.target.query = "repeat=one&repeat=two&literalPlus=a+b&encodedPlus=a%2Bb&empty=";
}

void bare(RequestFixture& fixture) {
    fixture.stage.stage_variables.clear();
    fixture.stage.base_path.clear();
    fixture.request.target.path = "/";
    fixture.request.target.query = "";
    fixture.request.api_path = "/";
    fixture.request.resource_path = "/";
    fixture.request.parameters = {};
    fixture.parameter_names.clear();
}

void grant(RequestFixture& fixture) {
    fixture.granted("u|1",
                    {{"s", "v\xc3\xa9\""},
                     {"n", "1", Kind::number},
                     {"d", "1.0E10", Kind::number},
                     {"b", "true", Kind::boolean},
                     {"z", "", Kind::null},
                     {"l", R"(["a",{"k":1}])", Kind::json},
                     {"claims", "reserved in 1.0"},
                     {"integrationLatency", "reserved in 1.0"},
                     {"principalId", "reserved in 1.0"}});
}

void grant_claims(RequestFixture& fixture) {
    fixture.granted("u|1", {{"userId", "u|1"}});
    fixture.grant.claims = {{"sub", "u|1"}, {"exp", "1787996002"}, {"userId", "u|1"}};
    fixture.grant.scopes = {"a", "b"};
}

// A JWT authorizer of a REST API: claims as the token has them (9.2).
void grant_typed_claims(RequestFixture& fixture) {
    fixture.granted("u|1");
    fixture.grant.claims = {
        {"sub", "u|1"}, {"exp", 1787996002}, {"roles", {"a", "b"}}, {"admin", true}};
    fixture.grant.typed_claims = true;
}

void sign(RequestFixture& fixture) {
    fixture.granted("AIDAEXAMPLE");
    fixture.grant.iam = authz::IamIdentity{"AKIDEXAMPLE",
                                           "123456789012",
                                           "AIDAEXAMPLE",
                                           "AIDAEXAMPLE",
                                           "arn:aws:iam::123456789012:user/ci"};
}

void present_key(RequestFixture& fixture) {
    fixture.request.api_key = "key-of-twenty-characters";
    fixture.request.api_key_id = "mobile";
}

struct Case {
    std::string_view body = {};
    AuthorizerKind authorizer = AuthorizerKind::none;
    bool scoped = false;
    std::vector<std::string> binary = {};
};

std::string event_of(RequestFixture& fixture, EventFormat format, const Case& about) {
    ProxyRequest request{
        fixture.facts(), "POST /pets/{id}", about.body, about.authorizer, about.scoped, 12ms};
    std::string out = "kept";
    const ProxyEventOptions options{format, about.binary, {}, {"X-Authorizer-"}};
    CHECK(append_proxy_event(request, options, out) == Errc::none);
    REQUIRE(out.starts_with("kept"));
    return out.substr(4);
}

Json parsed_event(RequestFixture& fixture, EventFormat format, const Case& about) {
    const auto parsed = parse_json(event_of(fixture, format, about));
    REQUIRE(parsed.has_value());
    return *parsed;
}

}  // namespace

TEST_SUITE("forward/proxy_event") {
    TEST_CASE("sections 12.1 12.3 12.4: every event is what the golden file says") {
        struct Row {
            const char* name;
            EventFormat format;
            void (*prepare)(RequestFixture&);
            void (*authorize)(RequestFixture&);
            Case about;
        };

        const Case full{"{\"a\":1}\n", AuthorizerKind::lambda};
        const Case claims{"", AuthorizerKind::claims, true};
        const Case in_process{"", AuthorizerKind::lambda};
        const auto nobody = [](RequestFixture&) {};
        const Row rows[] = {
            {"rest", EventFormat::rest, fill, grant, full},
            {"rest_bare", EventFormat::rest, bare, nobody, {}},
            {"rest_claims", EventFormat::rest, bare, grant_claims, claims},
            {"rest_jwt", EventFormat::rest, bare, grant_typed_claims, claims},
            {"rest_in_process", EventFormat::rest, bare, grant_claims, in_process},
            {"rest_iam", EventFormat::rest, bare, sign, {}},
            {"rest_api_key", EventFormat::rest, bare, present_key, {}},
            {"http_1", EventFormat::http_1_0, fill, grant, full},
            {"http_1_bare", EventFormat::http_1_0, bare, nobody, {}},
            {"http_1_claims", EventFormat::http_1_0, bare, grant_claims, claims},
            {"http_2", EventFormat::http_2_0, fill, grant, full},
            {"http_2_bare", EventFormat::http_2_0, bare, nobody, {}},
            {"http_2_claims", EventFormat::http_2_0, bare, grant_claims, claims},
        };
        for (const Row& row : rows) {
            RequestFixture fixture;
            row.prepare(fixture);
            row.authorize(fixture);
            const std::string event = event_of(fixture, row.format, row.about);
            CHECK(is_utf8(event));
            CHECK(event.find("forged") == std::string::npos);
            test::check_golden_json(std::string("proxy_event/") + row.name, event);
        }
    }

    TEST_CASE("section 8: the authorizer stands where each kind of API has it") {
        struct Row {
            const char* name;
            EventFormat format;
            AuthorizerKind kind;
            bool scoped;
            const char* json;  // nullptr: no member
        };

        const Row rows[] = {
            {"open REST", EventFormat::rest, AuthorizerKind::none, false, nullptr},
            {"open 1.0",
             EventFormat::http_1_0,
             AuthorizerKind::none,
             false,
             R"({"claims":null,"scopes":null})"},
            {"open 2.0", EventFormat::http_2_0, AuthorizerKind::none, true, nullptr},
            {"in process, REST",
             EventFormat::rest,
             AuthorizerKind::lambda,
             false,
             R"({"userId":"u|1","claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"},"principalId":"u|1","integrationLatency":12})"},
            {"in process, 1.0",
             EventFormat::http_1_0,
             AuthorizerKind::lambda,
             false,
             R"({"userId":"u|1","claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"},"principalId":"u|1"})"},
            {"in process, 2.0",
             EventFormat::http_2_0,
             AuthorizerKind::lambda,
             false,
             R"({"lambda":{"userId":"u|1"},"claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"}})"},
            {"Cognito, REST",
             EventFormat::rest,
             AuthorizerKind::claims,
             true,
             R"({"claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"}})"},
            {"JWT without scopes, 1.0",
             EventFormat::http_1_0,
             AuthorizerKind::claims,
             false,
             R"({"claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"},"scopes":null})"},
            {"JWT with scopes, 2.0",
             EventFormat::http_2_0,
             AuthorizerKind::claims,
             true,
             R"({"jwt":{"claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"},"scopes":["a","b"]}})"},
            {"JWT without scopes, 2.0",
             EventFormat::http_2_0,
             AuthorizerKind::claims,
             false,
             R"({"jwt":{"claims":{"exp":"1787996002","sub":"u|1","userId":"u|1"},"scopes":null}})"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            grant_claims(fixture);
            const Json context =
                parsed_event(fixture, row.format, {"", row.kind, row.scoped})["requestContext"];
            REQUIRE(context.contains("authorizer") == (row.json != nullptr));
            if (row.json != nullptr) CHECK(context["authorizer"] == Json::parse(row.json));
        }
    }

    TEST_CASE("a route whose authorizer gave nothing shows nothing") {
        for (const EventFormat format : kFormats) {
            RequestFixture fixture;
            const Json context =
                parsed_event(fixture, format, {"", AuthorizerKind::lambda})["requestContext"];
            CHECK(context.contains("authorizer") == (format == EventFormat::http_1_0));
        }
    }

    TEST_CASE("which bodies are base64") {
        struct Row {
            const char* name;
            const char* type;  // nullptr: no Content-Type
            std::string body;
            std::vector<std::string> binary;
            bool rest;
            bool http;
        };

        const Row rows[] = {
            {"JSON", "application/json", "{}", {}, false, false},
            {"JSON with charset", "application/json; charset=utf-8", "{}", {}, false, false},
            {"form", "application/x-www-form-urlencoded", "a=1", {}, false, false},
            {"binary type", "image/png", "png", {}, false, true},
            {"listed type", "image/png", "png", {"image/png"}, true, true},
            {"listed with parameters", "image/png;v=1", "png", {"image/png"}, true, true},
            {"wildcard", "application/json", "{}", {"*/*"}, true, false},
            {"wildcard subtype", "image/gif", "gif", {"image/*"}, true, true},
            {"other type listed", "image/gif", "gif", {"image/png"}, false, true},
            {"no type", nullptr, "a", {"image/png"}, false, true},
            {"no type and all", nullptr, "a", {"*/*"}, true, true},
            {"compressed text", "application/json", "\x1f\x8b\xff", {}, false, true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            for (const EventFormat format : kFormats) {
                RequestFixture fixture;
                if (row.type != nullptr) fixture.field("Content-Type", row.type);
                const Json event =
                    parsed_event(fixture, format, {.body = row.body, .binary = row.binary});
                const bool base64 = format == EventFormat::rest ? row.rest : row.http;
                CHECK(event["isBase64Encoded"] == base64);
                if (!base64 && is_utf8(row.body)) CHECK(event["body"] == row.body);
            }
        }
        RequestFixture fixture;
        CHECK(parsed_event(fixture,
                           EventFormat::rest,
                           {.body = "\xff\xfe", .binary = {"*/*"}})["body"] == "//4=");
        CHECK(parsed_event(fixture, EventFormat::rest, {.body = "a\xff"})["body"] ==
              "a\xef\xbf\xbd");
    }

    TEST_CASE("a request without content has no body") {
        for (const EventFormat format : kFormats) {
            RequestFixture fixture;
            const Json event = parsed_event(fixture, format, {.binary = {"*/*"}});
            CHECK(event["isBase64Encoded"] == false);
            CHECK(event.contains("body") == (format != EventFormat::http_2_0));
            if (event.contains("body")) CHECK(event["body"].is_null());
        }
    }

    TEST_CASE("an event above the function's limit is refused and leaves no trace") {
        RequestFixture fixture;
        const std::string small(100, 'a');
        const std::string escaped(limits::kFunctionEventBytes / 2, '"');
        const std::string large(limits::kFunctionEventBytes + 1, 'a');
        const std::string almost(limits::kFunctionEventBytes - 100, 'a');

        const struct {
            std::string_view body;
            Errc error;
        } rows[] = {{small, Errc::none},
                    {escaped, Errc::function_event_too_large},
                    {almost, Errc::function_event_too_large},
                    {large, Errc::function_event_too_large}};

        for (const auto& row : rows) {
            for (const EventFormat format : kFormats) {
                fixture.fields.clear();
                fixture.field("Content-Type", "text/plain");
                std::string out = "kept";
                const ProxyRequest request{
                    fixture.facts(), "", row.body, AuthorizerKind::none, false, 0ms};
                CHECK(append_proxy_event(request, {format, {}, {}, {}}, out) == row.error);
                CHECK((out == "kept") == (row.error != Errc::none));
            }
        }
    }

    TEST_CASE("names that the gateway writes and signatures never come from the client") {
        for (const EventFormat format : kFormats) {
            RequestFixture fixture;
            fixture.field("x_authorizer_userId", "evil")
                .field("X-Mapped", "evil")
                .field("x-amzn-request-context", "evil")
                .field("X_Amzn_Request_Context", "evil")
                .field("Authorization", "AWS4-HMAC-SHA256 evil");
            std::string out;
            const ProxyEventOptions options{format, {}, {"x-mapped"}, {"X-Authorizer-"}};
            CHECK(append_proxy_event({fixture.facts(), "", "", AuthorizerKind::none, false, 0ms},
                                     options,
                                     out) == Errc::none);
            CHECK(out.find("evil") == std::string::npos);
        }
    }
}

}  // namespace proxy_event_test
