#include "gatehouse/jwt/jwks.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "key_material.hpp"
#include "public_key.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::jwt {
namespace {

Result<std::shared_ptr<const PublicKey>> read_key(const Json& jwk) {
    if (!jwk.is_object()) return fail(Errc::jwks_invalid, "not an object");
    std::string kid;
    if (const Json* named = find_member(jwk, "kid")) {
        if (!named->is_string()) return fail(Errc::jwks_invalid, "kid is not a string");
        kid = named->get_ref<const std::string&>();
    }
    auto pkey = make_pkey(jwk, KeyHalf::public_half);
    if (!pkey) return std::move(pkey).error();
    const auto members = public_members(**pkey);
    if (!members) return members.error();
    const auto algorithms = narrow_by_purpose(algorithms_of(*members), jwk, "verify");
    if (!algorithms) return algorithms.error();
    return make_public_key(*std::move(pkey), *members, std::move(kid), *algorithms);
}

bool is_same(const PublicKey& a, const PublicKey& b) noexcept {
    if (a.kid() != b.kid() || a.thumbprint() != b.thumbprint()) return false;
    for (int i = 0; i < kAlgorithmCount; ++i) {
        if (a.fits(static_cast<Algorithm>(i)) != b.fits(static_cast<Algorithm>(i))) return false;
    }
    return true;
}

// "key 3 (kid abc): use is not "sig"": what a person needs to find it in the document.
std::string place_of(std::size_t index, const Json& jwk) {
    std::string place = "key " + std::to_string(index + 1);
    const auto kid = get_string(jwk, "kid");
    if (kid) place += " (kid " + printable(*kid, 80) + ")";
    return place + ": ";
}

}  // namespace

std::shared_ptr<const PublicKey> KeySet::find(std::string_view kid,
                                              Algorithm algorithm) const noexcept {
    const std::shared_ptr<const PublicKey>* first = nullptr;
    for (const auto& key : keys) {
        if (key->kid() != kid || kid.empty()) continue;
        if (key->fits(algorithm)) return key;
        if (first == nullptr) first = &key;
    }
    return first == nullptr ? nullptr : *first;
}

std::shared_ptr<const PublicKey> KeySet::only_fit(Algorithm algorithm) const noexcept {
    const std::shared_ptr<const PublicKey>* only = nullptr;
    for (const auto& key : keys) {
        if (!key->fits(algorithm)) continue;
        // One key under two names is still one key.
        if (only != nullptr && (*only)->thumbprint() != key->thumbprint()) return nullptr;
        if (only == nullptr) only = &key;
    }
    return only == nullptr ? nullptr : *only;
}

bool KeySet::has_thumbprint(std::string_view thumbprint) const noexcept {
    return std::any_of(
        keys.begin(), keys.end(), [&](const auto& key) { return key->thumbprint() == thumbprint; });
}

Result<std::shared_ptr<const KeySet>> parse_key_set(std::string_view text) {
    const auto document = parse_json(text, {.max_bytes = limits::kJwksBytes});
    if (!document)
        return fail(
            Errc::jwks_invalid,
            printable(document.error().code.message() + ": " + document.error().detail, 200));
    const Json* list = find_member(*document, "keys");
    if (list == nullptr || !list->is_array()) return fail(Errc::jwks_invalid, "no list of keys");
    if (list->size() > limits::kJwksKeys)
        return fail(Errc::jwks_invalid, "more than " + std::to_string(limits::kJwksKeys) + " keys");

    auto set = std::make_shared<KeySet>();
    for (std::size_t i = 0; i < list->size(); ++i) {
        const Json& jwk = (*list)[i];
        // RFC 7517 5: what is not understood is left out; one bad key never spoils the others.
        auto candidate = read_key(jwk);
        if (!candidate) {
            set->skipped.push_back(place_of(i, jwk) + candidate.error().detail);
            continue;
        }
        const bool known = std::any_of(set->keys.begin(), set->keys.end(), [&](const auto& key) {
            return is_same(*key, **candidate);
        });
        if (known) {
            set->skipped.push_back(place_of(i, jwk) + "the same key as one before it");
        } else {
            set->keys.push_back(*std::move(candidate));
        }
    }
    if (set->keys.empty()) {
        return fail(Errc::jwks_empty,
                    set->skipped.empty() ? "the list is empty" : set->skipped.front());
    }
    return std::shared_ptr<const KeySet>(std::move(set));
}

}  // namespace gatehouse::jwt
