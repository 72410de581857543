#include "gatehouse/authz/grant_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace grant_cache_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

const SteadyTime kNow{1000s};

std::shared_ptr<const Grant> grant(std::string principal, std::string thumbprint = "k1") {
    auto made = std::make_shared<Grant>();
    made->principal_id = std::move(principal);
    made->key_thumbprint = std::move(thumbprint);
    return made;
}

// A cache and the calls of a miss in one.
struct Fixture {
    GrantCache cache;
    CacheScope jwt = cache.scope({"api", "prod", "jwt", "f1"});

    void put(CacheScope scope,
             std::string_view identity,
             std::string principal = "u",
             std::string thumbprint = "k1") {
        cache.store(scope,
                    identity,
                    grant(std::move(principal), std::move(thumbprint)),
                    kNow,
                    kNow + 300s,
                    cache.generation(scope));
    }

    bool has(CacheScope scope, std::string_view identity, SteadyTime now = kNow) {
        return cache.find(scope, identity, now).has_value();
    }
};

}  // namespace

TEST_SUITE("authz/grant_cache") {
    TEST_CASE("section 5: equal names are one scope and every part of the name counts") {
        GrantCache cache;
        const ScopeName name{"api", "prod", "jwt", "f1"};
        const CacheScope scope = cache.scope(name);
        CHECK(cache.scope(name) == scope);
        std::set<CacheScope> scopes{scope};
        scopes.insert(cache.scope({"api2", "prod", "jwt", "f1"}));
        scopes.insert(cache.scope({"api", "dev", "jwt", "f1"}));
        scopes.insert(cache.scope({"api", "prod", "jwt2", "f1"}));
        scopes.insert(cache.scope({"api", "prod", "jwt", "f2"}));
        scopes.insert(cache.scope({"ap", "iprod", "jwt", "f1"}));
        CHECK(scopes.size() == 6);
    }

    TEST_CASE("a grant is found by the whole identity in its own scope only") {
        Fixture f;
        const CacheScope stage = f.cache.scope({"api", "dev", "jwt", "f1"});
        const CacheScope changed = f.cache.scope({"api", "prod", "jwt", "f2"});
        const std::string identity = "Bearer " + std::string(800, 'a');
        f.put(f.jwt, identity, "alice");
        const auto found = f.cache.find(f.jwt, identity, kNow);
        REQUIRE(found);
        CHECK(found->grant->principal_id == "alice");
        CHECK(found->negative == Errc::none);
        CHECK(found->stored == kNow);
        CHECK(found->expires == kNow + 300s);
        CHECK_FALSE(f.has(stage, identity));
        CHECK_FALSE(f.has(changed, identity));
        CHECK_FALSE(f.has(f.jwt, identity.substr(0, identity.size() - 1)));
        CHECK_FALSE(f.has(f.jwt, identity + "a"));
        CHECK_FALSE(f.has(f.jwt, "bearer " + std::string(800, 'a')));
        CHECK_FALSE(f.has(f.jwt, ""));
    }

    TEST_CASE("an entry ends when its time is reached and not later") {
        Fixture f;
        f.put(f.jwt, "t");
        CHECK(f.has(f.jwt, "t", kNow + 300s - 1ns));
        CHECK_FALSE(f.has(f.jwt, "t", kNow + 300s));
        CHECK(f.cache.stats().entries == 0);
        CHECK(f.cache.stats().bytes == 0);
        CHECK(f.cache.stats().expirations == 1);
    }

    TEST_CASE("section 5: a hit does not lengthen the life of an entry") {
        Fixture f;
        f.put(f.jwt, "t");
        for (int second = 0; second < 300; second += 10)
            CHECK(f.has(f.jwt, "t", kNow + std::chrono::seconds(second)));
        CHECK_FALSE(f.has(f.jwt, "t", kNow + 301s));
    }

    TEST_CASE("what is over at once is not stored") {
        Fixture f;
        for (const auto life : {0s, -1s}) {
            f.cache.store(f.jwt, "t", grant("u"), kNow, kNow + life, f.cache.generation(f.jwt));
            f.cache.store_negative(
                f.jwt, "n", Errc::token_malformed, kNow, kNow + life, f.cache.generation(f.jwt));
        }
        f.cache.store(f.jwt, "null", nullptr, kNow, kNow + 1s, f.cache.generation(f.jwt));
        f.cache.store_negative(
            f.jwt, "none", Errc::none, kNow, kNow + 1s, f.cache.generation(f.jwt));
        CHECK(f.cache.stats().entries == 0);
    }

    TEST_CASE("a later result of one identity replaces the earlier of either kind") {
        Fixture f;
        f.put(f.jwt, "t", "first");
        f.put(f.jwt, "t", "second");
        CHECK(f.cache.find(f.jwt, "t", kNow)->grant->principal_id == "second");
        f.cache.store_negative(
            f.jwt, "t", Errc::token_signature_invalid, kNow, kNow + 5s, f.cache.generation(f.jwt));
        CHECK(f.cache.find(f.jwt, "t", kNow)->grant == nullptr);
        CHECK(f.cache.find(f.jwt, "t", kNow)->negative == Errc::token_signature_invalid);
        f.put(f.jwt, "t", "third");
        CHECK(f.cache.find(f.jwt, "t", kNow)->negative == Errc::none);
        CHECK(f.cache.stats().entries == 1);
    }

    TEST_CASE("remembered refusals end in time and have a bound of their own") {
        GrantCache cache({.entries = 1000, .bytes = 64 << 20, .negative_entries = 100});
        const CacheScope scope = cache.scope({"api", "prod", "jwt", "f"});
        cache.store(scope, "good", grant("u"), kNow, kNow + 60s, cache.generation(scope));
        for (int i = 0; i < 10000; ++i) {
            cache.store_negative(scope,
                                 "bad" + std::to_string(i),
                                 Errc::token_malformed,
                                 kNow,
                                 kNow + 5s,
                                 cache.generation(scope));
        }
        CHECK(cache.stats().entries <= 101);
        CHECK(cache.stats().entries > 50);
        CHECK(cache.find(scope, "good", kNow));
        CHECK(cache.find(scope, "bad9999", kNow)->negative == Errc::token_malformed);
        CHECK_FALSE(cache.find(scope, "bad9999", kNow + 5s));
    }

    TEST_CASE("no refusal is remembered when their bound is zero") {
        GrantCache cache({.entries = 1000, .bytes = 64 << 20, .negative_entries = 0});
        const CacheScope scope = cache.scope({"api", "prod", "jwt", "f"});
        cache.store_negative(
            scope, "bad", Errc::token_malformed, kNow, kNow + 5s, cache.generation(scope));
        CHECK_FALSE(cache.find(scope, "bad", kNow));
    }

    TEST_CASE("a new token for every request stays inside the bounds") {
        struct Row {
            const char* name;
            CacheBounds bounds;
        };

        const Row rows[] = {
            {"entries", {.entries = 4096, .bytes = std::size_t{1} << 30, .negative_entries = 100}},
            {"bytes", {.entries = 1000000, .bytes = 8 << 20, .negative_entries = 100}},
            {"a handful", {.entries = 3, .bytes = 1 << 20, .negative_entries = 1}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            GrantCache cache(row.bounds);
            const CacheScope scope = cache.scope({"api", "prod", "jwt", "f"});
            const std::string padding(700, 'p');
            const auto shared = grant("u");
            bool inside = true;
            for (int i = 0; i < 100000; ++i) {
                cache.store(scope,
                            std::to_string(i) + padding,
                            shared,
                            kNow,
                            kNow + 300s,
                            cache.generation(scope));
                if (i % 1000 != 0) continue;
                const CacheStats stats = cache.stats();
                inside = inside && stats.entries <= row.bounds.entries &&
                         stats.bytes <= row.bounds.bytes;
            }
            CHECK(inside);
            CHECK(cache.stats().entries >= std::min<std::size_t>(row.bounds.entries, 4096) / 2);
            CHECK(cache.stats().evictions == 100000 - cache.stats().entries);
            CHECK(cache.find(scope, "99999" + padding, kNow));
        }
    }

    TEST_CASE("a token in use survives a flood of others") {
        GrantCache cache({.entries = 1024, .bytes = 64 << 20, .negative_entries = 100});
        const CacheScope scope = cache.scope({"api", "prod", "jwt", "f"});
        cache.store(scope, "steady", grant("u"), kNow, kNow + 300s, cache.generation(scope));
        bool there = true;
        for (int i = 0; i < 20000; ++i) {
            there = there && cache.find(scope, "steady", kNow).has_value();
            cache.store(
                scope, std::to_string(i), grant("x"), kNow, kNow + 300s, cache.generation(scope));
        }
        CHECK(there);
    }

    TEST_CASE("a flush takes a stage or an authorizer or an identity and leaves the rest") {
        struct Row {
            const char* name;
            std::string api;
            std::string stage;
            std::optional<std::string_view> authorizer;
            std::optional<std::string> identity;
            std::size_t gone;
            std::vector<std::string> left;
        };

        // Entries are named scope:identity.
        const std::vector<std::string> all = {"a:1", "a:2", "b:1", "s:1", "o:1"};
        const Row rows[] = {
            {"stage", "api", "prod", std::nullopt, std::nullopt, 3, {"s:1", "o:1"}},
            {"other stage",
             "api",
             "dev",
             std::nullopt,
             std::nullopt,
             1,
             {"a:1", "a:2", "b:1", "o:1"}},
            {"authorizer", "api", "prod", "b", std::nullopt, 1, {"a:1", "a:2", "s:1", "o:1"}},
            {"identity in an authorizer", "api", "prod", "a", "1", 1, {"a:2", "b:1", "s:1", "o:1"}},
            {"identity in a stage", "api", "prod", std::nullopt, "1", 2, {"a:2", "s:1", "o:1"}},
            {"no such identity", "api", "prod", std::nullopt, "3", 0, all},
            {"no such authorizer", "api", "prod", "c", std::nullopt, 0, all},
            {"no such stage", "api", "test", std::nullopt, std::nullopt, 0, all},
            {"no such API", "ap", "prod", std::nullopt, std::nullopt, 0, all},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Fixture f;
            const auto scope_of = [&](char letter) {
                if (letter == 'a') return f.cache.scope({"api", "prod", "a", "f1"});
                if (letter == 'b') return f.cache.scope({"api", "prod", "b", "f1"});
                if (letter == 's') return f.cache.scope({"api", "dev", "a", "f1"});
                return f.cache.scope({"other", "prod", "a", "f1"});
            };
            for (const std::string& name : all)
                f.put(scope_of(name[0]), name.substr(2));
            std::optional<jwt::Sha256> identity;
            if (row.identity) identity = jwt::sha256(*row.identity);
            CHECK(f.cache.flush(row.api, row.stage, row.authorizer, identity) == row.gone);
            for (const std::string& name : all) {
                CAPTURE(name);
                const bool left =
                    std::find(row.left.begin(), row.left.end(), name) != row.left.end();
                CHECK(f.has(scope_of(name[0]), name.substr(2)) == left);
            }
            CHECK(f.cache.stats().flushes == 1);
        }
    }

    TEST_CASE("a flush takes every fingerprint of an authorizer and its refusals") {
        Fixture f;
        const CacheScope changed = f.cache.scope({"api", "prod", "jwt", "f2"});
        f.put(f.jwt, "t");
        f.put(changed, "t");
        f.cache.store_negative(
            f.jwt, "n", Errc::token_malformed, kNow, kNow + 5s, f.cache.generation(f.jwt));
        CHECK(f.cache.flush("api", "prod", "jwt") == 3);
        CHECK(f.cache.stats().entries == 0);
    }

    TEST_CASE("a result that was under way when a flush came is not stored") {
        Fixture f;
        const CacheScope other = f.cache.scope({"api", "dev", "jwt", "f1"});
        const auto before = f.cache.generation(f.jwt);
        const auto other_before = f.cache.generation(other);
        f.cache.flush("api", "prod");
        CHECK(f.cache.generation(f.jwt) != before);
        CHECK(f.cache.generation(other) == other_before);
        f.cache.store(f.jwt, "t", grant("u"), kNow, kNow + 60s, before);
        f.cache.store_negative(f.jwt, "n", Errc::token_malformed, kNow, kNow + 60s, before);
        f.cache.store(other, "t", grant("u"), kNow, kNow + 60s, other_before);
        CHECK_FALSE(f.has(f.jwt, "t"));
        CHECK_FALSE(f.has(f.jwt, "n"));
        CHECK(f.has(other, "t"));
        f.put(f.jwt, "t");
        CHECK(f.has(f.jwt, "t"));
    }

    TEST_CASE("a flush of one identity also stops the result that was under way for it") {
        Fixture f;
        const auto before = f.cache.generation(f.jwt);
        f.cache.flush("api", "prod", "jwt", jwt::sha256("t"));
        f.cache.store(f.jwt, "t", grant("u"), kNow, kNow + 60s, before);
        CHECK_FALSE(f.has(f.jwt, "t"));
    }

    TEST_CASE("a key that leaves takes its grants and every remembered refusal with it") {
        Fixture f;
        f.put(f.jwt, "old", "u", "retired");
        f.put(f.jwt, "new", "u", "current");
        f.cache.store_negative(
            f.jwt, "n", Errc::token_signature_invalid, kNow, kNow + 5s, f.cache.generation(f.jwt));
        const auto before = f.cache.generation(f.jwt);
        CHECK(f.cache.drop_if([](const Grant& g) { return g.key_thumbprint == "retired"; }) == 1);
        CHECK_FALSE(f.has(f.jwt, "old"));
        CHECK(f.has(f.jwt, "new"));
        CHECK_FALSE(f.has(f.jwt, "n"));
        // Verified with the key that is gone, finished afterwards.
        f.cache.store(f.jwt, "late", grant("u", "retired"), kNow, kNow + 60s, before);
        CHECK_FALSE(f.has(f.jwt, "late"));
    }

    TEST_CASE("the list names live entries by digest and never by identity") {
        Fixture f;
        f.put(f.jwt, "secret-token", "alice");
        f.cache.store_negative(
            f.jwt, "bad", Errc::token_malformed, kNow, kNow + 5s, f.cache.generation(f.jwt));
        const auto rows = f.cache.list(kNow, 100);
        REQUIRE(rows.size() == 2);
        for (const CacheEntryView& row : rows) {
            CHECK(row.api_id == "api");
            CHECK(row.stage == "prod");
            CHECK(row.authorizer == "jwt");
            CHECK(row.stored == kNow);
            if (row.grant) {
                CHECK(row.identity == jwt::sha256("secret-token"));
                CHECK(row.grant->principal_id == "alice");
            } else {
                CHECK(row.identity == jwt::sha256("bad"));
                CHECK(row.negative == Errc::token_malformed);
            }
        }
        CHECK(f.cache.list(kNow + 5s, 100).size() == 1);
        CHECK(f.cache.list(kNow, 1).size() == 1);
        CHECK(f.cache.list(kNow, 0).empty());
    }

    TEST_CASE("a grant that a request holds outlives its entry") {
        Fixture f;
        f.put(f.jwt, "t", "alice");
        const auto held = f.cache.find(f.jwt, "t", kNow);
        f.cache.flush("api", "prod");
        CHECK(held->grant->principal_id == "alice");
    }

    TEST_CASE("threads that find and store and flush and list see whole entries only") {
        GrantCache cache({.entries = 2048, .bytes = 64 << 20, .negative_entries = 100});
        std::atomic<int> wrong{0};
        const auto work = [&](unsigned seed) {
            for (unsigned i = 0; i < 4000; ++i) {
                const unsigned number = (i * 7919 + seed * 31) % 3000;
                const CacheScope scope =
                    cache.scope({"api", number % 2 == 0 ? "prod" : "dev", "jwt", "f"});
                const std::string identity = "token" + std::to_string(number);
                const auto now = kNow + std::chrono::milliseconds(i);
                const auto generation = cache.generation(scope);
                const auto found = cache.find(scope, identity, now);
                if (found && found->grant && found->grant->principal_id != identity) ++wrong;
                if (!found)
                    cache.store(scope, identity, grant(identity), now, now + 500ms, generation);
                if (i % 16 == seed)
                    cache.store_negative(
                        scope, identity, Errc::token_malformed, now, now + 5ms, generation);
                if (i % 500 == seed) cache.flush("api", "prod");
                if (i % 700 == seed) cache.flush("api", "dev", "jwt", jwt::sha256(identity));
                if (i % 900 == seed)
                    cache.drop_if([&](const Grant& g) { return g.principal_id == identity; });
                if (i % 600 == seed) wrong += cache.list(now, 50).size() > 50 ? 1 : 0;
                if (i % 100 == seed) wrong += cache.stats().entries > 2148 ? 1 : 0;
            }
        };
        std::vector<std::thread> threads;
        for (unsigned seed = 0; seed < 4; ++seed)
            threads.emplace_back(work, seed);
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a reload keeps what is still in use and nothing that was under way") {
        const CacheScope changed = cache.scope({"api", "prod", "jwt", "f2"});
        const CacheScope other = cache.scope({"api", "prod", "other", "f1"});
        put(jwt, "a");
        put(other, "a");
        put(other, "b");
        put(changed, "a");
        const std::uint64_t began = cache.generation(jwt);
        const auto dropped = cache.retain({jwt, changed});
        REQUIRE(dropped.size() == 1);
        CHECK(dropped[0].scope.authorizer == "other");
        CHECK(dropped[0].entries == 2);
        CHECK(has(jwt, "a"));
        CHECK(has(changed, "a"));
        CHECK_FALSE(has(other, "a"));
        CHECK_FALSE(has(other, "b"));
        cache.store(jwt, "late", grant("u"), kNow, kNow + 300s, began);
        CHECK_FALSE(has(jwt, "late"));
        put(jwt, "new");
        CHECK(has(jwt, "new"));
    }
}

}  // namespace grant_cache_test
