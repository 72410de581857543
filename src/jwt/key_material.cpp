#include "key_material.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "schemes.hpp"

#include <openssl/core_names.h>

#include <optional>
#include <vector>

namespace gatehouse::jwt {
namespace {

constexpr std::size_t kEd25519Bytes = 32;
constexpr int kExponentBitsMost = 33;

Error bad_key(std::string why) {
    return fail(Errc::jwks_invalid, std::move(why));
}

// Collects OSSL_PARAMs; numbers stay alive until the key is made, as OSSL_PARAM_BLD asks.
class KeyBuilder {
  public:
    void add(const char* name, NumberPtr number) {
        good_ = good_ && OSSL_PARAM_BLD_push_BN(builder_.get(), name, number.get()) == 1;
        numbers_.push_back(std::move(number));
    }

    void add_text(const char* name, const char* text) {
        good_ = good_ && OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, text, 0) == 1;
    }

    void add_bytes(const char* name, std::string_view bytes) {
        good_ = good_ && OSSL_PARAM_BLD_push_octet_string(
                             builder_.get(), name, bytes.data(), bytes.size()) == 1;
    }

    PkeyPtr make(const char* type, KeyHalf half) const {
        if (!good_) return nullptr;
        const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> params(
            OSSL_PARAM_BLD_to_param(builder_.get()));
        const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
        const int selection = half == KeyHalf::public_half ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
        EVP_PKEY* pkey = nullptr;
        if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
            EVP_PKEY_fromdata(context.get(), &pkey, selection, params.get()) != 1) {
            return nullptr;
        }
        return PkeyPtr(pkey);
    }

  private:
    std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> builder_{OSSL_PARAM_BLD_new()};
    std::vector<NumberPtr> numbers_;
    bool good_ = builder_ != nullptr;
};

Result<std::string> read_bytes(const Json& jwk, const char* member) {
    const auto text = get_string(jwk, member);
    if (!text) return bad_key(std::string(member) + " is missing or not a string");
    auto bytes = decode_base64url(*text);
    if (!bytes || bytes->empty()) return bad_key(std::string(member) + " is not base64url");
    return bytes;
}

Result<std::string> read_exactly(const Json& jwk, const char* member, std::size_t size) {
    auto bytes = read_bytes(jwk, member);
    // RFC 7518 6.2.1.2: coordinates are padded to the size of the curve, so a shorter one is
    // another encoder's fault.
    if (bytes && bytes->size() != size) {
        return bad_key(std::string(member) + " has " + std::to_string(bytes->size()) +
                       " bytes, not " + std::to_string(size));
    }
    return bytes;
}

Result<NumberPtr> read_number(const Json& jwk, const char* member) {
    const auto bytes = read_bytes(jwk, member);
    if (!bytes) return bytes.error();
    // A leading zero byte is against RFC 7518 2, yet known issuers send it; it changes nothing. The
    // cap spares work only.
    if (bytes->size() > limits::kRsaBitsMost / 8 + 8)
        return bad_key(std::string(member) + " is too large");
    NumberPtr number(
        BN_bin2bn(bytes_of(std::string_view(*bytes)), static_cast<int>(bytes->size()), nullptr));
    if (!number) return bad_key("out of memory");
    return number;
}

std::optional<Error> check_rsa(const BIGNUM& modulus, const BIGNUM& exponent) {
    const int bits = BN_num_bits(&modulus);
    if (bits < limits::kRsaBitsLeast || bits > limits::kRsaBitsMost) {
        return bad_key("RSA modulus of " + std::to_string(bits) + " bits, not " +
                       std::to_string(limits::kRsaBitsLeast) + " to " +
                       std::to_string(limits::kRsaBitsMost));
    }
    if (BN_is_odd(&modulus) == 0) return bad_key("RSA modulus is even");
    // e = 1 makes every message its own signature; a huge e makes each check as dear as signing.
    if (BN_is_odd(&exponent) == 0 || BN_is_one(&exponent) == 1 ||
        BN_num_bits(&exponent) > kExponentBitsMost) {
        return bad_key("RSA exponent is not odd, at least 3 and at most 33 bits");
    }
    return std::nullopt;
}

Result<PkeyPtr> make_rsa(const Json& jwk, KeyHalf half) {
    KeyBuilder builder;
    auto modulus = read_number(jwk, "n");
    if (!modulus) return modulus.error();
    auto exponent = read_number(jwk, "e");
    if (!exponent) return exponent.error();
    if (auto fault = check_rsa(**modulus, **exponent)) return *std::move(fault);
    builder.add(OSSL_PKEY_PARAM_RSA_N, std::move(*modulus));
    builder.add(OSSL_PKEY_PARAM_RSA_E, std::move(*exponent));

    constexpr struct {
        const char* member;
        const char* param;
    } kPrivate[] = {{"d", OSSL_PKEY_PARAM_RSA_D},
                    {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                    {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                    {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};

    for (const auto& part : kPrivate) {
        if (half == KeyHalf::public_half) break;
        auto number = read_number(jwk, part.member);
        if (!number) return number.error();
        builder.add(part.param, std::move(*number));
    }
    PkeyPtr pkey = builder.make("RSA", half);
    if (!pkey) return bad_key("RSA key is not valid");
    return pkey;
}

Result<PkeyPtr> make_ec(const Json& jwk, KeyHalf half) {
    const auto name = get_string(jwk, "crv");
    if (!name) return bad_key("crv is missing or not a string");
    const Curve* curve = find_curve(*name);
    if (curve == nullptr) return bad_key("curve \"" + printable(*name, 40) + "\" is not supported");
    const auto x = read_exactly(jwk, "x", curve->bytes);
    if (!x) return x.error();
    const auto y = read_exactly(jwk, "y", curve->bytes);
    if (!y) return y.error();

    KeyBuilder builder;
    builder.add_text(OSSL_PKEY_PARAM_GROUP_NAME, curve->group);
    const std::string point = '\x04' + *x + *y;
    builder.add_bytes(OSSL_PKEY_PARAM_PUB_KEY, point);
    if (half == KeyHalf::private_half) {
        const auto secret = read_exactly(jwk, "d", curve->bytes);
        if (!secret) return secret.error();
        builder.add(
            OSSL_PKEY_PARAM_PRIV_KEY,
            NumberPtr(BN_bin2bn(
                bytes_of(std::string_view(*secret)), static_cast<int>(secret->size()), nullptr)));
    }
    PkeyPtr pkey = builder.make("EC", half);
    if (!pkey) return bad_key("the point is not on " + std::string(curve->name));
    const PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
    if (!context || EVP_PKEY_public_check(context.get()) != 1) {
        return bad_key("the point is not a valid key of " + std::string(curve->name));
    }
    return pkey;
}

Result<Json> ed25519_members(const EVP_PKEY& pkey) {
    std::string x(kEd25519Bytes, '\0');
    std::size_t length = x.size();
    if (EVP_PKEY_get_raw_public_key(&pkey, bytes_of(x), &length) != 1 || length != x.size()) {
        return bad_key("key has no public part");
    }
    return Json{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", encode_base64url(x)}};
}

Result<PkeyPtr> make_ed25519(const Json& jwk, KeyHalf half) {
    const auto name = get_string(jwk, "crv");
    if (!name || *name != "Ed25519")
        return bad_key("crv is not Ed25519, the only supported OKP curve");
    const auto x = read_exactly(jwk, "x", kEd25519Bytes);
    if (!x) return x.error();
    PkeyPtr pkey;
    if (half == KeyHalf::public_half) {
        pkey.reset(EVP_PKEY_new_raw_public_key_ex(
            nullptr, "ED25519", nullptr, bytes_of(std::string_view(*x)), x->size()));
    } else {
        const auto secret = read_exactly(jwk, "d", kEd25519Bytes);
        if (!secret) return secret.error();
        pkey.reset(EVP_PKEY_new_raw_private_key_ex(
            nullptr, "ED25519", nullptr, bytes_of(std::string_view(*secret)), secret->size()));
    }
    if (!pkey) return bad_key("Ed25519 key is not valid");
    // OpenSSL makes the public half from `d` and never sees `x`.
    const auto members = ed25519_members(*pkey);
    if (!members || (*members)["x"] != encode_base64url(*x))
        return bad_key("x and d do not belong together");
    return pkey;
}

// Big-endian, padded to `size` bytes; 0: no padding.
Result<std::string> number_param(const EVP_PKEY& pkey, const char* name, std::size_t size) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(&pkey, name, &raw) != 1) return bad_key("key has no public part");
    const NumberPtr number(raw);
    std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(raw)) : size, '\0');
    if (BN_bn2binpad(raw, bytes_of(bytes), static_cast<int>(bytes.size())) < 0)
        return bad_key("key has no public part");
    return encode_base64url(bytes);
}

Result<Json> rsa_members(const EVP_PKEY& pkey) {
    auto modulus = number_param(pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    auto exponent = number_param(pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    if (!modulus) return modulus.error();
    if (!exponent) return exponent.error();
    return Json{{"kty", "RSA"}, {"n", *std::move(modulus)}, {"e", *std::move(exponent)}};
}

Result<Json> ec_members(const EVP_PKEY& pkey) {
    char group[64] = {};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(&pkey, group, sizeof group, &length) != 1)
        return bad_key("EC key of no named curve");
    const Curve* curve = find_curve_of_group(std::string_view(group, length));
    if (curve == nullptr)
        return bad_key("curve " + std::string(group, length) + " is not supported");
    auto x = number_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve->bytes);
    auto y = number_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve->bytes);
    if (!x) return x.error();
    if (!y) return y.error();
    return Json{{"kty", "EC"},
                {"crv", std::string(curve->name)},
                {"x", *std::move(x)},
                {"y", *std::move(y)}};
}

}  // namespace

Result<PkeyPtr> make_pkey(const Json& jwk, KeyHalf half) {
    const QuietErrors quiet;
    const auto type = get_string(jwk, "kty");
    if (!type) return bad_key("kty is missing or not a string");
    if (*type == "RSA") return make_rsa(jwk, half);
    if (*type == "EC") return make_ec(jwk, half);
    if (*type == "OKP") return make_ed25519(jwk, half);
    if (*type == "oct")
        return bad_key("a symmetric key, which would let whoever verifies also sign");
    return bad_key("kty \"" + printable(*type, 40) + "\" is not supported");
}

Result<Json> public_members(const EVP_PKEY& pkey) {
    const QuietErrors quiet;
    if (EVP_PKEY_is_a(&pkey, "RSA") == 1) return rsa_members(pkey);
    if (EVP_PKEY_is_a(&pkey, "EC") == 1) return ec_members(pkey);
    if (EVP_PKEY_is_a(&pkey, "ED25519") == 1) return ed25519_members(pkey);
    return bad_key("key is neither RSA nor EC nor Ed25519");
}

std::string thumbprint_of(const Json& public_members) {
    // Json keeps members in lexicographic order and dumps without spaces, which is just what RFC
    // 7638 3.3 asks for.
    const Sha256 digest = sha256(dump_json(public_members));
    return encode_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

AlgorithmSet algorithms_of(const Json& public_members) {
    AlgorithmSet algorithms;
    const auto type = get_string(public_members, "kty");
    if (type && *type == "RSA") {
        for (const Algorithm algorithm : {Algorithm::rs256,
                                          Algorithm::rs384,
                                          Algorithm::rs512,
                                          Algorithm::ps256,
                                          Algorithm::ps384,
                                          Algorithm::ps512}) {
            algorithms.add(algorithm);
        }
    } else if (type && *type == "EC") {
        const auto name = get_string(public_members, "crv");
        const Curve* curve = name ? find_curve(*name) : nullptr;
        if (curve != nullptr) algorithms.add(curve->algorithm);
    } else if (type && *type == "OKP") {
        algorithms.add(Algorithm::eddsa);
    }
    return algorithms;
}

Result<AlgorithmSet> narrow_by_purpose(AlgorithmSet algorithms,
                                       const Json& jwk,
                                       std::string_view operation) {
    if (const Json* use = find_member(jwk, "use"); use != nullptr && *use != "sig")
        return bad_key("use is not \"sig\"");
    if (const Json* operations = find_member(jwk, "key_ops")) {
        bool allowed = false;
        for (const Json& entry : *operations)
            allowed = allowed || (operations->is_array() && entry == operation);
        if (!allowed) return bad_key("key_ops does not have \"" + std::string(operation) + "\"");
    }
    const Json* named = find_member(jwk, "alg");
    if (named == nullptr) return algorithms;
    if (!named->is_string()) return bad_key("alg is not a string");
    const auto& name = named->get_ref<const std::string&>();
    const auto algorithm = find_algorithm(name);
    if (!algorithm || !algorithms.has(*algorithm))
        return bad_key("alg \"" + printable(name, 40) + "\" does not fit the key");
    AlgorithmSet one;
    one.add(*algorithm);
    return one;
}

std::string name_of(const EVP_PKEY& pkey, const Json& public_members) {
    const auto type = get_string(public_members, "kty");
    const auto curve = get_string(public_members, "crv");
    const std::string family(type ? *type : "");
    return family + ' ' + (curve ? std::string(*curve) : std::to_string(EVP_PKEY_get_bits(&pkey)));
}

}  // namespace gatehouse::jwt
