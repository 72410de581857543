#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
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
            {"an exponent beyond all", "0e99999999999", Errc::json_syntax},
            {"negative number beyond a double", "[-1e999]", Errc::json_syntax},
            {"leading zero", "01", Errc::json_syntax},
            {"comment", "{} // x", Errc::json_syntax},
            {"single quotes", "{'a':1}", Errc::json_syntax},
            {"bad UTF-8", "\"\xff\"", Errc::json_syntax},
            {"lone surrogate", R"("\ud800")", Errc::json_syntax},
            {"control character in a string", "\"a\x01\"", Errc::json_syntax},
            {"NUL ends nothing", std::string("{}\0garbage", 10), Errc::json_syntax},
            {"NUL inside a string", std::string("\"a\0b\"", 5), Errc::json_syntax},
            {"text behind a NUL behind the document", std::string("1\0", 2), Errc::json_syntax},
            {"bare words", "[true, nul]", Errc::json_syntax},
            {"no name", "{1:2}", Errc::json_syntax},
            {"no colon", R"({"a" 1})", Errc::json_syntax},
            {"a plus sign", "+1", Errc::json_syntax},
            {"a bare point", "[.5]", Errc::json_syntax},
            {"a point at the end", "[5.]", Errc::json_syntax},
            {"an exponent without digits", "1e", Errc::json_syntax},
            {"a minus alone", "-", Errc::json_syntax},
            {"hexadecimal", "0x10", Errc::json_syntax},
            {"bad escape", R"("\q")", Errc::json_syntax},
            {"cut escape", R"("\u12")", Errc::json_syntax},
            {"low surrogate first", R"("\ude00\ud83d")", Errc::json_syntax},
            {"surrogate in UTF-8", "\"\xed\xa0\x80\"", Errc::json_syntax},
            {"overlong UTF-8", "\"\xc0\xaf\"", Errc::json_syntax},
            {"UTF-8 above U+10FFFF", "\"\xf4\x90\x80\x80\"", Errc::json_syntax},
            {"cut UTF-8", "\"\xe2\x82\"", Errc::json_syntax},
            {"form feed as white space", "\f1", Errc::json_syntax},
            {"duplicate empty name", R"({"":1,"":2})", Errc::json_duplicate_key},
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

    TEST_CASE("a number keeps its kind and its value to the last bit") {
        const struct {
            const char* text;
            Json want;
        } rows[] = {
            {"0", 0U},
            {"-0", 0},
            {"42", 42U},
            {"-42", -42},
            {"9223372036854775808", 9223372036854775808U},
            {"18446744073709551615", 18446744073709551615U},
            {"18446744073709551616", 18446744073709551616.0},
            {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
            {"-9223372036854775809", -9223372036854775809.0},
            {"1.0", 1.0},
            {"-0.0", -0.0},
            {"0.1", 0.1},
            {"1764324000.123", 1764324000.123},
            {"9007199254740993.0", 9007199254740993.0},
            {"0.30000000000000004", 0.30000000000000004},
            {"179769313486231570000e288", 1.7976931348623157e308},
            {"2.2250738585072011e-308", 2.2250738585072011e-308},
            {"5e-324", 5e-324},
            {"1e-400", 0.0},
            {"-1e-400", -0.0},
            {"0e400", 0.0},
            {"1E+2", 100.0},
        };

        for (const auto& row : rows) {
            CAPTURE(row.text);
            // Alone, at the end of a list, and before white space.
            for (const std::string& text : {std::string(row.text), std::string(row.text) + " \n"}) {
                const auto parsed = parse_json(text);
                REQUIRE(parsed.has_value());
                CHECK(*parsed == row.want);
                CHECK(parsed->type() == row.want.type());
                if (row.want.is_number_float())
                    CHECK(std::signbit(parsed->get<double>()) ==
                          std::signbit(row.want.get<double>()));
            }
            const auto listed = parse_json('[' + std::string(row.text) + ']');
            REQUIRE(listed.has_value());
            CHECK((*listed)[0] == row.want);
        }
    }

    TEST_CASE("texts come whole, whatever they are made of") {
        const std::string kilobyte(1024, 'x');

        const struct {
            std::string text;
            std::string want;
        } rows[] = {
            {R"("")", ""},
            {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
            {R"("\u0000")", std::string(1, '\0')},
            {R"("a\u0000b")", std::string("a\0b", 3)},
            {R"("\ud83d\ude00")", "\xf0\x9f\x98\x80"},
            {R"("\u00e9x\u00E9")", "\xc3\xa9x\xc3\xa9"},
            {'"' + kilobyte + '"', kilobyte},
            {'"' + kilobyte + "\\n" + kilobyte + '"', kilobyte + '\n' + kilobyte},
            // More than a parser's own buffer for what has escapes.
            {"\"\\t" + kilobyte + kilobyte + kilobyte + kilobyte + kilobyte + '"',
             '\t' + kilobyte + kilobyte + kilobyte + kilobyte + kilobyte},
        };

        for (const auto& row : rows) {
            CAPTURE(row.text);
            const auto value = parse_json(row.text);
            REQUIRE(value.has_value());
            CHECK(value->get_ref<const std::string&>() == row.want);
            // As a name too, and one text leaves nothing behind for the next.
            const auto named = parse_json("{" + row.text + ":[\"1\"," + row.text + ",\"2\"]}");
            REQUIRE(named.has_value());
            CHECK(*named == Json{{row.want, {"1", row.want, "2"}}});
        }
    }

    TEST_CASE("the byte that is wrong is counted from one") {
        CHECK(parse_json("[1,x]").error().detail == "at byte 4");
        CHECK(parse_json("{} {").error().detail == "at byte 4");
        CHECK(parse_json("[1e999]").error().detail.starts_with("at byte "));
        CHECK(parse_json("[1e999]").error().detail.ends_with(": number out of range"));
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
        CHECK_FALSE(parse_json("[1, // one\n]", limits).has_value());
        CHECK_FALSE(parse_json("[1]/", limits).has_value());
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
