#include "gatehouse/jwt/seal.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace seal_test {

using namespace gatehouse::jwt;

namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_SUITE("jwt/seal") {
    TEST_CASE("HKDF agrees with RFC 5869 A.1 and A.3") {
        std::string salt;
        for (char c = 0; c <= 0x0c; ++c)
            salt += c;
        const std::string secret(22, '\x0b');
        CHECK(to_hex(hkdf_sha256(secret, salt, "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9")) ==
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
        CHECK(to_hex(hkdf_sha256(secret, "", "")) ==
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    }

    TEST_CASE("what is sealed opens under its name and secret") {
        const Seal seal(kSecret);
        for (const std::string& text :
             {std::string(), std::string("x"), std::string("a\0b", 3), std::string(100000, 'y')}) {
            const std::string sealed = seal.seal("name", text);
            CHECK(sealed.size() == text.size() + 29);
            CHECK(seal.open("name", sealed) == text);
            CHECK(Seal(kSecret).open("name", sealed) == text);
        }
    }

    TEST_CASE("nothing else opens") {
        const Seal seal(kSecret);
        const std::string text = R"({"principalId":"alice"})";
        const std::string sealed = seal.seal("name", text);
        CHECK(sealed.find("alice") == std::string::npos);
        for (std::size_t i = 0; i < sealed.size(); ++i) {
            for (const char mask : {'\x01', '\x80'}) {
                CAPTURE(i);
                std::string changed = sealed;
                changed[i] = static_cast<char>(changed[i] ^ mask);
                CHECK_FALSE(seal.open("name", changed));
            }
        }
        for (std::size_t length = 0; length < sealed.size(); ++length) {
            CAPTURE(length);
            CHECK_FALSE(seal.open("name", sealed.substr(0, length)));
        }
        CHECK_FALSE(seal.open("name", sealed + "x"));
        CHECK_FALSE(seal.open("name", text));
        CHECK_FALSE(seal.open("other", sealed));
        CHECK_FALSE(seal.open("", sealed));
        CHECK_FALSE(Seal(kSecret + "x").open("name", sealed));
    }

    TEST_CASE("the same text is never sealed alike") {
        const Seal seal(kSecret);
        std::set<std::string> seen;
        for (int i = 0; i < 100; ++i)
            seen.insert(seal.seal("name", "text"));
        CHECK(seen.size() == 100);
    }

    TEST_CASE("names tell all that they are made of apart") {
        const Seal seal(kSecret);
        const std::string name = seal.name({"entry", "ab", "c"});
        CHECK(name.size() == 43);
        CHECK(name == Seal(kSecret).name({"entry", "ab", "c"}));
        CHECK(name != Seal(kSecret + "x").name({"entry", "ab", "c"}));
        CHECK(name != seal.name({"entry", "a", "bc"}));
        CHECK(name != seal.name({"entry", "abc"}));
        CHECK(name != seal.name({"entry", "ab", "c", ""}));
        CHECK(seal.name({"1", ":a"}) != seal.name({"1:", "a"}));
    }
}

}  // namespace seal_test
