#include "rsa_2048.hpp"

#if defined(__x86_64__)

#include <openssl/core_names.h>

#include <cstring>
#include <new>

// GCC 12 takes what its own intrinsics leave open on purpose for forgotten.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace gatehouse::jwt {
namespace {

constexpr int kBits = 2048;
constexpr unsigned kExponent = 65537;  // 2^16 + 1
constexpr int kSquarings = 16;

constexpr unsigned kDigitBits = 52;
constexpr std::uint64_t kDigitMask = (std::uint64_t{1} << kDigitBits) - 1;
constexpr int kLanes = 8;
constexpr int kVectors = 5;
constexpr std::size_t kWord = sizeof(std::uint64_t);

// What every encoded message begins with behind its padding: RFC 8017 9.2, note 1, SHA-256.
constexpr std::array<unsigned char, 19> kDigestInfo = {0x30,
                                                       0x31,
                                                       0x30,
                                                       0x0d,
                                                       0x06,
                                                       0x09,
                                                       0x60,
                                                       0x86,
                                                       0x48,
                                                       0x01,
                                                       0x65,
                                                       0x03,
                                                       0x04,
                                                       0x02,
                                                       0x01,
                                                       0x05,
                                                       0x00,
                                                       0x04,
                                                       0x20};

// RFC 8017 9.2: 00 01 FF … FF 00 DigestInfo digest.
Rsa2048::Number encode(const Sha256& digest) noexcept {
    Rsa2048::Number message;
    message.fill(0xff);
    message[0] = 0;
    message[1] = 1;
    unsigned char* const info =
        message.data() + (message.size() - digest.size() - kDigestInfo.size());
    info[-1] = 0;
    std::memcpy(info, kDigestInfo.data(), kDigestInfo.size());
    std::memcpy(info + kDigestInfo.size(), digest.data(), digest.size());
    return message;
}

std::string_view view_of(const Rsa2048::Number& number) noexcept {
    return {reinterpret_cast<const char*>(number.data()), number.size()};
}

// -1 / n modulo 2^52. Newton: each step doubles the bits that are right, of which n itself has
// three (n * n is 1 modulo 8).
std::uint64_t negative_inverse(std::uint64_t n) noexcept {
    std::uint64_t inverse = n;
    for (unsigned bits = 3; bits < kDigitBits; bits *= 2)
        inverse *= 2 - n * inverse;
    return (0 - inverse) & kDigitMask;
}

// A lane holds 64 bits, a digit 52: what is above goes to the next lane. What the first pass
// carries may make a digit full again, and that one the next: bit i of `full` says that lane i
// passes on what it gets, of `over` that it gives of itself, so that their sum's carries are the
// lanes'.
__attribute__((target("avx512f"))) void carry(__m512i* digits) noexcept {
    const __m512i mask = _mm512_set1_epi64(static_cast<long long>(kDigitMask));
    __m512i below = _mm512_setzero_si512();
    std::uint64_t over = 0;
    std::uint64_t full = 0;
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i) {
        const __m512i above = _mm512_srli_epi64(digits[i], kDigitBits);
        digits[i] = _mm512_add_epi64(_mm512_and_si512(digits[i], mask),
                                     _mm512_alignr_epi64(above, below, kLanes - 1));
        below = above;
        over |= std::uint64_t{_mm512_cmpgt_epu64_mask(digits[i], mask)} << (kLanes * i);
        full |= std::uint64_t{_mm512_cmpeq_epu64_mask(digits[i], mask)} << (kLanes * i);
    }
    const std::uint64_t carried = ((over << 1) + full) ^ full;
    const __m512i one = _mm512_set1_epi64(1);
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i) {
        const auto lanes = static_cast<__mmask8>(carried >> (kLanes * i));
        digits[i] = _mm512_and_si512(_mm512_mask_add_epi64(digits[i], lanes, digits[i], one), mask);
    }
}

}  // namespace

std::unique_ptr<const Rsa2048> Rsa2048::make(const EVP_PKEY& key) noexcept {
    const QuietErrors quiet;
    if (is_fips_wanted() || !__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("avx512ifma"))
        return nullptr;
    std::unique_ptr<Rsa2048> made(new (std::nothrow) Rsa2048);
    if (!made || !made->set_up(key)) return nullptr;
    return made;
}

bool Rsa2048::set_up(const EVP_PKEY& key) noexcept {
    BIGNUM* modulus = nullptr;
    BIGNUM* exponent = nullptr;
    const bool is_rsa = EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
                        EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    const NumberPtr n(modulus);
    const NumberPtr e(exponent);
    if (!is_rsa || BN_num_bits(n.get()) != kBits || BN_is_odd(n.get()) != 1 ||
        BN_is_word(e.get(), kExponent) != 1)
        return false;
    const std::unique_ptr<BN_CTX, Freed<BN_CTX_free>> context(BN_CTX_new());
    const NumberPtr radix_squared(BN_new());
    Number bytes{};
    if (!context || !radix_squared ||
        BN_set_bit(radix_squared.get(), 2 * kDigitBits * kDigits) != 1 ||
        BN_mod(radix_squared.get(), radix_squared.get(), n.get(), context.get()) != 1 ||
        BN_bn2binpad(radix_squared.get(), bytes.data(), kBytes) != kBytes ||
        BN_bn2binpad(n.get(), modulus_.data(), kBytes) != kBytes)
        return false;
    n_ = read(modulus_.data());
    radix_squared_ = read(bytes.data());
    factor_ = negative_inverse(n_.at[0]);
    return computes_like_openssl(*n, context.get());
}

// Once for each key, by (n - 1) / 2: all its digits are busy, and on the way a full digit is
// carried through, which no number does that is just any (2^-52).
bool Rsa2048::computes_like_openssl(const BIGNUM& n, BN_CTX* context) const noexcept {
    const NumberPtr number(BN_new());
    const NumberPtr exponent(BN_new());
    const NumberPtr power(BN_new());
    Number bytes{};
    Number wanted{};
    if (!number || !exponent || !power || BN_rshift1(number.get(), &n) != 1 ||
        BN_set_word(exponent.get(), kExponent) != 1 ||
        BN_mod_exp(power.get(), number.get(), exponent.get(), &n, context) != 1 ||
        BN_bn2binpad(number.get(), bytes.data(), kBytes) != kBytes ||
        BN_bn2binpad(power.get(), wanted.data(), kBytes) != kBytes)
        return false;
    return raise(view_of(bytes)) == wanted;
}

bool Rsa2048::verifies(std::string_view signing_input, std::string_view signature) const noexcept {
    Sha256 digest;
    return hash_sha256(signing_input, digest) && verifies_digest(digest, signature);
}

// The encoded message is made and compared whole, never taken apart: what stands in a padding or
// behind a digest cannot be overlooked. The power is x or, where x is less than 2^-29 n, perhaps
// x + n (see multiply), for an x below n; the message is below n too, and more than 2^-29 n. So
// where digits differ, the numbers modulo n do.
bool Rsa2048::verifies_digest(const Sha256& digest, std::string_view signature) const noexcept {
    if (!is_below_n(signature)) return false;
    const Digits wanted = read(encode(digest).data());
    return power(signature).at == wanted.at;
}

std::optional<Rsa2048::Number> Rsa2048::raise(std::string_view signature) const noexcept {
    if (!is_below_n(signature)) return std::nullopt;
    Digits found = power(signature);
    // At most once, see multiply.
    bool is_below = false;
    for (std::size_t i = kDigits; i-- > 0 && !is_below;) {
        if (found.at[i] > n_.at[i]) break;
        is_below = found.at[i] < n_.at[i];
    }
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < kDigits && !is_below; ++i) {
        const std::uint64_t digit = found.at[i] - n_.at[i] - borrow;
        found.at[i] = digit & kDigitMask;
        borrow = digit >> 63;
    }
    Number bytes{};
    for (std::size_t bit = 0; bit < 8 * kBytes; ++bit) {
        const auto set = found.at[bit / kDigitBits] >> (bit % kDigitBits) & 1;
        bytes[kBytes - 1 - bit / 8] |= static_cast<unsigned char>(set << (bit % 8));
    }
    return bytes;
}

// RFC 8017 8.2.2 step 1 and 5.2.2 step 1.
bool Rsa2048::is_below_n(std::string_view signature) const noexcept {
    return signature.size() == kBytes && signature < view_of(modulus_);
}

Rsa2048::Digits Rsa2048::read(const unsigned char* number) noexcept {
    std::array<unsigned char, kWord + kBytes> padded{};
    std::memcpy(padded.data() + kWord, number, kBytes);
    Digits digits;
    for (std::size_t i = 0; i < kDigits; ++i) {
        const std::size_t bit = i * kDigitBits;
        std::uint64_t word;
        std::memcpy(&word, padded.data() + kBytes - bit / 8, kWord);
        digits.at[i] = __builtin_bswap64(word) >> (bit % 8) & kDigitMask;
    }
    return digits;
}

// By multiplying once more with the signature itself instead of its Montgomery form, the power
// leaves that form.
Rsa2048::Digits Rsa2048::power(std::string_view signature) const noexcept {
    const Digits base = read(bytes_of(signature));
    Digits result;
    multiply(result, base, radix_squared_);
    for (int i = 0; i < kSquarings; ++i)
        multiply(result, result, result);
    multiply(result, result, base);
    return result;
}

// Montgomery's product a b / R modulo n, R = 2^(52 * 40), digit by digit of b: add a b_i, make the
// lowest digit zero by a multiple m of n, and drop it. For a and b below 2n the product is below
// n + 4 n^2 / R < 2n, since R = 2^32 * 2^2048. (P. Montgomery, Modular multiplication without trial
// division, Mathematics of Computation 44 (1985).)
//
// A lane is added to four times for each of 40 digits, by less than 2^52: it stays below 2^60.
//
// Sums are made beside each other rather than one after the other: each product takes four cycles,
// and from one m to the next is a chain of fifteen, about as long as all that there is to do for a
// digit.
__attribute__((target("avx512f,avx512ifma"))) void Rsa2048::multiply(
    Digits& product, const Digits& a, const Digits& b) const noexcept {
    static_assert(kDigits == kLanes * kVectors);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i factor = _mm512_set1_epi64(static_cast<long long>(factor_));
    __m512i as[kVectors];
    __m512i ns[kVectors];
    __m512i sums[kVectors];
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i) {
        as[i] = _mm512_load_si512(a.at.data() + kLanes * i);
        ns[i] = _mm512_load_si512(n_.at.data() + kLanes * i);
        sums[i] = zero;
    }
    __m512i digit = _mm512_set1_epi64(static_cast<long long>(b.at[0]));
    sums[0] = _mm512_madd52lo_epu64(zero, as[0], digit);
    for (std::size_t at = 0; at < kDigits; ++at) {
        // Zero behind the last.
        const __m512i next = _mm512_set1_epi64(static_cast<long long>(b.at[at + 1]));
        const __m512i m = _mm512_broadcastq_epi64(
            _mm512_castsi512_si128(_mm512_madd52lo_epu64(zero, sums[0], factor)));
        __m512i lowest = _mm512_madd52hi_epu64(zero, as[0], digit);
        lowest = _mm512_madd52lo_epu64(lowest, as[0], next);
        lowest = _mm512_madd52hi_epu64(lowest, ns[0], m);
#pragma GCC unroll 5
        for (int i = 0; i < kVectors; ++i) {
            if (i != 0) sums[i] = _mm512_madd52lo_epu64(sums[i], as[i], digit);
            sums[i] = _mm512_madd52lo_epu64(sums[i], ns[i], m);
        }
        lowest = _mm512_add_epi64(lowest, _mm512_maskz_srli_epi64(1, sums[0], kDigitBits));
#pragma GCC unroll 5
        for (int i = 0; i < kVectors; ++i) {
            sums[i] = _mm512_alignr_epi64(i + 1 < kVectors ? sums[i + 1] : zero, sums[i], 1);
            if (i == 0) continue;
            __m512i high = _mm512_madd52hi_epu64(zero, as[i], digit);
            high = _mm512_madd52hi_epu64(high, ns[i], m);
            sums[i] = _mm512_add_epi64(sums[i], high);
        }
        sums[0] = _mm512_add_epi64(sums[0], lowest);
        digit = next;
    }
    carry(sums);
#pragma GCC unroll 5
    for (int i = 0; i < kVectors; ++i)
        _mm512_store_si512(product.at.data() + kLanes * i, sums[i]);
}

}  // namespace gatehouse::jwt

#else

namespace gatehouse::jwt {

std::unique_ptr<const Rsa2048> Rsa2048::make(const EVP_PKEY&) noexcept {
    return nullptr;
}

bool Rsa2048::verifies(std::string_view, std::string_view) const noexcept {
    return false;
}

bool Rsa2048::verifies_digest(const Sha256&, std::string_view) const noexcept {
    return false;
}

std::optional<Rsa2048::Number> Rsa2048::raise(std::string_view) const noexcept {
    return std::nullopt;
}

}  // namespace gatehouse::jwt

#endif
