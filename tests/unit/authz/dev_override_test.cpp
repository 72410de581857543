#include "gatehouse/authz/dev_override.hpp"

#include "gatehouse/core/base64url.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <doctest/doctest.h>

namespace dev_override_test {

using namespace gatehouse;
using namespace gatehouse::authz;

namespace {

const std::string kSecret = "a secret of 32 bytes, and a few more";
constexpr WallTime kNow{std::chrono::seconds(1795492800)};
constexpr std::string_view kArn = "arn:aws:execute-api:us-east-1:123456789012:local/prod/GET/a";

Json claims(const Json& changes = Json::object()) {
    Json all = {{"effect", "Allow"}, {"principalId", "alice"}, {"exp", 1795492800 + 60}};
    all.merge_patch(changes);
    return all;
}

std::string sign(const std::string& header, const std::string& payload) {
    const std::string text = encode_base64url(header) + "." + encode_base64url(payload);
    const jwt::Sha256 digest = jwt::hmac_sha256(kSecret, text);
    return text + "." +
           encode_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Errc error_of(const std::string& value, WallTime now = kNow) {
    const auto read = DevOverride(kSecret).read(value, kArn, now);
    return read ? Errc::none : read.error().errc();
}

policy::Outcome judge(const Json& changes) {
    const auto grant =
        DevOverride(kSecret).read(make_override(claims(changes), kSecret), kArn, kNow);
    REQUIRE(grant.has_value());
    return policy::evaluate(*grant->policy, {kArn, {}}, {}).outcome;
}

}  // namespace

TEST_SUITE("authz/dev_override") {
    // RFC 4231, test case 2.
    TEST_CASE("HMAC-SHA-256") {
        CHECK(jwt::to_hex(jwt::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        CHECK(jwt::to_hex(jwt::hmac_sha256("", "")) ==
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    }

    TEST_CASE("an override is what a function could have said") {
        const auto grant = DevOverride(kSecret).read(
            make_override(claims({{"context", {{"tenant", "acme"}, {"n", 7}, {"yes", true}}},
                                  {"usageIdentifierKey", "key"}}),
                          kSecret),
            kArn,
            kNow);
        REQUIRE(grant.has_value());
        CHECK(grant->principal_id == "alice");
        CHECK(grant->find_context("tenant")->value == "acme");
        CHECK(grant->find_context("n")->value == "7");
        CHECK(grant->usage_identifier_key == "key");
        CHECK(grant->issued_for == kArn);
        CHECK(judge(Json::object()) == policy::Outcome::allow);
        CHECK(judge({{"effect", "Deny"}}) == policy::Outcome::explicit_deny);
        CHECK(judge({{"methodArn", "arn:aws:execute-api:*:*:*/*/GET/a"}}) ==
              policy::Outcome::allow);
        CHECK(judge({{"methodArn", "arn:aws:execute-api:*:*:*/*/GET/b"}}) ==
              policy::Outcome::implicit_deny);
    }

    TEST_CASE("any JWT library can mint one") {
        const std::string payload = R"({"effect":"Allow","iat":1795492800,"exp":1795492801.5})";
        CHECK(error_of(sign(R"({"typ":"JWT","alg":"HS256"})", payload)) == Errc::none);
    }

    TEST_CASE("time") {
        const std::string value = make_override(claims(), kSecret);
        using std::chrono::milliseconds;
        CHECK(error_of(value, kNow + milliseconds(59'999)) == Errc::none);
        CHECK(error_of(value, kNow + milliseconds(60'000)) == Errc::override_expired);
        CHECK(error_of(value, kNow + std::chrono::years(1)) == Errc::override_expired);
        CHECK(error_of(value, kNow - milliseconds(3'540'000)) == Errc::none);
        CHECK(error_of(value, kNow - milliseconds(3'540'001)) == Errc::override_invalid);
    }

    TEST_CASE("what is not whole or not signed is refused") {
        const std::string good = make_override(claims(), kSecret);
        const std::string header = R"({"alg":"HS256"})";
        const std::string payload = dump_json(claims());
        const std::string other = make_override(claims(), kSecret + "x");
        const auto changed = [&](const Json& changes) {
            return make_override(claims(changes), kSecret);
        };
        const auto none = encode_base64url(R"({"alg":"none"})") + "." + encode_base64url(payload);

        struct Row {
            std::string_view name;
            std::string value;
        };

        const Row rows[] = {
            {"empty", ""},
            {"dots", ".."},
            {"no signature", good.substr(0, good.rfind('.') + 1)},
            {"no third part", good.substr(0, good.rfind('.'))},
            {"alg none", none + "."},
            {"another secret", other},
            {"signature cut", good.substr(0, good.size() - 1)},
            {"signature padded", good + "="},
            {"four parts", good + ".x"},
            {"another payload under the signature",
             encode_base64url(header) + "." +
                 encode_base64url(dump_json(claims({{"principalId", "root"}}))) +
                 good.substr(good.rfind('.'))},
            {"scheme before it", "Bearer " + good},
            {"alg HS512", sign(R"({"alg":"HS512"})", payload)},
            {"alg none, signed", sign(R"({"alg":"none"})", payload)},
            {"no alg", sign("{}", payload)},
            {"crit", sign(R"({"alg":"HS256","crit":["x"]})", payload)},
            {"b64", sign(R"({"alg":"HS256","b64":false})", payload)},
            {"payload a list", sign(header, "[]")},
            {"payload no JSON", sign(header, "x")},
            {"a member twice",
             sign(header, R"({"effect":"Deny","effect":"Allow","exp":1795492860})")},
            {"no exp", changed({{"exp", nullptr}})},
            {"exp a string", changed({{"exp", "1795492860"}})},
            {"exp far away", changed({{"exp", 4102444800}})},
            {"exp farther", changed({{"exp", 1e300}})},
            {"no effect", changed({{"effect", nullptr}})},
            {"effect in lower case", changed({{"effect", "allow"}})},
            {"effect a list", changed({{"effect", {"Allow"}}})},
            {"unknown member", changed({{"scope", "x"}})},
            {"context nested", changed({{"context", {{"a", {1}}}}})},
            {"context a list", changed({{"context", {1}}})},
            {"principalId an object", changed({{"principalId", {{"a", 1}}}})},
            {"methodArn a list", changed({{"methodArn", {"*"}}})},
            {"methodArn no ARN", changed({{"methodArn", "GET /a"}})},
            {"too long", changed({{"principalId", std::string(17000, 'x')}})},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(error_of(row.value) == Errc::override_invalid);
        }
        const auto read = DevOverride("short").read(make_override(claims(), "short"), kArn, kNow);
        CHECK_FALSE(read.has_value());
    }
}

}  // namespace dev_override_test
