#include "gatehouse/jwt/sign.hpp"

#include "evp.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "key_material.hpp"
#include "public_key.hpp"
#include "schemes.hpp"

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

namespace gatehouse::jwt {
namespace {

constexpr std::size_t kKeyTextMost = 65536;

Error no_signer(std::string why) {
    return fail(Errc::signing_key_invalid, std::move(why));
}

// Never asks a terminal for a pass phrase, which is what OpenSSL does when it is given no callback.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

Result<PkeyPtr> read_pem(std::string_view text) {
    const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    PkeyPtr pkey(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr)
                     : nullptr);
    if (!pkey) return no_signer("not a private key in PEM without pass phrase");
    return pkey;
}

// The same rules as for keys that verify: what we mint must be accepted by what we check with.
Result<Json> check_members(const EVP_PKEY& pkey) {
    auto members = public_members(pkey);
    if (!members) return no_signer(members.error().detail);
    if (const auto again = make_pkey(*members, KeyHalf::public_half); !again)
        return no_signer(again.error().detail);
    return members;
}

Algorithm first_choice(AlgorithmSet algorithms) noexcept {
    int i = 0;
    while (i + 1 < kAlgorithmCount && !algorithms.has(static_cast<Algorithm>(i)))
        ++i;
    return static_cast<Algorithm>(i);
}

PkeyPtr generate(Algorithm algorithm) {
    switch (scheme_of(algorithm).padding) {
        case Padding::ecdsa: {
            const Curve& curve = *find_curve_of(algorithm);
            return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.group));
        }
        case Padding::eddsa:
            return PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        case Padding::pkcs1:
        case Padding::pss:
            break;
    }
    return PkeyPtr(EVP_PKEY_Q_keygen(
        nullptr, nullptr, "RSA", static_cast<std::size_t>(limits::kRsaBitsLeast)));
}

// RFC 7515 A.3.1: from OpenSSL's SEQUENCE of two INTEGERs to R || S.
std::string to_fixed(const std::string& der, std::size_t bytes) {
    const unsigned char* at = bytes_of(std::string_view(der));
    const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    if (!pair) return {};
    std::string fixed(2 * bytes, '\0');
    const int half = static_cast<int>(bytes);
    const bool done =
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(fixed), half) == half &&
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(fixed) + bytes, half) == half;
    return done ? fixed : std::string();
}

}  // namespace

struct SigningKey::Impl {
    PkeyPtr pkey;
    Algorithm algorithm = Algorithm::rs256;
    std::string kid;
    Json jwk;
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

SigningKey::SigningKey(SigningKey&&) noexcept = default;

SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

SigningKey::~SigningKey() = default;

const std::string& SigningKey::kid() const noexcept {
    return impl_->kid;
}

Algorithm SigningKey::algorithm() const noexcept {
    return impl_->algorithm;
}

const Json& SigningKey::public_jwk() const noexcept {
    return impl_->jwk;
}

std::string SigningKey::key_set() const {
    return dump_json(Json{{"keys", Json::array({impl_->jwk})}});
}

Result<std::string> SigningKey::sign(std::string_view signing_input) const {
    const QuietErrors quiet;
    const Scheme& scheme = scheme_of(impl_->algorithm);
    const DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* pkey_context = nullptr;  // owned by `context`
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(impl_->pkey.get()));
    std::string signature(size, '\0');
    if (!context ||
        EVP_DigestSignInit_ex(context.get(),
                              &pkey_context,
                              scheme.digest,
                              nullptr,
                              nullptr,
                              impl_->pkey.get(),
                              nullptr) != 1 ||
        !set_padding(pkey_context, impl_->algorithm) ||
        EVP_DigestSign(context.get(),
                       bytes_of(signature),
                       &size,
                       bytes_of(signing_input),
                       signing_input.size()) != 1) {
        return no_signer("OpenSSL could not sign");
    }
    signature.resize(size);
    if (scheme.padding != Padding::ecdsa) return signature;
    std::string fixed = to_fixed(signature, find_curve_of(impl_->algorithm)->bytes);
    if (fixed.empty()) return no_signer("OpenSSL made no ECDSA signature");
    return fixed;
}

Result<std::string> SigningKey::mint(const Json& claims, std::string_view type) const {
    const Json header = {{"alg", std::string(to_string(impl_->algorithm))},
                         {"kid", impl_->kid},
                         {"typ", std::string(type)}};
    std::string token =
        encode_base64url(dump_json(header)) + '.' + encode_base64url(dump_json(claims));
    const auto signature = sign(token);
    if (!signature) return signature.error();
    return token + '.' + encode_base64url(*signature);
}

namespace {

Result<SigningKey> make_signing_key(PkeyPtr pkey,
                                    Json members,
                                    Algorithm algorithm,
                                    std::string kid) {
    auto impl = std::make_unique<SigningKey::Impl>();
    impl->kid = kid.empty() ? thumbprint_of(members) : std::move(kid);
    impl->algorithm = algorithm;
    impl->pkey = std::move(pkey);
    impl->jwk = std::move(members);
    impl->jwk["kid"] = impl->kid;
    impl->jwk["alg"] = std::string(to_string(algorithm));
    impl->jwk["use"] = "sig";
    return SigningKey(std::move(impl));
}

// A file may pair a private part with another key's public part; it would mint tokens that nobody
// accepts.
bool verifies_itself(const SigningKey& key) {
    const auto set = parse_key_set(key.key_set());
    const auto signature = key.sign("gatehouse");
    return set && signature &&
           (*set)->keys.front()->verify(key.algorithm(), "gatehouse", *signature) == Errc::none;
}

Result<SigningKey> make_checked(PkeyPtr pkey,
                                const Json& jwk,
                                std::optional<Algorithm> wanted,
                                std::string kid) {
    auto members = check_members(*pkey);
    if (!members) return std::move(members).error();
    const auto allowed = narrow_by_purpose(algorithms_of(*members), jwk, "sign");
    if (!allowed) return no_signer(allowed.error().detail);
    if (wanted && !allowed->has(*wanted)) {
        return no_signer("the key is for " + allowed->to_string() + ", not " +
                         std::string(to_string(*wanted)));
    }
    const Algorithm algorithm = wanted ? *wanted : first_choice(*allowed);
    auto key = make_signing_key(std::move(pkey), *std::move(members), algorithm, std::move(kid));
    if (key && !verifies_itself(*key))
        return no_signer("private and public part do not belong together");
    return key;
}

}  // namespace

Result<SigningKey> generate_signing_key(Algorithm algorithm, std::string kid) {
    const QuietErrors quiet;
    PkeyPtr pkey = generate(algorithm);
    if (!pkey) return no_signer("OpenSSL could not make a key");
    return make_checked(std::move(pkey), Json::object(), algorithm, std::move(kid));
}

Result<SigningKey> parse_signing_key(std::string_view text,
                                     std::optional<Algorithm> algorithm,
                                     std::string kid) {
    const QuietErrors quiet;
    if (text.size() > kKeyTextMost)
        return no_signer("more than " + std::to_string(kKeyTextMost) + " bytes");
    if (text.find("-----BEGIN ") != std::string_view::npos) {
        auto pkey = read_pem(text);
        if (!pkey) return std::move(pkey).error();
        return make_checked(*std::move(pkey), Json::object(), algorithm, std::move(kid));
    }
    const auto jwk = parse_json(text);
    if (!jwk || !jwk->is_object()) return no_signer("neither a PEM nor a JSON object");
    auto pkey = make_pkey(*jwk, KeyHalf::private_half);
    if (!pkey) return no_signer(pkey.error().detail);
    if (const auto named = get_string(*jwk, "kid"); named && kid.empty()) kid = *named;
    return make_checked(*std::move(pkey), *jwk, algorithm, std::move(kid));
}

}  // namespace gatehouse::jwt
