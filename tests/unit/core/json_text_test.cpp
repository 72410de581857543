#include "gatehouse/core/json_text.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace json_text_test {

using namespace gatehouse;

namespace {

std::string quoted(std::string_view text, JsonCharset charset) {
    std::string out = "kept";
    append_json_string(text, out, charset);
    CHECK(out.starts_with("kept"));
    return out.substr(4);
}

}  // namespace

TEST_SUITE("core/json_text") {
    TEST_CASE("a string is escaped where JSON asks for it and nowhere else") {
        struct Row {
            const char* name;
            std::string_view text;
            std::string_view utf8;
            std::string_view ascii;
        };

        const Row rows[] = {
            {"empty", "", R"("")", R"("")"},
            {"plain", "a/b 'c'", R"("a/b 'c'")", R"("a/b 'c'")"},
            {"quotes and controls",
             "a\"b\\c\n\x7f",
             R"("a\"b\\c\u000a\u007f")",
             R"("a\"b\\c\u000a\u007f")"},
            {"NUL", {"a\0b", 3}, R"("a\u0000b")", R"("a\u0000b")"},
            {"two to four bytes",
             "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
             "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
             R"("\u00e9\u20ac\ud83d\ude00")"},
            {"no UTF-8",
             "a\xff"
             "b\xc3",
             "\"a\xef\xbf\xbd"
             "b\xef\xbf\xbd\"",
             R"("a\ufffdb\ufffd")"},
            {"a surrogate",
             "\xed\xa0\x80",
             "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
             R"("\ufffd\ufffd\ufffd")"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(quoted(row.text, JsonCharset::utf8) == row.utf8);
            CHECK(quoted(row.text, JsonCharset::ascii) == row.ascii);
        }
    }

    TEST_CASE("any bytes give valid JSON and text reads back as it was") {
        std::mt19937 random(11);
        constexpr std::string_view kChars =
            "a\"\\\n\x01\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed";
        for (int round = 0; round < 20000; ++round) {
            std::string text;
            for (auto n = random() % 12; n > 0; --n)
                text += kChars[random() % kChars.size()];
            for (const JsonCharset charset : {JsonCharset::utf8, JsonCharset::ascii}) {
                const auto parsed = parse_json(quoted(text, charset));
                REQUIRE(parsed.has_value());
                REQUIRE(parsed->get<std::string>() == make_utf8(text));
                if (is_utf8(text)) REQUIRE(parsed->get<std::string>() == text);
            }
        }
    }

    TEST_CASE("members are parted by commas") {
        std::string out;
        JsonMembers members(out);
        members.text("a", "x\"");
        members.raw("b", "null");
        members.number("c", std::numeric_limits<std::int64_t>::min());
        members.name("d") += "[]";
        members.end();
        CHECK(out == R"({"a":"x\"","b":null,"c":-9223372036854775808,"d":[]})");
        out.clear();
        JsonMembers(out).end();
        CHECK(out == "{}");
    }
}

}  // namespace json_text_test
