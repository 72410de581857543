#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/local_grants.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// Names what cached grants of one authorizer may be shared by: (API, stage, authorizer and
/// everything its grants are built from). Small integers handed out by GrantCache::scope, so that
/// comparing scopes is exact and cheap.
using CacheScope = std::uint32_t;

struct ScopeName {
    std::string api_id;
    std::string stage;
    std::string authorizer;
    std::string fingerprint;
};

/// An entry as a look-up sees it. `grant` is null for a remembered refusal (`negative` tells
/// which).
struct CachedGrant {
    std::shared_ptr<const Grant> grant;
    Errc negative = Errc::none;
    SteadyTime stored;
    SteadyTime expires;
};

/// One row of GET /cache.
struct CacheEntryView {
    std::string api_id;
    std::string stage;
    std::string authorizer;
    jwt::Sha256 identity;  ///< of the whole identity value; never the value
    std::shared_ptr<const Grant> grant;
    Errc negative = Errc::none;
    SteadyTime stored;
    SteadyTime expires;
};

struct CacheBounds {
    std::size_t entries = limits::kCacheEntries;
    std::size_t bytes = limits::kCacheBytes;
    std::size_t negative_entries = limits::kNegativeEntries;
};

struct CacheStats {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t evictions = 0;
    std::uint64_t expirations = 0;
    std::uint64_t flushes = 0;
};

/// The policy cache: shared by all workers, sharded, each shard a short mutex. Keyed by (scope,
/// whole identity value): seeded hash, full comparison, a hash alone is never trusted. Bounded in
/// entries and bytes (least recently marked goes first; the mark is only written when it is clear,
/// so most hits write nothing). TTL counts from insertion and does not slide.
class GrantCache {
  public:
    explicit GrantCache(CacheBounds bounds = {});
    ~GrantCache();
    GrantCache(const GrantCache&) = delete;
    GrantCache& operator=(const GrantCache&) = delete;

    /// The scope of that name; a new one the first time it is seen. Not for the hot path.
    CacheScope scope(const ScopeName& name);

    /// A live entry, or nullopt. One shard lock, one hash, no allocation (but LocalGrants' own). An
    /// expired entry is dropped on the way.
    /// @param local  the calling thread's; with it, hits of a grant that it keeps write to nothing
    /// that other threads write to but the shard's lock
    std::optional<CachedGrant> find(CacheScope scope,
                                    std::string_view identity,
                                    SteadyTime now,
                                    LocalGrants* local = nullptr);

    /// Changes whenever a flush touches the scope: read it when a miss begins and hand it to
    /// store(), which then ignores results that were under way when a flush or reload came.
    std::uint64_t generation(CacheScope scope) const;

    /// Stores a grant until `expires`. Nothing is stored when the scope's generation is another, or
    /// `expires` is not after `now`.
    void store(CacheScope scope,
               std::string_view identity,
               std::shared_ptr<const Grant> grant,
               SteadyTime now,
               SteadyTime expires,
               std::uint64_t generation);

    /// Remembers a refusal that no key can change (bad form, bad signature under a known key), in a
    /// small bound of its own.
    void store_negative(CacheScope scope,
                        std::string_view identity,
                        Errc reason,
                        SteadyTime now,
                        SteadyTime expires,
                        std::uint64_t generation);

    /// Drops the entries of a stage; of one authorizer of it; or of one identity (SHA-256 of the
    /// value) in it. Returns how many went.
    std::size_t flush(std::string_view api_id,
                      std::string_view stage,
                      std::optional<std::string_view> authorizer = std::nullopt,
                      const std::optional<jwt::Sha256>& identity = std::nullopt);

    /// Drops the entries whose grant says so (a key that left its key set). Returns how many went.
    std::size_t drop_if(const std::function<bool(const Grant&)>& gone);

    struct Dropped {
        ScopeName scope;
        std::size_t entries = 0;
    };

    /// A reload: drops the entries of every scope that is not among `scopes` (ascending), and lets
    /// no result be stored that was under way. Returns what went, by scope.
    std::vector<Dropped> retain(const std::vector<CacheScope>& scopes);

    /// A copy of the live entries, at most `most`, for the admin API. Locks one shard at a time.
    std::vector<CacheEntryView> list(SteadyTime now, std::size_t most) const;

    CacheStats stats() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::authz
