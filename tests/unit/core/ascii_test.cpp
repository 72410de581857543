#include "gatehouse/core/ascii.hpp"

#include <doctest/doctest.h>

namespace ascii_test {

using namespace gatehouse;

TEST_SUITE("core/ascii") {
    TEST_CASE("UTF-8 is well formed by the table of Unicode and by nothing else") {
        const struct {
            const char* name;
            const char* text;
            bool want;
        } rows[] = {
            {"ASCII", "abc", true},
            {"two bytes", "\xc3\xa9", true},
            {"three bytes", "\xe2\x82\xac", true},
            {"four bytes", "\xf0\x9f\x98\x80", true},
            {"lone continuation", "\x80", false},
            {"cut sequence", "\xe2\x82", false},
            {"overlong slash", "\xc0\xaf", false},
            {"overlong of three", "\xe0\x80\xaf", false},
            {"overlong of four", "\xf0\x80\x80\xaf", false},
            {"surrogate", "\xed\xa0\x80", false},
            {"above U+10FFFF", "\xf4\x90\x80\x80", false},
            {"five bytes", "\xf8\x88\x80\x80\x80", false},
            {"Latin-1", "caf\xe9", false},
        };

        for (const auto& row : rows) {
            CAPTURE(row.name);
            CHECK(is_utf8(row.text) == row.want);
        }
    }

    TEST_CASE("header names fold as CGI-style upstreams fold them") {
        CHECK(equals_folded("X-Authorizer-userId", "x_authorizer_USERID"));
        CHECK_FALSE(equals_folded("X-Authorizer-userId", "X-Authorizer-userId2"));
        CHECK_FALSE(equals_ignoring_case("a-b", "a_b"));
    }

    TEST_CASE("outside bytes become printable and bounded") {
        CHECK(printable("a\r\nb\"\\\xff") == "a\\x0d\\x0ab\\x22\\x5c\\xff");
        CHECK(printable("abcdef", 3) == "abc…");
    }

    // Long texts are looked at by sixteen bytes.
    TEST_CASE("each byte is shown as it is or escaped, wherever it stands") {
        for (const std::size_t size : {1, 15, 16, 17, 40}) {
            for (std::size_t at = 0; at < size; ++at) {
                for (int byte = 0; byte < 256; ++byte) {
                    std::string text(size, 'x');
                    text[at] = static_cast<char>(byte);
                    const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
                    const std::string shown = printable(text, 100);
                    REQUIRE(shown.size() == (plain ? size : size + 3));
                    REQUIRE((shown == text) == plain);
                }
            }
        }
    }

    TEST_CASE("white space around a value is spaces and tabs") {
        CHECK(trim(" \t a b\t ") == "a b");
        CHECK(trim("\va") == "\va");
        CHECK(trim(" \t").empty());
    }
}

}  // namespace ascii_test
