#include "gatehouse/core/ascii.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "key_material.hpp"
#include "p256_table.hpp"
#include "public_key.hpp"
#include "rsa_2048.hpp"
#include "schemes.hpp"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace gatehouse::jwt {
namespace {

// r and s of P-521 with the headers of two INTEGERs and a SEQUENCE.
constexpr std::size_t kDerMost = 160;

// So many signatures a key of P-256 verifies by EVP before it gets its table, which takes as long
// to make as it saves in 500 more: few, so that a key under load has it at once; yet a key whose
// tokens are rare, and each of the thousand that a key set may have and nobody uses, stays without.
constexpr std::uint32_t kVerificationsForTable = 64;

struct Der {
    std::array<unsigned char, kDerMost> bytes;
    std::size_t size = 0;

    void put(std::size_t byte) noexcept { bytes[size++] = static_cast<unsigned char>(byte); }

    void put_integer(std::string_view number) noexcept {
        const bool sign_bit = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
        put(0x02);
        put(number.size() + (sign_bit ? 1 : 0));
        if (sign_bit) put(0);
        size += number.copy(reinterpret_cast<char*>(bytes.data()) + size, number.size());
    }
};

std::size_t der_size(std::string_view number) noexcept {
    return 2 + number.size() + ((static_cast<unsigned char>(number.front()) & 0x80) != 0 ? 1 : 0);
}

std::string_view without_leading_zeros(std::string_view number) noexcept {
    const auto first = number.find_first_not_of('\0');
    return first == std::string_view::npos ? std::string_view() : number.substr(first);
}

// RFC 7515 A.3.1: R || S, each as long as the curve's coordinates, to what OpenSSL reads. Size 0:
// not a signature at all.
Der to_der(std::string_view signature, std::string_view order) noexcept {
    Der der;
    if (signature.size() != 2 * order.size()) return der;
    const std::string_view padded_r = signature.substr(0, order.size());
    const std::string_view padded_s = signature.substr(order.size());
    // Views compare as unsigned bytes, so for equal lengths this is r < n and s < n. Zero is
    // CVE-2022-21449.
    if (padded_r >= order || padded_s >= order) return der;
    const std::string_view r = without_leading_zeros(padded_r);
    const std::string_view s = without_leading_zeros(padded_s);
    if (r.empty() || s.empty()) return der;
    const std::size_t content = der_size(r) + der_size(s);
    der.put(0x30);
    if (content > 127) der.put(0x81);
    der.put(content);
    der.put_integer(r);
    der.put_integer(s);
    return der;
}

Result<DigestContextPtr> make_context(EVP_PKEY* pkey, Algorithm algorithm) {
    DigestContextPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* pkey_context = nullptr;  // owned by `context`
    const char* digest = scheme_of(algorithm).digest;
    if (!context ||
        EVP_DigestVerifyInit_ex(
            context.get(), &pkey_context, digest, nullptr, nullptr, pkey, nullptr) != 1 ||
        !set_padding(pkey_context, algorithm)) {
        return fail(Errc::jwks_invalid,
                    "OpenSSL does not take the key for " + std::string(to_string(algorithm)));
    }
    return context;
}

std::string order_of(const EVP_PKEY& pkey, std::size_t bytes) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(&pkey, OSSL_PKEY_PARAM_EC_ORDER, &raw) != 1) return {};
    const NumberPtr number(raw);
    std::string order(bytes, '\0');
    return BN_bn2binpad(raw, bytes_of(order), static_cast<int>(bytes)) < 0 ? std::string() : order;
}

}  // namespace

struct PublicKey::Impl {
    std::string kid;
    std::string thumbprint;
    std::string description;
    AlgorithmSet algorithms;
    PkeyPtr pkey;
    std::array<DigestContextPtr, kAlgorithmCount>
        contexts;                          // only ever copied from, so threads may share them
    std::string order;                     // EC: n, big-endian, as long as a coordinate
    std::size_t signature_bytes = 0;       // RSA, EdDSA
    std::unique_ptr<const Rsa2048> rs256;  // where the machine has it
    bool may_have_table = false;           // P-256

    // What changes. Nobody writes to it once the table is wanted and made.
    std::atomic<std::uint32_t> verified{0};
    std::atomic<bool> table_begun{false};  // and never again, well or not
    std::atomic<const P256Table*> table{nullptr};

    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() { delete table.load(std::memory_order_acquire); }

    void count() noexcept {
        if (may_have_table && !wants_table()) verified.fetch_add(1, std::memory_order_relaxed);
    }

    bool wants_table() const noexcept {
        return verified.load(std::memory_order_relaxed) >= kVerificationsForTable;
    }
};

PublicKey::PublicKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PublicKey::~PublicKey() = default;

const std::string& PublicKey::kid() const noexcept {
    return impl_->kid;
}

const std::string& PublicKey::thumbprint() const noexcept {
    return impl_->thumbprint;
}

bool PublicKey::fits(Algorithm algorithm) const noexcept {
    return impl_->algorithms.has(algorithm);
}

Errc PublicKey::verify(Algorithm algorithm,
                       std::string_view signing_input,
                       std::string_view signature) const noexcept {
    if (!fits(algorithm)) return Errc::token_key_unfit;
    Der der;
    const unsigned char* bytes = bytes_of(signature);
    std::size_t size = signature.size();
    if (!impl_->order.empty()) {
        der = to_der(signature, impl_->order);
        if (der.size == 0) return Errc::token_signature_invalid;
        bytes = der.bytes.data();
        size = der.size;
    } else if (size != impl_->signature_bytes) {
        // RFC 8017 8.1.2 step 1. OpenSSL would read a shorter PSS signature as a number with
        // leading zeros.
        return Errc::token_signature_invalid;
    }
    const QuietErrors quiet;
    if (const P256Table* table = impl_->table.load(std::memory_order_acquire)) {
        return table->verifies(signing_input, signature) ? Errc::none
                                                         : Errc::token_signature_invalid;
    }
    if (impl_->rs256 && algorithm == Algorithm::rs256) {
        return impl_->rs256->verifies(signing_input, signature) ? Errc::none
                                                                : Errc::token_signature_invalid;
    }
    // A copy of a ready context is cheaper than making one anew: no fetch by name, no parameters.
    const DigestContextPtr context(EVP_MD_CTX_new());
    const DigestContextPtr& ready = impl_->contexts[static_cast<std::size_t>(algorithm)];
    if (!context || EVP_MD_CTX_copy_ex(context.get(), ready.get()) != 1)
        return Errc::token_signature_invalid;
    const int verified =
        EVP_DigestVerify(context.get(), bytes, size, bytes_of(signing_input), signing_input.size());
    if (verified != 1) return Errc::token_signature_invalid;
    impl_->count();
    return Errc::none;
}

bool PublicKey::make_table() const noexcept {
    // Looked at before it is written, for the sake of who verifies by this cache line.
    if (!impl_->wants_table() || impl_->table_begun.load(std::memory_order_relaxed) ||
        impl_->table_begun.exchange(true, std::memory_order_relaxed)) {
        return false;
    }
    impl_->table.store(P256Table::make(*impl_->pkey).release(), std::memory_order_release);
    return true;
}

bool PublicKey::has_table() const noexcept {
    return impl_->table.load(std::memory_order_acquire) != nullptr;
}

const std::string& PublicKey::describe() const noexcept {
    return impl_->description;
}

Result<std::shared_ptr<const PublicKey>> make_public_key(PkeyPtr pkey,
                                                         const Json& members,
                                                         std::string kid,
                                                         AlgorithmSet algorithms) {
    const QuietErrors quiet;
    auto impl = std::make_unique<PublicKey::Impl>();
    impl->kid = std::move(kid);
    impl->thumbprint = thumbprint_of(members);
    impl->description = name_of(*pkey, members) + ' ' + algorithms.to_string() +
                        (impl->kid.empty() ? " without kid" : " kid=" + printable(impl->kid));
    impl->algorithms = algorithms;
    for (int i = 0; i < kAlgorithmCount; ++i) {
        const auto algorithm = static_cast<Algorithm>(i);
        if (!algorithms.has(algorithm)) continue;
        auto context = make_context(pkey.get(), algorithm);
        if (!context) return std::move(context).error();
        impl->contexts[static_cast<std::size_t>(i)] = *std::move(context);
    }
    if (const auto name = get_string(members, "crv"); name && find_curve(*name) != nullptr) {
        impl->order = order_of(*pkey, find_curve(*name)->bytes);
        impl->may_have_table = find_curve(*name)->algorithm == Algorithm::es256;
        if (impl->order.empty()) return fail(Errc::jwks_invalid, "curve has no order");
    } else {
        impl->signature_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(pkey.get()));
        if (algorithms.has(Algorithm::rs256)) impl->rs256 = Rsa2048::make(*pkey);
    }
    impl->pkey = std::move(pkey);
    return std::make_shared<const PublicKey>(std::move(impl));
}

}  // namespace gatehouse::jwt
