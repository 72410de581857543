#include "../../../src/authz/claim_condition.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace claim_condition_test {

using namespace gatehouse;
using authz::ClaimCondition;

namespace {

Json json(std::string_view text) {
    auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

}  // namespace

TEST_SUITE("authz/claim_condition") {
    TEST_CASE("a condition holds when the claim is as wanted") {
        struct Row {
            const char* name;
            std::string claim;
            std::string wanted;
            std::string claims;
            bool holds;
        };

        const Row rows[] = {
            {"equal text", "t", R"("a")", R"({"t":"a"})", true},
            {"equal number", "n", "1", R"({"n":1})", true},
            {"equal number of another form", "n", "1", R"({"n":1.0})", true},
            {"equal boolean", "b", "true", R"({"b":true})", true},
            {"contained in a list", "r", R"("admin")", R"({"r":["user","admin"]})", true},
            {"a number in a list", "r", "2", R"({"r":[1,2]})", true},
            {"a word of scope", "scope", R"("write")", R"({"scope":"read write"})", true},
            {"all of scope", "scope", R"("read write")", R"({"scope":"read write"})", true},
            {"a word of scp", "scp", R"("write")", R"({"scp":"read write"})", true},
            {"an element of scp", "scp", R"("write")", R"({"scp":["read","write"]})", true},
            {"pointer", "/a/b", R"("v")", R"({"a":{"b":"v"}})", true},
            {"in", "t", R"({"in":["a","b"]})", R"({"t":"b"})", true},
            {"in with mixed types", "t", R"({"in":["a",1]})", R"({"t":1})", true},
            {"in with a list", "r", R"({"in":["a","b"]})", R"({"r":["x","b"]})", true},
            {"in with scope", "scope", R"({"in":["a","b"]})", R"({"scope":"x b"})", true},
            {"exists", "t", R"({"exists":true})", R"({"t":""})", true},
            {"exists with an object", "t", R"({"exists":true})", R"({"t":{}})", true},
            {"absent", "t", R"({"exists":false})", R"({"u":1})", true},
            {"null is absent", "t", R"({"exists":false})", R"({"t":null})", true},
            {"matches", "t", R"({"matches":"a.*"})", R"({"t":"abc"})", true},
            {"matches an element",
             "r",
             R"({"matches":"adm.*"})",
             R"({"r":["user","admin"]})",
             true},
            {"matches a number", "n", R"({"matches":"4.."})", R"({"n":404})", true},
            {"matches a word of scope",
             "scope",
             R"({"matches":"items:.*"})",
             R"({"scope":"x items:read"})",
             true},

            {"other text", "t", R"("a")", R"({"t":"b"})", false},
            {"other case", "t", R"("a")", R"({"t":"A"})", false},
            {"a part", "t", R"("a")", R"({"t":"ab"})", false},
            {"a word of another claim", "t", R"("a")", R"({"t":"a b"})", false},
            {"a part of a word of scope", "scope", R"("read")", R"({"scope":"readwrite"})", false},
            {"scope further in is no scope",
             "/a/scope",
             R"("b")",
             R"({"a":{"scope":"b c"}})",
             false},
            {"text is no number", "n", "1", R"({"n":"1"})", false},
            {"number is no text", "n", R"("1")", R"({"n":1})", false},
            {"number is no boolean", "b", "true", R"({"b":1})", false},
            {"text is no boolean", "b", "true", R"({"b":"true"})", false},
            {"absent claim", "t", R"("a")", R"({})", false},
            {"null claim", "t", R"("a")", R"({"t":null})", false},
            {"an object", "t", R"("a")", R"({"t":{"a":"a"}})", false},
            {"a list in a list", "t", R"("a")", R"({"t":[["a"]]})", false},
            {"an empty list", "t", R"("a")", R"({"t":[]})", false},
            {"not in", "t", R"({"in":["a","b"]})", R"({"t":"c"})", false},
            {"in and absent", "t", R"({"in":["a"]})", R"({})", false},
            {"exists and null", "t", R"({"exists":true})", R"({"t":null})", false},
            {"exists and absent", "t", R"({"exists":true})", R"({})", false},
            {"absent and there", "t", R"({"exists":false})", R"({"t":false})", false},
            {"matches a part only", "t", R"({"matches":"b"})", R"({"t":"abc"})", false},
            {"matches and absent", "t", R"({"matches":".*"})", R"({})", false},
            {"matches and an object", "t", R"({"matches":".*"})", R"({"t":{}})", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto condition = ClaimCondition::make(row.claim, json(row.wanted));
            REQUIRE(condition.has_value());
            CHECK(condition->holds(json(row.claims)) == row.holds);
        }
    }

    TEST_CASE("other forms are refused") {
        struct Row {
            const char* name;
            std::string claim;
            std::string wanted;
        };

        const Row rows[] = {
            {"no claim", "", R"("a")"},
            {"bad pointer", "/~x", R"("a")"},
            {"null", "t", "null"},
            {"a bare list", "t", R"(["a"])"},
            {"no operator", "t", "{}"},
            {"two operators", "t", R"({"exists":true,"matches":"a"})"},
            {"unknown operator", "t", R"({"equals":"a"})"},
            {"other case", "t", R"({"In":["a"]})"},
            {"in without a list", "t", R"({"in":"a"})"},
            {"in with nothing", "t", R"({"in":[]})"},
            {"in with null", "t", R"({"in":["a",null]})"},
            {"in with a list", "t", R"({"in":[["a"]]})"},
            {"exists with text", "t", R"({"exists":"true"})"},
            {"matches with a number", "t", R"({"matches":1})"},
            {"matches that is not RE2", "t", R"({"matches":"("})"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto condition = ClaimCondition::make(row.claim, json(row.wanted));
            REQUIRE_FALSE(condition.has_value());
            CHECK(condition.error().errc() == Errc::config_invalid);
        }
    }
}

}  // namespace claim_condition_test
