#include "gatehouse/core/base64url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace base64url_test {

using namespace gatehouse;

TEST_SUITE("core/base64url") {
    TEST_CASE("every value has exactly one spelling") {
        const struct {
            const char* name;
            const char* text;
        } refused[] = {
            {"one character", "A"},
            {"five characters", "AAAAA"},
            {"padding", "QQ=="},
            {"plus", "a+b_"},
            {"slash", "a/b_"},
            {"space", "QQ Q"},
            {"line end", "QUI\n"},
            {"unused bits of two", "QR"},
            {"unused bits of three", "QUJ"},
            {"high byte", "QU\xc3\xa9"},
            {"padding inside", "Q=Q="},
            {"dot", "QU.I"},
        };

        for (const auto& row : refused) {
            CAPTURE(row.name);
            const auto decoded = decode_base64url(row.text);
            REQUIRE_FALSE(decoded.has_value());
            CHECK(decoded.error().errc() == Errc::base64_invalid);
        }
    }

    TEST_CASE("what is encoded decodes to itself") {
        std::string bytes;
        for (int i = 0; i < 300; ++i) {
            const std::string text = encode_base64url(bytes);
            const auto decoded = decode_base64url(text);
            REQUIRE(decoded.has_value());
            REQUIRE(*decoded == bytes);
            bytes += static_cast<char>(i * 7);
        }
    }

    TEST_CASE("the alphabets are those of RFC 4648") {
        CHECK(encode_base64url("\xfb\xff\xfe") == "-__-");
        CHECK(encode_base64("\xfb\xff\xfe") == "+//+");
        CHECK(encode_base64("f") == "Zg==");
        CHECK(encode_base64url("f") == "Zg");
    }

    TEST_CASE("standard base64 is decoded with whole padding or none") {
        struct Row {
            const char* text;
            const char* bytes;  // nullptr: refused
        };

        const Row rows[] = {
            {"", ""},
            {"Zg==", "f"},
            {"Zg", "f"},
            {"Zm8=", "fo"},
            {"Zm9v", "foo"},
            {"+//+", "\xfb\xff\xfe"},
            {"-__-", nullptr},
            {"Zg=", nullptr},
            {"Zg===", nullptr},
            {"Z===", nullptr},
            {"====", nullptr},
            {"=", nullptr},
            {"Z", nullptr},
            {"Zh==", nullptr},
            {"Zm9v\n", nullptr},
            {"Zm 9v", nullptr},
            {"Zm=9v", nullptr},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            const auto decoded = decode_base64(row.text);
            REQUIRE(decoded.has_value() == (row.bytes != nullptr));
            if (decoded) CHECK(*decoded == row.bytes);
            if (!decoded) CHECK(decoded.error().errc() == Errc::base64_invalid);
        }
    }
}

}  // namespace base64url_test
