#include "gatehouse/cli/trace_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace trace_text_test {

using namespace gatehouse;
using cli::trace_to_text;

TEST_SUITE_BEGIN("cli/trace_text");

namespace {

Json parse(std::string_view text) {
    auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

const char* const kRefused = R"({
  "requestId": "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0", "time": "2026-11-24T05:00:00.000Z", "method": "GET", "path": "/door", "status": 403,
  "verdict": "refuse", "reason": "explicit_deny", "reasonText": "policy denies", "hint": "change the policy",
  "steps": [
    {"step": "route", "result": "matched", "api": "users", "route": "GET /door", "stage": "prod", "authorizer": "deny"},
    {"step": "identitySource", "result": "found", "source": "method.request.header.Authorization", "identity": "1a2b3c4d"},
    {"step": "cache", "result": "hit", "ageMillis": 1500, "remainingMillis": 298500, "issuedFor": "arn:first"},
    {"step": "token", "checks": [{"name": "issuer", "passed": true}, {"name": "exp", "passed": false, "expected": "after 5", "found": "4"}],
     "key": {"kid": "key-1", "ageSeconds": 3}, "error": "too old"},
    {"step": "policy", "result": "explicit deny", "statement": 1, "methodArn": "arn:door",
     "statements": [{"index": 0, "effect": "Allow", "matched": true, "why": "Resource * matches"},
                    {"index": 1, "effect": "Deny", "sid": "NoDoor", "matched": true, "why": "Resource arn:door matches"}],
     "policy": {"Version": "2012-10-17"}},
    {"step": "scopes", "result": "none held", "wanted": ["a", "b"]},
    {"step": "verdict", "result": "refuse", "reason": "explicit_deny"},
    {"step": "gatewayResponse", "type": "ACCESS_DENIED", "status": 403}],
  "timings": {"totalMicros": 1234, "authorizerMicros": 10} })";

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a refusal is told step by step") {
    const std::string text = trace_to_text(parse(kRefused));
    CAPTURE(text);
    for (const std::string part :
         {"GET /door -> 403\n",
          "refused: explicit_deny (policy denies)\n",
          "hint: change the policy\n",
          "  1 ok route            GET /door, api users, stage prod, authorizer deny\n",
          "  2 ok identitySource   method.request.header.Authorization: found, SHA-256 begins with "
          "1a2b3c4d\n",
          "  3 -- cache            hit, 1.5 s old, 298.5 s left\n",
          "issued for arn:first\n",
          "  4 NO token            key key-1, key set fetched 3 s ago\n",
          "ok issuer\n",
          "NO exp        expected after 5, found 4\n",
          "  5 NO policy           explicit deny by statement 1\n",
          "method ARN   arn:door\n",
          "matched      Deny [1] NoDoor: Resource arn:door matches\n",
          "\"Version\": \"2012-10-17\"",
          "  6 NO scopes           none held, wanted one of a, b\n",
          "  7 NO verdict          refuse: explicit_deny\n",
          "  8 -- gatewayResponse  status 403, type ACCESS_DENIED\n",
          "took 1.23 ms, of which the authorizer 0.01 ms\n",
          "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0"}) {
        CAPTURE(part);
        CHECK(has(text, part));
    }
}

TEST_CASE("statements that are not in the policy are told with their reason") {
    const std::string text = trace_to_text(parse(
        R"({"method":"GET","path":"/a","status":403,"verdict":"refuse","reason":"implicit_deny","steps":[
        {"step":"policy","result":"implicit deny","leftOut":["Admins: roles is absent, wanted x","S2: a\u001bb",7]}]})"));
    CAPTURE(text);
    CHECK(has(text, "left out     Admins: roles is absent, wanted x\n"));
    CHECK(has(text, "left out     S2: a\\x1bb\n"));
}

TEST_CASE("an allowed request shows its upstream") {
    const std::string text = trace_to_text(parse(
        R"({"method":"GET","path":"/a","status":200,"verdict":"allow","reason":"allowed","steps":[
        {"step":"upstream","host":"a.example:3000","status":200,"connectMicros":500,"firstByteMicros":2500,"reusedConnection":false,"retried":true}]})"));
    CHECK(has(text, "\nallowed\n"));
    CHECK(has(text,
              "-- upstream         a.example:3000 answered 200 after 2.50 ms, connected in 0.50 "
              "ms, retried\n"));
}

TEST_CASE("of an upstream with several targets it shows which and the attempt") {
    const std::string text = trace_to_text(parse(
        R"({"method":"GET","path":"/a","status":200,"verdict":"allow","reason":"allowed","steps":[
        {"step":"upstream","host":"10.0.0.2:80","upstream":"users","attempts":2,"status":200,"connectMicros":500,"firstByteMicros":2500,"reusedConnection":false,"retried":true}]})"));
    CAPTURE(text);
    CHECK(has(text,
              "10.0.0.2:80 of upstream users answered 200 after 2.50 ms, connected in 0.50 ms, "
              "retried (attempt 2)\n"));
    CHECK(has(
        trace_to_text(parse(
            R"({"method":"GET","path":"/a","status":502,"verdict":"refuse","reason":"upstream_refused","steps":[
        {"step":"upstream","host":"10.0.0.2:80","upstream":"users","attempts":1,"result":"upstream_refused"}]})")),
        "10.0.0.2:80 of upstream users: upstream_refused\n"));
}

TEST_CASE("what a step's check has said is not said again, nor is a line padded") {
    const std::string text = trace_to_text(parse(kRefused));
    CHECK_FALSE(has(text, "too old"));
    CHECK_FALSE(has(text, " \n"));
    const std::string unchecked = trace_to_text(parse(
        R"({"method":"GET","path":"/a","status":503,"verdict":"refuse","reason":"keys_unavailable","steps":[
        {"step":"token","checks":[{"name":"kid","passed":true}],"error":"no usable key set"}]})"));
    CAPTURE(unchecked);
    CHECK(has(unchecked, "  1 NO token\n"));
    CHECK(has(unchecked, "no usable key set\n"));
}

TEST_CASE("sizes are told in words") {
    CHECK(has(
        trace_to_text(parse(
            R"({"method":"GET","path":"/a","requestId":"id","bytes":{"request":3,"response":26},"steps":[]})")),
        "requestId id, content in 3, out 26 bytes\n"));
}

TEST_CASE("a judgement without an answer shows no status") {
    CHECK(has(
        trace_to_text(parse(
            R"({"method":"GET","path":"/a","status":0,"verdict":"allow","reason":"allowed","steps":[]})")),
        "GET /a\n"));
}

TEST_CASE("what this version does not know is printed as it is") {
    const std::string text = trace_to_text(parse(
        R"({"method":"GET","path":"/a","verdict":"allow","reason":"x","colour":"blue","steps":[
        {"step":"quota","left":7},{"step":"cache","result":"miss","shard":3}]})"));
    CAPTURE(text);
    CHECK(has(text, "colour: blue\n"));
    CHECK(has(text, "-- quota            left 7\n"));
    CHECK(has(text, "shard: 3\n"));
}

TEST_CASE("no trace however odd makes it fail or reaches the terminal with a control") {
    for (
        const std::string json :
        {"null",
         "[]",
         "7",
         "{}",
         R"({"steps":7})",
         R"({"steps":[7,null,{}, "x"]})",
         R"({"steps":[{"step":7}]})",
         R"({"method":"\u001b[2J","path":{"a":1},"verdict":[],"reason":null,"steps":[{"step":"\u0007","result":"\n"}]})",
         R"({"steps":[{"step":"cache","ageMillis":"x"},{"step":"token","checks":7,"key":7},{"step":"policy","statements":[7],"policy":"cut {"}],"timings":7})"}) {
        CAPTURE(json);
        const std::string text = trace_to_text(parse(json));
        for (const char c : text)
            CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
    }
}

TEST_CASE("a step that refused is marked so") {
    struct Row {
        const char* step;
        const char* marked;
    };

    const Row rows[] = {
        {R"({"step":"signature","result":"valid"})", "1 ok signature"},
        {R"({"step":"signature","result":"signature_mismatch"})", "1 NO signature"},
        {R"({"step":"apiKey","source":"HEADER","result":"api_key_unknown"})", "1 NO apiKey"},
        {R"({"step":"limits","result":"within"})", "1 ok limits"},
        {R"({"step":"limits","result":"throttled"})", "1 NO limits"},
        {R"({"step":"validation","validator":"all","result":"request_body_invalid"})",
         "1 NO validation"},
        {R"({"step":"override","result":"not used"})", "1 -- override"},
        {R"({"step":"integration","type":"MOCK"})", "1 -- integration"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.step));
        const Json trace = {{"method", "GET"}, {"path", "/"}, {"steps", {parse(row.step)}}};
        CHECK(trace_to_text(trace).find(row.marked) != std::string::npos);
    }
}

TEST_SUITE_END();

}  // namespace trace_text_test
