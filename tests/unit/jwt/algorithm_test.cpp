#include "gatehouse/jwt/algorithm.hpp"

#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>

namespace algorithm_test {

using namespace gatehouse::jwt;

TEST_SUITE("jwt/algorithm") {
    TEST_CASE("every algorithm is found by its own name") {
        for (const Algorithm algorithm : test::kAll) {
            CAPTURE(to_string(algorithm));
            CHECK(find_algorithm(to_string(algorithm)) == algorithm);
        }
        CHECK(std::size(test::kAll) == kAlgorithmCount);
    }

    TEST_CASE("none and HMAC and odd spellings do not exist") {
        for (const std::string_view name :
             {"none",  "None",    "NONE",  "nOnE",     "",        " ",     "HS256",  "HS384",
              "HS512", "rs256",   "Rs256", "RS256 ",   "RS256\n", "RS1",   "ES256K", "ES521",
              "EDDSA", "Ed25519", "Ed448", "RSA-OAEP", "dir",     "A128KW"}) {
            CAPTURE(name);
            CHECK_FALSE(find_algorithm(name).has_value());
        }
        CHECK_FALSE(find_algorithm(std::string_view("RS256\0", 6)).has_value());
    }

    TEST_CASE("a set names its members in a fixed order") {
        AlgorithmSet set;
        CHECK(set.empty());
        CHECK(set.to_string().empty());
        set.add(Algorithm::eddsa);
        set.add(Algorithm::rs256);
        set.add(Algorithm::es256);
        set.add(Algorithm::rs256);
        CHECK(set.to_string() == "RS256, ES256, EdDSA");
        CHECK(set.has(Algorithm::es256));
        CHECK_FALSE(set.has(Algorithm::rs384));
        CHECK_FALSE(set.empty());
    }
}

}  // namespace algorithm_test
