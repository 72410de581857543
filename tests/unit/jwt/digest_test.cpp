#include "gatehouse/jwt/digest.hpp"

#include <doctest/doctest.h>

#include <string>

namespace digest_test {

using namespace gatehouse::jwt;

TEST_SUITE("jwt/digest") {
    TEST_CASE("SHA-256 agrees with the examples of FIPS 180-4") {
        CHECK(to_hex(sha256("")) ==
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        CHECK(to_hex(sha256("abc")) ==
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        CHECK(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        CHECK(to_hex(sha256(std::string(1000000, 'a'))) ==
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }

    TEST_CASE("a short digest is the first eight hex digits") {
        CHECK(short_digest("abc") == "ba7816bf");
    }

    TEST_CASE("secrets are equal only when every byte is") {
        CHECK(equals_in_constant_time("", ""));
        CHECK(equals_in_constant_time("secret", "secret"));
        CHECK(equals_in_constant_time(std::string("a\0b", 3), std::string("a\0b", 3)));
        CHECK_FALSE(equals_in_constant_time("secret", "secreT"));
        CHECK_FALSE(equals_in_constant_time("secret", "Secret"));
        CHECK_FALSE(equals_in_constant_time("secret", "secret "));
        CHECK_FALSE(equals_in_constant_time("secret", "secre"));
        CHECK_FALSE(equals_in_constant_time("secret", ""));
        CHECK_FALSE(equals_in_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
    }
}

}  // namespace digest_test
