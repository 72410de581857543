#include "unit/jwt/jwt_fixture.hpp"

#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace jwt_signature_test {

using namespace gatehouse;
using namespace gatehouse::jwt;
using namespace gatehouse::jwt::test;

namespace {

std::string decoded(std::string_view text) {
    return decode_base64url(text).value();
}

std::shared_ptr<const PublicKey> only_key(const std::string& jwk) {
    return parse_key_set(R"({"keys":[)" + jwk + "]}").value()->keys.front();
}

// The orders of the curves (SEC 2), hexadecimal.
constexpr const char* kOrders[] = {
    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC529"
    "73",
    "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F7"
    "09A5D03BB5C9B8899C47AEBB6FB71E91386409",
};

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

// n less a number of P-256, 32 bytes each.
std::string negative_of(std::string_view number) {
    std::string result = from_hex(kOrders[0]);
    int borrow = 0;
    for (std::size_t i = result.size(); i-- > 0;) {
        const int digit =
            static_cast<unsigned char>(result[i]) - static_cast<unsigned char>(number[i]) - borrow;
        borrow = digit < 0 ? 1 : 0;
        result[i] = static_cast<char>(digit & 0xff);
    }
    return result;
}

std::string der_of(std::string_view fixed) {
    const auto half = fixed.size() / 2;
    const auto number = [&](std::size_t at) {
        return BN_bin2bn(reinterpret_cast<const unsigned char*>(fixed.data()) + at,
                         static_cast<int>(half),
                         nullptr);
    };
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(),
                                                                     ECDSA_SIG_free);
    ECDSA_SIG_set0(pair.get(), number(0), number(half));
    std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(pair.get(), &at);
    return der;
}

// A token with another signature over the same bytes.
std::string resigned(const std::string& token, std::string_view signature) {
    return token.substr(0, token.rfind('.') + 1) + encode_base64url(signature);
}

std::string signature_of(const std::string& token) {
    return decoded(std::string_view(token).substr(token.rfind('.') + 1));
}

std::string good_token(const SigningKey& key) {
    return token_of(key, good_header(key), good_claims());
}

struct Attack {
    std::string_view name;
    std::string token;
    Errc want;
};

std::string hmac_token(std::string_view alg, const SigningKey& key, std::string_view secret) {
    const std::string input =
        signing_input(Json{{"alg", alg}, {"kid", key.kid()}}.dump(), good_claims().dump());
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(),
         secret.data(),
         static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(input.data()),
         input.size(),
         mac,
         &size);
    return input + '.' + encode_base64url({reinterpret_cast<const char*>(mac), size});
}

// The key's own algorithm changed to another that exists, over an honest signature.
Algorithm sibling(Algorithm algorithm) {
    const auto next = static_cast<int>(algorithm) + 1;
    return algorithm == Algorithm::eddsa ? Algorithm::es256 : static_cast<Algorithm>(next);
}

std::vector<Attack> attacks_on_signature(const SigningKey& key, const SigningKey& other) {
    const std::string good = good_token(key);
    const std::string signature = signature_of(good);
    const auto invalid = Errc::token_signature_invalid;
    std::string first_bit = signature;
    first_bit[first_bit.size() / 2] ^= 0x10;
    std::string last_bit = signature;
    last_bit.back() ^= 1;
    Json header = good_header(key);
    header["jwk"] = other.public_jwk();
    header["jku"] = "http://127.0.0.1:1/jwks";
    header["x5u"] = "http://127.0.0.1:1/cert";
    Json claims = good_claims();
    claims["sub"] = "admin";
    const std::string other_claims =
        signing_input(good_header(key).dump(), claims.dump()) + good.substr(good.rfind('.'));
    Json reordered = good_header(key);
    reordered["x"] = 1;
    const std::string other_header =
        signing_input(reordered.dump(), good_claims().dump()) + good.substr(good.rfind('.'));
    return {
        {"one bit in the middle", resigned(good, first_bit), invalid},
        {"the last bit", resigned(good, last_bit), invalid},
        {"one byte short", resigned(good, signature.substr(0, signature.size() - 1)), invalid},
        {"first byte missing", resigned(good, signature.substr(1)), invalid},
        {"one byte more", resigned(good, signature + '\0'), invalid},
        {"a zero in front", resigned(good, '\0' + signature), invalid},
        {"twice", resigned(good, signature + signature), invalid},
        {"half", resigned(good, signature.substr(0, signature.size() / 2)), invalid},
        {"empty", resigned(good, ""), invalid},
        {"one byte", resigned(good, "x"), invalid},
        {"all zeros", resigned(good, std::string(signature.size(), '\0')), invalid},
        {"all ones", resigned(good, std::string(signature.size(), '\xff')), invalid},
        {"number one", resigned(good, std::string(signature.size() - 1, '\0') + '\x01'), invalid},
        {"other claims", other_claims, invalid},
        {"other header", other_header, invalid},
        {"another key with the same kid", good_token(other), invalid},
        {"another key brought along in the header",
         token_of(other, header, good_claims()),
         invalid},
    };
}

std::vector<Attack> attacks_on_algorithm(const SigningKey& key) {
    const std::string good = good_token(key);
    std::vector<Attack> attacks;
    for (const std::string_view alg :
         {"none", "None", "NONE", "nOnE", "HS256", "HS384", "rs256", "Ed25519", "", "RSA-OAEP"}) {
        const std::string input =
            signing_input(Json{{"alg", alg}, {"kid", key.kid()}}.dump(), good_claims().dump());
        attacks.push_back({alg, input + '.', Errc::token_algorithm_refused});
        attacks.push_back(
            {alg, input + good.substr(good.rfind('.')), Errc::token_algorithm_refused});
    }
    const Json& jwk = key.public_jwk();
    const char* member = jwk.contains("n") ? "n" : "x";
    attacks.push_back({"HS256 with the JWK as secret",
                       hmac_token("HS256", key, jwk.dump()),
                       Errc::token_algorithm_refused});
    attacks.push_back({"HS256 with the public number as secret",
                       hmac_token("HS256", key, decoded(jwk.at(member).get<std::string>())),
                       Errc::token_algorithm_refused});
    Json header = good_header(key);
    header["alg"] = std::string(to_string(sibling(key.algorithm())));
    attacks.push_back({"an algorithm that the key is not for",
                       token_of(key, header, good_claims()),
                       Errc::token_key_unfit});
    return attacks;
}

void check_refused(const std::vector<Attack>& attacks, const KeySet& keys) {
    for (const Attack& attack : attacks) {
        CAPTURE(attack.name);
        CHECK(reason_id(judge(attack.token, keys).reason) == reason_id(attack.want));
        CHECK(ERR_peek_error() == 0);
    }
}

struct FreePkey {
    void operator()(EVP_PKEY* pkey) const { EVP_PKEY_free(pkey); }
};

// An RSA key whose private half the test holds itself, to sign in ways that SigningKey never would.
struct RsaPair {
    std::unique_ptr<EVP_PKEY, FreePkey> pkey{
        EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})};

    std::string jwk() const {
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
        PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
        char* data = nullptr;
        const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
        Json public_part = parse_signing_key({data, size})->public_jwk();
        public_part.erase("alg");
        return public_part.dump();
    }

    std::string sign(
        int padding, const char* digest, int salt, const char* mgf1, std::string_view input) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                              EVP_MD_CTX_free);
        EVP_PKEY_CTX* inner = nullptr;
        EVP_DigestSignInit_ex(context.get(), &inner, digest, nullptr, nullptr, pkey.get(), nullptr);
        EVP_PKEY_CTX_set_rsa_padding(inner, padding);
        if (padding == RSA_PKCS1_PSS_PADDING) {
            EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, salt);
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(inner, mgf1, nullptr);
        }
        std::string signature(256, '\0');
        std::size_t size = signature.size();
        REQUIRE(EVP_DigestSign(context.get(),
                               reinterpret_cast<unsigned char*>(signature.data()),
                               &size,
                               reinterpret_cast<const unsigned char*>(input.data()),
                               input.size()) == 1);
        return signature;
    }
};

}  // namespace

TEST_SUITE("jwt/signature") {
    TEST_CASE("no attack on the signature succeeds for any algorithm") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const SigningKey& key = key_for(algorithm);
            const SigningKey other = generate_signing_key(algorithm, "k1").value();
            for (const auto& keys : {keys_of(key), used_keys_of(key)}) {
                REQUIRE(judge(good_token(key), *keys).reason == Errc::none);
                check_refused(attacks_on_signature(key, other), *keys);
            }
        }
    }

    TEST_CASE("no attack on the algorithm succeeds for any algorithm") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const SigningKey& key = key_for(algorithm);
            check_refused(attacks_on_algorithm(key), *keys_of(key));
            check_refused(attacks_on_algorithm(key), *used_keys_of(key));
        }
    }

    TEST_CASE("an algorithm that exists but is not listed is refused before any key is looked at") {
        for (const Algorithm algorithm : kAll) {
            CAPTURE(to_string(algorithm));
            const SigningKey& key = key_for(algorithm);
            Provider narrow = provider();
            narrow.algorithms = {};
            narrow.algorithms.add(sibling(algorithm));
            CHECK(judge(good_token(key), *keys_of(key), {}, narrow).reason ==
                  Errc::token_algorithm_refused);
        }
    }

    TEST_CASE("ECDSA takes only two numbers of exact length between zero and the order") {
        constexpr Algorithm kCurves[] = {Algorithm::es256, Algorithm::es384, Algorithm::es512};
        for (std::size_t i = 0; i < std::size(kCurves); ++i) {
            CAPTURE(to_string(kCurves[i]));
            const SigningKey& key = key_for(kCurves[i]);
            const std::string good = good_token(key);
            const std::string signature = signature_of(good);
            const std::size_t half = signature.size() / 2;
            const std::string r = signature.substr(0, half);
            const std::string s = signature.substr(half);
            const std::string zero(half, '\0');
            const std::string order = from_hex(kOrders[i]);
            REQUIRE(order.size() == half);
            const auto invalid = Errc::token_signature_invalid;
            const std::vector<Attack> attacks = {
                {"r is zero", resigned(good, zero + s), invalid},
                {"s is zero", resigned(good, r + zero), invalid},
                {"both are zero", resigned(good, zero + zero), invalid},
                {"r is the order", resigned(good, order + s), invalid},
                {"s is the order", resigned(good, r + order), invalid},
                {"both are the order", resigned(good, order + order), invalid},
                {"r is zero and s is one", resigned(good, zero + zero.substr(1) + '\x01'), invalid},
                {"r and s swapped", resigned(good, s + r), invalid},
                {"DER", resigned(good, der_of(signature)), invalid},
                {"DER of zeros",
                 resigned(good, std::string("\x30\x06\x02\x01\x00\x02\x01\x00", 8)),
                 invalid},
                {"r without s", resigned(good, r), invalid},
                {"padded to a larger curve", resigned(good, '\0' + r + '\0' + s), invalid},
            };
            check_refused(attacks, *keys_of(key));
            check_refused(attacks, *used_keys_of(key));
        }
    }

    TEST_CASE("RSA signatures of the other padding or salt or hash are refused") {
        const RsaPair pair;
        const auto key = only_key(pair.jwk());
        constexpr std::string_view kInput = "header.claims";
        const auto pss = [&](const char* digest, int salt, const char* mgf1) {
            return pair.sign(RSA_PKCS1_PSS_PADDING, digest, salt, mgf1, kInput);
        };
        const std::string pkcs1 = pair.sign(RSA_PKCS1_PADDING, "SHA256", 0, nullptr, kInput);
        CHECK(key->verify(Algorithm::rs256, kInput, pkcs1) == Errc::none);
        CHECK(key->verify(Algorithm::ps256, kInput, pss("SHA256", 32, "SHA256")) == Errc::none);
        CHECK(key->verify(Algorithm::ps512, kInput, pss("SHA512", 64, "SHA512")) == Errc::none);

        const struct {
            std::string_view name;
            Algorithm algorithm;
            std::string signature;
        } kRows[] = {
            {"PKCS1 as PSS", Algorithm::ps256, pkcs1},
            {"PSS as PKCS1", Algorithm::rs256, pss("SHA256", 32, "SHA256")},
            {"RS256 as RS384", Algorithm::rs384, pkcs1},
            {"RS256 as RS512", Algorithm::rs512, pkcs1},
            {"PKCS1 with SHA-1",
             Algorithm::rs256,
             pair.sign(RSA_PKCS1_PADDING, "SHA1", 0, nullptr, kInput)},
            {"PKCS1 with SHA-224",
             Algorithm::rs256,
             pair.sign(RSA_PKCS1_PADDING, "SHA224", 0, nullptr, kInput)},
            {"no salt", Algorithm::ps256, pss("SHA256", 0, "SHA256")},
            {"salt of 20", Algorithm::ps256, pss("SHA256", 20, "SHA256")},
            {"salt of 31", Algorithm::ps256, pss("SHA256", 31, "SHA256")},
            {"salt of 33", Algorithm::ps256, pss("SHA256", 33, "SHA256")},
            {"longest salt", Algorithm::ps256, pss("SHA256", RSA_PSS_SALTLEN_MAX, "SHA256")},
            {"MGF1 with SHA-1", Algorithm::ps256, pss("SHA256", 32, "SHA1")},
            {"MGF1 with SHA-512", Algorithm::ps256, pss("SHA256", 32, "SHA512")},
            {"PS256 as PS384", Algorithm::ps384, pss("SHA256", 32, "SHA256")},
            {"PS256 as PS384 with its salt", Algorithm::ps384, pss("SHA256", 48, "SHA384")},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            CHECK(key->verify(row.algorithm, kInput, row.signature) ==
                  Errc::token_signature_invalid);
        }
    }

    TEST_CASE("a signature whose leading zero was dropped is refused") {
        const RsaPair pair;
        const auto key = only_key(pair.jwk());
        std::string input;
        std::string signature;
        // One in 256 begins with a zero; 10 000 misses in a row do not happen.
        for (int i = 0; i < 10000 && (signature.empty() || signature.front() != '\0'); ++i) {
            input = std::to_string(i);
            signature = pair.sign(RSA_PKCS1_PSS_PADDING, "SHA256", 32, "SHA256", input);
        }
        REQUIRE(signature.front() == '\0');
        CHECK(key->verify(Algorithm::ps256, input, signature) == Errc::none);
        CHECK(key->verify(Algorithm::ps256, input, signature.substr(1)) ==
              Errc::token_signature_invalid);
    }

    TEST_CASE("EdDSA refuses S plus the group order") {
        const SigningKey& key = key_for(Algorithm::eddsa);
        const std::string good = good_token(key);
        std::string signature = signature_of(good);
        const std::string order =
            from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        int carry = 0;
        for (std::size_t i = 0; i < 32; ++i) {
            const int sum = static_cast<unsigned char>(signature[32 + i]) +
                            static_cast<unsigned char>(order[i]) + carry;
            signature[32 + i] = static_cast<char>(sum & 0xff);
            carry = sum >> 8;
        }
        REQUIRE(carry == 0);
        check_refused({{"S + L", resigned(good, signature), Errc::token_signature_invalid}},
                      *keys_of(key));
    }

    TEST_CASE("a key with a table judges as the same key without one") {
        const SigningKey& signer = key_for(Algorithm::es256);
        const SigningKey other = generate_signing_key(Algorithm::es256, "k1").value();
        const auto plain = keys_of(signer);
        const auto used = used_keys_of(signer);
        const auto check = [&](bool want, std::string_view input, std::string_view signature) {
            const Errc verdict = want ? Errc::none : Errc::token_signature_invalid;
            CHECK(plain->keys[0]->verify(Algorithm::es256, input, signature) == verdict);
            CHECK(used->keys[0]->verify(Algorithm::es256, input, signature) == verdict);
            CHECK(ERR_peek_error() == 0);
        };
        for (std::size_t i = 0; i < 60; ++i) {
            CAPTURE(i);
            std::string input(i * 7, static_cast<char>('a' + i % 26));
            const std::string signature = signer.sign(input).value();
            check(true, input, signature);
            check(true, input, signature.substr(0, 32) + negative_of(signature.substr(32)));
            check(false, input, negative_of(signature.substr(0, 32)) + signature.substr(32));
            check(false, input, signature.substr(32) + signature.substr(0, 32));
            check(false, input + 'x', signature);
            check(false, input, other.sign(input).value());
            check(false, input, signature.substr(0, 63));
            check(false, input, signature + '\0');
            for (std::size_t bit = i; bit < 512; bit += 61) {
                std::string changed = signature;
                changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
                check(false, input, changed);
            }
            if (input.empty()) continue;
            input[i] ^= 1;
            check(false, input, signature);
        }
    }

    TEST_CASE("r and s at and beyond the ends of their range are refused in both ways") {
        const SigningKey& signer = key_for(Algorithm::es256);
        const std::string signature = signer.sign("input").value();
        std::string below = from_hex(kOrders[0]);
        below.back() -= 1;
        std::string above = from_hex(kOrders[0]);
        above.back() += 1;
        const std::vector<std::string> ends = {std::string(32, '\0'),
                                               std::string(31, '\0') + '\1',
                                               below,
                                               from_hex(kOrders[0]),
                                               above,
                                               std::string(32, '\xff')};
        for (const auto& keys : {keys_of(signer), used_keys_of(signer)}) {
            const auto refused = [&](const std::string& r, const std::string& s) {
                CHECK(keys->keys[0]->verify(Algorithm::es256, "input", r + s) ==
                      Errc::token_signature_invalid);
            };
            for (const std::string& end : ends) {
                refused(end, signature.substr(32));
                refused(signature.substr(0, 32), end);
                for (const std::string& other : ends)
                    refused(end, other);
            }
        }
    }

    TEST_CASE("a key wants its table after 64 good signatures and only once") {
        const SigningKey& signer = key_for(Algorithm::es256);
        const auto keys = keys_of(signer);
        const PublicKey& key = *keys->keys[0];
        const std::string good = signer.sign("input").value();
        for (int i = 0; i < 200; ++i) {
            CHECK(key.verify(Algorithm::es256, "other", good) != Errc::none);
            CHECK(key.verify(Algorithm::es256, "input", "") != Errc::none);
            CHECK(key.verify(Algorithm::es384, "input", good) != Errc::none);
        }
        CHECK_FALSE(key.make_table());
        for (int i = 0; i < 64; ++i) {
            CHECK_FALSE(key.make_table());
            CHECK(key.verify(Algorithm::es256, "input", good) == Errc::none);
        }
        CHECK_FALSE(key.has_table());
        CHECK(key.make_table());
        CHECK(key.has_table() == gatehouse::test::kTables);
        CHECK(key.verify(Algorithm::es256, "input", good) == Errc::none);
        CHECK_FALSE(key.make_table());
    }

    TEST_CASE("no key but one of P-256 ever wants a table") {
        for (const Algorithm algorithm : kAll) {
            if (algorithm == Algorithm::es256) continue;
            CAPTURE(to_string(algorithm));
            const auto keys = keys_of(key_for(algorithm));
            const std::string good = key_for(algorithm).sign("input").value();
            for (int i = 0; i < 70; ++i)
                CHECK(keys->keys[0]->verify(algorithm, "input", good) == Errc::none);
            CHECK_FALSE(keys->keys[0]->make_table());
            CHECK_FALSE(keys->keys[0]->has_table());
        }
    }

    TEST_CASE("threads verify while the table is made") {
        const SigningKey& signer = key_for(Algorithm::es256);
        const auto keys = keys_of(signer);
        const PublicKey& key = *keys->keys[0];
        const std::string signature = signer.sign("input").value();
        std::atomic<int> wrong{0};
        std::atomic<bool> ends{false};
        const auto work = [&] {
            for (int i = 0; i < 100 || !ends; ++i) {
                if (key.verify(Algorithm::es256, "input", signature) != Errc::none) ++wrong;
                if (key.verify(Algorithm::es256, "other", signature) == Errc::none) ++wrong;
            }
            for (int i = 0; i < 100; ++i) {
                if (key.verify(Algorithm::es256, "input", signature) != Errc::none) ++wrong;
                if (key.verify(Algorithm::es256, "other", signature) == Errc::none) ++wrong;
            }
        };
        std::atomic<int> made{0};
        const auto make = [&] {
            while (!ends) {
                if (!key.make_table()) continue;
                ++made;
                ends = true;
            }
        };
        std::vector<std::thread> threads;
        threads.reserve(5);
        for (int i = 0; i < 3; ++i)
            threads.emplace_back(work);
        for (int i = 0; i < 2; ++i)
            threads.emplace_back(make);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
        CHECK(made == 1);
        CHECK(key.has_table() == gatehouse::test::kTables);
    }

    TEST_CASE("threads may share a key") {
        const SigningKey& signer = key_for(Algorithm::es256);
        const auto keys = keys_of(signer);
        const std::string signature = signer.sign("input").value();
        int good[2] = {0, 0};
        const auto work = [&](int& count) {
            for (int i = 0; i < 200; ++i) {
                const bool right =
                    keys->keys[0]->verify(Algorithm::es256, "input", signature) == Errc::none;
                const bool wrong =
                    keys->keys[0]->verify(Algorithm::es256, "other", signature) == Errc::none;
                count += right && !wrong ? 1 : 0;
            }
        };
        std::thread first(work, std::ref(good[0]));
        std::thread second(work, std::ref(good[1]));
        first.join();
        second.join();
        CHECK(good[0] == 200);
        CHECK(good[1] == 200);
    }
}

}  // namespace jwt_signature_test
