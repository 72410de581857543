#pragma once

#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/core/prefetch.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

struct CacheEntry {
    std::string identity;
    CacheScope scope = 0;
    std::uint64_t hash = 0;
    std::shared_ptr<const Grant> grant;
    Errc negative = Errc::none;
    SteadyTime stored;
    SteadyTime expires;
    std::size_t bytes = 0;     ///< what it costs in all; set by CacheRing
    std::size_t position = 0;  ///< in the ring; set by CacheRing
    bool used = false;         ///< since the hand last passed

    /// Asks for what a hit reads beside the entry; of a long identity for its beginning, whose rest
    /// the processor foresees. Of many entries most were used long ago.
    [[gnu::always_inline]] void prefetch() const noexcept {
        gatehouse::prefetch(identity.data(), std::min<std::size_t>(identity.size(), 512));
        if (grant) gatehouse::prefetch(*grant);
    }
};

/// What an entry is looked up by.
struct CacheKey {
    CacheScope scope = 0;
    std::string_view identity;
    std::uint64_t hash = 0;
};

/// Entries that left, handed to the caller so that they are destroyed after the shard's lock is
/// released.
using CacheTrash = std::vector<std::unique_ptr<CacheEntry>>;

/// One bounded set of entries with second-chance eviction: a hand goes round the ring, takes the
/// first entry without a use mark and clears the marks it passes. No lock of its own and no clock:
/// belongs to a shard.
class CacheRing {
  public:
    CacheRing(std::size_t most_entries, std::size_t most_bytes)
        : most_entries_(most_entries), most_bytes_(most_bytes) {}

    /// The entry of that key, marked as used. An expired one is removed on the way, and counted.
    CacheEntry* find(const CacheKey& key, SteadyTime now, CacheTrash& trash);

    /// Puts the entry in, in place of one with the same key; makes room first. One that is larger
    /// than the whole bound is dropped.
    void insert(std::unique_ptr<CacheEntry> entry, SteadyTime now, CacheTrash& trash);

    bool erase(const CacheKey& key, CacheTrash& trash);

    /// Removes every entry that `gone` says so of; returns how many.
    template <class Predicate>
    std::size_t erase_if(const Predicate& gone, CacheTrash& trash) {
        const std::size_t before = ring_.size();
        for (std::size_t i = ring_.size(); i-- > 0;) {
            // Removal moves the last entry, which this loop has passed, into the gap.
            if (gone(static_cast<const CacheEntry&>(*ring_[i]))) remove(*ring_[i], trash);
        }
        return before - ring_.size();
    }

    const std::vector<std::unique_ptr<CacheEntry>>& entries() const noexcept { return ring_; }

    std::size_t bytes() const noexcept { return bytes_; }

    std::uint64_t evictions() const noexcept { return evictions_; }

    std::uint64_t expirations() const noexcept { return expirations_; }

  private:
    struct Hash {
        using is_transparent = void;
        using is_avalanching =
            void;  // FoldHash mixes well enough for the table to take its bits as they are

        std::size_t operator()(const CacheEntry* entry) const noexcept { return entry->hash; }

        std::size_t operator()(const CacheKey& key) const noexcept { return key.hash; }
    };

    // INVARIANT: scope and all bytes are compared. A hash alone is never trusted.
    struct Equal {
        using is_transparent = void;

        bool operator()(const CacheEntry* a, const CacheEntry* b) const noexcept {
            return a->scope == b->scope && a->identity == b->identity;
        }

        bool operator()(const CacheKey& a, const CacheEntry* b) const noexcept {
            if (a.hash != b->hash || a.scope != b->scope) return false;
            b->prefetch();
            return a.identity == b->identity;
        }

        bool operator()(const CacheEntry* a, const CacheKey& b) const noexcept {
            return (*this)(b, a);
        }
    };

    void remove(CacheEntry& entry, CacheTrash& trash);
    void swap_places(std::size_t a, std::size_t b);
    /// Leaves the hand just behind the gap.
    void evict_one(SteadyTime now, CacheTrash& trash);

    std::size_t most_entries_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::size_t hand_ = 0;
    std::uint64_t evictions_ = 0;
    std::uint64_t expirations_ = 0;
    std::vector<std::unique_ptr<CacheEntry>> ring_;
    boost::unordered_flat_set<CacheEntry*, Hash, Equal> index_;
};

}  // namespace gatehouse::authz
