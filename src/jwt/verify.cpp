#include "gatehouse/jwt/verify.hpp"

#include "checks.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::jwt {
namespace {

using KeyPtr = std::shared_ptr<const PublicKey>;

void append_described(std::string& into,
                      const KeySet& keys,
                      const KeyPtr& key,
                      Algorithm algorithm) {
    if (key) {
        into += key->describe();
        return;
    }
    const auto fitting = std::count_if(keys.keys.begin(), keys.keys.end(), [&](const KeyPtr& each) {
        return each->fits(algorithm);
    });
    into += std::to_string(fitting) + " of " + std::to_string(keys.keys.size()) +
            " keys fit, none by that name";
}

// By kid within this issuer's own set, so that two issuers may use the same kid. Without kid only a
// key that cannot be mistaken: trying one after the other would let a token choose.
Result<KeyPtr> choose_key(const Unverified& token, const KeySet& keys, CheckTrail* trail) {
    KeyPtr key =
        token.kid.empty() ? keys.only_fit(token.algorithm) : keys.find(token.kid, token.algorithm);
    const auto expected = [&](std::string& into) {
        into += token.kid.empty() ? "exactly one key for " : "a key for ";
        into += to_string(token.algorithm);
        if (token.kid.empty()) return;
        into += " with kid ";
        append_printable(into, token.kid);
    };
    const bool fits = key && key->fits(token.algorithm);
    const Errc code = key ? Errc::token_key_unfit : Errc::token_key_unknown;
    if (auto refusal = check(trail, "key", code, fits, expected, [&](std::string& into) {
            append_described(into, keys, key, token.algorithm);
        })) {
        return *std::move(refusal);
    }
    return key;
}

}  // namespace

Result<Verified> verify_token(Unverified token,
                              const Provider& provider,
                              const Rules& rules,
                              const KeySet& keys,
                              WallTime now,
                              CheckTrail* trail) {
    const auto key = choose_key(token, keys, trail);
    if (!key) return key.error();
    const Errc outcome = (*key)->verify(token.algorithm, token.signing_input, token.signature);
    if (auto refusal = check(trail,
                             "signature",
                             outcome,
                             outcome == Errc::none,
                             text("made by that key over these bytes"),
                             text(outcome == Errc::none ? "valid" : "not valid"))) {
        return *std::move(refusal);
    }
    // Claims are judged only now: before the signature holds they are the sender's word alone.
    Verified verified;
    if (auto refusal = check_claims(token.claims, provider, rules, now, trail, verified))
        return *std::move(refusal);
    verified.claims = std::move(token.claims);
    verified.provider = token.provider;
    verified.kid = (*key)->kid();
    verified.key_thumbprint = (*key)->thumbprint();
    return verified;
}

Result<Verified> verify_claims(
    Json claims, const Provider& provider, const Rules& rules, WallTime now, CheckTrail* trail) {
    if (!provider.issuer.empty()) {
        const Json* issuer = find_member(claims, "iss");
        const bool same = issuer != nullptr && issuer->is_string() &&
                          issuer->get_ref<const std::string&>() == provider.issuer;
        if (auto refusal = check(
                trail,
                "issuer",
                Errc::token_issuer_unknown,
                same,
                [&] { return '"' + printable(provider.issuer) + '"'; },
                shown(issuer))) {
            return *std::move(refusal);
        }
    }
    Verified verified;
    if (auto refusal = check_claims(claims, provider, rules, now, trail, verified))
        return *std::move(refusal);
    verified.claims = std::move(claims);
    return verified;
}

}  // namespace gatehouse::jwt
