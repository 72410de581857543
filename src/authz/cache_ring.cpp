#include "cache_ring.hpp"

#include <utility>

namespace gatehouse::authz {
namespace {

// The allocator's headers, a slot of the index and of the ring, and the control block of the grant.
constexpr std::size_t kOverhead = 128;

std::size_t cost_of(const CacheEntry& entry) noexcept {
    std::size_t bytes = sizeof(CacheEntry) + entry.identity.capacity() + kOverhead;
    if (entry.grant) bytes += sizeof(Grant) + entry.grant->heap_bytes();
    return bytes;
}

}  // namespace

CacheEntry* CacheRing::find(const CacheKey& key, SteadyTime now, CacheTrash& trash) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    CacheEntry& entry = **found;
    if (now >= entry.expires) {
        ++expirations_;
        remove(entry, trash);
        return nullptr;
    }
    // Written only when clear: most hits leave the entry's cache line unmodified, so that it can be
    // shared between cores.
    if (!entry.used) entry.used = true;
    return &entry;
}

void CacheRing::insert(std::unique_ptr<CacheEntry> entry, SteadyTime now, CacheTrash& trash) {
    erase({entry->scope, entry->identity, entry->hash}, trash);
    entry->bytes = cost_of(*entry);
    if (entry->bytes > most_bytes_ || most_entries_ == 0) {
        trash.push_back(std::move(entry));
        return;
    }
    bool evicted = false;
    while (ring_.size() + 1 > most_entries_ || bytes_ + entry->bytes > most_bytes_) {
        evict_one(now, trash);
        evicted = true;
    }
    entry->position = ring_.size();
    bytes_ += entry->bytes;
    ring_.push_back(std::move(entry));
    index_.insert(ring_.back().get());
    // Into the place just behind the hand, so that the entry has a whole round to be used in; at
    // the end of the ring the hand might be about to come by.
    if (evicted) swap_places(hand_ - 1, ring_.size() - 1);
}

bool CacheRing::erase(const CacheKey& key, CacheTrash& trash) {
    const auto found = index_.find(key);
    if (found == index_.end()) return false;
    remove(**found, trash);
    return true;
}

void CacheRing::remove(CacheEntry& entry, CacheTrash& trash) {
    const std::size_t gap = entry.position;
    index_.erase(&entry);
    bytes_ -= entry.bytes;
    trash.push_back(std::move(ring_[gap]));
    if (gap + 1 != ring_.size()) {
        ring_[gap] = std::move(ring_.back());
        ring_[gap]->position = gap;
    }
    ring_.pop_back();
}

void CacheRing::swap_places(std::size_t a, std::size_t b) {
    std::swap(ring_[a], ring_[b]);
    ring_[a]->position = a;
    ring_[b]->position = b;
}

void CacheRing::evict_one(SteadyTime now, CacheTrash& trash) {
    for (;;) {
        if (hand_ >= ring_.size()) hand_ = 0;
        CacheEntry& entry = *ring_[hand_];
        const bool expired = now >= entry.expires;
        if (!expired && entry.used) {
            entry.used = false;
            ++hand_;
            continue;
        }
        ++(expired ? expirations_ : evictions_);
        remove(entry, trash);
        ++hand_;
        return;
    }
}

}  // namespace gatehouse::authz
