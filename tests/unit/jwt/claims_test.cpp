#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace claims_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;
using std::chrono::seconds;

namespace {

Judged judge_claims(const Json& claims, const Rules& rules = {}) {
    const SigningKey& key = key_for(Algorithm::eddsa);
    static const auto keys = keys_of(key);
    return judge(token_of(key, good_header(key), claims), *keys, rules);
}

Json with(const char* name, Json value) {
    Json claims = good_claims();
    claims[name] = std::move(value);
    return claims;
}

Json without(const char* name) {
    Json claims = good_claims();
    claims.erase(name);
    return claims;
}

struct DateRow {
    std::string_view name;
    Json date;
    int skew;
    Errc want;
};

void check_dates(const char* claim, const std::vector<DateRow>& rows) {
    for (const DateRow& row : rows) {
        CAPTURE(claim);
        CAPTURE(row.name);
        const Rules rules{.clock_skew = seconds(row.skew)};
        CHECK(reason_id(judge_claims(with(claim, row.date), rules).reason) == reason_id(row.want));
    }
}

}  // namespace

TEST_SUITE("jwt/claims") {
    TEST_CASE("exp ends a token at the very second and skew moves that second") {
        check_dates(
            "exp",
            {
                {"one second left", kNowSeconds + 1, 0, Errc::none},
                {"a millisecond left", static_cast<double>(kNowSeconds) + 0.001, 0, Errc::none},
                {"a fraction of a millisecond left",
                 static_cast<double>(kNowSeconds) + 0.0004,
                 0,
                 Errc::none},
                {"half a second left", static_cast<double>(kNowSeconds) + 0.5, 0, Errc::none},
                {"far future", 253402300800, 0, Errc::none},
                {"beyond every date", 1e308, 0, Errc::none},
                {"beyond every date with skew", 1e308, 300, Errc::none},
                {"largest unsigned", 18446744073709551615ULL, 300, Errc::none},
                {"within skew", kNowSeconds - 29, 30, Errc::none},
                {"equal to now", kNowSeconds, 0, Errc::token_expired},
                {"equal to now as a fraction",
                 static_cast<double>(kNowSeconds),
                 0,
                 Errc::token_expired},
                {"half a second ago",
                 static_cast<double>(kNowSeconds) - 0.5,
                 0,
                 Errc::token_expired},
                {"one second ago", kNowSeconds - 1, 0, Errc::token_expired},
                {"at the end of skew", kNowSeconds - 30, 30, Errc::token_expired},
                {"skew is at most 300", kNowSeconds - 300, 100000, Errc::token_expired},
                {"negative skew is none", kNowSeconds, -100, Errc::token_expired},
                {"zero", 0, 0, Errc::token_expired},
                {"negative", -1, 0, Errc::token_expired},
                {"most negative", -1e308, 300, Errc::token_expired},
                {"smallest integer",
                 std::numeric_limits<std::int64_t>::min(),
                 300,
                 Errc::token_expired},
                {"milliseconds taken for seconds stay valid", kNowSeconds * 1000, 0, Errc::none},
                {"text", std::to_string(kNowSeconds + 60), 0, Errc::token_claims_invalid},
                {"null", nullptr, 0, Errc::token_claims_invalid},
                {"true", true, 0, Errc::token_claims_invalid},
                {"list", Json::array({kNowSeconds + 60}), 0, Errc::token_claims_invalid},
                {"object", Json::object(), 0, Errc::token_claims_invalid},
            });
    }

    TEST_CASE("nbf opens a token at the very second") {
        check_dates(
            "nbf",
            {
                {"equal to now", kNowSeconds, 0, Errc::none},
                {"before", kNowSeconds - 1, 0, Errc::none},
                {"long before", -1e308, 0, Errc::none},
                {"within skew", kNowSeconds + 30, 30, Errc::none},
                {"one second off", kNowSeconds + 1, 0, Errc::token_not_yet_valid},
                {"a millisecond off",
                 static_cast<double>(kNowSeconds) + 0.001,
                 0,
                 Errc::token_not_yet_valid},
                {"a fraction of a millisecond off",
                 static_cast<double>(kNowSeconds) + 0.0004,
                 0,
                 Errc::token_not_yet_valid},
                {"beyond skew", kNowSeconds + 31, 30, Errc::token_not_yet_valid},
                {"skew is at most 300", kNowSeconds + 301, 100000, Errc::token_not_yet_valid},
                {"beyond every date", 1e308, 300, Errc::token_not_yet_valid},
                {"text", "0", 0, Errc::token_claims_invalid},
                {"null", nullptr, 0, Errc::token_claims_invalid},
            });
    }

    TEST_CASE("iat in the future is refused") {
        check_dates(
            "iat",
            {
                {"equal to now", kNowSeconds, 0, Errc::none},
                {"zero", 0, 0, Errc::none},
                {"within skew", kNowSeconds + 5, 5, Errc::none},
                {"one second off", kNowSeconds + 1, 0, Errc::token_issued_in_future},
                {"beyond skew", kNowSeconds + 6, 5, Errc::token_issued_in_future},
                {"largest unsigned", 18446744073709551615ULL, 0, Errc::token_issued_in_future},
                {"text", "0", 0, Errc::token_claims_invalid},
                {"false", false, 0, Errc::token_claims_invalid},
            });
        CHECK(judge_claims(without("iat")).reason == Errc::none);
    }

    TEST_CASE("exp may be absent only where the rules say so") {
        CHECK(judge_claims(without("exp")).reason == Errc::token_expiry_missing);
        const Rules lenient{.require_expiration = false};
        const auto judged = judge_claims(without("exp"), lenient);
        CHECK(judged.reason == Errc::none);
        CHECK_FALSE(judged.verified.expires.has_value());
        CHECK(judge_claims(with("exp", kNowSeconds), lenient).reason == Errc::token_expired);
        CHECK(judge_claims(with("exp", "never"), lenient).reason == Errc::token_claims_invalid);
    }

    TEST_CASE("aud must hold a configured audience exactly") {
        const struct {
            std::string_view name;
            Json audience;
            Errc want;
        } kRows[] = {
            {"first", "api://my-api", Errc::none},
            {"second", "api://other", Errc::none},
            {"list of one", {"api://my-api"}, Errc::none},
            {"list with others", {"x", "api://other", "y"}, Errc::none},
            {"other", "api://x", Errc::token_audience_refused},
            {"longer", "api://my-api/", Errc::token_audience_refused},
            {"shorter", "api://my-ap", Errc::token_audience_refused},
            {"other case", "API://my-api", Errc::token_audience_refused},
            {"space separated", "api://my-api api://other", Errc::token_audience_refused},
            {"with NUL", std::string("api://my-api\0", 13), Errc::token_audience_refused},
            {"empty text", "", Errc::token_audience_refused},
            {"empty list", Json::array(), Errc::token_audience_refused},
            {"list of others", {"x", "y"}, Errc::token_audience_refused},
            {"list with a number", {"api://my-api", 1}, Errc::token_claims_invalid},
            {"list in a list", {Json::array({"api://my-api"})}, Errc::token_claims_invalid},
            {"list with null", {"api://my-api", nullptr}, Errc::token_claims_invalid},
            {"null", nullptr, Errc::token_claims_invalid},
            {"number", 1, Errc::token_claims_invalid},
            {"object", {{"api://my-api", true}}, Errc::token_claims_invalid},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason_id(judge_claims(with("aud", row.audience)).reason) == reason_id(row.want));
        }
        CHECK(judge_claims(without("aud")).reason == Errc::token_audience_refused);
    }

    TEST_CASE("a provider without audiences accepts nobody") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        Provider nobody = provider();
        nobody.audience.clear();
        CHECK(judge(token_of(key, good_header(key), good_claims()), *keys_of(key), {}, nobody)
                  .reason == Errc::token_audience_refused);
        CHECK(judge(token_of(key, good_header(key), with("aud", "")), *keys_of(key), {}, nobody)
                  .reason == Errc::token_audience_refused);
    }

    TEST_CASE("sub must be a string that is not empty") {
        CHECK(judge_claims(without("sub")).reason == Errc::token_subject_missing);
        CHECK(judge_claims(with("sub", nullptr)).reason == Errc::token_subject_missing);
        CHECK(judge_claims(with("sub", "")).reason == Errc::token_subject_missing);
        CHECK(judge_claims(with("sub", 5)).reason == Errc::token_claims_invalid);
        CHECK(judge_claims(with("sub", {"a"})).reason == Errc::token_claims_invalid);
        CHECK(judge_claims(with("sub", false)).reason == Errc::token_claims_invalid);
        CHECK(judge_claims(with("sub", " ")).reason == Errc::none);
    }

    TEST_CASE("iss must be a configured issuer byte for byte") {
        for (const std::string_view issuer : {"https://issuer.example",
                                              "https://Issuer.example/",
                                              "https://issuer.example//",
                                              "http://issuer.example/",
                                              "",
                                              "https://issuer.example/x",
                                              "https://evil.example/?https://issuer.example/"}) {
            CAPTURE(issuer);
            CHECK(judge_claims(with("iss", issuer)).reason == Errc::token_issuer_unknown);
        }
        CHECK(judge_claims(without("iss")).reason == Errc::token_issuer_unknown);
        CHECK(judge_claims(with("iss", nullptr)).reason == Errc::token_claims_invalid);
        CHECK(judge_claims(with("iss", {std::string(kIssuer)})).reason ==
              Errc::token_claims_invalid);
    }

    TEST_CASE("a verified token carries its dates as they stand without skew") {
        Json claims = with("exp", static_cast<double>(kNowSeconds) + 60.25);
        claims["nbf"] = kNowSeconds + 10;
        const auto judged = judge_claims(claims, {.clock_skew = seconds(30)});
        REQUIRE(judged.reason == Errc::none);
        CHECK(judged.verified.expires == kNow + std::chrono::milliseconds(60250));
        CHECK(judged.verified.not_before == kNow + seconds(10));
        CHECK(judged.verified.claims == claims);
    }

    TEST_CASE("client_id stands in for an audience that is absent, where that is asked for") {
        const Rules http{.client_id_as_audience = true};
        Json claims = without("aud");
        claims["client_id"] = good_claims()["aud"];
        CHECK(judge_claims(claims, http).reason == Errc::none);
        CHECK(judge_claims(claims).reason == Errc::token_audience_refused);
        claims["client_id"] = "another";
        CHECK(judge_claims(claims, http).reason == Errc::token_audience_refused);
        CHECK(judge_claims(without("aud"), http).reason == Errc::token_audience_refused);
        // An audience that is there counts alone, null too.
        claims = with("aud", "another");
        claims["client_id"] = good_claims()["aud"];
        CHECK(judge_claims(claims, http).reason == Errc::token_audience_refused);
        claims["aud"] = nullptr;
        CHECK(judge_claims(claims, http).reason != Errc::none);
    }

    TEST_CASE("a subject is needed unless it is not asked for") {
        CHECK(judge_claims(without("sub")).reason == Errc::token_subject_missing);
        CHECK(judge_claims(without("sub"), {.require_subject = false}).reason == Errc::none);
    }
}

}  // namespace claims_test
