#include "gatehouse/jwt/jwks.hpp"

#include "gatehouse/core/limits.hpp"
#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <functional>

namespace jwks_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

// RFC 7638 3.1.
const Json kRsa = {{"kty", "RSA"},
                   {"kid", "2011-04-29"},
                   {"alg", "RS256"},
                   {"e", "AQAB"},
                   {"n",
                    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhD"
                    "R1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n"
                    "9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
                    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrd"
                    "kt-bFTWhAI4vMQFh6"
                    "WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}};

const Json kP256 = {{"kty", "EC"},
                    {"kid", "ec"},
                    {"crv", "P-256"},
                    {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                    {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};

const Json kEd25519 = {{"kty", "OKP"},
                       {"kid", "ed"},
                       {"crv", "Ed25519"},
                       {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};

std::string set_of(const std::vector<Json>& keys) {
    return Json{{"keys", keys}}.dump();
}

Json with(Json jwk, const char* member, Json value) {
    jwk[member] = std::move(value);
    return jwk;
}

Json without(Json jwk, const char* member) {
    jwk.erase(member);
    return jwk;
}

std::string modulus(std::size_t bytes, char first = '\xff', char last = '\x01') {
    std::string number(bytes, '\x5a');
    number.front() = first;
    number.back() = last;
    return encode_base64url(number);
}

std::string exponent(std::string_view bytes) {
    return encode_base64url(bytes);
}

}  // namespace

TEST_SUITE("jwt/jwks") {
    TEST_CASE("a set of RSA and EC and Ed25519 keys is read") {
        const auto set = parse_key_set(set_of({kRsa, kP256, kEd25519})).value();
        REQUIRE(set->keys.size() == 3);
        CHECK(set->skipped.empty());
        CHECK(set->keys[0]->kid() == "2011-04-29");
        CHECK(set->keys[0]->thumbprint() ==
              "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");  // RFC 7638 3.1
        CHECK(set->keys[2]->thumbprint() ==
              "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // RFC 8037 A.3
        CHECK(set->keys[0]->describe() == "RSA 2048 RS256 kid=2011-04-29");
        CHECK(set->keys[1]->describe() == "EC P-256 ES256 kid=ec");
        CHECK(set->keys[2]->describe() == "OKP Ed25519 EdDSA kid=ed");
        CHECK(set->has_thumbprint("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
        CHECK_FALSE(set->has_thumbprint("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4"));
        CHECK_FALSE(set->has_thumbprint(""));
    }

    TEST_CASE("a key without alg fits every algorithm of its type") {
        const auto set =
            parse_key_set(set_of({without(without(kRsa, "alg"), "kid"), kP256})).value();
        CHECK(set->keys[0]->describe() ==
              "RSA 2048 RS256, RS384, RS512, PS256, PS384, PS512 without kid");
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            CHECK(set->keys[0]->fits(algorithm) == (algorithm <= Algorithm::ps512));
            CHECK(set->keys[1]->fits(algorithm) == (algorithm == Algorithm::es256));
        }
    }

    TEST_CASE("an unusable key is skipped with a reason and the good one stays") {
        const struct {
            std::string_view name;
            Json jwk;
            const char* reason;
        } kRows[] = {
            {"not an object", "RSA", "not an object"},
            {"no kty", without(kRsa, "kty"), "kty"},
            {"kty a number", with(kRsa, "kty", 1), "kty"},
            {"kty in lower case", with(kRsa, "kty", "rsa"), "kty"},
            {"unknown kty", with(kRsa, "kty", "AKP"), "AKP"},
            {"symmetric", {{"kty", "oct"}, {"k", "c2VjcmV0"}, {"alg", "HS256"}}, "symmetric"},
            {"kid a number", with(kRsa, "kid", 1), "kid"},
            {"kid null", with(kRsa, "kid", nullptr), "kid"},
            {"for encryption", with(kRsa, "use", "enc"), "use"},
            {"use a list", with(kRsa, "use", {"sig"}), "use"},
            {"key_ops without verify", with(kRsa, "key_ops", {"encrypt", "sign"}), "key_ops"},
            {"key_ops empty", with(kRsa, "key_ops", Json::array()), "key_ops"},
            {"key_ops a string", with(kRsa, "key_ops", "verify"), "key_ops"},
            {"key_ops an object", with(kRsa, "key_ops", {{"verify", "verify"}}), "key_ops"},
            {"alg for encryption", with(kRsa, "alg", "RSA-OAEP"), "RSA-OAEP"},
            {"alg HS256", with(kRsa, "alg", "HS256"), "HS256"},
            {"alg none", with(kRsa, "alg", "none"), "none"},
            {"alg a number", with(kRsa, "alg", 256), "alg"},
            {"RSA with alg ES256", with(kRsa, "alg", "ES256"), "ES256"},
            {"P-256 with alg ES384", with(kP256, "alg", "ES384"), "ES384"},
            {"Ed25519 with alg ES256", with(kEd25519, "alg", "ES256"), "ES256"},
            {"n missing", without(kRsa, "n"), "n is missing"},
            {"e missing", without(kRsa, "e"), "e is missing"},
            {"n a number", with(kRsa, "n", 65537), "n is missing"},
            {"n empty", with(kRsa, "n", ""), "n is not base64url"},
            {"n padded", with(kRsa, "n", kRsa["n"].get<std::string>() + "="), "n is not base64url"},
            {"n in hexadecimal with spaces", with(kRsa, "n", "ab cd"), "n is not base64url"},
            {"n of 1024 bits", with(kRsa, "n", modulus(128)), "1024 bits"},
            {"n of 2047 bits", with(kRsa, "n", modulus(256, '\x7f')), "2047 bits"},
            {"n of 8200 bits", with(kRsa, "n", modulus(1025)), "8200 bits"},
            {"n of 100 kB", with(kRsa, "n", modulus(100000)), "too large"},
            {"n even", with(kRsa, "n", modulus(256, '\xff', '\x02')), "even"},
            {"n zero", with(kRsa, "n", exponent(std::string(256, '\0'))), "0 bits"},
            {"e of one", with(kRsa, "e", exponent("\x01")), "exponent"},
            {"e of zero", with(kRsa, "e", "AA"), "exponent"},
            {"e of two", with(kRsa, "e", exponent("\x02")), "exponent"},
            {"e even", with(kRsa, "e", exponent(std::string("\x01\x00\x00", 3))), "exponent"},
            {"e of 34 bits",
             with(kRsa, "e", exponent(std::string("\x02\x00\x00\x00\x01", 5))),
             "exponent"},
            {"e as long as n", with(kRsa, "e", kRsa["n"]), "exponent"},
            {"crv missing", without(kP256, "crv"), "crv"},
            {"crv unknown", with(kP256, "crv", "secp256k1"), "secp256k1"},
            {"crv in OpenSSL's words", with(kP256, "crv", "prime256v1"), "prime256v1"},
            {"crv of another size", with(kP256, "crv", "P-384"), "not 48"},
            {"crv Ed25519 on EC", with(kP256, "crv", "Ed25519"), "Ed25519"},
            {"y missing", without(kP256, "y"), "y is missing"},
            {"x one byte short",
             with(kP256, "x", encode_base64url(std::string(31, 'x'))),
             "31 bytes"},
            {"x one byte long",
             with(kP256, "x", encode_base64url(std::string(33, '\0'))),
             "33 bytes"},
            {"point off the curve",
             with(kP256, "y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a8"),
             "not on P-256"},
            {"point of zeros",
             with(with(kP256, "x", encode_base64url(std::string(32, '\0'))),
                  "y",
                  encode_base64url(std::string(32, '\0'))),
             "not on P-256"},
            {"x beyond the field",
             with(kP256, "x", encode_base64url(std::string(32, '\xff'))),
             "not on P-256"},
            {"x and y swapped",
             with(with(kP256, "x", kP256["y"]), "y", kP256["x"]),
             "not on P-256"},
            {"X25519", with(kEd25519, "crv", "X25519"), "Ed25519"},
            {"Ed448", with(kEd25519, "crv", "Ed448"), "Ed25519"},
            {"Ed25519 short",
             with(kEd25519, "x", encode_base64url(std::string(31, 'x'))),
             "31 bytes"},
            {"Ed25519 long",
             with(kEd25519, "x", encode_base64url(std::string(64, 'x'))),
             "64 bytes"},
            {"Ed25519 key as EC", with(kEd25519, "kty", "EC"), "Ed25519"},
        };

        const Json good = with(kEd25519, "kid", "good");
        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto set = parse_key_set(set_of({row.jwk, good})).value();
            REQUIRE(set->keys.size() == 1);
            CHECK(set->keys[0]->kid() == "good");
            REQUIRE(set->skipped.size() == 1);
            CAPTURE(set->skipped[0]);
            CHECK(set->skipped[0].find(row.reason) != std::string::npos);
            CHECK(set->skipped[0].starts_with("key 1"));
            CHECK(parse_key_set(set_of({row.jwk})).error().errc() == Errc::jwks_empty);
            CHECK(ERR_peek_error() == 0);
        }
    }

    TEST_CASE("keys at the edges of what is allowed are used") {
        const struct {
            std::string_view name;
            Json jwk;
        } kRows[] = {
            {"8192 bits", with(kRsa, "n", modulus(1024))},
            {"e of three", with(kRsa, "e", exponent("\x03"))},
            {"e of 33 bits", with(kRsa, "e", exponent(std::string("\x01\x00\x00\x00\x01", 5)))},
            {"use sig", with(kRsa, "use", "sig")},
            {"key_ops with verify", with(kRsa, "key_ops", {"sign", "verify"})},
            {"unknown members", with(kRsa, "x", {{"y", {1, 2}}})},
            {"certificates are ignored",
             with(with(kRsa, "x5c", {"!!"}), "x5u", "http://127.0.0.1:1/")},
            {"kid empty", with(kRsa, "kid", "")},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto set = parse_key_set(set_of({row.jwk}));
            REQUIRE(set.has_value());
            CHECK((*set)->keys.size() == 1);
        }
    }

    TEST_CASE("a leading zero in n does not make another key") {
        const std::string bytes = decode_base64url(kRsa["n"].get<std::string>()).value();
        const auto set =
            parse_key_set(set_of({with(kRsa, "n", encode_base64url('\0' + bytes))})).value();
        CHECK(set->keys[0]->thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    TEST_CASE("private members are not looked at") {
        const auto set =
            parse_key_set(set_of({with(kP256, "d", "not base64 at all"), with(kRsa, "d", 5)}))
                .value();
        CHECK(set->keys.size() == 2);
    }

    TEST_CASE("a text that is no key set is refused whole") {
        const std::string many = [] {
            std::vector<Json> keys(limits::kJwksKeys + 1, kEd25519);
            return set_of(keys);
        }();

        const struct {
            std::string_view name;
            std::string text;
            Errc want;
        } kRows[] = {
            {"empty", "", Errc::jwks_invalid},
            {"html", "<html></html>", Errc::jwks_invalid},
            {"a list", "[]", Errc::jwks_invalid},
            {"one key without a set", kRsa.dump(), Errc::jwks_invalid},
            {"keys an object", R"({"keys":{}})", Errc::jwks_invalid},
            {"keys null", R"({"keys":null})", Errc::jwks_invalid},
            {"keys twice", R"({"keys":[],"keys":[]})", Errc::jwks_invalid},
            {"a member twice in a key",
             R"({"keys":[{"kty":"RSA","kty":"RSA"}]})",
             Errc::jwks_invalid},
            {"trailing data", set_of({kRsa}) + "x", Errc::jwks_invalid},
            {"cut short", set_of({kRsa}).substr(0, 100), Errc::jwks_invalid},
            {"byte order mark", "\xef\xbb\xbf" + set_of({kRsa}), Errc::jwks_invalid},
            {"too deep",
             R"({"keys":[)" + std::string(100, '[') + std::string(100, ']') + "]}",
             Errc::jwks_invalid},
            {"too large",
             set_of({kRsa}) + std::string(limits::kJwksBytes, ' '),
             Errc::jwks_invalid},
            {"too many keys", many, Errc::jwks_invalid},
            {"no keys", R"({"keys":[]})", Errc::jwks_empty},
            {"scalars for keys", R"({"keys":[1,null,"x",[]]})", Errc::jwks_empty},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto set = parse_key_set(row.text);
            REQUIRE_FALSE(set.has_value());
            CHECK(reason_id(set.error().errc()) == reason_id(row.want));
        }
    }

    TEST_CASE("the same key twice under one kid is one") {
        const auto set = parse_key_set(set_of({kRsa, kRsa, kRsa})).value();
        CHECK(set->keys.size() == 1);
        CHECK(set->skipped.size() == 2);
    }

    TEST_CASE("one kid for two keys finds the one that fits") {
        const auto set = parse_key_set(set_of({with(kRsa, "kid", "k"),
                                               with(kP256, "kid", "k"),
                                               with(kEd25519, "kid", "k")}))
                             .value();
        REQUIRE(set->keys.size() == 3);
        CHECK(set->find("k", Algorithm::rs256) == set->keys[0]);
        CHECK(set->find("k", Algorithm::es256) == set->keys[1]);
        CHECK(set->find("k", Algorithm::eddsa) == set->keys[2]);
        CHECK(set->find("k", Algorithm::es384) == set->keys[0]);
        CHECK(set->find("K", Algorithm::rs256) == nullptr);
        CHECK(set->find("", Algorithm::rs256) == nullptr);
    }

    TEST_CASE("an empty kid never finds a key that has none") {
        const auto set = parse_key_set(set_of({without(kEd25519, "kid")})).value();
        CHECK(set->find("", Algorithm::eddsa) == nullptr);
        CHECK(set->only_fit(Algorithm::eddsa) == set->keys[0]);
    }

    TEST_CASE("the only fit is found when there is exactly one") {
        const auto set = parse_key_set(set_of({kRsa, kP256, kEd25519})).value();
        CHECK(set->only_fit(Algorithm::rs256) == set->keys[0]);
        CHECK(set->only_fit(Algorithm::ps256) == nullptr);
        const Json other = with(key_for(Algorithm::eddsa).public_jwk(), "kid", "other");
        CHECK(parse_key_set(set_of({kEd25519, other})).value()->only_fit(Algorithm::eddsa) ==
              nullptr);
        const auto same = parse_key_set(set_of({kEd25519, with(kEd25519, "kid", "alias")})).value();
        CHECK(same->only_fit(Algorithm::eddsa) == same->keys[0]);
    }
}

}  // namespace jwks_test
