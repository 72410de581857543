#include "p256_table.hpp"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/opensslv.h>

#include <array>
#include <cstddef>
#include <new>

#if OPENSSL_VERSION_MAJOR == 3 && !defined(OPENSSL_NO_DEPRECATED_3_0)

// EVP has no way to verify with what was computed before of a key. OpenSSL 3 calls tables for
// generators of one's own (EC_GROUP_precompute_mult) and Jacobian coordinates deprecated, and has
// nothing in their place; with them a verification takes 23 us instead of 57. They are called in
// this file alone. Where they are gone, no table is made and EVP verifies.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace gatehouse::jwt {
namespace {

constexpr int kNumberBytes = 32;  // of r, s, a digest and a coordinate
constexpr std::size_t kPointBytes = 1 + 2 * kNumberBytes;

bool load_number(BIGNUM& number, const unsigned char* bytes) noexcept {
    return BN_bin2bn(bytes, kNumberBytes, &number) != nullptr;
}

}  // namespace

// What one verification computes with. Kept by each thread, since making it takes 1.5 us of 25;
// its points fit every group of P-256.
struct P256Table::Scratch {
    using ContextPtr = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;
    using PointPtr = std::unique_ptr<EC_POINT, Freed<EC_POINT_free>>;

    ContextPtr context;
    NumberPtr r, w, h, u1, u2, x, z;
    PointPtr sum, term;

    // Tries again what there was no memory for.
    bool is_ready(const EC_GROUP& curve) noexcept {
        if (term) return true;
        context.reset(BN_CTX_new());
        for (NumberPtr* number : {&r, &w, &h, &u1, &u2, &x, &z}) {
            number->reset(BN_new());
            if (!*number) return false;
        }
        sum.reset(EC_POINT_new(&curve));
        if (context && sum) term.reset(EC_POINT_new(&curve));
        return term != nullptr;
    }
};

std::unique_ptr<const P256Table> P256Table::make(const EVP_PKEY& key) noexcept {
    const QuietErrors quiet;
    if (is_fips_wanted()) return nullptr;
    std::unique_ptr<P256Table> table(new (std::nothrow) P256Table);
    if (!table || !table->set_up(key)) return nullptr;
    return table;
}

bool P256Table::set_up(const EVP_PKEY& key) noexcept {
    std::array<unsigned char, kPointBytes> point{};
    std::size_t size = 0;
    curve_.reset(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    multiples_.reset(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    modulo_n_.reset(BN_MONT_CTX_new());
    modulo_p_.reset(BN_MONT_CTX_new());
    const std::unique_ptr<BN_CTX, Freed<BN_CTX_free>> context(BN_CTX_new());
    if (!curve_ || !multiples_ || !modulo_n_ || !modulo_p_ || !context) return false;
    const std::unique_ptr<EC_POINT, Freed<EC_POINT_free>> q(EC_POINT_new(curve_.get()));
    // A point of another curve is longer, or not on this one.
    return q &&
           EVP_PKEY_get_octet_string_param(
               &key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) == 1 &&
           EC_POINT_oct2point(curve_.get(), q.get(), point.data(), size, context.get()) == 1 &&
           BN_MONT_CTX_set(modulo_n_.get(), EC_GROUP_get0_order(curve_.get()), context.get()) ==
               1 &&
           BN_MONT_CTX_set(modulo_p_.get(), EC_GROUP_get0_field(curve_.get()), context.get()) ==
               1 &&
           EC_GROUP_set_generator(
               multiples_.get(), q.get(), EC_GROUP_get0_order(curve_.get()), BN_value_one()) == 1 &&
           EC_GROUP_precompute_mult(multiples_.get(), context.get()) == 1 &&
           // It succeeds, too, where the curve's code on this machine has no use for a table.
           EC_GROUP_have_precompute_mult(multiples_.get()) == 1;
}

bool P256Table::verifies(std::string_view signing_input,
                         std::string_view signature) const noexcept {
    Sha256 digest;
    return hash_sha256(signing_input, digest) && verifies_digest(digest, signature);
}

bool P256Table::verifies_digest(const Sha256& digest, std::string_view signature) const noexcept {
    static thread_local Scratch scratch;
    // Infinity is no R at all. It has Z = 0, and what it has for X nobody promises.
    return scratch.is_ready(*curve_) && add_up(digest, signature, scratch) &&
           EC_POINT_is_at_infinity(curve_.get(), scratch.sum.get()) == 0 &&
           has_coordinate(*scratch.r, scratch);
}

// SEC 1 v2 4.1.4, steps 3 to 5: R = u1 G + u2 Q, where u1 = h / s and u2 = r / s modulo n.
bool P256Table::add_up(const Sha256& digest,
                       std::string_view signature,
                       Scratch& scratch) const noexcept {
    BN_CTX* const ctx = scratch.context.get();
    const BIGNUM* const n = EC_GROUP_get0_order(curve_.get());
    BIGNUM* const r = scratch.r.get();
    BIGNUM* const w = scratch.w.get();
    BIGNUM* const h = scratch.h.get();
    BIGNUM* const u1 = scratch.u1.get();
    BIGNUM* const u2 = scratch.u2.get();
    if (!load_number(*r, bytes_of(signature)) ||
        !load_number(*w, bytes_of(signature) + kNumberBytes) || !load_number(*h, digest.data())) {
        return false;
    }
    // To h modulo n, since 2^256 < 2n. OpenSSL does not promise to multiply larger numbers right.
    if (BN_cmp(h, n) >= 0 && BN_sub(h, h, n) != 1) return false;
    // w = 1 / s. One factor of each product is in Montgomery's form, so that the product is not.
    return BN_mod_inverse(w, w, n, ctx) != nullptr &&
           BN_to_montgomery(w, w, modulo_n_.get(), ctx) == 1 &&
           BN_mod_mul_montgomery(u1, h, w, modulo_n_.get(), ctx) == 1 &&
           BN_mod_mul_montgomery(u2, r, w, modulo_n_.get(), ctx) == 1 &&
           EC_POINT_mul(curve_.get(), scratch.sum.get(), u1, nullptr, nullptr, ctx) == 1 &&
           EC_POINT_mul(multiples_.get(), scratch.term.get(), u2, nullptr, nullptr, ctx) == 1 &&
           EC_POINT_add(
               curve_.get(), scratch.sum.get(), scratch.sum.get(), scratch.term.get(), ctx) == 1;
}

// Steps 6 to 8: whether R's coordinate x is r modulo n. R is (X : Y : Z) with x = X / Z^2 modulo p.
// Instead of dividing, which takes 3.4 us, X is compared with what it is for each x that is r
// modulo n: for r itself, and, as n < p < 2n, for r + n where that is below p.
bool P256Table::has_coordinate(const BIGNUM& r, Scratch& scratch) const noexcept {
    BN_CTX* const ctx = scratch.context.get();
    BIGNUM* const x = scratch.x.get();
    BIGNUM* const z = scratch.z.get();
    BIGNUM* const wanted = scratch.u1.get();
    BIGNUM* const other = scratch.u2.get();
    if (EC_POINT_get_Jprojective_coordinates_GFp(
            curve_.get(), scratch.sum.get(), x, nullptr, z, ctx) != 1 ||
        BN_to_montgomery(z, z, modulo_p_.get(), ctx) != 1 ||
        BN_mod_mul_montgomery(z, z, z, modulo_p_.get(), ctx) != 1 ||
        BN_mod_mul_montgomery(wanted, &r, z, modulo_p_.get(), ctx) != 1) {
        return false;
    }
    if (BN_cmp(wanted, x) == 0) return true;
    return BN_add(other, &r, EC_GROUP_get0_order(curve_.get())) == 1 &&
           BN_cmp(other, EC_GROUP_get0_field(curve_.get())) < 0 &&
           BN_mod_mul_montgomery(wanted, other, z, modulo_p_.get(), ctx) == 1 &&
           BN_cmp(wanted, x) == 0;
}

}  // namespace gatehouse::jwt

#pragma GCC diagnostic pop

#else

namespace gatehouse::jwt {

std::unique_ptr<const P256Table> P256Table::make(const EVP_PKEY&) noexcept {
    return nullptr;
}

bool P256Table::verifies(std::string_view, std::string_view) const noexcept {
    return false;
}

bool P256Table::verifies_digest(const Sha256&, std::string_view) const noexcept {
    return false;
}

}  // namespace gatehouse::jwt

#endif
