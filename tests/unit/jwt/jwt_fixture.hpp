#pragma once

#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/jwt/header_memo.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/jwt/sign.hpp"
#include "gatehouse/jwt/verify.hpp"
#include "support/p256_tables.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the token tests share: one key per algorithm, an issuer, and tokens built from any header
// and claims text.
namespace gatehouse::jwt::test {

constexpr std::string_view kIssuer = "https://issuer.example/";
constexpr std::string_view kAudience = "api://my-api";
constexpr std::int64_t kNowSeconds = 1795492800;  // 2026-11-24T04:00:00Z
constexpr WallTime kNow{std::chrono::seconds(kNowSeconds)};

constexpr Algorithm kAll[] = {Algorithm::rs256,
                              Algorithm::rs384,
                              Algorithm::rs512,
                              Algorithm::ps256,
                              Algorithm::ps384,
                              Algorithm::ps512,
                              Algorithm::es256,
                              Algorithm::es384,
                              Algorithm::es512,
                              Algorithm::eddsa};

inline AlgorithmSet every_algorithm() {
    AlgorithmSet all;
    for (const Algorithm algorithm : kAll)
        all.add(algorithm);
    return all;
}

/// Made once per run, since RSA keys take long to make.
inline const SigningKey& key_for(Algorithm algorithm) {
    static std::map<Algorithm, SigningKey> keys;
    const auto found = keys.find(algorithm);
    if (found != keys.end()) return found->second;
    return keys.emplace(algorithm, generate_signing_key(algorithm, "k1").value()).first->second;
}

inline std::shared_ptr<const KeySet> keys_of(const SigningKey& key) {
    return parse_key_set(key.key_set()).value();
}

/// The same keys after so many verifications that a key of P-256 has its table.
inline std::shared_ptr<const KeySet> used_keys_of(const SigningKey& key) {
    auto keys = keys_of(key);
    const std::string signature = key.sign("input").value();
    const bool gets_table = key.algorithm() == Algorithm::es256;
    for (int i = 0; gets_table && i < gatehouse::test::kOftenEnough; ++i)
        REQUIRE(keys->keys[0]->verify(key.algorithm(), "input", signature) == Errc::none);
    CHECK(keys->keys[0]->make_table() == gets_table);
    CHECK(keys->keys[0]->has_table() == (gets_table && gatehouse::test::kTables));
    return keys;
}

inline Provider provider() {
    return {std::string(kIssuer), {std::string(kAudience), "api://other"}, every_algorithm()};
}

inline Json good_claims() {
    return {{"iss", kIssuer},
            {"aud", kAudience},
            {"sub", "user-1"},
            {"exp", kNowSeconds + 60},
            {"iat", kNowSeconds - 60}};
}

inline Json good_header(const SigningKey& key) {
    return {{"alg", std::string(to_string(key.algorithm()))}, {"kid", key.kid()}, {"typ", "JWT"}};
}

inline std::string signing_input(std::string_view header, std::string_view claims) {
    return encode_base64url(header) + '.' + encode_base64url(claims);
}

/// A token over exactly these bytes, honestly signed.
inline std::string token_of(const SigningKey& key,
                            std::string_view header,
                            std::string_view claims) {
    const std::string input = signing_input(header, claims);
    return input + '.' + encode_base64url(key.sign(input).value());
}

inline std::string token_of(const SigningKey& key, const Json& header, const Json& claims) {
    return token_of(key, std::string_view(header.dump()), std::string_view(claims.dump()));
}

struct Judged {
    Errc reason = Errc::none;
    std::string detail;
    CheckTrail trail;
    Verified verified;
};

inline Judged judge_with(HeaderMemo* headers,
                         std::string_view token,
                         const KeySet& keys,
                         const Rules& rules,
                         const Provider& expected) {
    Judged judged;
    const std::vector<Provider> providers{expected};
    auto read = read_token(token, providers, rules, &judged.trail, headers);
    if (!read) {
        judged.reason = read.error().errc();
        judged.detail = read.error().detail;
        return judged;
    }
    auto verified = verify_token(*std::move(read), expected, rules, keys, kNow, &judged.trail);
    if (!verified) {
        judged.reason = verified.error().errc();
        judged.detail = verified.error().detail;
        return judged;
    }
    judged.verified = *std::move(verified);
    return judged;
}

inline std::string whole_text_of(const Judged& judged) {
    std::string text = std::string(reason_id(judged.reason)) + ' ' + judged.detail + ' ' +
                       judged.verified.kid + ' ' + judged.verified.claims.dump();
    for (const Check check : judged.trail) {
        text.append("\n").append(check.name).append(check.passed ? " passed " : " failed ");
        text.append(check.expected).append(" | ").append(check.found);
    }
    return text;
}

/// Reads and verifies as the gateway does; whether the header was read before must not matter.
inline Judged judge(std::string_view token,
                    const KeySet& keys,
                    const Rules& rules = {},
                    const Provider& expected = provider()) {
    HeaderMemo headers;
    const Judged judged = judge_with(nullptr, token, keys, rules, expected);
    for (const char* time : {"first", "second"}) {
        CAPTURE(time);
        CHECK(whole_text_of(judge_with(&headers, token, keys, rules, expected)) ==
              whole_text_of(judged));
    }
    return judged;
}

}  // namespace gatehouse::jwt::test
