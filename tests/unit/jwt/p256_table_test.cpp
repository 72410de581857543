#include "../../../src/jwt/p256_table.hpp"

#include "../../../src/jwt/key_material.hpp"
#include "support/p256_tables.hpp"
#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

// Every verdict is asked of EVP too, over the same digest: the two must always agree.
namespace p256_table_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;

BN_CTX* context() {
    static BN_CTX* const kContext = BN_CTX_new();
    return kContext;
}

const EC_GROUP* curve() {
    static const EC_GROUP* const kCurve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    return kCurve;
}

const BIGNUM* order() {
    return EC_GROUP_get0_order(curve());
}

// A number of any size with the arithmetic modulo n; `plain` is without it.
struct Number {
    NumberPtr value{BN_new()};

    Number() = default;

    Number(int small) {  // NOLINT(google-explicit-constructor): numbers in formulas
        BN_set_word(value.get(), static_cast<BN_ULONG>(small < 0 ? -small : small));
        BN_set_negative(value.get(), small < 0 ? 1 : 0);
    }

    explicit Number(const BIGNUM* other) { BN_copy(value.get(), other); }

    Number(const Number& other) : Number(other.value.get()) {}

    Number& operator=(const Number& other) {
        BN_copy(value.get(), other.value.get());
        return *this;
    }

    std::string bytes() const {
        std::string text(32, '\0');
        REQUIRE(BN_bn2binpad(value.get(), bytes_of(text), 32) == 32);
        return text;
    }
};

Number n() {
    return Number(order());
}

Number p() {
    return Number(EC_GROUP_get0_field(curve()));
}

Number plain_sum(const Number& a, const Number& b) {
    Number sum;
    BN_add(sum.value.get(), a.value.get(), b.value.get());
    return sum;
}

Number operator+(const Number& a, const Number& b) {
    Number sum;
    BN_mod_add(sum.value.get(), a.value.get(), b.value.get(), order(), context());
    return sum;
}

Number operator*(const Number& a, const Number& b) {
    Number product;
    BN_mod_mul(product.value.get(), a.value.get(), b.value.get(), order(), context());
    return product;
}

Number inverse(const Number& a) {
    Number result;
    REQUIRE(BN_mod_inverse(result.value.get(), a.value.get(), order(), context()) != nullptr);
    return result;
}

Number negative(const Number& a) {
    return a * Number(-1);
}

Number minus(const Number& a, const Number& b) {  // plain
    Number result;
    BN_sub(result.value.get(), a.value.get(), b.value.get());
    return result;
}

Number any_number() {
    static std::mt19937_64 random(20261124);
    std::string bytes;
    for (int i = 0; i < 32; ++i)
        bytes += static_cast<char>(random() & 0xff);
    Number number;
    BN_bin2bn(bytes_of(std::string_view(bytes)), 32, number.value.get());
    return number + Number(0);
}

// a G + b P
Point sum_of(const Number& a, const EC_POINT* point = nullptr, const Number& b = 0) {
    Point result(EC_POINT_new(curve()));
    const BIGNUM* const factor = point == nullptr ? nullptr : b.value.get();
    REQUIRE(EC_POINT_mul(curve(), result.get(), a.value.get(), point, factor, context()) == 1);
    return result;
}

Number x_of(const EC_POINT* point) {
    Number x;
    REQUIRE(EC_POINT_get_affine_coordinates(curve(), point, x.value.get(), nullptr, context()) ==
            1);
    return x;
}

// A point with this x, or nullptr when the curve has none.
Point point_at(const Number& x) {
    Point point(EC_POINT_new(curve()));
    const bool found =
        EC_POINT_set_compressed_coordinates(curve(), point.get(), x.value.get(), 0, context()) == 1;
    ERR_clear_error();
    return found ? std::move(point) : nullptr;
}

std::string der_of(std::string_view signature) {
    const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
    ECDSA_SIG_set0(pair.get(),
                   BN_bin2bn(bytes_of(signature), 32, nullptr),
                   BN_bin2bn(bytes_of(signature) + 32, 32, nullptr));
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
    auto* at = bytes_of(der);
    i2d_ECDSA_SIG(pair.get(), &at);
    return der;
}

Json jwk_of(const EC_POINT* q) {
    Number x;
    Number y;
    REQUIRE(EC_POINT_get_affine_coordinates(curve(), q, x.value.get(), y.value.get(), context()) ==
            1);
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"x", encode_base64url(x.bytes())},
            {"y", encode_base64url(y.bytes())}};
}

// A public key that is verified by in both ways.
struct BothWays {
    PkeyPtr pkey;
    std::unique_ptr<const P256Table> table;

    explicit BothWays(const EC_POINT* q) {
        pkey = make_pkey(jwk_of(q), KeyHalf::public_half).value();
        table = P256Table::make(*pkey);
        REQUIRE((table != nullptr) == gatehouse::test::kTables);
    }

    bool by_evp(const Sha256& digest, std::string_view signature) const {
        const PkeyContextPtr verifier(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
        REQUIRE(EVP_PKEY_verify_init(verifier.get()) == 1);
        const std::string der = der_of(signature);
        const int verified = EVP_PKEY_verify(verifier.get(),
                                             bytes_of(std::string_view(der)),
                                             der.size(),
                                             digest.data(),
                                             digest.size());
        ERR_clear_error();
        return verified == 1;
    }

    void check(bool want, const Number& digest, const Number& r, const Number& s) const {
        Sha256 bytes{};
        std::ranges::copy(digest.bytes(), bytes.begin());
        const std::string signature = r.bytes() + s.bytes();
        CHECK(by_evp(bytes, signature) == want);
        if (table) CHECK(table->verifies_digest(bytes, signature) == want);
        CHECK(ERR_peek_error() == 0);
    }
};

// s for the nonce k, and r (FIPS 186-4 6.4).
std::pair<Number, Number> signed_by(const Number& d, const Number& digest, const Number& k) {
    const Number r = x_of(sum_of(k).get()) + Number(0);
    return {r, (digest + r * d) * inverse(k)};
}

// The key by which (r, s) is valid for a digest, if R is the point that r was made of: Q = (s R - h
// G) / r.
Point recovered(const EC_POINT* point, const Number& digest, const Number& r, const Number& s) {
    const Number over_r = inverse(r);
    return sum_of(negative(digest * over_r), point, s * over_r);
}

}  // namespace

TEST_SUITE("jwt/p256_table") {
    TEST_CASE("keys at the ends of the order verify as others do") {
        const struct {
            const char* name;
            Number d;
        } kRows[] = {{"G", 1},
                     {"minus G", minus(n(), 1)},
                     {"2 G", 2},
                     {"minus 2 G", minus(n(), 2)},
                     {"3 G", 3},
                     {"G / 2", inverse(2)},
                     {"any", any_number()},
                     {"any other", any_number()}};

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const BothWays key(sum_of(row.d).get());
            for (int i = 0; i < 8; ++i) {
                const Number digest = any_number();
                const auto [r, s] = signed_by(row.d, digest, any_number());
                key.check(true, digest, r, s);
                key.check(true, digest, r, negative(s));
                key.check(false, digest + Number(1), r, s);
                key.check(false, digest, r + Number(1), s);
                key.check(false, digest, r, s + Number(1));
                key.check(false, digest, negative(r), s);
                key.check(false, negative(digest), r, s);
                key.check(false, digest, s, r);
                key.check(false, digest, any_number(), any_number());
            }
        }
    }

    TEST_CASE("a digest counts modulo the order") {
        const Number d = any_number();
        const BothWays key(sum_of(d).get());
        Number all_ones;
        BN_lshift(all_ones.value.get(), BN_value_one(), 256);
        all_ones = minus(all_ones, 1);

        const struct {
            const char* name;
            Number digest;
        } kRows[] = {{"zero", 0},
                     {"one", 1},
                     {"n - 1", minus(n(), 1)},
                     {"n", n()},
                     {"n + 1", plain_sum(n(), 1)},
                     {"n + 12345", plain_sum(n(), 12345)},
                     {"p", p()},
                     {"2^256 - 1", all_ones}};

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto [r, s] = signed_by(d, row.digest, any_number());
            key.check(true, row.digest, r, s);
            key.check(true, row.digest + Number(0), r, s);
            key.check(false, row.digest + Number(1), r, s);
            key.check(false, row.digest, s, r);
        }
    }

    TEST_CASE("r and s at the ends of their range are as EVP has them") {
        const Number d = any_number();
        const BothWays key(sum_of(d).get());
        const Number digest = any_number();
        const auto [r, s] = signed_by(d, digest, any_number());
        const Number kEnds[] = {1, 2, minus(n(), 2), minus(n(), 1), inverse(2)};
        for (const Number& end : kEnds) {
            key.check(false, digest, end, s);
            key.check(false, digest, r, end);
            for (const Number& other : kEnds)
                key.check(false, digest, end, other);
        }
    }

    TEST_CASE("u1 G may be u2 Q itself") {
        // h = r d, then s = 2 h / k: both are k G / 2.
        for (int i = 0; i < 8; ++i) {
            const Number digest = any_number();
            const Number k = any_number();
            const Number r = x_of(sum_of(k).get()) + Number(0);
            const Number d = digest * inverse(r);
            const Number s = digest * Number(2) * inverse(k);
            const BothWays key(sum_of(d).get());
            key.check(true, digest, r, s);
            key.check(true, digest, r, negative(s));
            key.check(false, digest, r, s * Number(2));
            key.check(false, digest, r, digest * inverse(k));
        }
    }

    TEST_CASE("the point at infinity verifies nothing") {
        // h = -r d, whatever s is.
        for (int i = 0; i < 4; ++i) {
            const Number digest = any_number();
            const Number r = i == 0 ? Number(1) : any_number();
            const BothWays key(sum_of(negative(digest * inverse(r))).get());
            for (const Number& s : {Number(1), Number(2), minus(n(), 1), r, digest, any_number()})
                key.check(false, digest, r, s);
        }
    }

    TEST_CASE("a coordinate of n and more counts modulo n and none of p and more exists") {
        const Number most = minus(minus(p(), n()), 1);
        int found = 0;
        for (int i = 0; i < 12; ++i) {
            CAPTURE(i);
            const Number r = i < 6 ? Number(i + 1) : minus(most, i - 6);
            const Number digest = any_number();
            const Number s = any_number();
            for (const Number& x : {r, plain_sum(r, n())}) {
                const Point point = point_at(x);
                if (!point) continue;
                ++found;
                const BothWays key(recovered(point.get(), digest, r, s).get());
                key.check(true, digest, r, s);
                key.check(true, digest, r, negative(s));
                key.check(false, digest, r + Number(1), s);
                key.check(false, digest, r, s + Number(1));
            }
        }
        CHECK(found >= 6);
    }

    TEST_CASE("r plus n that is p or more is no coordinate") {
        // R has x = j, and r + n = p + j: equal modulo p, not modulo n.
        int found = 0;
        for (int j = 0; j < 8; ++j) {
            CAPTURE(j);
            const Point point = point_at(j);
            if (!point) continue;
            ++found;
            const Number r = plain_sum(minus(p(), n()), j);
            const Number digest = any_number();
            const Number s = any_number();
            const BothWays key(recovered(point.get(), digest, r, s).get());
            key.check(false, digest, r, s);
            key.check(false, digest, r, negative(s));
        }
        CHECK(found >= 3);
        CHECK(point_at(0) != nullptr);
    }

    TEST_CASE("numbers of n and more are refused though they are right modulo n") {
        Number digest;
        const Sha256 hash = sha256("input");
        BN_bin2bn(hash.data(), 32, digest.value.get());
        Number r = 1;
        while (!point_at(plain_sum(r, n())))
            r = r + Number(1);
        const Number s = 5;
        const Point q = recovered(point_at(plain_sum(r, n())).get(), digest, r, s);
        const auto keys = parse_key_set(Json{{"keys", {jwk_of(q.get())}}}.dump()).value();
        const auto verdict = [&](const Number& first, const Number& second) {
            return keys->keys[0]->verify(Algorithm::es256, "input", first.bytes() + second.bytes());
        };
        for (const char* way : {"without a table", "with a table"}) {
            CAPTURE(way);
            for (int i = 0; i < gatehouse::test::kOftenEnough; ++i)
                CHECK(verdict(r, s) == Errc::none);
            CHECK(verdict(r, negative(s)) == Errc::none);
            CHECK(verdict(plain_sum(r, n()), s) == Errc::token_signature_invalid);
            CHECK(verdict(r, plain_sum(s, n())) == Errc::token_signature_invalid);
            CHECK(verdict(plain_sum(r, n()), plain_sum(s, n())) == Errc::token_signature_invalid);
            keys->keys[0]->make_table();
        }
        CHECK(keys->keys[0]->has_table() == gatehouse::test::kTables);
    }

    TEST_CASE("only a key of P-256 gets a table") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const auto pkey =
                make_pkey(key_for(algorithm).public_jwk(), KeyHalf::public_half).value();
            const bool made = P256Table::make(*pkey) != nullptr;
            CHECK(made == (algorithm == Algorithm::es256 && gatehouse::test::kTables));
            CHECK(ERR_peek_error() == 0);
        }
    }

    TEST_CASE("where OpenSSL's FIPS module alone may compute, no key gets a table") {
        const auto pkey = make_pkey(jwk_of(sum_of(7).get()), KeyHalf::public_half).value();
        REQUIRE(EVP_default_properties_enable_fips(nullptr, 1) == 1);
        const auto table = P256Table::make(*pkey);
        REQUIRE(EVP_default_properties_enable_fips(nullptr, 0) == 1);
        CHECK(table == nullptr);
        CHECK((P256Table::make(*pkey) != nullptr) == gatehouse::test::kTables);
    }
}

}  // namespace p256_table_test
