#include "gatehouse/policy/document.hpp"

#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace gatehouse::policy::document_test {
namespace {

Json parse(std::string_view text) {
    auto json = parse_json(text);
    REQUIRE(json.has_value());
    return std::move(*json);
}

constexpr std::string_view kGood =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]})";

// kGood's statement with some members set; null takes a member away.
Json with_statement(std::string_view members) {
    Json document = parse(kGood);
    document["Statement"][0].merge_patch(parse(members));
    return document;
}

TEST_SUITE("policy/document") {
    TEST_CASE("a document is compiled as it was written") {
        const auto document = parse_document(parse(
            R"({"Version":"2012-10-17","Id":"doc","Statement":[
                {"Sid":"one","Effect":"Allow","Action":["s3:*","execute-api:Invoke"],"Resource":["a*","b"]},
                {"Effect":"Deny","NotAction":"s3:*","NotResource":"c","Principal":"*",
                 "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]})"));
        REQUIRE(document.has_value());
        REQUIRE(document->statements.size() == 2);
        const Statement& first = document->statements[0];
        CHECK(first.effect == Effect::allow);
        CHECK(first.sid == "one");
        CHECK(first.actions == std::vector<std::string>{"s3:*", "execute-api:Invoke"});
        CHECK(first.covers_invoke);
        CHECK_FALSE(first.not_action);
        CHECK_FALSE(first.not_resource);
        REQUIRE(first.resources.size() == 2);
        CHECK(first.resources[1].pattern() == "b");
        CHECK(first.conditions.empty());
        const Statement& second = document->statements[1];
        CHECK(second.effect == Effect::deny);
        CHECK(second.not_action);
        CHECK(second.covers_invoke);
        CHECK(second.not_resource);
        CHECK_FALSE(second.conditions.empty());
        CHECK(document->heap_bytes() > document->text.size());
    }

    TEST_CASE("the text of a document is compact and parses to the same text") {
        const auto document =
            parse_document(parse(" {\"Statement\" : [ ] , \"Id\" : \"\\u00e9\"}"));
        REQUIRE(document.has_value());
        CHECK(document->text == "{\"Id\":\"\xc3\xa9\",\"Statement\":[]}");
        const auto again = parse_document(parse(document->text));
        REQUIRE(again.has_value());
        CHECK(again->text == document->text);
    }

    TEST_CASE("both forms of every element are taken") {
        struct Row {
            const char* name;
            std::string_view text;
        };

        const Row rows[] = {
            {"one statement", R"({"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})"},
            {"no statements", R"({"Version":"2012-10-17","Statement":[]})"},
            {"older version",
             R"({"Version":"2008-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"]}]})"},
            {"no version", R"({"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]})"},
            {"no resources",
             R"({"Statement":[{"Effect":"Allow","Action":"execute-api:*","Resource":[]}]})"},
            {"empty condition",
             R"({"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{}}]})"},
            {"principal object",
             R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"a:b","Resource":"*"}]})"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(parse_document(parse(row.text)).has_value());
        }
    }

    TEST_CASE("an action covers Invoke in any letter case and by wildcard") {
        struct Row {
            const char* name;
            std::string_view members;
            bool want;
        };

        const Row rows[] = {
            {"exact", R"({"Action":"execute-api:Invoke"})", true},
            {"lower case", R"({"Action":"execute-api:invoke"})", true},
            {"upper case", R"({"Action":"EXECUTE-API:INVOKE"})", true},
            {"star", R"({"Action":"*"})", true},
            {"service", R"({"Action":"execute-api:*"})", true},
            {"prefix", R"({"Action":"execute-api:Inv*"})", true},
            {"question marks", R"({"Action":"execute-api:Invok?"})", true},
            {"any service", R"({"Action":"*:Invoke"})", true},
            {"in a list", R"({"Action":["s3:Get*","execute-api:Invoke"]})", true},
            {"NotAction of others", R"({"Action":null,"NotAction":["s3:*","sns:Publish"]})", true},

            {"another service", R"({"Action":"lambda:Invoke"})", false},
            {"another action", R"({"Action":"execute-api:InvalidateCache"})", false},
            {"prefix of the name", R"({"Action":"execute-api:Inv"})", false},
            {"longer name", R"({"Action":"execute-api:InvokeAll"})", false},
            {"question mark is not empty", R"({"Action":"execute-api:Invoke?"})", false},
            {"a list of others", R"({"Action":["s3:*","execute-api:ManageConnections"]})", false},
            {"NotAction", R"({"Action":null,"NotAction":"execute-api:Invoke"})", false},
            {"NotAction star", R"({"Action":null,"NotAction":"*"})", false},
            {"NotAction list", R"({"Action":null,"NotAction":["s3:*","execute-api:inv*"]})", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto document = parse_document(with_statement(row.members));
            REQUIRE(document.has_value());
            CHECK(document->statements[0].covers_invoke == row.want);
        }
    }

    struct Refusal {
        const char* name;
        std::string_view text;
        std::string_view path;
    };

    void check_refusal(const Json& json, std::string_view path, Errc code = Errc::policy_invalid) {
        const auto document = parse_document(json);
        REQUIRE_FALSE(document.has_value());
        CHECK(document.error().errc() == code);
        CAPTURE(document.error().detail);
        CHECK(document.error().detail.starts_with(std::string(path) + ": "));
    }

    TEST_CASE("section 6.2: a malformed document is refused and the place is named") {
        const Refusal rows[] = {
            {"null", "null", ""},
            {"list", "[]", ""},
            {"text", R"("{}")", ""},
            {"empty", "{}", ""},
            {"no statement", R"({"Version":"2012-10-17"})", ""},
            {"statement null", R"({"Statement":null})", "/Statement"},
            {"statement text", R"({"Statement":"x"})", "/Statement"},
            {"statement in a list is a list", R"({"Statement":[[]]})", "/Statement/0"},
            {"statement in a list is null", R"({"Statement":[null]})", "/Statement/0"},
            {"one empty statement", R"({"Statement":{}})", "/Statement"},
            {"lower-case version", R"({"version":"2012-10-17","Statement":[]})", "/version"},
            {"lower-case statement", R"({"Version":"2012-10-17","statement":[]})", "/statement"},
            {"other version", R"({"Version":"2012-10-18","Statement":[]})", "/Version"},
            {"version as date", R"({"Version":"2012-10-17T00:00:00Z","Statement":[]})", "/Version"},
            {"version null", R"({"Version":null,"Statement":[]})", "/Version"},
            {"version number", R"({"Version":2012,"Statement":[]})", "/Version"},
            {"id number", R"({"Id":1,"Statement":[]})", "/Id"},
            {"unknown element", R"({"Statement":[],"Comment":"x"})", "/Comment"},
            {"result instead of policy",
             R"({"policyDocument":{"Statement":[]}})",
             "/policyDocument"},
        };
        for (const Refusal& row : rows) {
            CAPTURE(row.name);
            check_refusal(parse(row.text), row.path);
        }
    }

    TEST_CASE("a malformed statement is refused and the place is named") {
        // A member set to null is missing; `raw` rows below have real nulls.
        const Refusal rows[] = {
            {"no effect", R"({"Effect":null})", "/Statement/0"},
            {"effect in lower case", R"({"Effect":"allow"})", "/Statement/0/Effect"},
            {"effect in upper case", R"({"Effect":"DENY"})", "/Statement/0/Effect"},
            {"effect with a space", R"({"Effect":"Deny "})", "/Statement/0/Effect"},
            {"effect list", R"({"Effect":["Allow"]})", "/Statement/0/Effect"},
            {"effect flag", R"({"Effect":true})", "/Statement/0/Effect"},
            {"lower-case keys", R"({"effect":"Allow","Effect":null})", "/Statement/0/effect"},
            {"unknown element", R"({"Resources":"*"})", "/Statement/0/Resources"},
            {"NotPrincipal", R"({"NotPrincipal":"*"})", "/Statement/0/NotPrincipal"},
            {"slash in a name", R"({"a/b":1})", "/Statement/0/a~1b"},
            {"sid number", R"({"Sid":1})", "/Statement/0/Sid"},
            {"principal list", R"({"Principal":[]})", "/Statement/0/Principal"},
            {"no action", R"({"Action":null})", "/Statement/0"},
            {"both actions", R"({"NotAction":"s3:*"})", "/Statement/0"},
            {"action object", R"({"Action":{}})", "/Statement/0/Action"},
            {"action number", R"({"Action":1})", "/Statement/0/Action"},
            {"action empty", R"({"Action":""})", "/Statement/0/Action"},
            {"action without service", R"({"Action":"Invoke"})", "/Statement/0/Action"},
            {"action without name", R"({"Action":"execute-api:"})", "/Statement/0/Action"},
            {"action without either", R"({"Action":["*",":"]})", "/Statement/0/Action/1"},
            {"no actions", R"({"Action":[]})", "/Statement/0/Action"},
            {"action list of numbers", R"({"Action":["a:b",2]})", "/Statement/0/Action/1"},
            {"no NotActions", R"({"Action":null,"NotAction":[]})", "/Statement/0/NotAction"},
            {"variable in action", R"({"Action":"a:${x}"})", "/Statement/0/Action"},
            {"no resource", R"({"Resource":null})", "/Statement/0"},
            {"both resources", R"({"NotResource":"a"})", "/Statement/0"},
            {"resource object", R"({"Resource":{"a":"*"}})", "/Statement/0/Resource"},
            {"resource flag", R"({"Resource":true})", "/Statement/0/Resource"},
            {"resource empty", R"({"Resource":""})", "/Statement/0/Resource"},
            {"resource empty in a list", R"({"Resource":["*",""]})", "/Statement/0/Resource/1"},
            {"resource list of lists", R"({"Resource":[["*"]]})", "/Statement/0/Resource/0"},
            {"no NotResources",
             R"({"Resource":null,"NotResource":[]})",
             "/Statement/0/NotResource"},
            {"variable in resource",
             R"({"Resource":"arn:${aws:username}"})",
             "/Statement/0/Resource"},
            {"variable in a list", R"({"Resource":["*","${x}"]})", "/Statement/0/Resource/1"},
            {"condition list", R"({"Condition":[]})", "/Statement/0/Condition"},
            {"condition value",
             R"({"Condition":{"Bool":{"aws:SecureTransport":["true","no"]}}})",
             "/Statement/0/Condition/Bool/aws:SecureTransport/1"},
        };
        for (const Refusal& row : rows) {
            CAPTURE(row.name);
            check_refusal(with_statement(row.text), row.path);
        }
        for (const char* key : {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}) {
            CAPTURE(key);
            Json document = parse(kGood);
            document["Statement"][0][key] = nullptr;
            check_refusal(document, std::string("/Statement/0/") + key);
        }
    }

    TEST_CASE("the place is named without an index when Statement is one object") {
        Json document = parse(kGood);
        document["Statement"] = document["Statement"][0];
        document["Statement"]["Effect"] = "allow";
        check_refusal(document, "/Statement/Effect");
    }

    TEST_CASE("a key in the wrong letter case is told how to be written") {
        const auto document = parse_document(with_statement(R"({"RESOURCE":"*"})"));
        REQUIRE_FALSE(document.has_value());
        CHECK(document.error().detail ==
              "/Statement/0/RESOURCE: unknown element, keys are case-sensitive: write Resource");
    }

    TEST_CASE("an unknown condition operator is a reason of its own") {
        check_refusal(with_statement(R"({"Condition":{"StringIs":{"aws:Referer":"x"}}})"),
                      "/Statement/0/Condition/StringIs",
                      Errc::condition_unsupported);
    }

    TEST_CASE("before 2012-10-17 there are no escapes") {
        for (const char* version : {"", "2008-10-17"}) {
            CAPTURE(version);
            Json document = with_statement(R"({"Resource":["*","a${*}"]})");
            document.erase("Version");
            if (*version != '\0') document["Version"] = version;
            check_refusal(document, "/Statement/0/Resource/1");
            document["Statement"][0]["Resource"] = "a$b{c}";
            CHECK(parse_document(document).has_value());
            document["Statement"][0]["Condition"] =
                parse(R"({"StringLike":{"aws:Referer":"${?}"}})");
            check_refusal(document, "/Statement/0/Condition/StringLike/aws:Referer");
        }
        CHECK(parse_document(with_statement(R"({"Resource":"a${*}"})")).has_value());
    }

    TEST_CASE("a resource may have 512 bytes and no more") {
        Json document = parse(kGood);
        document["Statement"][0]["Resource"] = std::string(512, 'a');
        CHECK(parse_document(document).has_value());
        document["Statement"][0]["Resource"] = std::string(513, 'a');
        check_refusal(document, "/Statement/0/Resource");
    }

    TEST_CASE("size and counts are limited") {
        Json document = parse(kGood);
        const Json statement = document["Statement"][0];
        document["Statement"] = Json::array();
        for (std::size_t i = 0; i < kPolicyStatements; ++i)
            document["Statement"].push_back(statement);
        CHECK(parse_document(document).has_value());
        document["Statement"].push_back(statement);
        check_refusal(document, "/Statement", Errc::policy_too_large);

        document = parse(kGood);
        document["Statement"][0]["Resource"] = Json::array();
        for (std::size_t i = 0; i + 1 < kPolicyPatterns; ++i)
            document["Statement"][0]["Resource"].push_back("*");
        CHECK(parse_document(document).has_value());
        document["Statement"][0]["Resource"].push_back("*");
        check_refusal(document, "/Statement/0/Resource", Errc::policy_too_large);

        document = parse(kGood);
        document["Id"] = std::string(limits::kPolicyBytes, 'a');
        check_refusal(document, "", Errc::policy_too_large);
    }
}

}  // namespace
}  // namespace gatehouse::policy::document_test
