#include "gatehouse/authz/lambda_reply.hpp"

#include "gatehouse/core/limits.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace lambda_reply_test {

using namespace gatehouse;
using authz::EventFormat;
using authz::Invocation;
using authz::ReplyRules;
using End = authz::Invocation::End;
using Kind = authz::ContextItem::Kind;

namespace {

constexpr std::string_view kArn = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/a";

constexpr std::string_view kPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":")"
    R"(arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/a"}]})";

// {"principalId":"u","policyDocument":{…}<more>}
std::string reply(std::string_view more = "") {
    return R"({"principalId":"u","policyDocument":)" + std::string(kPolicy) + std::string(more) +
           "}";
}

std::string with_policy(std::string_view policy) {
    return R"({"principalId":"u","policyDocument":)" + std::string(policy) + "}";
}

Result<authz::Grant> read(std::string_view payload,
                          ReplyRules rules = {},
                          End end = End::returned) {
    return authz::read_reply({end, payload}, rules, kArn);
}

constexpr ReplyRules kHttp1{EventFormat::http_1_0};
constexpr ReplyRules kHttp2{EventFormat::http_2_0};
constexpr ReplyRules kSimple{EventFormat::http_2_0, true};

policy::Outcome judge(const authz::Grant& grant, std::string_view path) {
    std::string buffer;
    const auto arn = policy::make_method_arn(
        "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/", "GET", path, buffer);
    return evaluate(*grant.policy, *arn, {}).outcome;
}

// "k:string=v n:number=1"
std::string context_of(const authz::Grant& grant) {
    constexpr const char* kKinds[] = {"string", "number", "boolean", "null", "json"};
    std::string text;
    for (const auto& item : grant.context) {
        if (!text.empty()) text += ' ';
        text += item.key + ':' + kKinds[static_cast<int>(item.kind)] + '=' + item.value;
    }
    return text;
}

}  // namespace

TEST_SUITE("authz/lambda_reply") {
    TEST_CASE("section 4.2: what is no reply is refused by its own reason") {
        struct Row {
            const char* name;
            std::string payload;
            Errc reason;
            const char* place = "";  // what the detail begins with
            ReplyRules rules = {};
        };

        const Row rows[] = {
            {"empty payload", "", Errc::authorizer_result_invalid, ": "},
            {"white space", "  ", Errc::authorizer_result_invalid, ": "},
            {"null", "null", Errc::authorizer_result_invalid, ": not an object"},
            {"string", "\"allow\"", Errc::authorizer_result_invalid, ": not an object"},
            {"the string Unauthorized",
             "\"Unauthorized\"",
             Errc::authorizer_result_invalid,
             ": not"},
            {"true", "true", Errc::authorizer_result_invalid, ": not an object"},
            {"number", "1", Errc::authorizer_result_invalid, ": not an object"},
            {"array", "[" + reply() + "]", Errc::authorizer_result_invalid, ": not an object"},
            {"no JSON", "Unauthorized", Errc::authorizer_result_invalid, ": "},
            {"cut short", reply().substr(0, 50), Errc::authorizer_result_invalid, ": "},
            {"more after it", reply() + "x", Errc::authorizer_result_invalid, ": "},
            {"two replies", reply() + reply(), Errc::authorizer_result_invalid, ": "},
            {"NUL after it", reply() + std::string(1, '\0'), Errc::authorizer_result_invalid, ": "},
            {"byte order mark", "\xef\xbb\xbf" + reply(), Errc::authorizer_result_invalid, ": "},
            {"no UTF-8",
             reply(",\"context\":{\"a\":\"\xff\"}"),
             Errc::authorizer_result_invalid,
             ": "},
            {"comment", "/* */" + reply(), Errc::authorizer_result_invalid, ": "},
            {"trailing comma", reply(","), Errc::authorizer_result_invalid, ": "},
            {"NaN", reply(R"(,"context":{"a":NaN})"), Errc::authorizer_result_invalid, ": "},
            {"beyond a double",
             reply(R"(,"context":{"a":1e999})"),
             Errc::authorizer_result_invalid,
             ": "},
            {"policy twice",
             reply(",\"policyDocument\":" + std::string(kPolicy)),
             Errc::authorizer_result_invalid,
             ": "},
            {"context key twice",
             reply(R"(,"context":{"a":1,"a":2})"),
             Errc::authorizer_result_invalid,
             ": "},
            {"Effect twice",
             with_policy(
                 R"({"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}})"),
             Errc::authorizer_result_invalid,
             ": "},
            {"nested too deeply",
             reply(",\"context\":{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"),
             Errc::authorizer_result_invalid,
             ": "},
            {"too large",
             reply(",\"context\":{\"a\":\"" + std::string(limits::kAuthorizerResultBytes, 'a') +
                   "\"}"),
             Errc::authorizer_result_too_large},
            {"empty object", "{}", Errc::authorizer_result_invalid, "/policyDocument: missing"},
            {"unknown key",
             reply(R"(,"statusCode":200)"),
             Errc::authorizer_result_invalid,
             "/statusCode: unknown"},
            {"an error object that was returned",
             R"({"errorMessage":"Unauthorized","errorType":"Error"})",
             Errc::authorizer_result_invalid,
             "/errorMessage: unknown"},
            {"proxy answer",
             R"({"statusCode":401,"body":"no"})",
             Errc::authorizer_result_invalid,
             "/body: unknown"},
            {"simple response on REST",
             R"({"isAuthorized":true})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: unknown"},
            {"policy in lower case",
             R"({"principalId":"u","policydocument":)" + std::string(kPolicy) + "}",
             Errc::authorizer_result_invalid,
             "/policydocument: unknown"},
            {"empty key", reply(R"(,"":1)"), Errc::authorizer_result_invalid, "/: unknown"},
            {"no policy",
             R"({"principalId":"u"})",
             Errc::authorizer_result_invalid,
             "/policyDocument: missing"},
            {"policy null",
             with_policy("null"),
             Errc::authorizer_result_invalid,
             "/policyDocument: missing"},
            {"policy as text",
             with_policy(R"("{\"Statement\":[]}")"),
             Errc::policy_invalid,
             "/policyDocument: not an object"},
            {"policy a list",
             with_policy("[]"),
             Errc::policy_invalid,
             "/policyDocument: not an object"},
            {"no Statement",
             with_policy(R"({"Version":"2012-10-17"})"),
             Errc::policy_invalid,
             "/policyDocument: Statement"},
            {"statement in lower case",
             with_policy(R"({"Version":"2012-10-17","statement":[]})"),
             Errc::policy_invalid,
             "/policyDocument/statement: "},
            {"version in lower case",
             with_policy(R"({"version":"2012-10-17","Statement":[]})"),
             Errc::policy_invalid,
             "/policyDocument/version: "},
            {"effect in lower case",
             with_policy(R"({"Statement":[{"effect":"Allow","Action":"*","Resource":"*"}]})"),
             Errc::policy_invalid,
             "/policyDocument/Statement/0/effect: "},
            {"Effect of another case",
             with_policy(R"({"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]})"),
             Errc::policy_invalid,
             "/policyDocument/Statement/0/Effect: "},
            {"no Resource",
             with_policy(R"({"Statement":[{"Effect":"Allow","Action":"*"}]})"),
             Errc::policy_invalid,
             "/policyDocument/Statement/0: Resource"},
            {"unknown operator",
             with_policy(
                 R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Odd":{"aws:SourceIp":"1"}}}]})"),
             Errc::condition_unsupported,
             "/policyDocument/Statement/0/Condition"},
            {"context a list",
             reply(R"(,"context":[])"),
             Errc::authorizer_result_invalid,
             "/context: "},
            {"context text",
             reply(R"(,"context":"{}")"),
             Errc::authorizer_result_invalid,
             "/context: "},
            {"object in context",
             reply(R"(,"context":{"a":{}})"),
             Errc::authorizer_result_invalid,
             "/context/a: "},
            {"list in context",
             reply(R"(,"context":{"ok":1,"x":["a"]})"),
             Errc::authorizer_result_invalid,
             "/context/x: "},
            {"list in the context of an HTTP API 1.0",
             reply(R"(,"context":{"x":[1]})"),
             Errc::authorizer_result_invalid,
             "/context/x: ",
             kHttp1},
            {"principal true",
             R"({"principalId":true,"policyDocument":)" + std::string(kPolicy) + "}",
             Errc::authorizer_result_invalid,
             "/principalId: "},
            {"principal object",
             R"({"principalId":{},"policyDocument":)" + std::string(kPolicy) + "}",
             Errc::authorizer_result_invalid,
             "/principalId: "},
            {"usage key a number",
             reply(R"(,"usageIdentifierKey":7)"),
             Errc::authorizer_result_invalid,
             "/usageIdentifierKey: "},
            // Simple responses.
            {"flag missing",
             "{}",
             Errc::authorizer_result_invalid,
             "/isAuthorized: missing",
             kSimple},
            {"flag missing with context",
             R"({"context":{}})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: missing",
             kSimple},
            {"flag the text true",
             R"({"isAuthorized":"true"})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: not a boolean",
             kSimple},
            {"flag the text false",
             R"({"isAuthorized":"false"})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: not a boolean",
             kSimple},
            {"flag 1",
             R"({"isAuthorized":1})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: not a boolean",
             kSimple},
            {"flag null",
             R"({"isAuthorized":null})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: not a boolean",
             kSimple},
            {"flag a list",
             R"({"isAuthorized":[true]})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: not a boolean",
             kSimple},
            {"flag twice",
             R"({"isAuthorized":false,"isAuthorized":true})",
             Errc::authorizer_result_invalid,
             ": ",
             kSimple},
            {"flag in another case",
             R"({"isauthorized":true})",
             Errc::authorizer_result_invalid,
             "/isauthorized: unknown",
             kSimple},
            {"flag and policy",
             R"({"isAuthorized":true,"policyDocument":{}})",
             Errc::authorizer_result_invalid,
             "/policyDocument: unknown",
             kSimple},
            {"policy where simple is asked for",
             reply(),
             Errc::authorizer_result_invalid,
             "/policyDocument: unknown",
             kSimple},
            {"simple where a policy is asked for",
             R"({"isAuthorized":true})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: unknown",
             kHttp2},
            {"simple for format 1.0",
             R"({"isAuthorized":true})",
             Errc::authorizer_result_invalid,
             "/isAuthorized: unknown",
             {EventFormat::http_1_0, true}},
            {"simple context a list",
             R"({"isAuthorized":true,"context":[1]})",
             Errc::authorizer_result_invalid,
             "/context: ",
             kSimple},
            {"simple true alone",
             "true",
             Errc::authorizer_result_invalid,
             ": not an object",
             kSimple},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto grant = read(row.payload, row.rules);
            REQUIRE_FALSE(grant.has_value());
            CAPTURE(grant.error().detail);
            CHECK(reason_id(grant.error().errc()) == reason_id(row.reason));
            CHECK(grant.error().detail.starts_with(row.place));
        }
    }

    TEST_CASE("section 4.2: an invocation that did not return is refused by how it ended") {
        struct Row {
            const char* name;
            End end;
            std::string payload;
            Errc reason;
        };

        const Row rows[] = {
            {"Unauthorized",
             End::failed,
             R"({"errorMessage":"Unauthorized"})",
             Errc::authorizer_unauthorized},
            {"Unauthorized as Node says it",
             End::failed,
             R"({"errorType":"Error","errorMessage":"Unauthorized","trace":["Error: Unauthorized"]})",
             Errc::authorizer_unauthorized},
            {"Unauthorized as Python says it",
             End::failed,
             R"({"errorMessage": "Unauthorized", "errorType": "Exception", "requestId": "x", "stackTrace": []})",
             Errc::authorizer_unauthorized},
            {"lower case",
             End::failed,
             R"({"errorMessage":"unauthorized"})",
             Errc::authorizer_function_error},
            {"full stop",
             End::failed,
             R"({"errorMessage":"Unauthorized."})",
             Errc::authorizer_function_error},
            {"more words",
             End::failed,
             R"({"errorMessage":"Unauthorized: expired"})",
             Errc::authorizer_function_error},
            {"space",
             End::failed,
             R"({"errorMessage":"Unauthorized "})",
             Errc::authorizer_function_error},
            {"as type",
             End::failed,
             R"({"errorType":"Unauthorized","errorMessage":"x"})",
             Errc::authorizer_function_error},
            {"message not text",
             End::failed,
             R"({"errorMessage":["Unauthorized"]})",
             Errc::authorizer_function_error},
            {"message twice",
             End::failed,
             R"({"errorMessage":"x","errorMessage":"Unauthorized"})",
             Errc::authorizer_function_error},
            {"bare text", End::failed, R"("Unauthorized")", Errc::authorizer_function_error},
            {"no JSON", End::failed, "Unauthorized", Errc::authorizer_function_error},
            {"empty", End::failed, "", Errc::authorizer_function_error},
            {"a good reply in a failure", End::failed, reply(), Errc::authorizer_function_error},
            {"a good reply after the timeout", End::timed_out, reply(), Errc::authorizer_timeout},
            {"not invokable", End::not_invokable, reply(), Errc::authorizer_not_invokable},
            {"too large", End::too_large, reply(), Errc::authorizer_result_too_large},
            {"an end that there is not",
             static_cast<End>(99),
             reply(),
             Errc::authorizer_not_invokable},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            for (const ReplyRules& rules : {ReplyRules{}, kHttp1, kHttp2, kSimple}) {
                const auto grant = read(row.payload, rules, row.end);
                REQUIRE_FALSE(grant.has_value());
                CHECK(reason_id(grant.error().errc()) == reason_id(row.reason));
            }
        }
    }

    TEST_CASE("section 4.1: a policy reply becomes a grant that is judged by ARN") {
        for (const ReplyRules& rules : {ReplyRules{}, kHttp1, kHttp2}) {
            const auto grant = read(reply(), rules);
            REQUIRE(grant.has_value());
            CHECK(grant->principal_id == "u");
            CHECK(grant->issued_for == kArn);
            CHECK(grant->context.empty());
            CHECK(grant->claims.is_null());
            CHECK(grant->usage_identifier_key.empty());
            CHECK(judge(*grant, "/a") == policy::Outcome::allow);
            CHECK(judge(*grant, "/b") == policy::Outcome::implicit_deny);
        }
        const auto deny =
            read(with_policy(R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})"));
        REQUIRE(deny.has_value());
        CHECK(judge(*deny, "/a") == policy::Outcome::explicit_deny);
        const auto nothing = read(with_policy(R"({"Statement":[]})"));
        REQUIRE(nothing.has_value());
        CHECK(judge(*nothing, "/a") == policy::Outcome::implicit_deny);
    }

    TEST_CASE("section 4.3: a principal is text or number or not there") {
        struct Row {
            const char* member;
            const char* principal;
        };

        const Row rows[] = {{R"("principalId":"user|a1",)", "user|a1"},
                            {R"("principalId":"",)", ""},
                            {R"("principalId":null,)", ""},
                            {"", ""},
                            {R"("principalId":42,)", "42"},
                            {R"("principalId":1.50,)", "1.5"}};
        for (const Row& row : rows) {
            CAPTURE(row.member);
            const auto grant = read("{" + std::string(row.member) +
                                    "\"policyDocument\":" + std::string(kPolicy) + "}");
            REQUIRE(grant.has_value());
            CHECK(grant->principal_id == row.principal);
        }
    }

    TEST_CASE("section 4.4: context values are text as Java prints it and keep their kind") {
        struct Row {
            const char* context;
            const char* text;
            ReplyRules rules = {};
        };

        const Row rows[] = {
            {"null", ""},
            {"{}", ""},
            {R"({"s":"v","n":1,"b":true,"f":false,"z":null})",
             "b:boolean=true f:boolean=false n:number=1 s:string=v z:null="},
            {R"({"a":1.0,"b":1e10,"c":-0.5,"d":9007199254740993})",
             "a:number=1.0 b:number=1.0E10 c:number=-0.5 d:number=9007199254740993"},
            {R"({"s":"","j":"{\"a\":[1]}"})", "j:string={\"a\":[1]} s:string="},
            {R"({"claims":"x","principalId":"y"})", "claims:string=x principalId:string=y"},
            {R"({"s":"v"})", "s:string=v", kHttp1},
            {R"({"l":["a",1],"m":{"k":{"x":null}},"n":2})",
             R"(l:json=["a",1] m:json={"k":{"x":null}} n:number=2)",
             kHttp2},
        };
        for (const Row& row : rows) {
            CAPTURE(row.context);
            const auto grant = read(reply(",\"context\":" + std::string(row.context)), row.rules);
            REQUIRE(grant.has_value());
            CHECK(context_of(*grant) == row.text);
        }
    }

    TEST_CASE("section 4.6: the usage key is kept and null is none") {
        CHECK(read(reply(R"(,"usageIdentifierKey":"k-1")"))->usage_identifier_key == "k-1");
        CHECK(read(reply(R"(,"usageIdentifierKey":null)"))->usage_identifier_key.empty());
        const auto one = read(reply());
        const auto other = read(reply(",\"usageIdentifierKey\":\"" + std::string(100, 'k') + "\""));
        CHECK(other->heap_bytes() > one->heap_bytes());
    }

    TEST_CASE("section 10.3: a simple response is its own verdict on every route") {
        const auto allow = read(R"({"isAuthorized":true,"context":{"k":"v","l":[1,{}]}})", kSimple);
        REQUIRE(allow.has_value());
        CHECK(judge(*allow, "/a") == policy::Outcome::allow);
        CHECK(judge(*allow, "/b/c") == policy::Outcome::allow);
        CHECK(context_of(*allow) == "k:string=v l:json=[1,{}]");
        CHECK(allow->principal_id.empty());
        const auto deny = read(R"({"isAuthorized":false})", kSimple);
        REQUIRE(deny.has_value());
        CHECK(judge(*deny, "/a") == policy::Outcome::explicit_deny);
        CHECK(deny->issued_for == kArn);
    }
}

}  // namespace lambda_reply_test
