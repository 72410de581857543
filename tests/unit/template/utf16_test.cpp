#include "../../../src/template/utf16.hpp"

#include <doctest/doctest.h>

namespace utf16_test {

using namespace gatehouse::templates;

TEST_SUITE("template/utf16") {
    TEST_CASE("units are those of UTF-16 and a stray byte is one") {
        CHECK(utf16_length("") == 0);
        CHECK(utf16_length("abc") == 3);
        CHECK(utf16_length("\xc3\xbc\xe2\x82\xac") == 2);
        CHECK(utf16_length("\xf0\x9f\x98\x80") == 2);
        CHECK(utf16_length("\xff\xc3") == 2);
        CHECK(utf16_length("\xf0\x9f\x98") == 3);
    }

    TEST_CASE("offsets are bytes and none is inside a character") {
        const std::string_view text = "a\xc3\xbc\xf0\x9f\x98\x80z";
        CHECK(utf16_offset(text, 0) == 0);
        CHECK(utf16_offset(text, 1) == 1);
        CHECK(utf16_offset(text, 2) == 3);
        CHECK_FALSE(utf16_offset(text, 3).has_value());
        CHECK(utf16_offset(text, 4) == 7);
        CHECK(utf16_offset(text, 5) == 8);
        CHECK_FALSE(utf16_offset(text, 6).has_value());
    }
}

}  // namespace utf16_test
