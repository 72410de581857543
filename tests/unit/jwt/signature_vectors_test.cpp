#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>

namespace signature_vectors_test {

using namespace gatehouse;
using namespace gatehouse::jwt;

// Signatures that others made: the examples of the RFCs, so that signer and verifier cannot share
// one mistake.
namespace {

std::string decoded(std::string_view text) {
    return decode_base64url(text).value();
}

std::shared_ptr<const PublicKey> only_key(const std::string& jwk) {
    return parse_key_set(R"({"keys":[)" + jwk + "]}").value()->keys.front();
}

Errc verify(const std::string& jwk,
            Algorithm algorithm,
            std::string_view input,
            std::string_view signature) {
    return only_key(jwk)->verify(algorithm, input, decoded(signature));
}

constexpr std::string_view kPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

}  // namespace

TEST_SUITE("jwt/signature_vectors") {
    TEST_CASE("the example of RFC 7515 A.2 verifies with RS256") {
        const std::string jwk =
            R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR)"
            R"(T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVM)"
            R"(TBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
        const std::string signature =
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
            "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BA"
            "ynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_"
            "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1ph"
            "CnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
        const std::string input = "eyJhbGciOiJSUzI1NiJ9." + std::string(kPayload);
        CHECK(verify(jwk, Algorithm::rs256, input, signature) == Errc::none);
        CHECK(verify(jwk, Algorithm::rs384, input, signature) == Errc::token_signature_invalid);
        CHECK(verify(jwk, Algorithm::ps256, input, signature) == Errc::token_signature_invalid);
        CHECK(verify(jwk, Algorithm::es256, input, signature) == Errc::token_key_unfit);
        CHECK(verify(jwk, Algorithm::rs256, input + "x", signature) ==
              Errc::token_signature_invalid);
        CHECK(verify(jwk, Algorithm::rs256, "", signature) == Errc::token_signature_invalid);
    }

    TEST_CASE("the example of RFC 7515 A.3 verifies with ES256") {
        const std::string jwk =
            R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
        const std::string signature =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
            "Kg6NU1Q";
        const std::string input = "eyJhbGciOiJFUzI1NiJ9." + std::string(kPayload);
        const auto key = only_key(jwk);
        for (const char* way : {"without a table", "with a table"}) {
            CAPTURE(way);
            for (int i = 0; i < gatehouse::test::kOftenEnough; ++i)
                CHECK(key->verify(Algorithm::es256, input, decoded(signature)) == Errc::none);
            CHECK(key->verify(Algorithm::es384, input, decoded(signature)) ==
                  Errc::token_key_unfit);
            CHECK(key->verify(Algorithm::es256,
                              "eyJhbGciOiJFUzI1NiJ8." + std::string(kPayload),
                              decoded(signature)) == Errc::token_signature_invalid);
            key->make_table();
        }
        CHECK(key->has_table() == gatehouse::test::kTables);
    }

    TEST_CASE("the example of RFC 7515 A.4 verifies with ES512") {
        const std::string jwk =
            R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
            R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";
        const std::string signature =
            "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
            "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHw"
            "JjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
        CHECK(verify(jwk, Algorithm::es512, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA", signature) ==
              Errc::none);
        CHECK(verify(jwk, Algorithm::es512, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZB", signature) ==
              Errc::token_signature_invalid);
    }

    TEST_CASE("the example of RFC 7520 4.2 verifies with PS384") {
        const std::string jwk =
            R"({"kty":"RSA","e":"AQAB","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBS)"
            R"(FKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEH)"
            R"(g8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"})";
        const std::string input =
            "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
            "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb"
            "3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXI"
            "gZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUg"
            "eW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
        const std::string signature =
            "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-"
            "tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg"
            "-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_"
            "ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_"
            "2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";
        CHECK(verify(jwk, Algorithm::ps384, input, signature) == Errc::none);
        CHECK(verify(jwk, Algorithm::ps256, input, signature) == Errc::token_signature_invalid);
        CHECK(verify(jwk, Algorithm::rs384, input, signature) == Errc::token_signature_invalid);
    }

    TEST_CASE("the example of RFC 8037 A.4 verifies with EdDSA") {
        const std::string jwk =
            R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
        const std::string signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
            "MuM0KAg";
        const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        CHECK(verify(jwk, Algorithm::eddsa, input, signature) == Errc::none);
        CHECK(verify(jwk, Algorithm::es256, input, signature) == Errc::token_key_unfit);
    }
}

}  // namespace signature_vectors_test
