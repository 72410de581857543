#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace gatehouse::authz {

/// A seeded hash of byte strings: words are multiplied pairwise to 128 bits and folded. Tens of
/// nanoseconds for a token. The seeds are random per instance, so a client cannot choose tokens
/// that collide; it is no digest, and equality is always checked on the bytes.
class FoldHash {
  public:
    /// Seeds from the system's randomness.
    FoldHash() {
        std::random_device random;
        // Odd, so that no seed is 0: a factor of 0 would swallow the other one.
        for (std::uint64_t& seed : seeds_)
            seed = (std::uint64_t{random()} << 32 | random()) | 1U;
    }

    std::uint64_t operator()(std::uint64_t salt, std::string_view bytes) const noexcept {
        const char* at = bytes.data();
        std::size_t left = bytes.size();
        std::uint64_t a = seeds_[0] ^ salt;
        if (left > 64) {
            std::uint64_t b = seeds_[1];
            std::uint64_t c = seeds_[2];
            std::uint64_t d = seeds_[3];
            // Four chains, so that the processor multiplies while it waits for the products before.
            for (; left > 64; at += 64, left -= 64) {
                a = fold(word(at) ^ seeds_[4], word(at + 8) ^ a);
                b = fold(word(at + 16) ^ seeds_[5], word(at + 24) ^ b);
                c = fold(word(at + 32) ^ seeds_[6], word(at + 40) ^ c);
                d = fold(word(at + 48) ^ seeds_[7], word(at + 56) ^ d);
            }
            a ^= b ^ (c + (d << 1 | d >> 63));
        }
        for (; left > 16; at += 16, left -= 16)
            a = fold(word(at) ^ seeds_[4], word(at + 8) ^ a);
        std::array<char, 16> tail{};
        if (left > 0) std::memcpy(tail.data(), at, left);
        a = fold(word(tail.data()) ^ seeds_[5], word(tail.data() + 8) ^ a);
        // The length tells "a" from "a\0".
        return fold(a ^ seeds_[6], bytes.size() ^ seeds_[7]);
    }

  private:
    static std::uint64_t word(const char* at) noexcept {
        std::uint64_t value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }

    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::array<std::uint64_t, 8> seeds_{};
};

}  // namespace gatehouse::authz
