#include "gatehouse/jwt/sign.hpp"

#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace sign_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

struct Freed {
    void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }

    void operator()(BIO* bio) const { BIO_free_all(bio); }
};

using Pkey = std::unique_ptr<EVP_PKEY, Freed>;

enum class Form { pkcs8, traditional, encrypted, public_only };

std::string pem_of(EVP_PKEY* pkey, Form form) {
    const std::unique_ptr<BIO, Freed> bio(BIO_new(BIO_s_mem()));
    unsigned char password[] = "secret";
    switch (form) {
        case Form::pkcs8:
            PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr);
            break;
        case Form::traditional:
            PEM_write_bio_PrivateKey_traditional(
                bio.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr);
            break;
        case Form::encrypted:
            PEM_write_bio_PrivateKey(
                bio.get(), pkey, EVP_aes_128_cbc(), password, 6, nullptr, nullptr);
            break;
        case Form::public_only:
            PEM_write_bio_PUBKEY(bio.get(), pkey);
            break;
    }
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

// RFC 8037 A.1.
constexpr std::string_view kEd25519 =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

// RFC 7515 A.3.1.
const Json kP256 = {{"kty", "EC"},
                    {"crv", "P-256"},
                    {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                    {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
                    {"d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}};

void check_round_trip(const SigningKey& key) {
    const auto token = key.mint(good_claims());
    REQUIRE(token.has_value());
    CHECK(judge(*token, *keys_of(key)).reason == Errc::none);
}

}  // namespace

TEST_SUITE("jwt/sign") {
    TEST_CASE("a generated key of every algorithm mints tokens that verify") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const SigningKey& key = key_for(algorithm);
            CHECK(key.algorithm() == algorithm);
            CHECK(key.kid() == "k1");
            check_round_trip(key);
        }
    }

    TEST_CASE("the public JWK holds what a provider publishes and nothing private") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const Json& jwk = key_for(algorithm).public_jwk();
            CHECK(jwk.at("alg") == to_string(algorithm));
            CHECK(jwk.at("use") == "sig");
            CHECK(jwk.at("kid") == "k1");
            for (const std::string_view member : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
                CHECK_FALSE(jwk.contains(member));
        }
    }

    TEST_CASE("the kid is the thumbprint unless one is given") {
        const auto key = parse_signing_key(kEd25519);
        REQUIRE(key.has_value());
        CHECK(key->kid() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");  // RFC 8037 A.3
        CHECK(key->algorithm() == Algorithm::eddsa);
        CHECK(parse_signing_key(kEd25519, std::nullopt, "mine")->kid() == "mine");
        Json named = Json::parse(kEd25519);
        named["kid"] = "theirs";
        CHECK(parse_signing_key(named.dump())->kid() == "theirs");
        CHECK(parse_signing_key(named.dump(), std::nullopt, "mine")->kid() == "mine");
    }

    TEST_CASE("an Ed25519 signature is that of RFC 8037 A.4") {
        const auto key = parse_signing_key(kEd25519);
        REQUIRE(key.has_value());
        const auto signature =
            key->sign("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
        REQUIRE(signature.has_value());
        CHECK(encode_base64url(*signature) ==
              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
              "MuM0KAg");
    }

    TEST_CASE("ECDSA signatures are R and S of fixed length") {
        const struct {
            Algorithm algorithm;
            std::size_t bytes;
        } kRows[] = {{Algorithm::es256, 64}, {Algorithm::es384, 96}, {Algorithm::es512, 132}};

        for (const auto& row : kRows) {
            CAPTURE(to_string(row.algorithm));
            for (int i = 0; i < 20; ++i)
                CHECK(key_for(row.algorithm).sign(std::to_string(i))->size() == row.bytes);
        }
    }

    TEST_CASE("private keys in every PEM form are read") {
        const Pkey rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
        const Pkey p256(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
        const Pkey p384(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
        const Pkey p521(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521"));
        const Pkey ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));

        const struct {
            std::string_view name;
            EVP_PKEY* pkey;
            Form form;
            Algorithm want;
        } kRows[] = {
            {"RSA PKCS#8", rsa.get(), Form::pkcs8, Algorithm::rs256},
            {"RSA PKCS#1", rsa.get(), Form::traditional, Algorithm::rs256},
            {"P-256 PKCS#8", p256.get(), Form::pkcs8, Algorithm::es256},
            {"P-256 SEC1", p256.get(), Form::traditional, Algorithm::es256},
            {"P-384 SEC1", p384.get(), Form::traditional, Algorithm::es384},
            {"P-521 PKCS#8", p521.get(), Form::pkcs8, Algorithm::es512},
            {"Ed25519 PKCS#8", ed25519.get(), Form::pkcs8, Algorithm::eddsa},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto key = parse_signing_key(pem_of(row.pkey, row.form));
            REQUIRE(key.has_value());
            CHECK(key->algorithm() == row.want);
            check_round_trip(*key);
        }
        const auto pss = parse_signing_key(pem_of(rsa.get(), Form::pkcs8), Algorithm::ps384);
        REQUIRE(pss.has_value());
        check_round_trip(*pss);
        CHECK(parse_signing_key(pem_of(rsa.get(), Form::encrypted)).error().errc() ==
              Errc::signing_key_invalid);
        CHECK(parse_signing_key(pem_of(rsa.get(), Form::public_only)).error().errc() ==
              Errc::signing_key_invalid);
        CHECK(parse_signing_key(pem_of(p256.get(), Form::pkcs8), Algorithm::es384).error().errc() ==
              Errc::signing_key_invalid);
        CHECK(ERR_peek_error() == 0);
    }

    TEST_CASE("a key that cannot mint good tokens is refused") {
        const Pkey weak(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
        const Pkey k1(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1"));
        const Pkey x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
        const auto changed = [](const char* member, const Json& value) {
            Json jwk = kP256;
            jwk[member] = value;
            return jwk.dump();
        };
        Json no_private = kP256;
        no_private.erase("d");

        const struct {
            std::string_view name;
            std::string text;
        } kRows[] = {
            {"RSA of 1024 bits", pem_of(weak.get(), Form::pkcs8)},
            {"secp256k1", pem_of(k1.get(), Form::pkcs8)},
            {"X25519", pem_of(x25519.get(), Form::pkcs8)},
            {"no private part", no_private.dump()},
            {"another private part", changed("d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LM")},
            {"private part too short", changed("d", "jpsQ")},
            {"off the curve", changed("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a8")},
            {"for encryption", changed("use", "enc")},
            {"only to verify", changed("key_ops", {"verify"})},
            {"alg of another curve", changed("alg", "ES384")},
            {"alg HS256", changed("alg", "HS256")},
            {"Ed25519 with another x",
             R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURs"})"},
            {"symmetric", R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"})"},
            {"PEM cut short", pem_of(k1.get(), Form::pkcs8).substr(0, 60)},
            {"a key set", R"({"keys":[]})"},
            {"a list", "[]"},
            {"nothing", ""},
            {"too long", std::string(70000, ' ')},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto key = parse_signing_key(row.text);
            REQUIRE_FALSE(key.has_value());
            CHECK(key.error().errc() == Errc::signing_key_invalid);
            CHECK(key.error().detail.find("jpsQnn") == std::string::npos);
            CHECK(ERR_peek_error() == 0);
        }
        CHECK(parse_signing_key(kP256.dump()).has_value());
    }

    TEST_CASE("a minted header has alg and kid and typ") {
        const auto key = parse_signing_key(kEd25519, std::nullopt, "k");
        const std::string token = key->mint(good_claims(), "at+jwt").value();
        CHECK(decode_base64url(token.substr(0, token.find('.'))).value() ==
              R"({"alg":"EdDSA","kid":"k","typ":"at+jwt"})");
    }
}

}  // namespace sign_test
