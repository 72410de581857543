#include "../../../src/authz/cache_ring.hpp"

#include "../../../src/authz/fold_hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace cache_ring_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

const SteadyTime kNow{1000s};
constexpr std::size_t kPlenty = 1024 * 1024;

std::unique_ptr<CacheEntry> entry(CacheScope scope,
                                  std::string_view identity,
                                  std::uint64_t hash,
                                  SteadyTime expires) {
    auto made = std::make_unique<CacheEntry>();
    made->scope = scope;
    made->identity = identity;
    made->hash = hash;
    made->grant = std::make_shared<const Grant>();
    made->stored = kNow;
    made->expires = expires;
    return made;
}

// Distinct identities with one hash each, as a plain number would give.
struct Ring {
    CacheRing ring;
    CacheTrash trash{};

    void put(std::string_view identity, SteadyTime now = kNow, std::chrono::seconds ttl = 60s) {
        ring.insert(
            entry(0, identity, std::hash<std::string_view>{}(identity), now + ttl), now, trash);
    }

    bool has(std::string_view identity, SteadyTime now = kNow) {
        return ring.find({0, identity, std::hash<std::string_view>{}(identity)}, now, trash) !=
               nullptr;
    }
};

}  // namespace

TEST_SUITE("authz/cache_ring") {
    TEST_CASE("identities that share a hash are told apart by their bytes") {
        CacheRing ring(10, kPlenty);
        CacheTrash trash;
        ring.insert(entry(0, "alice", 42, kNow + 1s), kNow, trash);
        CHECK(ring.find({0, "mallory", 42}, kNow, trash) == nullptr);
        CHECK(ring.find({0, "alic", 42}, kNow, trash) == nullptr);
        CHECK(ring.find({1, "alice", 42}, kNow, trash) == nullptr);
        ring.insert(entry(0, "mallory", 42, kNow + 1s), kNow, trash);
        ring.insert(entry(1, "alice", 42, kNow + 1s), kNow, trash);
        CHECK(ring.entries().size() == 3);
        CHECK(ring.find({0, "mallory", 42}, kNow, trash)->identity == "mallory");
        CHECK(ring.find({0, "alice", 42}, kNow, trash)->scope == 0);
        CHECK(ring.find({1, "alice", 42}, kNow, trash)->scope == 1);
        CHECK(ring.erase({0, "alice", 42}, trash));
        CHECK_FALSE(ring.erase({0, "alice", 42}, trash));
        CHECK(ring.find({1, "alice", 42}, kNow, trash) != nullptr);
    }

    TEST_CASE("an entry that was used outlives those that were not") {
        Ring cache{CacheRing(4, kPlenty)};
        for (const char* name : {"a", "b", "c", "d"})
            cache.put(name);
        CHECK(cache.has("a"));
        CHECK(cache.has("c"));
        cache.put("e");
        cache.put("f");
        CHECK(cache.has("a"));
        CHECK(cache.has("c"));
        CHECK_FALSE(cache.has("b"));
        CHECK_FALSE(cache.has("d"));
        CHECK(cache.ring.evictions() == 2);
    }

    TEST_CASE("a new entry has a whole round to be used in") {
        Ring cache{CacheRing(8, kPlenty)};
        for (int i = 0; i < 100; ++i) {
            cache.put("t" + std::to_string(i));
            // The four newest are always there, however the ring was turned.
            for (int j = std::max(0, i - 3); j <= i; ++j) {
                const auto& entries = cache.ring.entries();
                const std::string name = "t" + std::to_string(j);
                CAPTURE(i);
                CAPTURE(j);
                CHECK(std::any_of(entries.begin(), entries.end(), [&](const auto& e) {
                    return e->identity == name;
                }));
            }
        }
    }

    TEST_CASE("when all are used the hand clears the marks and takes the first") {
        Ring cache{CacheRing(3, kPlenty)};
        for (const char* name : {"a", "b", "c"}) {
            cache.put(name);
            CHECK(cache.has(name));
        }
        cache.put("d");
        CHECK_FALSE(cache.has("a"));
        CHECK(cache.ring.entries().size() == 3);
    }

    TEST_CASE("an expired entry goes before a live one is evicted") {
        Ring cache{CacheRing(2, kPlenty)};
        cache.put("short", kNow, 1s);
        CHECK(cache.has("short"));
        cache.put("long");
        cache.put("new", kNow + 1s);
        CHECK(cache.ring.expirations() == 1);
        CHECK(cache.ring.evictions() == 0);
        CHECK(cache.has("long", kNow + 1s));
        CHECK(cache.has("new", kNow + 1s));
    }

    TEST_CASE("bytes are bounded and given back") {
        Ring cache{CacheRing(1000, 64 * 1024)};
        for (int i = 0; i < 200; ++i) {
            cache.put(std::string(2000, 'x') + std::to_string(i));
            CHECK(cache.ring.bytes() <= 64 * 1024);
        }
        CHECK(cache.ring.entries().size() > 15);
        CHECK(cache.ring.evictions() > 100);
        cache.ring.erase_if([](const CacheEntry&) { return true; }, cache.trash);
        CHECK(cache.ring.bytes() == 0);
        CHECK(cache.ring.entries().empty());
    }

    TEST_CASE("an entry larger than the bound is dropped and evicts nobody") {
        Ring cache{CacheRing(10, 8192)};
        cache.put("small");
        cache.put(std::string(8192, 'x'));
        CHECK(cache.has("small"));
        CHECK(cache.ring.entries().size() == 1);
    }

    TEST_CASE("the same key again replaces the entry") {
        Ring cache{CacheRing(10, kPlenty)};
        cache.put("a", kNow, 1s);
        const std::size_t bytes = cache.ring.bytes();
        cache.put("a", kNow, 60s);
        CHECK(cache.ring.entries().size() == 1);
        CHECK(cache.ring.bytes() == bytes);
        CHECK(cache.has("a", kNow + 30s));
    }

    TEST_CASE("removal by a predicate sees every entry once") {
        Ring cache{CacheRing(100, kPlenty)};
        for (int i = 0; i < 50; ++i)
            cache.put(std::to_string(i));
        std::size_t asked = 0;
        const auto gone = cache.ring.erase_if(
            [&](const CacheEntry& e) {
                ++asked;
                return e.identity.size() == 1;
            },
            cache.trash);
        CHECK(gone == 10);
        CHECK(asked == 50);
        CHECK_FALSE(cache.has("7"));
        CHECK(cache.has("17"));
    }

    TEST_CASE("the hash depends on every byte and on the length and the salt and the seeds") {
        const FoldHash hash;
        for (const std::size_t size : {0U, 1U, 7U, 8U, 15U, 16U, 17U, 63U, 64U, 65U, 129U, 800U}) {
            CAPTURE(size);
            const std::string text(size, 'a');
            CHECK(hash(0, text) == hash(0, text));
            CHECK(hash(0, text) != hash(1, text));
            CHECK(hash(0, text) != hash(0, text + '\0'));
            CHECK(hash(0, text) != FoldHash()(0, text));
            for (std::size_t i = 0; i < size; ++i) {
                std::string other = text;
                other[i] = 'b';
                // Far from the 32 of a perfect hash would show as clusters in the table.
                CHECK(std::popcount(hash(0, text) ^ hash(0, other)) > 8);
            }
        }
    }

    TEST_CASE("ten thousand alike tokens spread over shards and slots") {
        const FoldHash hash;
        std::set<std::uint64_t> distinct;
        std::array<int, 64> shards{};
        for (int i = 0; i < 10000; ++i) {
            const auto value = hash(3, std::string(700, 'x') + std::to_string(i));
            distinct.insert(value);
            ++shards[value >> 8 & 63];
        }
        CHECK(distinct.size() == 10000);
        for (const int count : shards)
            CHECK(count < 300);
    }
}

}  // namespace cache_ring_test
