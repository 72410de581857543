#include "gatehouse/jwt/verify.hpp"

#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>

namespace verify_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

Json renamed(const SigningKey& key, const char* kid) {
    Json jwk = key.public_jwk();
    jwk["kid"] = kid;
    return jwk;
}

std::shared_ptr<const KeySet> set_of(const std::vector<Json>& keys) {
    return parse_key_set(Json{{"keys", keys}}.dump()).value();
}

std::string names_of(const CheckTrail& trail) {
    std::string names;
    for (const Check check : trail)
        names += std::string(check.name) + (check.passed ? " " : "! ");
    return names;
}

std::string text_of(const Judged& judged) {
    std::string text = judged.detail;
    for (const Check check : judged.trail)
        for (const std::string_view part : {check.name, check.expected, check.found})
            text.append(1, '\n').append(part);
    return text;
}

}  // namespace

TEST_SUITE("jwt/verify") {
    TEST_CASE("the key is the one that kid names") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const SigningKey other = generate_signing_key(Algorithm::eddsa, "k2").value();
        const auto keys = set_of({other.public_jwk(), key.public_jwk()});
        const auto judged = judge(token_of(key, good_header(key), good_claims()), *keys);
        REQUIRE(judged.reason == Errc::none);
        CHECK(judged.verified.kid == "k1");
        CHECK(judged.verified.key_thumbprint == keys->keys[1]->thumbprint());
        // The right signature under the wrong name is no signature.
        Json header = good_header(key);
        header["kid"] = "k2";
        CHECK(judge(token_of(key, header, good_claims()), *keys).reason ==
              Errc::token_signature_invalid);
        for (const std::string_view kid : {"k3", "K1", "k1 ", "../k1", "k1' OR '1'='1", "*"}) {
            CAPTURE(kid);
            header["kid"] = kid;
            CHECK(judge(token_of(key, header, good_claims()), *keys).reason ==
                  Errc::token_key_unknown);
        }
    }

    TEST_CASE("without kid only a single candidate will do") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const SigningKey other = generate_signing_key(Algorithm::eddsa, "k2").value();
        const std::string token = token_of(key, Json{{"alg", "EdDSA"}}, good_claims());
        const Rules lenient{.require_key_id = false};
        const Json ec = key_for(Algorithm::es256).public_jwk();
        CHECK(judge(token, *set_of({key.public_jwk()}), lenient).reason == Errc::none);
        CHECK(judge(token, *set_of({ec, key.public_jwk()}), lenient).reason == Errc::none);
        CHECK(judge(token, *set_of({ec, key.public_jwk()}), lenient).verified.kid == "k1");
        CHECK(judge(token, *set_of({key.public_jwk(), other.public_jwk()}), lenient).reason ==
              Errc::token_key_unknown);
        CHECK(judge(token, *set_of({ec}), lenient).reason == Errc::token_key_unknown);
        CHECK(judge(token, *set_of({other.public_jwk()}), lenient).reason ==
              Errc::token_signature_invalid);
        CHECK(judge(token, *set_of({key.public_jwk()})).reason == Errc::token_kid_missing);
    }

    TEST_CASE("a key is used only for what it is for") {
        const SigningKey& rsa = key_for(Algorithm::rs256);
        const SigningKey& p256 = key_for(Algorithm::es256);
        const auto as = [&](const SigningKey& key, const char* alg) {
            return token_of(key, Json{{"alg", alg}, {"kid", "k1"}}, good_claims());
        };
        Json any = rsa.public_jwk();
        any.erase("alg");
        Json encrypting = rsa.public_jwk();
        encrypting["use"] = "enc";
        Json no_verify = rsa.public_jwk();
        no_verify["key_ops"] = {"encrypt"};
        const Json spare = renamed(key_for(Algorithm::eddsa), "spare");

        const struct {
            std::string_view name;
            std::string token;
            Json jwk;
            Errc want;
        } kRows[] = {
            {"RS256 with its key", as(rsa, "RS256"), rsa.public_jwk(), Errc::none},
            {"RS256 with a key of no alg", as(rsa, "RS256"), any, Errc::none},
            {"RSA key for ES256", as(rsa, "ES256"), any, Errc::token_key_unfit},
            {"RSA key for EdDSA", as(rsa, "EdDSA"), any, Errc::token_key_unfit},
            {"RSA key of alg RS256 for RS512",
             as(rsa, "RS512"),
             rsa.public_jwk(),
             Errc::token_key_unfit},
            {"RSA key of alg RS256 for PS256",
             as(rsa, "PS256"),
             rsa.public_jwk(),
             Errc::token_key_unfit},
            {"RS256 signature called RS512", as(rsa, "RS512"), any, Errc::token_signature_invalid},
            {"P-256 key for ES384", as(p256, "ES384"), p256.public_jwk(), Errc::token_key_unfit},
            {"P-256 key for RS256", as(p256, "RS256"), p256.public_jwk(), Errc::token_key_unfit},
            {"P-256 key for EdDSA", as(p256, "EdDSA"), p256.public_jwk(), Errc::token_key_unfit},
            {"key for encryption", as(rsa, "RS256"), encrypting, Errc::token_key_unknown},
            {"key that may not verify", as(rsa, "RS256"), no_verify, Errc::token_key_unknown},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason_id(judge(row.token, *set_of({row.jwk, spare})).reason) ==
                  reason_id(row.want));
        }
    }

    TEST_CASE("two issuers may use one kid without meeting") {
        const SigningKey& mine = key_for(Algorithm::eddsa);
        const SigningKey theirs = generate_signing_key(Algorithm::eddsa, "k1").value();
        Provider other = provider();
        other.issuer = "https://other.example/";
        const std::vector<Provider> providers{provider(), other};
        const std::vector<std::shared_ptr<const KeySet>> sets{keys_of(mine), keys_of(theirs)};
        Json other_claims = good_claims();
        other_claims["iss"] = other.issuer;

        const struct {
            std::string_view name;
            std::string token;
            std::size_t provider;
            Errc want;
        } kRows[] = {
            {"first", token_of(mine, good_header(mine), good_claims()), 0, Errc::none},
            {"second", token_of(theirs, good_header(theirs), other_claims), 1, Errc::none},
            {"first issuer with the second's key",
             token_of(theirs, good_header(theirs), good_claims()),
             0,
             Errc::token_signature_invalid},
            {"second issuer with the first's key",
             token_of(mine, good_header(mine), other_claims),
             1,
             Errc::token_signature_invalid},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            auto read = read_token(row.token, providers, {});
            REQUIRE(read.has_value());
            const std::size_t index = read->provider;
            CHECK(index == row.provider);
            const auto verified =
                verify_token(*std::move(read), providers[index], {}, *sets[index], kNow);
            CHECK(verified.has_value() == (row.want == Errc::none));
            if (verified) CHECK(verified->provider == row.provider);
            if (!verified) CHECK(verified.error().errc() == row.want);
        }
    }

    TEST_CASE("each issuer has its own list of algorithms") {
        Provider narrow = provider();
        narrow.algorithms = {};
        narrow.algorithms.add(Algorithm::es256);
        const SigningKey& key = key_for(Algorithm::eddsa);
        const std::string token = token_of(key, good_header(key), good_claims());
        CHECK(judge(token, *keys_of(key), {}, narrow).reason == Errc::token_algorithm_refused);
        const std::vector<Provider> none;
        CHECK(read_token(token, none, {}).error().errc() == Errc::token_issuer_unknown);
    }

    TEST_CASE("the trail of a good token lists every check as passed") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        Json claims = good_claims();
        claims["nbf"] = kNowSeconds;
        const auto judged = judge(token_of(key, good_header(key), claims), *keys_of(key));
        REQUIRE(judged.reason == Errc::none);
        CHECK(names_of(judged.trail) ==
              "form form header crit header header typ claims issuer algorithm kid key signature "
              "audience exp nbf iat sub ");
    }

    TEST_CASE("a refusal says what was expected and what was found") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const auto with = [&](const char* name, const Json& value) {
            Json claims = good_claims();
            claims[name] = value;
            return token_of(key, good_header(key), claims);
        };
        Json unknown_kid = good_header(key);
        unknown_kid["kid"] = "k9\n";

        const struct {
            std::string_view name;
            std::string token;
            int skew;
            const char* check;
            const char* expected;
            const char* found;
        } kRows[] = {
            {"expired",
             with("exp", kNowSeconds - 3600),
             0,
             "exp",
             "later than 2026-11-24T04:00:00Z",
             "2026-11-24T03:00:00Z"},
            {"expired with skew",
             with("exp", kNowSeconds - 60.5),
             30,
             "exp",
             "later than 2026-11-24T03:59:30Z (30 s of leeway)",
             "2026-11-24T03:58:59.500Z"},
            {"exp a string", with("exp", "soon"), 0, "exp", "a number of seconds", "\"soon\""},
            {"early",
             with("nbf", kNowSeconds + 1),
             0,
             "nbf",
             "not later than 2026-11-24T04:00:00Z",
             "2026-11-24T04:00:01Z"},
            {"never valid",
             with("nbf", 1e300),
             0,
             "nbf",
             "not later than 2026-11-24T04:00:00Z",
             "9999-12-31T23:59:59.999Z"},
            {"from the future",
             with("iat", kNowSeconds + 1),
             0,
             "iat",
             "not later than 2026-11-24T04:00:00Z",
             "2026-11-24T04:00:01Z"},
            {"audience",
             with("aud", {"x", "y"}),
             0,
             "audience",
             "one of \"api://my-api\" \"api://other\"",
             "[\\x22x\\x22,\\x22y\\x22]"},
            {"issuer",
             with("iss", "https://evil.example/\r\n"),
             0,
             "issuer",
             "one of \"https://issuer.example/\"",
             "\"https://evil.example/\\x0d\\x0a\""},
            {"subject", with("sub", ""), 0, "sub", "a string that is not empty", "\"\""},
            {"kid",
             token_of(key, unknown_kid, good_claims()),
             0,
             "key",
             "a key for EdDSA with kid k9\\x0a",
             "1 of 1 keys fit, none by that name"},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto judged =
                judge(row.token, *keys_of(key), {.clock_skew = std::chrono::seconds(row.skew)});
            REQUIRE(judged.reason != Errc::none);
            REQUIRE_FALSE(judged.trail.empty());
            const Check last = judged.trail[judged.trail.size() - 1];
            CHECK(last.name == row.check);
            CHECK_FALSE(last.passed);
            CHECK(last.expected == row.expected);
            CHECK(last.found == row.found);
            CHECK(judged.detail ==
                  std::string(row.check) + ": expected " + row.expected + ", found " + row.found);
        }
    }

    TEST_CASE("neither trail nor error holds a part of the token") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const std::string good = token_of(key, good_header(key), good_claims());
        Json expired = good_claims();
        expired["exp"] = 1;
        const std::string tokens[] = {good,
                                      good + "A",
                                      good + ".x",
                                      good + "=",
                                      token_of(key, good_header(key), expired),
                                      good + good,
                                      "Bearer " + good,
                                      token_of(key, std::string_view("{\"alg\""), "x")};
        for (const std::string& token : tokens) {
            const std::string text = text_of(judge(token, *keys_of(key)));
            for (std::size_t i = 0; i + 12 <= token.size(); i += 4)
                CHECK(text.find(token.substr(i, 12)) == std::string::npos);
        }
    }

    TEST_CASE("without a trail the answer is the same") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const std::vector<Provider> providers{provider()};
        Json late = good_claims();
        late["exp"] = kNowSeconds;
        for (const Json& claims : {good_claims(), late}) {
            const std::string token = token_of(key, good_header(key), claims);
            auto read = read_token(token, providers, {});
            REQUIRE(read.has_value());
            const auto verified =
                verify_token(*std::move(read), providers[0], {}, *keys_of(key), kNow);
            const Errc reason = verified ? Errc::none : verified.error().errc();
            CHECK(reason == judge(token, *keys_of(key)).reason);
        }
    }
}

}  // namespace verify_test
