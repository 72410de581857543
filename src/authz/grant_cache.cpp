#include "gatehouse/authz/grant_cache.hpp"

#include "cache_ring.hpp"
#include "fold_hash.hpp"
#include "gatehouse/core/prefetch.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <deque>
#include <mutex>
#include <utility>

namespace gatehouse::authz {
namespace {

constexpr std::size_t kMostShards = 64;

// Each shard has an equal share of the bounds, so small bounds get few shards: a share must hold
// the largest of entries and enough of them that chance does not fill one shard while others are
// empty.
std::size_t shard_count(const CacheBounds& bounds) noexcept {
    constexpr std::size_t kShareEntries = 64;
    constexpr std::size_t kShareBytes = 1024 * 1024;
    std::size_t shards = std::min(bounds.entries / kShareEntries, bounds.bytes / kShareBytes);
    if (bounds.negative_entries > 0) shards = std::min(shards, bounds.negative_entries);
    return std::bit_floor(std::clamp<std::size_t>(shards, 1, kMostShards));
}

// Of the bytes, the part that refusals may take: what a client can fill with rubbish must not push
// out grants.
std::size_t negative_bytes(std::size_t bytes) noexcept {
    return bytes / 16;
}

struct alignas(64) Shard {
    Shard(std::size_t entries, std::size_t bytes, std::size_t negative_entries)
        : grants(entries, bytes - negative_bytes(bytes)),
          refusals(negative_entries, negative_bytes(bytes)) {}

    mutable std::mutex mutex;
    CacheRing grants;
    CacheRing refusals;
};

struct ScopeRecord {
    ScopeName name;
    std::uint64_t generation = 0;
};

}  // namespace

struct GrantCache::Impl {
    explicit Impl(const CacheBounds& bounds) {
        const std::size_t count = shard_count(bounds);
        for (std::size_t i = 0; i < count; ++i) {
            shards.emplace_back(
                bounds.entries / count, bounds.bytes / count, bounds.negative_entries / count);
        }
    }

    // From the middle of the hash: the index of a shard places by the top bits and compares by the
    // lowest.
    Shard& shard_of(std::uint64_t key_hash) {
        return shards[(key_hash >> 8) & (shards.size() - 1)];
    }

    std::uint64_t generation(CacheScope scope) const {
        const std::lock_guard lock(scopes_mutex);
        return scope < scopes.size() ? scopes[scope].generation : 0;
    }

    // Marks the scopes that `touched` picks, by index, and gives each a new generation.
    template <class Predicate>
    std::vector<bool> touch_scopes(const Predicate& touched) {
        const std::lock_guard lock(scopes_mutex);
        std::vector<bool> marks(scopes.size());
        for (std::size_t i = 0; i < scopes.size(); ++i) {
            marks[i] = touched(scopes[i].name);
            if (marks[i]) ++scopes[i].generation;
        }
        return marks;
    }

    void put(std::unique_ptr<CacheEntry> entry, SteadyTime now, std::uint64_t generation_at_start);
    std::size_t erase_identity(Shard& shard,
                               const std::vector<bool>& marks,
                               const jwt::Sha256& identity);
    void append_views(const Shard& shard,
                      SteadyTime now,
                      std::size_t most,
                      std::vector<CacheEntryView>& views) const;

    FoldHash hash;
    std::deque<Shard> shards;
    // Lock order: a shard, then the scopes. Never the other way round.
    mutable std::mutex scopes_mutex;
    std::deque<ScopeRecord> scopes;
    std::atomic<std::uint64_t> flushes{0};
};

// A flush gives a new generation first and empties the shards afterwards. So whoever still sees the
// old one here, under the shard's lock, stores before the flush comes to this shard; whoever comes
// later is turned away.
void GrantCache::Impl::put(std::unique_ptr<CacheEntry> entry,
                           SteadyTime now,
                           std::uint64_t generation_at_start) {
    if (entry->expires <= now) return;
    Shard& shard = shard_of(entry->hash);
    CacheTrash trash;
    const std::lock_guard lock(shard.mutex);
    if (generation(entry->scope) != generation_at_start) return;
    const bool negative = entry->grant == nullptr;
    // The two rings never disagree about one identity: the later result counts.
    (negative ? shard.grants : shard.refusals)
        .erase({entry->scope, entry->identity, entry->hash}, trash);
    (negative ? shard.refusals : shard.grants).insert(std::move(entry), now, trash);
}

GrantCache::GrantCache(CacheBounds bounds) : impl_(std::make_unique<Impl>(bounds)) {}

GrantCache::~GrantCache() = default;

CacheScope GrantCache::scope(const ScopeName& name) {
    const std::lock_guard lock(impl_->scopes_mutex);
    auto& scopes = impl_->scopes;
    const auto known = std::find_if(scopes.begin(), scopes.end(), [&](const ScopeRecord& record) {
        return record.name.api_id == name.api_id && record.name.stage == name.stage &&
               record.name.authorizer == name.authorizer &&
               record.name.fingerprint == name.fingerprint;
    });
    const auto id = static_cast<CacheScope>(known - scopes.begin());
    if (known == scopes.end()) scopes.push_back({name, 0});
    return id;
}

std::optional<CachedGrant> GrantCache::find(CacheScope scope,
                                            std::string_view identity,
                                            SteadyTime now,
                                            LocalGrants* local) {
    const CacheKey key{scope, identity, impl_->hash(scope, identity)};
    Shard& shard = impl_->shard_of(key.hash);
    CacheTrash trash;
    std::unique_lock lock(shard.mutex);
    const CacheEntry* entry = shard.grants.find(key, now, trash);
    if (entry == nullptr) entry = shard.refusals.find(key, now, trash);
    if (entry == nullptr) return std::nullopt;
    if (entry->grant)
        prefetch(entry->grant->header_block.data(), entry->grant->header_block.size());
    CachedGrant found{nullptr, entry->negative, entry->stored, entry->expires};
    const bool counts = local != nullptr && entry->grant != nullptr;
    if (counts) found.grant = local->find(entry->grant.get());
    if (found.grant != nullptr) return found;
    found.grant = entry->grant;
    lock.unlock();
    if (counts) local->note(found.grant);
    return found;
}

std::uint64_t GrantCache::generation(CacheScope scope) const {
    return impl_->generation(scope);
}

void GrantCache::store(CacheScope scope,
                       std::string_view identity,
                       std::shared_ptr<const Grant> grant,
                       SteadyTime now,
                       SteadyTime expires,
                       std::uint64_t generation) {
    if (grant == nullptr) return;
    auto entry = std::make_unique<CacheEntry>();
    entry->identity = identity;
    entry->scope = scope;
    entry->hash = impl_->hash(scope, identity);
    entry->grant = std::move(grant);
    entry->stored = now;
    entry->expires = expires;
    impl_->put(std::move(entry), now, generation);
}

void GrantCache::store_negative(CacheScope scope,
                                std::string_view identity,
                                Errc reason,
                                SteadyTime now,
                                SteadyTime expires,
                                std::uint64_t generation) {
    // A refusal without a reason would read as a grant that is not there.
    if (reason == Errc::none) return;
    auto entry = std::make_unique<CacheEntry>();
    entry->identity = identity;
    entry->scope = scope;
    entry->hash = impl_->hash(scope, identity);
    entry->negative = reason;
    entry->stored = now;
    entry->expires = expires;
    impl_->put(std::move(entry), now, generation);
}

std::size_t GrantCache::flush(std::string_view api_id,
                              std::string_view stage,
                              std::optional<std::string_view> authorizer,
                              const std::optional<jwt::Sha256>& identity) {
    const auto marks = impl_->touch_scopes([&](const ScopeName& name) {
        return name.api_id == api_id && name.stage == stage &&
               (!authorizer || name.authorizer == *authorizer);
    });
    const auto in_scope = [&](const CacheEntry& entry) {
        return entry.scope < marks.size() && marks[entry.scope];
    };
    std::size_t gone = 0;
    for (Shard& shard : impl_->shards) {
        if (identity) {
            gone += impl_->erase_identity(shard, marks, *identity);
            continue;
        }
        CacheTrash trash;
        const std::lock_guard lock(shard.mutex);
        gone += shard.grants.erase_if(in_scope, trash) + shard.refusals.erase_if(in_scope, trash);
    }
    impl_->flushes.fetch_add(1, std::memory_order_relaxed);
    return gone;
}

// Digests take a microsecond each, too long to hold a shard for: the identities are copied out,
// looked at, and taken out by key.
std::size_t GrantCache::Impl::erase_identity(Shard& shard,
                                             const std::vector<bool>& marks,
                                             const jwt::Sha256& identity) {
    std::vector<std::pair<CacheScope, std::string>> candidates;
    {
        const std::lock_guard lock(shard.mutex);
        for (const CacheRing* ring : {&shard.grants, &shard.refusals}) {
            for (const auto& entry : ring->entries()) {
                if (entry->scope < marks.size() && marks[entry->scope]) {
                    candidates.emplace_back(entry->scope, entry->identity);
                }
            }
        }
    }
    std::size_t gone = 0;
    for (const auto& [scope, value] : candidates) {
        if (jwt::sha256(value) != identity) continue;
        CacheTrash trash;
        const std::lock_guard lock(shard.mutex);
        const CacheKey key{scope, value, hash(scope, value)};
        const bool granted = shard.grants.erase(key, trash);
        const bool refused = shard.refusals.erase(key, trash);
        if (granted || refused) ++gone;
    }
    return gone;
}

std::size_t GrantCache::drop_if(const std::function<bool(const Grant&)>& gone) {
    // Which scopes the key was used in is not known before every entry is seen, and by then a
    // result under way could have been stored.
    impl_->touch_scopes([](const ScopeName&) { return true; });
    std::size_t count = 0;
    for (Shard& shard : impl_->shards) {
        CacheTrash trash;
        const std::lock_guard lock(shard.mutex);
        count += shard.grants.erase_if([&](const CacheEntry& entry) { return gone(*entry.grant); },
                                       trash);
        // "Bad signature under a known key" is only as true as the key: the new set may verify it.
        shard.refusals.erase_if([](const CacheEntry&) { return true; }, trash);
    }
    return count;
}

std::vector<GrantCache::Dropped> GrantCache::retain(const std::vector<CacheScope>& scopes) {
    const std::size_t known = impl_->touch_scopes([](const ScopeName&) { return true; }).size();
    std::vector<std::size_t> gone(known);
    const auto drop = [&](const CacheEntry& entry) {
        if (entry.scope >= known || std::ranges::binary_search(scopes, entry.scope)) return false;
        ++gone[entry.scope];
        return true;
    };
    for (Shard& shard : impl_->shards) {
        CacheTrash trash;
        const std::lock_guard lock(shard.mutex);
        shard.grants.erase_if(drop, trash);
        shard.refusals.erase_if(drop, trash);
    }
    std::vector<Dropped> dropped;
    const std::lock_guard lock(impl_->scopes_mutex);
    for (std::size_t i = 0; i < known; ++i) {
        if (gone[i] > 0) dropped.push_back({impl_->scopes[i].name, gone[i]});
    }
    return dropped;
}

std::vector<CacheEntryView> GrantCache::list(SteadyTime now, std::size_t most) const {
    std::vector<CacheEntryView> views;
    for (const Shard& shard : impl_->shards) {
        if (views.size() >= most) break;
        impl_->append_views(shard, now, most - views.size(), views);
    }
    return views;
}

void GrantCache::Impl::append_views(const Shard& shard,
                                    SteadyTime now,
                                    std::size_t most,
                                    std::vector<CacheEntryView>& views) const {
    std::vector<std::pair<std::string, CacheScope>> keys;
    const std::size_t first = views.size();
    {
        const std::lock_guard lock(shard.mutex);
        for (const CacheRing* ring : {&shard.grants, &shard.refusals}) {
            for (const auto& entry : ring->entries()) {
                if (keys.size() == most) break;
                if (now >= entry->expires) continue;
                keys.emplace_back(entry->identity, entry->scope);
                CacheEntryView& view = views.emplace_back();
                view.grant = entry->grant;
                view.negative = entry->negative;
                view.stored = entry->stored;
                view.expires = entry->expires;
            }
        }
    }
    // Digests and names outside the shard's lock.
    for (std::size_t i = 0; i < keys.size(); ++i) {
        CacheEntryView& view = views[first + i];
        view.identity = jwt::sha256(keys[i].first);
        const std::lock_guard lock(scopes_mutex);
        const ScopeName& name = scopes[keys[i].second].name;
        view.api_id = name.api_id;
        view.stage = name.stage;
        view.authorizer = name.authorizer;
    }
}

CacheStats GrantCache::stats() const {
    CacheStats stats;
    for (const Shard& shard : impl_->shards) {
        const std::lock_guard lock(shard.mutex);
        for (const CacheRing* ring : {&shard.grants, &shard.refusals}) {
            stats.entries += ring->entries().size();
            stats.bytes += ring->bytes();
            stats.evictions += ring->evictions();
            stats.expirations += ring->expirations();
        }
    }
    stats.flushes = impl_->flushes.load(std::memory_order_relaxed);
    return stats;
}

}  // namespace gatehouse::authz
