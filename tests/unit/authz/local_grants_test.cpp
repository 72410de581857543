#include "gatehouse/authz/local_grants.hpp"

#include "gatehouse/authz/grant_cache.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace local_grants_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime kNow{1000s};

}  // namespace

TEST_SUITE("authz/local_grants") {
    TEST_CASE("a grant that comes twice running has a count of its own") {
        LocalGrants local;
        const auto grant = std::make_shared<const Grant>();
        CHECK(local.find(grant.get()) == nullptr);
        local.note(grant);
        CHECK(local.find(grant.get()) == nullptr);
        CHECK(grant.use_count() == 1);
        local.note(grant);
        CHECK(grant.use_count() == 2);

        const auto first = local.find(grant.get());
        const auto second = local.find(grant.get());
        CHECK(first == grant);
        CHECK(grant.use_count() == 2);
        CHECK(second.use_count() == 3);  // the slot's and these two
    }

    TEST_CASE("what a slot held goes when another takes it, and lives while a request has it") {
        LocalGrants local;
        std::vector<std::weak_ptr<const Grant>> all;
        std::shared_ptr<const Grant> in_use;
        for (int i = 0; i < 1000; ++i) {
            const auto grant = std::make_shared<const Grant>();
            all.emplace_back(grant);
            local.note(grant);
            local.note(grant);
            if (i == 0) in_use = local.find(grant.get());
        }
        std::size_t living = 0;
        for (const auto& each : all)
            living += each.expired() ? 0U : 1U;
        CHECK(living <= 65);
        CHECK(!all[0].expired());
        in_use.reset();
        local.release_unused();
        local.release_unused();
        for (const auto& each : all)
            CHECK(each.expired());
    }

    TEST_CASE("grants that come in turn, or once, are not kept") {
        LocalGrants local;
        std::vector<std::shared_ptr<const Grant>> many;
        for (int i = 0; i < 2000; ++i)
            many.push_back(std::make_shared<const Grant>());
        for (int round = 0; round < 3; ++round) {
            for (const auto& each : many)
                local.note(each);
        }
        for (const auto& each : many)
            CHECK(each.use_count() == 1);
    }

    TEST_CASE("of two that come in turn the first stays, whatever slot the second has") {
        const auto kept = std::make_shared<const Grant>();
        std::vector<std::shared_ptr<const Grant>> others;  // of so many some share the first's slot
        for (int i = 0; i < 1000; ++i)
            others.push_back(std::make_shared<const Grant>());
        for (const auto& other : others) {
            LocalGrants local;
            local.note(kept);
            local.note(kept);
            for (int turn = 0; turn < 5; ++turn) {
                if (local.find(other.get()) == nullptr) local.note(other);
                REQUIRE(local.find(kept.get()) == kept);
            }
        }
    }

    TEST_CASE("one that is used stays, one that is not goes with the second call") {
        LocalGrants local;
        const auto grant = std::make_shared<const Grant>();
        local.note(grant);
        local.note(grant);
        for (int second = 0; second < 5; ++second) {
            local.release_unused();
            CHECK(local.find(grant.get()) == grant);
        }
        local.release_unused();
        CHECK(grant.use_count() == 2);
        local.release_unused();
        CHECK(grant.use_count() == 1);
        CHECK(local.find(grant.get()) == nullptr);
    }

    TEST_CASE("the cache's answers are the same with it, and no hit counts where others do") {
        GrantCache cache;
        LocalGrants local;
        const CacheScope scope = cache.scope({"api", "prod", "jwt", "f1"});
        const auto grant = std::make_shared<const Grant>();
        cache.store(scope, "token", grant, kNow, kNow + 300s, cache.generation(scope));
        cache.store_negative(
            scope, "bad", Errc::token_malformed, kNow, kNow + 300s, cache.generation(scope));

        CHECK(!cache.find(scope, "other", kNow, &local));
        CHECK(cache.find(scope, "bad", kNow, &local)->negative == Errc::token_malformed);
        CHECK(cache.find(scope, "bad", kNow, &local)->grant == nullptr);
        std::vector<CachedGrant> held;
        for (int i = 0; i < 10; ++i) {
            held.push_back(cache.find(scope, "token", kNow, &local).value());
            CHECK(held.back().grant == grant);
            CHECK(held.back().stored == kNow);
            CHECK(held.back().expires == kNow + 300s);
        }
        CHECK(grant.use_count() == 5);  // ours, the cache's, the slot's, and the first two hits'
        held.clear();
        CHECK(grant.use_count() == 3);
    }

    TEST_CASE("a grant that has left the cache is not found, whoever still counts it") {
        GrantCache cache;
        LocalGrants local;
        const CacheScope scope = cache.scope({"api", "prod", "jwt", "f1"});
        const auto put = [&](std::string principal) {
            auto grant = std::make_shared<Grant>();
            grant->principal_id = std::move(principal);
            cache.store(scope, "token", grant, kNow, kNow + 300s, cache.generation(scope));
        };
        const auto principal = [&](SteadyTime now) -> std::string {
            const auto found = cache.find(scope, "token", now, &local);
            return found ? found->grant->principal_id : "nobody";
        };
        put("old");
        for (int i = 0; i < 3; ++i)
            CHECK(principal(kNow) == "old");
        CHECK(principal(kNow + 300s) == "nobody");
        put("old");
        for (int i = 0; i < 3; ++i)
            CHECK(principal(kNow) == "old");
        put("new");
        for (int i = 0; i < 3; ++i)
            CHECK(principal(kNow) == "new");
        cache.flush("api", "prod");
        CHECK(principal(kNow) == "nobody");
    }
}

}  // namespace local_grants_test
