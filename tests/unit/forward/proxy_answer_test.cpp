#include "gatehouse/forward/proxy_answer.hpp"

#include "gatehouse/core/limits.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace proxy_answer_test {

using namespace gatehouse;
using authz::EventFormat;
using authz::Invocation;
using authz::RenderedResponse;
using forward::ProxyAnswerRules;
using test::RequestFixture;
using End = authz::Invocation::End;

namespace {

const std::vector<std::string> kNoTypes;

ProxyAnswerRules rules_of(EventFormat format, const std::vector<std::string>& types = kNoTypes) {
    return {format, false, types};
}

Result<RenderedResponse> read(std::string_view payload,
                              const ProxyAnswerRules& rules = rules_of(EventFormat::rest),
                              End end = End::returned) {
    RequestFixture fixture;
    return forward::read_proxy_answer({end, payload}, rules, fixture.facts());
}

// What every answer of a REST API ends with.
constexpr std::string_view kRestOwn =
    "x-amzn-RequestId: 7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0\r\n"
    "x-amz-apigw-id: AyD6KEwwPHcEKxg=\r\n"
    "X-Amzn-Trace-Id: Root=1-6a5145a8-536f3e792f6be9b44c1f46fa\r\n";

constexpr std::string_view kHttpOwn = "apigw-requestid: AyD6KEwwPHcEKxg=\r\n";

// The header lines that the function asked for: without ours at the end, `|` for line ends.
std::string own_lines(const RenderedResponse& response, EventFormat format) {
    std::string lines = response.headers;
    const std::string_view ours = format == EventFormat::rest ? kRestOwn : kHttpOwn;
    REQUIRE(lines.ends_with(ours));
    lines.resize(lines.size() - ours.size());
    for (std::size_t at; (at = lines.find("\r\n")) != std::string::npos;)
        lines.replace(at, 2, "|");
    return lines;
}

}  // namespace

TEST_SUITE("forward/proxy_answer") {
    TEST_CASE("section 12.2: a malformed answer of a REST API is refused") {
        struct Row {
            const char* name;
            std::string payload;
            const char* place = "";
        };

        const Row rows[] = {
            {"empty", ""},
            {"white space", " \n"},
            {"null", "null", ": not an object"},
            {"string", "\"hello\"", ": not an object"},
            {"number", "200", ": not an object"},
            {"boolean", "true", ": not an object"},
            {"array", "[]", ": not an object"},
            {"no JSON", "hello"},
            {"HTML", "<html></html>"},
            {"cut short", R"({"statusCode":200,)"},
            {"two answers", R"({"statusCode":200}{"statusCode":200})"},
            {"key twice", R"({"statusCode":200,"statusCode":201})"},
            {"no UTF-8", "{\"body\":\"\xff\"}"},
            {"NUL behind", std::string(R"({"statusCode":200})") + '\0'},
            {"nested beyond reason",
             R"({"body":)" + std::string(300, '[') + std::string(300, ']') + "}"},
            {"unknown key", R"({"statusCode":200,"status":200})", ": unknown member \"status\""},
            {"cookies", R"({"statusCode":200,"cookies":["a=1"]})", ": unknown member \"cookies\""},
            {"key in another case", R"({"statuscode":200})", ": unknown member"},
            {"an error that was returned",
             R"({"errorMessage":"x","errorType":"y"})",
             ": unknown member"},
            {"status text", R"({"statusCode":"OK"})", "/statusCode"},
            {"status empty text", R"({"statusCode":""})", "/statusCode"},
            {"status with space", R"({"statusCode":" 200"})", "/statusCode"},
            {"status with sign", R"({"statusCode":"+20"})", "/statusCode"},
            {"status hexadecimal", R"({"statusCode":"0xC"})", "/statusCode"},
            {"status fraction", R"({"statusCode":200.5})", "/statusCode"},
            {"status negative", R"({"statusCode":-200})", "/statusCode"},
            {"status zero", R"({"statusCode":0})", "/statusCode"},
            {"status 100", R"({"statusCode":100})", "/statusCode"},
            {"status 101", R"({"statusCode":101})", "/statusCode"},
            {"status 199", R"({"statusCode":199})", "/statusCode"},
            {"status 600", R"({"statusCode":600})", "/statusCode"},
            {"status 2000", R"({"statusCode":2000})", "/statusCode"},
            {"status huge", R"({"statusCode":1e300})", "/statusCode"},
            {"status 2^32+200", R"({"statusCode":4294967496})", "/statusCode"},
            {"status true", R"({"statusCode":true})", "/statusCode"},
            {"status list", R"({"statusCode":[200]})", "/statusCode"},
            {"body object", R"({"body":{"a":1}})", "/body"},
            {"body list", R"({"body":[]})", "/body"},
            {"body number", R"({"body":1})", "/body"},
            {"body boolean", R"({"body":true})", "/body"},
            {"flag text", R"({"isBase64Encoded":"true"})", "/isBase64Encoded"},
            {"flag number", R"({"isBase64Encoded":1})", "/isBase64Encoded"},
            {"headers list", R"({"headers":[]})", "headers"},
            {"headers text", R"({"headers":"a: b"})", "headers"},
            {"header value list", R"({"headers":{"a":["b"]}})", "headers"},
            {"header value object", R"({"headers":{"a":{}}})", "headers"},
            {"header name empty", R"({"headers":{"":"b"}})", "headers"},
            {"header name with space", R"({"headers":{"a b":"c"}})", "headers"},
            {"header name with colon", R"({"headers":{"a:":"c"}})", "headers"},
            {"header name with line end", R"({"headers":{"a\r\nb":"c"}})", "headers"},
            {"header name not ASCII", "{\"headers\":{\"\xc3\xa9\":\"c\"}}", "headers"},
            {"line end in a value", R"({"headers":{"a":"b\r\nSet-Cookie: x"}})", "headers"},
            {"line feed in a value", R"({"headers":{"a":"b\nc"}})", "headers"},
            {"NUL in a value", R"({"headers":{"a":"b\u0000"}})", "headers"},
            {"headers too large",
             R"({"headers":{"a":")" + std::string(limits::kUpstreamHeadBytes, 'a') + "\"}}",
             "headers"},
            {"multi value text", R"({"multiValueHeaders":{"a":"b"}})", "multiValueHeaders"},
            {"multi value object", R"({"multiValueHeaders":{"a":{}}})", "multiValueHeaders"},
            {"multi value number", R"({"multiValueHeaders":{"a":1}})", "multiValueHeaders"},
            {"multi values list", R"({"multiValueHeaders":[]})", "multiValueHeaders"},
            {"multi value in a list",
             R"({"multiValueHeaders":{"a":[["b"]]}})",
             "multiValueHeaders"},
            {"line end in a multi value",
             R"({"multiValueHeaders":{"a":["b","c\n"]}})",
             "multiValueHeaders"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto answer = read(row.payload);
            REQUIRE_FALSE(answer.has_value());
            CAPTURE(answer.error().detail);
            CHECK(answer.error().errc() == Errc::function_answer_invalid);
            CHECK(answer.error().detail.starts_with(row.place));
            const auto error = authz::make_error(answer.error().errc());
            CHECK(error.status == 502);
            RequestFixture fixture;
            CHECK(authz::GatewayResponses().render(error, fixture.facts()).body ==
                  R"({"message": "Internal server error"})");
        }
    }

    TEST_CASE("an invocation that did not return is refused by how it ended") {
        const struct {
            End end;
            Errc error;
            int status;
        } rows[] = {{End::failed, Errc::function_error, 502},
                    {End::timed_out, Errc::function_timeout, 504},
                    {End::not_invokable, Errc::function_not_invokable, 500},
                    {End::too_large, Errc::function_answer_too_large, 502},
                    {static_cast<End>(99), Errc::function_not_invokable, 500}};

        for (const auto& row : rows) {
            for (const EventFormat format :
                 {EventFormat::rest, EventFormat::http_1_0, EventFormat::http_2_0}) {
                const auto answer =
                    read(R"({"statusCode":200,"body":"x"})", rules_of(format), row.end);
                REQUIRE_FALSE(answer.has_value());
                CHECK(answer.error().errc() == row.error);
                CHECK(authz::make_error(row.error).status == row.status);
            }
        }
        const std::string large =
            R"({"body":")" + std::string(limits::kFunctionAnswerBytes, 'a') + "\"}";
        CHECK(read(large).error().errc() == Errc::function_answer_too_large);
    }

    TEST_CASE("section 12.2: a good answer of a REST API reaches the client") {
        struct Row {
            const char* name;
            const char* payload;
            int status;
            const char* headers;
            const char* body;
        };

        constexpr const char* kJson = "Content-Type: application/json|";
        const Row rows[] = {
            {"nothing at all", "{}", 200, kJson, ""},
            {"status alone", R"({"statusCode":404})", 404, kJson, ""},
            {"headers alone",
             R"({"headers":{"x-a":"1"}})",
             200,
             "Content-Type: application/json|x-a: 1|",
             ""},
            {"body alone", R"({"body":"hello"})", 200, kJson, "hello"},
            {"all null",
             R"({"statusCode":null,"headers":null,"multiValueHeaders":null,"body":null,"isBase64Encoded":null})",
             200,
             kJson,
             ""},
            {"status as text", R"({"statusCode":"201"})", 201, kJson, ""},
            {"status as a float", R"({"statusCode":202.0})", 202, kJson, ""},
            {"the last status", R"({"statusCode":599})", 599, kJson, ""},
            {"empty body", R"({"body":""})", 200, kJson, ""},
            {"text body",
             "{\"body\":\"caf\xc3\xa9 \\u20ac\\n\"}",
             200,
             kJson,
             "caf\xc3\xa9 \xe2\x82\xac\n"},
            {"own type",
             R"({"headers":{"content-TYPE":"text/html"},"body":"x"})",
             200,
             "content-TYPE: text/html|",
             "x"},
            {"type in multi values",
             R"({"multiValueHeaders":{"Content-Type":["a/b"]}})",
             200,
             "Content-Type: a/b|",
             ""},
            {"values that are no text",
             R"({"headers":{"x-b":true,"x-f":false,"x-i":7,"x-d":1.0,"x-n":null}})",
             200,
             "Content-Type: application/json|x-b: true|x-d: 1.0|x-f: false|x-i: 7|",
             ""},
            {"many cookies",
             R"({"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}})",
             200,
             "Content-Type: application/json|Set-Cookie: a=1|Set-Cookie: b=2|",
             ""},
            {"a name in both",
             R"({"headers":{"X-a":"solo"},"multiValueHeaders":{"x-A":["multi"]}})",
             200,
             "Content-Type: application/json|x-A: multi|x-A: solo|",
             ""},
            {"empty and null lists",
             R"({"multiValueHeaders":{"x-a":[],"x-b":null}})",
             200,
             kJson,
             ""},
            {"empty value",
             R"({"headers":{"x-a":""}})",
             200,
             "Content-Type: application/json|x-a: |",
             ""},
            {"no content", R"({"statusCode":204,"body":"x"})", 204, kJson, ""},
            {"not modified", R"({"statusCode":304,"body":"x"})", 304, kJson, ""},
            {"base64 that nobody asked for",
             R"({"body":"aGk=","isBase64Encoded":true})",
             200,
             kJson,
             "aGk="},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto answer = read(row.payload);
            REQUIRE(answer.has_value());
            CHECK(answer->status == row.status);
            CHECK(own_lines(*answer, EventFormat::rest) == row.headers);
            CHECK(answer->body == row.body);
        }
    }

    TEST_CASE("what becomes of a header that the function names") {
        constexpr const char* kGone = "";

        struct Row {
            const char* name;
            const char* rest;   // the client's name, or "" for none
            const char* plain;  // headerHandling "plain"
            const char* http;
        };

        const Row rows[] = {
            {"X-A", "X-A", "X-A", "X-A"},
            {"Age", "Age", "Age", "Age"},
            {"Content-Encoding", "Content-Encoding", "Content-Encoding", "Content-Encoding"},
            {"Accept", "Accept", "Accept", "Accept"},
            {"Location", "Location", "Location", "Location"},
            {"Authorization", "x-amzn-Remapped-Authorization", "Authorization", "Authorization"},
            {"Connection", "x-amzn-Remapped-Connection", kGone, kGone},
            {"Content-MD5", "x-amzn-Remapped-Content-MD5", "Content-MD5", "Content-MD5"},
            {"date", "x-amzn-Remapped-date", kGone, kGone},
            {"Max-Forwards", "x-amzn-Remapped-Max-Forwards", "Max-Forwards", "Max-Forwards"},
            {"Server", "x-amzn-Remapped-Server", "Server", "Server"},
            {"User-Agent", "x-amzn-Remapped-User-Agent", "User-Agent", "User-Agent"},
            {"WWW-Authenticate",
             "x-amzn-Remapped-WWW-Authenticate",
             "WWW-Authenticate",
             "WWW-Authenticate"},
            {"Via", kGone, "Via", "Via"},
            {"Host", kGone, "Host", "Host"},
            {"Content-Length", kGone, kGone, kGone},
            {"Transfer-Encoding", kGone, kGone, kGone},
            {"Trailer", kGone, kGone, kGone},
            {"TE", kGone, kGone, kGone},
            {"Upgrade", kGone, kGone, kGone},
            {"Keep-Alive", kGone, kGone, kGone},
            {"Proxy-Authenticate", kGone, kGone, kGone},
            {"x-amzn-RequestId", kGone, kGone, kGone},
            {"x-amz-apigw-id", kGone, kGone, kGone},
            {"apigw-requestid", kGone, kGone, kGone},
            {"X-Amzn-Trace-Id", kGone, "X-Amzn-Trace-Id", "X-Amzn-Trace-Id"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const std::string payload = R"({"statusCode":200,"headers":{"content-type":"a/b",")" +
                                        std::string(row.name) + R"(":"7"}})";

            const struct {
                ProxyAnswerRules rules;
                std::string_view wanted;
            } kinds[] = {{rules_of(EventFormat::rest), row.rest},
                         {{EventFormat::rest, true, kNoTypes}, row.plain},
                         {rules_of(EventFormat::http_1_0), row.http},
                         {rules_of(EventFormat::http_2_0), row.http}};

            for (const auto& kind : kinds) {
                const auto answer = read(payload, kind.rules);
                REQUIRE(answer.has_value());
                const std::size_t at = answer->headers.find(": 7\r\n");
                CHECK((at == std::string::npos) == kind.wanted.empty());
                if (at == std::string::npos) continue;
                const std::size_t start = answer->headers.rfind('\n', at) + 1;
                CHECK(answer->headers.substr(start, at - start) == kind.wanted);
            }
        }
    }

    TEST_CASE("base64 is decoded for a client that asks for a binary type") {
        struct Row {
            const char* name;
            const char* accept;  // nullptr: none
            const char* type;    // nullptr: none
            std::vector<std::string> binary;
            bool decoded;
        };

        const Row rows[] = {
            {"first of Accept", "image/png", "image/png", {"image/png"}, true},
            {"with quality", "image/png;q=0.9, text/html", "image/png", {"image/png"}, true},
            {"everything is binary", "text/html", nullptr, {"*/*"}, true},
            {"everything and nothing said", nullptr, nullptr, {"*/*"}, true},
            {"no Accept and the answer's type", nullptr, "image/png", {"image/png"}, true},
            {"nothing is binary", "image/png", "image/png", {}, false},
            {"second of Accept", "text/html, image/png", "image/png", {"image/png"}, false},
            {"anything accepted", "*/*", "image/png", {"image/png"}, false},
            {"Accept decides and not the type", "text/html", "image/png", {"image/png"}, false},
            {"no Accept and no type", nullptr, nullptr, {"image/png"}, false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RequestFixture fixture;
            if (row.accept != nullptr) fixture.field("Accept", row.accept);
            std::string payload = R"({"isBase64Encoded":true,"body":"aGk=")";
            if (row.type != nullptr)
                payload += R"(,"headers":{"Content-Type":")" + std::string(row.type) + "\"}";
            payload += '}';
            const auto answer = forward::read_proxy_answer(
                {End::returned, payload}, rules_of(EventFormat::rest, row.binary), fixture.facts());
            REQUIRE(answer.has_value());
            CHECK(answer->body == (row.decoded ? "hi" : "aGk="));
        }
        const std::vector<std::string> all = {"*/*"};
        const char* bad = R"({"statusCode":200,"isBase64Encoded":true,"body":"aGk*"})";
        CHECK(read(bad, rules_of(EventFormat::rest, all)).error().errc() ==
              Errc::function_answer_invalid);
        CHECK(read(bad).has_value());
        CHECK(read(bad, rules_of(EventFormat::http_1_0)).error().errc() ==
              Errc::function_answer_invalid);
        CHECK(read(bad, rules_of(EventFormat::http_2_0)).error().errc() ==
              Errc::function_answer_invalid);
    }

    TEST_CASE("section 12.5: HTTP APIs read both formats and infer the second") {
        struct Row {
            const char* name;
            EventFormat format;
            std::string payload;
            int status;  // 0: malformed
            const char* headers = "";
            const char* body = "";
        };

        constexpr const char* kText = "Content-Type: text/plain; charset=utf-8|";
        constexpr const char* kJson = "content-type: application/json|";
        constexpr EventFormat v1 = EventFormat::http_1_0;
        constexpr EventFormat v2 = EventFormat::http_2_0;
        const Row rows[] = {
            {"1.0 without status", v1, R"({"body":"x"})", 0},
            {"1.0 status null", v1, R"({"statusCode":null})", 0},
            {"1.0 empty object", v1, "{}", 0},
            {"1.0 string", v1, "\"x\"", 0},
            {"1.0 null", v1, "null", 0},
            {"1.0 list value", v1, R"({"statusCode":200,"multiValueHeaders":{"a":"b"}})", 0},
            {"1.0 object body", v1, R"({"statusCode":200,"body":{}})", 0},
            {"1.0", v1, R"({"statusCode":200,"body":"x"})", 200, kText, "x"},
            {"1.0 unknown member", v1, R"({"statusCode":200,"other":1})", 200, kText},
            {"1.0 multi values",
             v1,
             R"({"statusCode":200,"multiValueHeaders":{"Set-Cookie":["a=1","b=2"],"content-type":["a/b"]}})",
             200,
             "Set-Cookie: a=1|Set-Cookie: b=2|content-type: a/b|"},
            {"1.0 decodes",
             v1,
             R"({"statusCode":200,"isBase64Encoded":true,"body":"aGk="})",
             200,
             kText,
             "hi"},
            {"2.0 not JSON", v2, "hello", 0},
            {"2.0 empty", v2, "", 0},
            {"2.0 cut short", v2, R"({"a":)", 0},
            {"2.0 bad status", v2, R"({"statusCode":"abc"})", 0},
            {"2.0 status 99", v2, R"({"statusCode":99})", 0},
            {"2.0 status false", v2, R"({"statusCode":false})", 0},
            {"2.0 object body", v2, R"({"statusCode":200,"body":{}})", 0},
            {"2.0 header list", v2, R"({"statusCode":200,"headers":{"a":["b"]}})", 0},
            {"2.0 header line end", v2, R"({"statusCode":200,"headers":{"a":"b\r\n"}})", 0},
            {"2.0 cookies text", v2, R"({"statusCode":200,"cookies":"a=1"})", 0},
            {"2.0 cookie number", v2, R"({"statusCode":200,"cookies":[1]})", 0},
            {"2.0 cookie line end", v2, R"({"statusCode":200,"cookies":["a=1\r\nX: y"]})", 0},
            {"2.0",
             v2,
             R"({"statusCode":201,"body":"x","headers":{"content-type":"a/b"}})",
             201,
             "content-type: a/b|",
             "x"},
            {"2.0 status as text", v2, R"({"statusCode":"201"})", 201, kText},
            {"2.0 cookies",
             v2,
             R"({"statusCode":200,"cookies":["a=1; Path=/","b=2"],"headers":{"x-a":"1"}})",
             200,
             "Content-Type: text/plain; charset=utf-8|x-a: 1|set-cookie: a=1; Path=/|set-cookie: "
             "b=2|"},
            {"2.0 has no multi values",
             v2,
             R"({"statusCode":200,"multiValueHeaders":{"a":["b"]}})",
             200,
             kText},
            {"2.0 decodes",
             v2,
             R"({"statusCode":200,"isBase64Encoded":true,"body":"aGk="})",
             200,
             kText,
             "hi"},
            {"inferred object",
             v2,
             "{ \"message\": \"hi\" }",
             200,
             kJson,
             "{ \"message\": \"hi\" }"},
            {"inferred without status",
             v2,
             R"({"body":"x","headers":{"a":"b"}})",
             200,
             kJson,
             R"({"body":"x","headers":{"a":"b"}})"},
            {"inferred list", v2, "[1, 2]", 200, kJson, "[1, 2]"},
            {"inferred number", v2, "42", 200, kJson, "42"},
            {"inferred string", v2, R"("hi \"you\"")", 200, kJson, "hi \"you\""},
            {"inferred null", v2, "null", 200, kJson, "null"},
            {"inferred deep",
             v2,
             std::string(100, '[') + std::string(100, ']'),
             200,
             kJson,
             nullptr},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto answer = read(row.payload, rules_of(row.format));
            REQUIRE(answer.has_value() == (row.status != 0));
            if (!answer) {
                CHECK(answer.error().errc() == Errc::function_answer_invalid);
                continue;
            }
            CHECK(answer->status == row.status);
            CHECK(own_lines(*answer, row.format) == row.headers);
            CHECK(answer->body == (row.body == nullptr ? row.payload : row.body));
        }
    }
}

}  // namespace proxy_answer_test
