#include "gatehouse/core/base64url.hpp"
#include "gatehouse/jwt/header_memo.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/jwt/sign.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Properties: nothing crashes. A token that verifies is, byte for byte, what the one private key in
// this file signs over those very bytes (Ed25519 is deterministic), and its claims hold by a
// second, plainer reading. A key set that is read has only keys that can be described and found
// again. A key of P-256 with a table judges as the same key without one.
namespace {

using namespace gatehouse;
using namespace gatehouse::jwt;

constexpr std::int64_t kNow = 1795492800;
constexpr std::string_view kIssuer = "https://issuer.example/";

// RFC 8037 A.1: a key that everybody knows, so that the corpus may hold tokens that verify.
constexpr std::string_view kPrivate =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ours","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

// Keys that nothing here signs with: RFC 7515 A.3 and RFC 7638 3.1.
constexpr std::string_view kOthers =
    R"({"kty":"EC","kid":"ec","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
    R"({"kty":"RSA","kid":"rsa","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB)"
    R"(ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO)"
    R"(pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})";

void demand(bool holds) {
    if (!holds) std::abort();
}

const SigningKey& our_key() {
    static const SigningKey key = parse_signing_key(kPrivate).value();
    return key;
}

const KeySet& keys() {
    static const auto set = parse_key_set(R"({"keys":[)" + our_key().public_jwk().dump() + ',' +
                                          std::string(kOthers) + "]}")
                                .value();
    return *set;
}

const std::vector<Provider>& providers() {
    static const std::vector<Provider> list = [] {
        AlgorithmSet all;
        for (int i = 0; i < kAlgorithmCount; ++i)
            all.add(static_cast<Algorithm>(i));
        return std::vector<Provider>{{std::string(kIssuer), {"a", "b"}, all}};
    }();
    return list;
}

bool is_wanted(const Json& audience) {
    return audience == "a" || audience == "b";
}

void check_claims_again(const Json& claims, const Rules& rules) {
    const auto skew = static_cast<double>(rules.clock_skew.count());
    demand(claims.at("iss") == kIssuer);
    demand(claims.at("sub").is_string() && claims.at("sub") != "");
    const Json& audience = claims.at("aud");
    bool wanted = audience.is_string() && is_wanted(audience);
    if (audience.is_array()) {
        for (const Json& entry : audience)
            wanted = wanted || is_wanted(entry);
    }
    demand(wanted);
    demand(claims.contains("exp") || !rules.require_expiration);
    if (claims.contains("exp"))
        demand(claims.at("exp").get<double>() + skew > static_cast<double>(kNow));
    for (const char* name : {"nbf", "iat"}) {
        if (claims.contains(name))
            demand(claims.at(name).get<double>() <= static_cast<double>(kNow) + skew);
    }
}

void try_token(std::string_view token, const Rules& rules) {
    CheckTrail trail;
    auto read = read_token(token, providers(), rules, &trail);
    demand(read.has_value() == read_token(token, providers(), rules).has_value());
    // A header that was read before makes no difference.
    static HeaderMemo headers;
    CheckTrail other;
    const auto again = read_token(token, providers(), rules, &other, &headers);
    demand(again.has_value() == read.has_value() && other.size() == trail.size());
    demand(read ? again->kid == read->kid : again.error().errc() == read.error().errc());
    demand(!trail.empty() && trail[trail.size() - 1].passed == read.has_value());
    if (!read) return;
    const WallTime now{std::chrono::seconds(kNow)};
    const auto verified =
        verify_token(*std::move(read), providers().front(), rules, keys(), now, &trail);
    demand(trail[trail.size() - 1].passed == verified.has_value());
    if (!verified) return;
    const std::string input(token.substr(0, token.rfind('.')));
    demand(token == input + '.' + encode_base64url(our_key().sign(input).value()));
    demand(verified->kid == "ours");
    check_claims_again(verified->claims, rules);
}

void try_token(std::string_view token) {
    try_token(token, {});
    try_token(token,
              {.clock_skew = std::chrono::seconds(30),
               .require_expiration = false,
               .require_key_id = false});
}

// Header and claims of the fuzzer's choice, parted by the first line end and honestly signed.
void try_signed(std::string_view text) {
    const auto end = text.find('\n');
    const std::string_view claims = end == std::string_view::npos ? "" : text.substr(end + 1);
    const std::string input =
        encode_base64url(text.substr(0, end)) + '.' + encode_base64url(claims);
    try_token(input + '.' + encode_base64url(our_key().sign(input).value()));
}

// A good token with some bytes replaced: pairs of position and value.
void try_changed(std::string_view changes) {
    static const std::string good =
        our_key()
            .mint({{"iss", kIssuer}, {"aud", {"a"}}, {"sub", "s"}, {"exp", kNow + 60}})
            .value();
    std::string token = good;
    for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
        token[static_cast<unsigned char>(changes[i]) * token.size() / 256] = changes[i + 1];
    }
    try_token(token);
}

std::shared_ptr<const PublicKey> key_of_rfc_7515() {
    return keys().find("ec", Algorithm::es256);
}

// The same key after so much use that it has its table.
std::shared_ptr<const PublicKey> used_key(std::string_view input, std::string_view signature) {
    const auto set = parse_key_set(R"({"keys":[)" + std::string(kOthers) + "]}").value();
    const auto key = set->find("ec", Algorithm::es256);
    for (int i = 0; !key->make_table(); ++i)
        demand(i < 1000 && key->verify(Algorithm::es256, input, signature) == Errc::none);
    return key;
}

// The example of RFC 7515 A.3 with some bytes replaced, of the signature or of what is signed:
// pairs of position and value.
void try_both_ways(std::string_view changes) {
    static const std::string input =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ";
    static const std::string good =
        decode_base64url(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
            "Kg6NU1Q")
            .value();
    static const auto plain = key_of_rfc_7515();
    static const auto used = used_key(input, good);
    std::string signature = good;
    std::string text = input;
    for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
        const auto at = static_cast<unsigned char>(changes[i]);
        if (at < 128) {
            signature[at % 64] = changes[i + 1];
        } else {
            text[at % text.size()] = changes[i + 1];
        }
    }
    const Errc verdict = plain->verify(Algorithm::es256, text, signature);
    demand(used->verify(Algorithm::es256, text, signature) == verdict);
    if (text == input && signature == good) demand(verdict == Errc::none);
}

void try_documents(std::string_view text) {
    static_cast<void>(parse_discovery(text, kIssuer));
    const auto set = parse_key_set(text);
    if (!set) return;
    demand(!(*set)->keys.empty());
    for (const auto& key : (*set)->keys) {
        demand(key->thumbprint().size() == 43 && !key->describe().empty());
        demand((*set)->has_thumbprint(key->thumbprint()));
        demand(key->kid().empty() || (*set)->find(key->kid(), Algorithm::rs256) != nullptr);
        for (int i = 0; i < kAlgorithmCount; ++i) {
            demand(key->verify(static_cast<Algorithm>(i), "input", std::string(64, 'x')) !=
                   Errc::none);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // An allocation of exactly this size, so that a read past its end is seen.
    const std::vector<char> copy(data + 1, data + size);
    const std::string_view text(copy.data(), copy.size());
    switch (data[0] % 4) {
        case 0:
            try_token(text);
            break;
        case 1:
            try_signed(text);
            break;
        case 2:
            try_changed(text);
            try_both_ways(text);
            break;
        default:
            try_documents(text);
            break;
    }
    return 0;
}
