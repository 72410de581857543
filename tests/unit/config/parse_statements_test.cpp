#include "fixture.hpp"

namespace parse_statements_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

const std::string kAt = "/apis/0/authorizers/jwt/jwt/statements";

Loaded load_statements(const Json& statements) {
    Json document = minimal_document();
    document["apis"][0]["authorizers"]["jwt"]["jwt"]["statements"] = statements;
    return load(document);
}

}  // namespace

TEST_SUITE("config/parse_statements") {
    TEST_CASE("statements that IAM would take are kept as they are") {
        const Json statements = parse_document(R"([
            { "Sid": "A", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}" },
            { "Effect": "Deny", "NotAction": [ "execute-api:InvalidateCache" ], "Resource": [ "${methodArn}", "*" ] },
            { "Effect": "Allow", "Action": "*", "NotResource": "arn:aws:execute-api:*" },
            { "Effect": "Allow", "Action": "execute-api:*", "Resource": "arn:aws:execute-api:*:*:*/*/GET/users/${claims.sub}/${claims./a~1b}",
              "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } },
              "when": { "roles": "admin", "level": 3, "ok": true, "tier": { "in": [ "gold", 1 ] }, "/a/b": { "exists": false },
                        "email": { "matches": "[^@]+@example\\.com" } } }
        ])");
        const Loaded loaded = load_statements(statements);
        REQUIRE(show(loaded.problems) == "");
        const JwtAuthorizer& jwt = loaded.model.apis.at(0).authorizers.at(0).jwt;
        CHECK(jwt.statements == statements);
        CHECK(jwt.resource == "");
    }

    TEST_CASE("malformed statements are refused at their place") {
        struct Row {
            const char* name;
            const char* statement;
            const char* pointer;
            const char* words;
        };

        const Row rows[] = {
            {"no object", "1", "", "must be an object"},
            {"no effect", R"({"Action": "*", "Resource": "*"})", "", "Effect"},
            {"effect in small letters",
             R"({"Effect": "allow", "Action": "*", "Resource": "*"})",
             "/Effect",
             ""},
            {"effect is a list",
             R"({"Effect": ["Allow"], "Action": "*", "Resource": "*"})",
             "/Effect",
             ""},
            {"no action", R"({"Effect": "Allow", "Resource": "*"})", "", "Action"},
            {"no resource", R"({"Effect": "Allow", "Action": "*"})", "", "Resource"},
            {"both actions",
             R"({"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"})",
             "",
             ""},
            {"both resources",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"})",
             "",
             ""},
            {"number as action",
             R"({"Effect": "Allow", "Action": 1, "Resource": "*"})",
             "/Action",
             ""},
            {"number as resource",
             R"({"Effect": "Allow", "Action": "*", "Resource": [1]})",
             "/Resource/0",
             ""},
            {"key in small letters",
             R"({"effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"})",
             "/effect",
             "did you mean \"Effect\"?"},
            {"principal",
             R"({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})",
             "/Principal",
             "unknown key"},
            {"condition null",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": null})",
             "/Condition",
             ""},
            {"unknown operator",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringSounds": {"aws:Referer": "x"}}})",
             "/Condition/StringSounds",
             ""},
            {"bad address range",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}})",
             "/Condition/IpAddress/aws:SourceIp",
             "not an IP address"},
            {"policy variable",
             R"({"Effect": "Allow", "Action": "*", "Resource": "${aws:username}"})",
             "/Resource",
             ""},
            {"near placeholder",
             R"({"Effect": "Allow", "Action": "*", "Resource": "${claim.sub}"})",
             "/Resource",
             ""},
            {"claim without a name",
             R"({"Effect": "Allow", "Action": "*", "Resource": "${claims.}"})",
             "/Resource",
             ""},
            {"placeholder in a condition",
             R"({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:Referer": "${claims.sub}"}}})",
             "",
             "Resource only"},
            {"when is a list",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": []})",
             "/when",
             "must be an object"},
            {"when is empty",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {}})",
             "/when",
             "names no claim"},
            {"null wanted",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": null}})",
             "/when/a",
             "no condition on a claim"},
            {"list wanted",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": ["x"]}})",
             "/when/a",
             "{\"in\": […]}"},
            {"two forms",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"in": ["x"], "exists": true}}})",
             "/when/a",
             "no condition on a claim"},
            {"unknown form",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"not": "x"}}})",
             "/when/a",
             "no condition on a claim"},
            {"empty in",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"in": []}}})",
             "/when/a/in",
             "at least one"},
            {"null in in",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"in": [null]}}})",
             "/when/a/in",
             "at least one"},
            {"exists as text",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"exists": "true"}}})",
             "/when/a/exists",
             "true or false"},
            {"matches a number",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"matches": 1}}})",
             "/when/a/matches",
             "regular expression"},
            {"matches no RE2",
             R"x({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"a": {"matches": "(?!x)"}}})x",
             "/when/a/matches",
             "RE2"},
            {"empty claim",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"": "x"}})",
             "/when/",
             "is empty"},
            {"bad pointer",
             R"({"Effect": "Allow", "Action": "*", "Resource": "*", "when": {"/~": "x"}})",
             "/when/~1~0",
             "JSON Pointer"},
        };
        const Json good = parse_document(R"({"Effect": "Allow", "Action": "*", "Resource": "*"})");
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Loaded loaded =
                load_statements(Json::array({good, parse_document(row.statement)}));
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            REQUIRE(loaded.problems.size() == 1);
            CHECK(loaded.problems[0].pointer.starts_with(kAt + "/1" + row.pointer));
            CHECK(loaded.problems[0].message.find(row.words) != std::string::npos);
        }
    }

    TEST_CASE("every bad statement is named in one run") {
        const Loaded loaded =
            load_statements(parse_document(R"([ {"Effect": "No", "Action": "*", "Resource": "*"}, 1,
            {"Effect": "Allow", "Action": "*", "when": {"a": null}} ])"));
        CHECK(loaded.problems.size() == 4);
    }

    TEST_CASE("statements are a list") {
        for (const char* value :
             {"{}",
              "\"x\"",
              "null",
              "{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}"}) {
            CAPTURE(value);
            CHECK(has_problem(
                load_statements(parse_document(value)).problems, kAt, "must be a list"));
        }
        const Loaded empty = load_statements(Json::array());
        CHECK(show(empty.problems) == "");
        CHECK(has_problem(empty.warnings, kAt, "every request will be refused"));
    }
}

}  // namespace parse_statements_test
