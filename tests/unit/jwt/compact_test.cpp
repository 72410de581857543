#include "gatehouse/core/limits.hpp"
#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>

namespace compact_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

const SigningKey& key() {
    return key_for(Algorithm::eddsa);
}

const KeySet& keys() {
    static const auto set = keys_of(key());
    return *set;
}

std::string_view reason(std::string_view token, const Rules& rules = {}) {
    return reason_id(judge(token, keys(), rules).reason);
}

// Honestly signed: only the text of the header or of the claims is at fault.
std::string with_header(std::string_view header) {
    return token_of(key(), header, good_claims().dump());
}

std::string with_claims(std::string_view claims) {
    return token_of(key(), good_header(key()).dump(), claims);
}

std::string good() {
    return token_of(key(), good_header(key()), good_claims());
}

std::string nested(int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
}

Json header_with(const char* member, Json value) {
    Json header = good_header(key());
    header[member] = std::move(value);
    return header;
}

// The claims part spelt with an unused bit set: the same bytes to a careless decoder.
std::string noncanonical() {
    std::string claims = good_claims().dump();
    while (claims.size() % 3 != 1)
        claims += ' ';
    std::string input = signing_input(good_header(key()).dump(), claims);
    const std::string signature = encode_base64url(key().sign(input).value());
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    input.back() = kAlphabet[kAlphabet.find(input.back()) + 1];
    return input + '.' + signature;
}

}  // namespace

TEST_SUITE("jwt/compact") {
    TEST_CASE("a good token is read and verified") {
        const auto judged = judge(good(), keys());
        CHECK(judged.reason == Errc::none);
        CHECK(judged.verified.kid == "k1");
        CHECK(judged.verified.claims == good_claims());
    }

    TEST_CASE("only headers that passed are remembered, whatever else is wrong with their tokens") {
        const struct {
            std::string_view name;
            std::string token;
            std::size_t remembered;
        } rows[] = {
            {"good", good(), 1},
            {"good once more", good(), 1},
            {"claims at fault", with_claims("{}"), 1},
            {"not signed", good() + "AAAA", 1},
            {"another kid", token_of(key(), header_with("kid", "k2"), good_claims()), 2},
            {"critical", token_of(key(), header_with("crit", {"b64"}), good_claims()), 2},
            {"an id token's hint",
             token_of(key(), header_with("typ", "logout+jwt"), good_claims()),
             2},
            {"no JSON", with_header("{"), 2},
            {"alg that is no text", token_of(key(), header_with("alg", 7), good_claims()), 2},
            {"long", token_of(key(), header_with("x", std::string(14000, 'x')), good_claims()), 2},
        };

        HeaderMemo headers;
        const std::vector<Provider> providers{provider()};
        for (const auto& row : rows) {
            CAPTURE(row.name);
            (void)read_token(row.token, providers, {}, nullptr, &headers);
            CHECK(headers.size() == row.remembered);
        }
        for (int i = 0; i < 100; ++i) {
            const std::string kid = "k" + std::to_string(i);
            CHECK(read_token(token_of(key(), header_with("kid", kid), good_claims()),
                             providers,
                             {},
                             nullptr,
                             &headers)
                      ->kid == kid);
            CHECK(headers.size() <= HeaderMemo::kMostEntries);
        }
    }

    TEST_CASE("a token that is no compact JWS is malformed") {
        const std::string token = good();
        const std::string first = token.substr(0, token.find('.'));
        const std::string rest = token.substr(token.find('.'));
        const std::string head = token.substr(0, token.rfind('.'));

        const struct {
            std::string_view name;
            std::string token;
        } kRows[] = {
            {"empty", ""},
            {"one part", first},
            {"two parts", head},
            {"dots alone", ".."},
            {"one dot", "."},
            {"four parts", token + ".AA"},
            {"a dot at the end", token + "."},
            {"a dot in front", "." + token},
            {"five parts as in a JWE", token + ".AA.AA"},
            {"empty header", rest},
            {"empty claims", first + ".." + token.substr(token.rfind('.') + 1)},
            {"padded header", first + "=" + rest},
            {"padded twice", first + "==" + rest},
            {"padded signature", token + "=="},
            {"space in front", " " + token},
            {"space at the end", token + " "},
            {"line end at the end", token + "\n"},
            {"line end inside", first + "\r\n" + rest},
            {"NUL at the end", token + '\0'},
            {"Bearer left on", "Bearer " + token},
            {"plus of standard base64", head + ".++++"},
            {"slash of standard base64", head + ".////"},
            {"length of one more", head + ".AAAAA"},
            {"unused bits set", noncanonical()},
            {"non-ASCII", head + ".\xc3\xa4\xc3\xa4"},
            {"percent encoding", head + "%2E" + token.substr(token.rfind('.') + 1)},
            {"JSON serialisation",
             R"({"payload":"AA","signatures":[{"protected":"AA","signature":"AA"}]})"},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason(row.token) == "token_malformed");
        }
    }

    TEST_CASE("a token of more than 16 KiB is too large") {
        Json claims = good_claims();
        claims["filler"] = std::string(11000, 'x');
        CHECK(reason(token_of(key(), good_header(key()), claims)) == "none");
        claims["filler"] = std::string(13000, 'x');
        CHECK(reason(token_of(key(), good_header(key()), claims)) == "token_too_large");
        CHECK(reason(std::string(limits::kTokenBytes + 1, '.')) == "token_too_large");
        CHECK(reason(std::string(limits::kTokenBytes, '.')) == "token_malformed");
    }

    TEST_CASE("a header that is not one strict JSON object with alg is refused") {
        const std::string alg = R"("alg":"EdDSA","kid":"k1")";

        const struct {
            std::string_view name;
            std::string header;
        } kRows[] = {
            {"no JSON", "x"},
            {"a list", R"(["alg","EdDSA"])"},
            {"a string", R"("alg")"},
            {"null", "null"},
            {"byte order mark", "\xef\xbb\xbf{" + alg + "}"},
            {"trailing data", "{" + alg + "}x"},
            {"two objects", "{" + alg + "}{" + alg + "}"},
            {"trailing comma", "{" + alg + ",}"},
            {"comment", "{" + alg + "/**/}"},
            {"single quotes", "{'alg':'EdDSA','kid':'k1'}"},
            {"NaN", "{" + alg + R"(,"x":NaN})"},
            {"Infinity", "{" + alg + R"(,"x":1e999})"},
            {"alg twice", R"({"alg":"none","alg":"EdDSA","kid":"k1"})"},
            {"alg twice by escape", R"({"alg":"none","\u0061lg":"EdDSA","kid":"k1"})"},
            {"kid twice", R"({"alg":"EdDSA","kid":"k1","kid":"k1"})"},
            {"nested too deep", "{" + alg + R"(,"x":)" + nested(32) + "}"},
            {"nested far too deep", "{" + alg + R"(,"x":)" + nested(5000) + "}"},
            {"invalid UTF-8", "{" + alg + ",\"x\":\"\xff\"}"},
            {"lone surrogate", "{" + alg + R"(,"x":"\ud800"})"},
            {"control byte in a string", "{" + alg + ",\"x\":\"\x01\"}"},
            {"no alg", R"({"kid":"k1"})"},
            {"alg in another case", R"({"ALG":"EdDSA","kid":"k1"})"},
            {"alg null", R"({"alg":null,"kid":"k1"})"},
            {"alg a list", R"({"alg":["EdDSA"],"kid":"k1"})"},
            {"alg a number", R"({"alg":0,"kid":"k1"})"},
            {"kid a number", R"({"alg":"EdDSA","kid":1})"},
            {"kid null", R"({"alg":"EdDSA","kid":null})"},
            {"kid a list", R"({"alg":"EdDSA","kid":["k1"]})"},
            {"kid too long", R"({"alg":"EdDSA","kid":")" + std::string(1025, 'k') + "\"}"},
            {"typ a number", R"({"alg":"EdDSA","kid":"k1","typ":1})"},
            {"typ null", R"({"alg":"EdDSA","kid":"k1","typ":null})"},
            {"cty a list", R"({"alg":"EdDSA","kid":"k1","cty":["JWT"]})"},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason(with_header(row.header)) == "token_header_invalid");
        }
        CHECK(reason(with_header("{" + alg + R"(,"x":)" + nested(31) + "}")) == "none");
        CHECK(reason(with_header(" {" + alg + "}\n")) == "none");
    }

    TEST_CASE("crit and b64 are refused whatever they say") {
        for (const Json& value : {Json::array({"exp"}),
                                  Json::array({"b64"}),
                                  Json::array(),
                                  Json("exp"),
                                  Json(nullptr),
                                  Json(true),
                                  Json(false)}) {
            CAPTURE(value.dump());
            CHECK(reason(token_of(key(), header_with("crit", value), good_claims())) ==
                  "token_critical");
            CHECK(reason(token_of(key(), header_with("b64", value), good_claims())) ==
                  "token_critical");
        }
    }

    TEST_CASE("only access token types are taken") {
        for (const std::string_view type : {"JWT",
                                            "jwt",
                                            "Jwt",
                                            "application/jwt",
                                            "APPLICATION/JWT",
                                            "at+jwt",
                                            "AT+JWT",
                                            "application/at+jwt"}) {
            CAPTURE(type);
            CHECK(reason(token_of(key(), header_with("typ", type), good_claims())) == "none");
        }
        Json bare = good_header(key());
        bare.erase("typ");
        CHECK(reason(token_of(key(), bare, good_claims())) == "none");
        for (const std::string_view type : {"",
                                            "dpop+jwt",
                                            "logout+jwt",
                                            "secevent+jwt",
                                            "JOSE",
                                            "JOSE+JSON",
                                            "id_token",
                                            "JWT ",
                                            "application/",
                                            "application/application/jwt",
                                            "text/jwt",
                                            "jwt+at",
                                            "kb+jwt",
                                            "JWT;charset=utf-8"}) {
            CAPTURE(type);
            CHECK(reason(token_of(key(), header_with("typ", type), good_claims())) ==
                  "token_type_refused");
        }
        for (const std::string_view type : {"JWT", "jwt", "application/jwt"}) {
            CAPTURE(type);
            CHECK(reason(token_of(key(), header_with("cty", type), good_claims())) ==
                  "token_type_refused");
        }
        CHECK(reason(token_of(key(), header_with("cty", "json"), good_claims())) == "none");
    }

    TEST_CASE("keys and addresses in the header are ignored") {
        Json header = good_header(key());
        header["jwk"] = "nonsense";
        header["jku"] = 5;
        header["x5u"] = "http://127.0.0.1:1/";
        header["x5c"] = Json::array({"AA"});
        header["x5t"] = "AA";
        CHECK(reason(token_of(key(), header, good_claims())) == "none");
    }

    TEST_CASE("claims that are not one strict JSON object are refused") {
        const std::string claims = good_claims().dump();
        const std::string open = claims.substr(0, claims.size() - 1);

        const struct {
            std::string_view name;
            std::string claims;
        } kRows[] = {
            {"text", "x"},
            {"a list", "[" + claims + "]"},
            {"a token in a token", good()},
            {"null", "null"},
            {"byte order mark", "\xef\xbb\xbf" + claims},
            {"trailing data", claims + "x"},
            {"NUL at the end", claims + '\0'},
            {"iss twice", open + R"(,"iss":"https://issuer.example/"})"},
            {"sub twice", open + R"(,"sub":"admin"})"},
            {"exp twice", open + R"(,"exp":99999999999})"},
            {"twice deep inside", open + R"(,"x":[{"a":1,"a":2}]})"},
            {"exp NaN", open + R"(,"x":NaN})"},
            {"number out of range", open + R"(,"x":1e400})"},
            {"nested too deep", open + R"(,"x":)" + nested(32) + "}"},
            {"invalid UTF-8", open + ",\"x\":\"\xc0\x80\"}"},
            {"comment", open + "//\n}"},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason(with_claims(row.claims)) == "token_claims_invalid");
        }
        CHECK(reason(with_claims(open + R"(,"x":)" + nested(31) + "}")) == "none");
    }

    TEST_CASE("a token without kid is refused where one is required") {
        Json header = good_header(key());
        header.erase("kid");
        CHECK(reason(token_of(key(), header, good_claims())) == "token_kid_missing");
        CHECK(reason(token_of(key(), header_with("kid", ""), good_claims())) ==
              "token_kid_missing");
        const Rules lenient{.require_key_id = false};
        CHECK(reason(token_of(key(), header, good_claims()), lenient) == "none");
        CHECK(reason(token_of(key(), header_with("kid", ""), good_claims()), lenient) == "none");
        CHECK(reason(token_of(key(), header_with("kid", "k2"), good_claims()), lenient) ==
              "token_key_unknown");
    }

    TEST_CASE("checks come in their documented order") {
        const struct {
            std::string_view name;
            std::string token;
            const char* want;
        } kRows[] = {
            {"header before claims",
             token_of(key(), std::string_view("x"), "x"),
             "token_header_invalid"},
            {"claims before issuer and algorithm",
             token_of(key(), std::string_view(R"({"alg":"none"})"), "x"),
             "token_claims_invalid"},
            {"issuer before algorithm",
             token_of(key(), std::string_view(R"({"alg":"none"})"), R"({"iss":"x"})"),
             "token_issuer_unknown"},
            {"algorithm before kid",
             token_of(key(), std::string_view(R"({"alg":"none"})"), good_claims().dump()),
             "token_algorithm_refused"},
            {"kid before key",
             token_of(key(), std::string_view(R"({"alg":"RS256"})"), good_claims().dump()),
             "token_kid_missing"},
            {"key before signature",
             token_of(
                 key(), std::string_view(R"({"alg":"RS256","kid":"k1"})"), good_claims().dump()),
             "token_key_unfit"},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(reason(row.token) == row.want);
        }
    }
}

}  // namespace compact_test
