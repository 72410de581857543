#include "gatehouse/schema/schema.hpp"

#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

namespace schema_test {

using namespace gatehouse;

namespace {

Json parse(const char* text) {
    const auto json = parse_json(text, {.max_bytes = 1 << 24, .max_depth = 400});
    REQUIRE_MESSAGE(json.has_value(), text);
    return *json;
}

// The messages, or nothing.
std::string validate(const Json& model, const Json& instance) {
    const auto schema = schema::compile({{"Model", model}}, "Model");
    if (!schema) return "refused: " + schema.error().detail;
    std::string text;
    for (const schema::Failure& failure : schema->validate(instance))
        text += (text.empty() ? "" : "; ") + failure.message;
    return text;
}

}  // namespace

TEST_SUITE("schema/schema") {
    TEST_CASE("each keyword of draft 4 is enforced") {
        struct Row {
            const char* schema;
            const char* good;
            const char* bad;
            const char* words;  ///< of the message
        };

        const Row rows[] = {
            {R"({"type":"string"})", R"("a")", "1", "instance type (integer) does not match"},
            {R"({"type":"integer"})", "1", "1.0", "instance type (number)"},
            {R"({"type":"integer"})", "18446744073709551615", "\"1\"", "(string)"},
            {R"({"type":"number"})", "1", "null", "instance type (null)"},
            {R"({"type":"number"})", "1.5", "[]", "instance type (array)"},
            {R"({"type":["string","null"]})", "null", "true", R"(["null","string"])"},
            {R"({"enum":["a",1,{"b":[2]}]})", R"({"b":[2]})", R"("b")", "not found in enum"},
            {R"({"enum":[1]})", "1.0", "2", "possible values: [1]"},
            {R"({"minimum":3})", "3", "2.9", "lower than the required minimum (minimum: 3"},
            {R"({"minimum":3,"exclusiveMinimum":true})", "3.1", "3", "not strictly greater"},
            {R"({"maximum":3})", "3", "4", "greater than the required maximum"},
            {R"({"maximum":3,"exclusiveMaximum":true})", "2", "3", "not strictly lower"},
            {R"({"maximum":9007199254740992})",
             "9007199254740992",
             "9007199254740993",
             "greater than"},
            {R"({"multipleOf":0.01})", "4.02", "4.021", "not a multiple"},
            {R"({"multipleOf":3})", "-9", "10", "not a multiple"},
            {R"({"multipleOf":18446744073709551615})",
             "0",
             "-9223372036854775808",
             "not a multiple"},
            {R"({"minLength":2})", R"("äö")", R"("ä")", "is too short (length: 1"},
            {R"({"maxLength":2})", R"("äö")", R"("abc")", "maximum allowed: 2"},
            {R"({"pattern":"^a+$"})", R"("aa")", R"("ab")", "ECMA 262 regex"},
            {R"({"pattern":"b"})", R"("abc")", R"("ac")", "ECMA 262 regex"},
            {R"({"format":"date-time"})",
             R"("2024-02-29T23:59:60Z")",
             R"("2023-02-29T00:00:00Z")",
             "is no date-time"},
            {R"({"format":"email"})", R"("a.b@c.de")", R"("a@b@c")", "is no email"},
            {R"({"format":"ipv4"})", R"("127.0.0.1")", R"("256.0.0.1")", "is no ipv4"},
            {R"({"format":"ipv6"})", R"("::1")", R"("1::2::3")", "is no ipv6"},
            {R"({"format":"ipv6"})", R"("::ffff:1.2.3.4")", R"("1:2:3")", "is no ipv6"},
            {R"({"format":"hostname"})", R"("a-b.c")", R"("-a")", "is no hostname"},
            {R"({"format":"uri"})", R"("http://a/b?c")", R"("/a b")", "is no uri"},
            {R"({"format":"uuid"})",
             R"("7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0")",
             R"("7c2af7db")",
             "is no uuid"},
            {R"({"format":"int64"})", "1", "", ""},
            {R"({"minItems":1})", "[1]", "[]", "must have at least 1 elements"},
            {R"({"maxItems":1})", "[1]", "[1,2]", "must have at most 1 elements"},
            {R"({"uniqueItems":true})", R"([1,"1",[1],{"a":1}])", "[1,1.0]", "duplicate"},
            {R"({"uniqueItems":true})", "[[1,2],[2,1]]", R"([{"a":1},{"a":1}])", "duplicate"},
            {R"({"items":{"type":"integer"}})", "[1,2]", "[1,true]", "instance type (boolean)"},
            {R"({"items":[{"type":"integer"}]})", "[1,true]", "[true]", "instance type (boolean)"},
            {R"({"items":[{}],"additionalItems":false})", "[1]", "[1,2]", "array only allows 1"},
            {R"({"items":[{}],"additionalItems":{"type":"string"}})",
             R"([1,"a"])",
             "[1,2]",
             "instance type (integer)"},
            {R"({"required":["a"]})",
             R"({"a":null})",
             R"({"b":1})",
             R"(object has missing required properties (["a"]))"},
            {R"({"properties":{"a":{"type":"string"}}})", R"({"a":"x"})", R"({"a":1})", "integer"},
            {R"({"properties":{"a":{}},"additionalProperties":false})",
             R"({"a":1})",
             R"({"foo":1})",
             R"(properties which are not allowed by the schema: ["foo"])"},
            {R"({"additionalProperties":{"type":"string"}})", R"({"a":"x"})", R"({"a":1})", "type"},
            {R"({"patternProperties":{"^x":{"type":"string"}},"additionalProperties":false})",
             R"({"xy":"a"})",
             R"({"xy":1})",
             "type"},
            {R"({"minProperties":1})", R"({"a":1})", "{}", "too few properties"},
            {R"({"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})", "too many properties"},
            {R"({"dependencies":{"a":["b"]}})",
             R"({"a":1,"b":1})",
             R"({"a":1})",
             "missing property dependencies"},
            {R"({"dependencies":{"a":{"required":["b"]}}})", "{}", R"({"a":1})", "missing"},
            {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "1", "3", "matched only 1 out of 2"},
            {R"({"anyOf":[{"type":"string"},{"minimum":2}]})", "2", "1", "at least one required"},
            {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "1", "3", "matched 2 out of 2"},
            {R"({"not":{"type":"string"}})", "1", R"("a")", "which it should not have"},
            {R"({"definitions":{"a/b":{"type":"string"}},"properties":{"x":{"$ref":"#/definitions/a~1b"}}})",
             R"({"x":"a"})",
             R"({"x":1})",
             "type"},
            {R"({"properties":{"next":{"$ref":"#"}},"required":["v"]})",
             R"({"v":1,"next":{"v":2}})",
             R"({"v":1,"next":{}})",
             "missing required"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.schema);
            CAPTURE(row.bad);
            CHECK(validate(parse(row.schema), parse(row.good)) == "");
            if (*row.bad == '\0') continue;
            const std::string found = validate(parse(row.schema), parse(row.bad));
            CAPTURE(found);
            CHECK(found.find(row.words) != std::string::npos);
            CHECK(found.find("refused") == std::string::npos);
            CHECK_FALSE(found.empty());
        }
    }

    TEST_CASE("the text of several faults is what the service shows") {
        CHECK(validate(parse(R"({"required":["bar"],"additionalProperties":false})"),
                       parse(R"({"foo":1})")) ==
              "object has missing required properties ([\"bar\"]); object instance has properties "
              "which are not allowed by the schema: [\"foo\"]");
    }

    TEST_CASE("what would not be enforced is refused with its place") {
        struct Row {
            const char* schema;
            const char* words;
        };

        const Row rows[] = {
            {R"({"const":1})", "/const: belongs to a later draft"},
            {R"({"properties":{"a":{"nullable":true}}})", "/properties/a/nullable: belongs to"},
            {R"({"if":{},"then":{}})", "later draft"},
            {R"({"requird":["a"]})", "/requird: is no keyword"},
            {R"({"type":"text"})", "/type: allowed: array"},
            {R"({"type":[]})", "empty list"},
            {R"({"required":true})", "/required: must be a list"},
            {R"({"required":[]})", "/required: must be a list"},
            {R"({"minimum":"1"})", "must be a number"},
            {R"({"exclusiveMinimum":1})", "true or false in draft 4"},
            {R"({"exclusiveMinimum":true})", "would be ignored without \"minimum\""},
            {R"({"multipleOf":0})", "above 0"},
            {R"({"minLength":-1})", "whole number"},
            {R"({"minLength":1.5})", "whole number"},
            {R"x({"pattern":"(?=a)"})x", "/pattern: is no regular expression"},
            {R"x({"pattern":"(a)\\1"})x", "linear time"},
            {R"x({"patternProperties":{"(?<!a)":{}}})x", "linear time"},
            {R"({"format":"phone"})", "/format: \"phone\" would not be checked"},
            {R"({"additionalItems":false})", "would be ignored unless"},
            {R"({"$schema":"http://json-schema.org/draft-07/schema#"})", "models are of draft 4"},
            {R"({"properties":{"a":{"id":"x"}}})", "/properties/a/id: is no keyword"},
            {R"({"$ref":"#/definitions/none"})", "/$ref: there is nothing at"},
            {R"({"$ref":"http://example.com/schema"})", "/$ref: "},
            {R"({"$ref":"other.json"})", "is not supported"},
            {R"({"$ref":"https://apigateway.amazonaws.com/restapis/a/models/Gone"})",
             "there is no model \"Gone\""},
            {R"({"definitions":{"a":{}},"$ref":"#/definitions/a","required":["b"]})",
             "/required: would be ignored"},
            {R"({"items":5})", "/items: a schema is an object"},
            {R"({"allOf":[]})", "/allOf: must be a list"},
            {R"({"enum":[]})", "/enum: must be a list"},
            {R"({"dependencies":[]})", "must be an object"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.schema);
            const std::string found = validate(parse(row.schema), Json(1));
            CAPTURE(found);
            CHECK(found.starts_with("refused: "));
            CHECK(found.find(row.words) != std::string::npos);
        }
    }

    TEST_CASE("a model may refer to another one") {
        const std::map<std::string, Json> models = {
            {"Pet", parse(R"({"type":"object","required":["name"]})")},
            {"Pets",
             parse(
                 R"({"items":{"$ref":"https://apigateway.amazonaws.com/restapis/abc/models/Pet"}})")}};
        const auto schema = schema::compile(models, "Pets");
        REQUIRE(schema.has_value());
        CHECK(schema->validate(parse(R"([{"name":1}])")).empty());
        const auto failures = schema->validate(parse(R"([{"name":1},{}])"));
        REQUIRE(failures.size() == 1);
        CHECK(failures[0].pointer == "/1");
        CHECK(failures[0].keyword == "required");
        CHECK_FALSE(schema::compile(models, "None").has_value());
    }

    TEST_CASE("no model and no body can cost more than is allowed") {
        // References in a circle end, and never as a pass, inside "not" either.
        for (const char* circle : {R"({"$ref":"#"})",
                                   R"({"not":{"$ref":"#"}})",
                                   R"({"anyOf":[{"not":{"$ref":"#"}},{"type":"string"}]})",
                                   R"({"not":{"not":{"$ref":"#"}}})"}) {
            CAPTURE(circle);
            CHECK(validate(parse(circle), Json(1)).find("more work") != std::string::npos);
        }
        // 2^n applications.
        Json doubling = {{"$ref", "#/definitions/d30"},
                         {"definitions", {{"d0", {{"type", "object"}}}}}};
        for (int i = 1; i <= 30; ++i) {
            const Json below = {{"$ref", "#/definitions/d" + std::to_string(i - 1)}};
            doubling["definitions"]["d" + std::to_string(i)]["anyOf"] = Json::array({below, below});
        }
        CHECK(validate(doubling, Json(1)).find("more work") != std::string::npos);
        // Each element with each other would be 4e10.
        Json many = Json::array();
        for (int i = 0; i < 200000; ++i)
            many.push_back(i);
        CHECK(validate(parse(R"({"uniqueItems":true})"), many) == "");
        many.push_back(0);
        CHECK(validate(parse(R"({"uniqueItems":true})"), many).find("duplicate") !=
              std::string::npos);
        // A long text in a pattern that is exponential elsewhere.
        CHECK(validate(parse(R"({"pattern":"^(a+)+$"})"), Json(std::string(1000000, 'a') + "b"))
                  .find("ECMA") != std::string::npos);
        // Faults without end are told up to a bound.
        const auto schema = schema::compile({{"M", parse(R"({"items":{"type":"string"}})")}}, "M");
        CHECK(schema->validate(many).size() == limits::kSchemaFailures);
    }

    TEST_CASE("unequal numbers that a double cannot tell apart are sorted all the same") {
        CHECK(validate(parse(R"({"uniqueItems":true})"),
                       parse("[9007199254740992,9007199254740993,9007199254740994]")) == "");
        CHECK(validate(parse(R"({"uniqueItems":true})"),
                       parse("[9007199254740993,9007199254740992.0,9007199254740992]"))
                  .find("duplicate") != std::string::npos);
    }
}

}  // namespace schema_test
