#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace json_test {

using namespace gatehouse;

TEST_SUITE("core/json") {
    TEST_CASE("text from outside that two readers could take differently is refused") {
        const struct {
            const char* name;
            std::string text;
            Errc want;
        } rows[] = {
            {"empty", "", Errc::json_syntax},
            {"white space only", " \n", Errc::json_syntax},
            {"cut object", R"({"a":1)", Errc::json_syntax},
            {"trailing data", R"({} {})", Errc::json_syntax},
            {"trailing comma", R"({"a":1,})", Errc::json_syntax},
            {"duplicate member", R"({"a":1,"a":2})", Errc::json_duplicate_key},
            {"duplicate member further down",
             R"([{"b":{"a":1,"c":[],"a":1}}])",
             Errc::json_duplicate_key},
            {"duplicate member by escape", R"({"a":1,"\u0061":2})", Errc::json_duplicate_key},
            {"byte order mark", "\xef\xbb\xbf{}", Errc::json_syntax},
            {"NaN", "NaN", Errc::json_syntax},
            {"number beyond a double", "1e400", Errc::json_syntax},
            {"negative number beyond a double", "[-1e999]", Errc::json_syntax},
            {"leading zero", "01", Errc::json_syntax},
            {"comment", "{} // x", Errc::json_syntax},
            {"single quotes", "{'a':1}", Errc::json_syntax},
            {"bad UTF-8", "\"\xff\"", Errc::json_syntax},
            {"lone surrogate", R"("\ud800")", Errc::json_syntax},
            {"control character in a string", "\"a\x01\"", Errc::json_syntax},
            {"NUL ends nothing", std::string("{}\0garbage", 10), Errc::json_syntax},
            {"NUL inside a string", std::string("\"a\0b\"", 5), Errc::json_syntax},
            {"too deep", std::string(40, '[') + std::string(40, ']'), Errc::json_too_deep},
            {"too deep and never closed", std::string(100000, '['), Errc::json_too_deep},
        };

        for (const auto& row : rows) {
            CAPTURE(row.name);
            const auto parsed = parse_json(row.text);
            REQUIRE_FALSE(parsed.has_value());
            CHECK(parsed.error().errc() == row.want);
        }
    }

    TEST_CASE("ordinary text is read as it stands") {
        const auto parsed = parse_json(R"({"a":[1,-2,3.5,true,null,"x\u00e9"],"b":{}})");
        REQUIRE(parsed.has_value());
        CHECK(dump_json(*parsed) == "{\"a\":[1,-2,3.5,true,null,\"x\xc3\xa9\"],\"b\":{}}");
        CHECK(parse_json(std::string(32, '[') + std::string(32, ']')).has_value());
    }

    TEST_CASE("a limit holds for the byte above it and not for the byte at it") {
        JsonLimits limits;
        limits.max_bytes = 4;
        CHECK(parse_json("\"ab\"", limits).has_value());
        CHECK(parse_json("\"abc\"", limits).error().errc() == Errc::json_too_large);
    }

    TEST_CASE("comments are read where they are allowed") {
        JsonLimits limits;
        limits.comments = true;
        CHECK(parse_json("{ // one\n \"a\": /* two */ 1 }", limits).has_value());
    }

    TEST_CASE("quoting never throws and never lets a value out of its string") {
        CHECK(quote_json("a\"b\\c\n") == R"("a\"b\\c\n")");
        CHECK(quote_json("\xff") == "\"\xef\xbf\xbd\"");
    }

    TEST_CASE("getters tell a missing member from one of the wrong type") {
        const auto parsed = parse_json(R"({"s":"x","n":1})");
        REQUIRE(parsed.has_value());
        CHECK(*get_string(*parsed, "s") == "x");
        CHECK(get_string(*parsed, "n").error().errc() == Errc::json_type);
        CHECK(get_string(*parsed, "m").error().errc() == Errc::json_missing);
        CHECK(find_member(Json(1), "m") == nullptr);
    }
}

}  // namespace json_test
