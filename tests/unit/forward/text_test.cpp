#include "../../../src/forward/text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace text_test {

using namespace gatehouse;

namespace {

std::string encoded(std::string_view text, bool keep_escapes = false) {
    std::string out = "%kept%";
    out += text;
    keep_escapes ? forward::encode_rest_from(out, 6) : forward::encode_from(out, 6);
    CHECK(out.starts_with("%kept%"));
    return out.substr(6);
}

// The same, forwards and without care for speed.
std::string naive(std::string_view text, bool keep_escapes) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = keep_escapes && text[i] == '%' && i + 2 < text.size() &&
                            hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (is_unreserved(text[i]) || escape) {
            out += text[i];
        } else {
            const auto byte = static_cast<unsigned char>(text[i]);
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

}  // namespace

TEST_SUITE("forward/text") {
    TEST_CASE("encoding leaves unreserved characters alone") {
        CHECK(encoded("") == "");
        CHECK(encoded("aZ0-._~") == "aZ0-._~");
        CHECK(encoded("a/b?c#d%2F") == "a%2Fb%3Fc%23d%252F");
        CHECK(encoded("\xc3\xa9 \r\n") == "%C3%A9%20%0D%0A");
        CHECK(encoded("a%2Fb&c=d+e%zz%4", true) == "a%2Fb%26c%3Dd%2Be%25zz%254");
        CHECK(encoded("%%41", true) == "%25%41");
    }

    TEST_CASE("encoding in place is what encoding forwards gives") {
        std::mt19937 random(7);
        constexpr std::string_view kChars = "aF0%%%/&=+ \xc3\xa9~zG";
        for (int round = 0; round < 20000; ++round) {
            std::string text;
            for (auto n = random() % 12; n > 0; --n)
                text += kChars[random() % kChars.size()];
            CAPTURE(text);
            REQUIRE(encoded(text, false) == naive(text, false));
            REQUIRE(encoded(text, true) == naive(text, true));
        }
    }
}

}  // namespace text_test
