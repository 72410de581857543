#include "../../../src/jwt/rsa_2048.hpp"

#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Every power is asked of OpenSSL's numbers too, and every verdict of EVP: they must always agree.
namespace rsa_2048_test {

using namespace gatehouse;
using namespace gatehouse::jwt;

namespace {

constexpr std::size_t kBytes = Rsa2048::kBytes;
constexpr std::string_view kSigned = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9";

// A processor without the instructions leaves all to EVP, and nothing to test here.
bool is_here() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma")) return true;
#endif
    MESSAGE("this processor has no AVX-512 IFMA: EVP verifies, and nothing is tested");
    return false;
}

EVP_PKEY& signing_key() {
    static const PkeyPtr kKey(EVP_RSA_gen(2048));
    return *kKey;
}

NumberPtr number_of(std::string_view bytes) {
    return NumberPtr(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::string bytes_of_number(const BIGNUM& number) {
    std::string bytes(kBytes, '\0');
    REQUIRE(BN_bn2binpad(&number, bytes_of(bytes), static_cast<int>(kBytes)) ==
            static_cast<int>(kBytes));
    return bytes;
}

NumberPtr parameter(const EVP_PKEY& key, const char* name) {
    BIGNUM* number = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(&key, name, &number) == 1);
    return NumberPtr(number);
}

// A public key of any two numbers.
PkeyPtr make_key(const BIGNUM& n, unsigned e) {
    NumberPtr exponent(BN_new());
    BN_set_word(exponent.get(), e);
    const std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, &n);
    OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> parameters(
        OSSL_PARAM_BLD_to_param(build.get()));
    const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
    return PkeyPtr(key);
}

PkeyPtr make_key(std::string_view modulus, unsigned e = 65537) {
    return make_key(*number_of(modulus), e);
}

std::string power_by_openssl(std::string_view base, const BIGNUM& n) {
    const std::unique_ptr<BN_CTX, Freed<BN_CTX_free>> context(BN_CTX_new());
    NumberPtr e(BN_new());
    BN_set_word(e.get(), 65537);
    NumberPtr power(BN_new());
    REQUIRE(BN_mod_exp(power.get(), number_of(base).get(), e.get(), &n, context.get()) == 1);
    return bytes_of_number(*power);
}

std::string any_bytes(std::size_t size) {
    static std::mt19937_64 random(20261128);
    std::string bytes;
    while (bytes.size() < size)
        bytes += static_cast<char>(random() & 0xff);
    return bytes;
}

std::string filled(unsigned char byte) {
    return std::string(kBytes, static_cast<char>(byte));
}

std::string word(unsigned value) {
    std::string bytes(kBytes, '\0');
    for (std::size_t i = 0; i < 4; ++i)
        bytes[kBytes - 1 - i] = static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
}

// Two to the power of `bit`.
std::string bit_at(int bit) {
    std::string bytes(kBytes, '\0');
    bytes[kBytes - 1 - static_cast<std::size_t>(bit) / 8] = static_cast<char>(1 << bit % 8);
    return bytes;
}

std::string minus(const BIGNUM& n, unsigned less) {
    NumberPtr number(BN_dup(&n));
    BN_sub_word(number.get(), less);
    return bytes_of_number(*number);
}

// Digits of 52 bits that are full or empty by turns.
std::string striped(bool first) {
    std::string bytes(kBytes, '\0');
    for (std::size_t bit = 0; bit < 8 * kBytes; ++bit) {
        if ((bit / 52 % 2 == 0) == first)
            bytes[kBytes - 1 - bit / 8] = static_cast<char>(
                static_cast<unsigned char>(bytes[kBytes - 1 - bit / 8]) | 1U << bit % 8);
    }
    return bytes;
}

bool evp_verifies(EVP_PKEY& key, std::string_view text, std::string_view signature) {
    const DigestContextPtr context(EVP_MD_CTX_new());
    const QuietErrors quiet;
    return EVP_DigestVerifyInit_ex(
               context.get(), nullptr, "SHA256", nullptr, nullptr, &key, nullptr) == 1 &&
           EVP_DigestVerify(
               context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) ==
               1;
}

// What the private key makes of these bytes, padded as they are.
std::string sign_raw(std::string_view message) {
    const PkeyContextPtr context(EVP_PKEY_CTX_new(&signing_key(), nullptr));
    std::string signature(kBytes, '\0');
    std::size_t size = kBytes;
    REQUIRE(EVP_PKEY_sign_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
    REQUIRE(EVP_PKEY_sign(context.get(), bytes_of(signature), &size, bytes_of(message), kBytes) ==
            1);
    return signature;
}

std::string digest_of(std::string_view text) {
    const Sha256 digest = sha256(text);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

const std::string kSha256Info(
    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20", 19);

// 00 `type` FF … FF 00 `info`, as long as the modulus; `after` takes the place of padding.
std::string encoded(const std::string& info,
                    const std::string& after = {},
                    char type = '\x01',
                    char fill = '\xff') {
    const std::size_t padding = kBytes - 3 - info.size() - after.size();
    return std::string("\0", 1) + type + std::string(padding, fill) + std::string("\0", 1) + info +
           after;
}

}  // namespace

TEST_SUITE_BEGIN("jwt/rsa_2048");

TEST_CASE("powers are those that OpenSSL finds") {
    if (!is_here()) return;
    std::vector<std::string> moduli = {
        filled(0xff),  // 2^2048 - 1
        striped(true),
        striped(false),
        bytes_of_number(*parameter(signing_key(), OSSL_PKEY_PARAM_RSA_N))};
    std::string small = bit_at(2047);  // 2^2047 + 1
    small.back() = '\x01';
    moduli.push_back(small);
    for (int i = 0; i < 20; ++i)
        moduli.push_back(any_bytes(kBytes));
    for (std::string& modulus : moduli) {
        modulus.front() = static_cast<char>(static_cast<unsigned char>(modulus.front()) | 0x80U);
        modulus.back() = static_cast<char>(static_cast<unsigned char>(modulus.back()) | 1U);
        const auto n = number_of(modulus);
        const auto key = Rsa2048::make(*make_key(modulus));
        REQUIRE(key != nullptr);
        std::vector<std::string> bases = {word(0),
                                          word(1),
                                          word(2),
                                          word(65537),
                                          minus(*n, 1),
                                          minus(*n, 2),
                                          striped(true),
                                          striped(false)};
        for (int bit = 0; bit < 2048; bit += 13)
            bases.push_back(bit_at(bit));
        for (int i = 0; i < 40; ++i)
            bases.push_back(any_bytes(kBytes));
        for (const std::string& base : bases) {
            const auto power = key->raise(base);
            if (base >= modulus) {
                CHECK_FALSE(power.has_value());
                continue;
            }
            REQUIRE(power.has_value());
            const std::string found(reinterpret_cast<const char*>(power->data()), power->size());
            REQUIRE(found == power_by_openssl(base, *n));
        }
    }
}

TEST_CASE("what is no number below n has no power") {
    if (!is_here()) return;
    const auto n = parameter(signing_key(), OSSL_PKEY_PARAM_RSA_N);
    const auto key = Rsa2048::make(signing_key());
    REQUIRE(key != nullptr);
    CHECK_FALSE(key->raise(bytes_of_number(*n)).has_value());
    CHECK_FALSE(key->raise(filled(0xff)).has_value());
    CHECK_FALSE(key->raise("").has_value());
    CHECK_FALSE(key->raise(std::string(kBytes - 1, '\0')).has_value());
    CHECK_FALSE(key->raise(std::string(kBytes + 1, '\0')).has_value());
    CHECK(key->raise(minus(*n, 1)).has_value());
}

TEST_CASE("only the signature of these bytes verifies, and EVP says the same") {
    if (!is_here()) return;
    const auto key = Rsa2048::make(signing_key());
    REQUIRE(key != nullptr);
    const auto n = parameter(signing_key(), OSSL_PKEY_PARAM_RSA_N);
    const std::string digest = digest_of(kSigned);
    const std::string right = kSha256Info + digest;
    const std::string good = sign_raw(encoded(right));
    std::string no_null = kSha256Info;  // AlgorithmIdentifier without its NULL
    no_null.erase(15, 2);
    no_null[1] = '\x2f';
    no_null[3] = '\x0b';
    std::string long_length = kSha256Info;  // 81 31: a length that is not the shortest
    long_length.insert(1, "\x81");
    const std::string sha512_info(
        "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40", 19);
    const std::string sha1_info("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 15);
    std::string broken_padding = encoded(right);
    broken_padding[100] = '\xfe';
    std::string early_end = encoded(right);
    early_end[9] = '\0';
    // The same number modulo n; it may have a byte more.
    NumberPtr sum(BN_new());
    BN_add(sum.get(), number_of(good).get(), n.get());

    const struct {
        const char* name;
        std::string signature;
        bool want;
    } rows[] = {
        {"the signature", good, true},
        {"nothing", "", false},
        {"zeros", filled(0), false},
        {"one", word(1), false},
        {"n", bytes_of_number(*n), false},
        {"n - 1", minus(*n, 1), false},
        {"all bits", filled(0xff), false},
        {"cut", good.substr(0, kBytes - 1), false},
        {"cut in front", good.substr(1), false},
        {"longer", good + '\0', false},
        {"a zero in front", '\0' + good, false},
        {"n more than it",
         BN_num_bytes(sum.get()) == static_cast<int>(kBytes) ? bytes_of_number(*sum) : filled(0xff),
         false},
        {"the message itself", encoded(right), false},
        {"another digest", sign_raw(encoded(kSha256Info + digest_of("other"))), false},
        {"SHA-512's name", sign_raw(encoded(sha512_info + digest + digest)), false},
        {"SHA-1's name", sign_raw(encoded(sha1_info + digest.substr(0, 20))), false},
        {"no name", sign_raw(encoded(digest)), false},
        {"a name without NULL", sign_raw(encoded(no_null + digest)), false},
        {"a length in two bytes", sign_raw(encoded(long_length + digest)), false},
        {"bytes behind the digest", sign_raw(encoded(right, "garbage")), false},
        {"a digest at the front", sign_raw(encoded(right, std::string(180, '\x17'))), false},
        {"type 2", sign_raw(encoded(right, {}, '\x02')), false},
        {"type 0", sign_raw(encoded(right, {}, '\0')), false},
        {"another filling", sign_raw(encoded(right, {}, '\x01', '\xfe')), false},
        {"zeros for filling", sign_raw(encoded(right, {}, '\x01', '\0')), false},
        {"one byte of padding wrong", sign_raw(broken_padding), false},
        {"padding that ends early", sign_raw(early_end), false},
    };

    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(key->verifies(kSigned, row.signature) == row.want);
        // EVP alone would read a shorter one; jwt::PublicKey looks at the length first.
        CHECK((row.signature.size() == kBytes &&
               evp_verifies(signing_key(), kSigned, row.signature)) == row.want);
    }
    for (std::size_t at = 0; at < kBytes; ++at) {
        CAPTURE(at);
        std::string bad = good;
        bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ 1U << at % 8);
        CHECK_FALSE(key->verifies(kSigned, bad));
    }
    CHECK_FALSE(key->verifies("", good));
    CHECK_FALSE(key->verifies(std::string(kSigned) + '.', good));
    const PkeyPtr other(EVP_RSA_gen(2048));
    CHECK_FALSE(Rsa2048::make(*other)->verifies(kSigned, good));
}

TEST_CASE("many signatures, each of its own bytes") {
    if (!is_here()) return;
    const auto key = Rsa2048::make(signing_key());
    REQUIRE(key != nullptr);
    for (int i = 0; i < 100; ++i) {
        const std::string text = any_bytes(static_cast<std::size_t>(i) * 17);
        const std::string signature = sign_raw(encoded(kSha256Info + digest_of(text)));
        REQUIRE(key->verifies(text, signature));
        REQUIRE(evp_verifies(signing_key(), text, signature));
        REQUIRE_FALSE(key->verifies(text + 'x', signature));
    }
}

TEST_CASE("keys of another kind, size or exponent are left to EVP") {
    std::string short_modulus = any_bytes(kBytes);
    short_modulus.front() = '\x7f';
    short_modulus.back() = '\x01';
    std::string even = filled(0xff);
    even.back() = '\xfe';
    const PkeyPtr rsa_3072(EVP_RSA_gen(3072));
    const PkeyPtr ec(EVP_EC_gen("P-256"));
    const PkeyPtr ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    CHECK(Rsa2048::make(*rsa_3072) == nullptr);
    CHECK(Rsa2048::make(*ec) == nullptr);
    CHECK(Rsa2048::make(*ed25519) == nullptr);
    CHECK(Rsa2048::make(*make_key(short_modulus)) == nullptr);
    CHECK(Rsa2048::make(*make_key(even)) == nullptr);
    CHECK(Rsa2048::make(*make_key(filled(0xff), 3)) == nullptr);
    CHECK(Rsa2048::make(*make_key(filled(0xff), 65539)) == nullptr);
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("where OpenSSL's FIPS module alone may compute, this does not") {
    EVP_PKEY& key = signing_key();
    REQUIRE(EVP_default_properties_enable_fips(nullptr, 1) == 1);
    const auto made = Rsa2048::make(key);
    REQUIRE(EVP_default_properties_enable_fips(nullptr, 0) == 1);
    CHECK(made == nullptr);
    CHECK((Rsa2048::make(key) != nullptr) == is_here());
}

TEST_CASE("threads share a key") {
    if (!is_here()) return;
    const auto key = Rsa2048::make(signing_key());
    REQUIRE(key != nullptr);
    const std::string good = sign_raw(encoded(kSha256Info + digest_of(kSigned)));
    std::array<int, 4> right{};
    std::vector<std::thread> threads;
    for (int& count : right) {
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i)
                count += key->verifies(kSigned, good) && !key->verifies(kSigned, filled(0x11));
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(std::ranges::all_of(right, [](int count) { return count == 50; }));
}

TEST_SUITE_END();

}  // namespace rsa_2048_test
