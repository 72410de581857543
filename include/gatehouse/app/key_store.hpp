#pragma once

#include "gatehouse/app/histogram.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/jwks.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::app {

/// Where the keys of one issuer come from.
struct KeySourceOptions {
    std::string issuer;
    std::string jwks_uri;  ///< http:, https: or file: URL (absolute path); empty: OpenID discovery
                           ///< at the issuer
    std::chrono::seconds refresh = limits::kJwksRefresh;
    std::chrono::seconds cooldown = limits::kJwksCooldown;
    std::chrono::seconds max_stale = limits::kJwksMaxStale;
    std::chrono::milliseconds timeout = limits::kJwksTimeout;

    bool operator==(const KeySourceOptions&) const = default;
};

/// Keys as they were at their last good fetch.
struct Keys {
    std::shared_ptr<const jwt::KeySet> set;
    SteadyTime fetched;
};

/// What readiness, metrics, /report and traces show of a source.
struct KeySourceStatus {
    bool in_use = true;  ///< false: of a configuration that is gone
    std::string issuer;
    std::string location;  ///< the URL that keys come from (after discovery)
    bool usable = false;
    bool stale = false;  ///< older than `refresh`, still within `max_stale`
    std::optional<std::chrono::seconds> age;
    std::optional<std::chrono::milliseconds> next_fetch_in;
    std::uint64_t fetches = 0;
    std::uint64_t failures = 0;
    Histogram fetch_seconds;
    std::string last_error;         ///< empty: the last fetch succeeded
    std::vector<std::string> keys;  ///< PublicKey::describe
};

/// The key sets of all issuers. Workers read them on a cache miss; one control thread fetches.
/// Thread-safe.
///
/// Rules (contract, "Keys away"): fetched at start, refreshed in the background every `refresh`; a
/// failed fetch keeps the old set and is retried with back-off; keys older than `max_stale` are not
/// usable; an unknown kid starts at most one fetch per `cooldown`.
class KeyStore {
  public:
    /// Starts one fetch of a source; the fetcher answers with fetched(). Called without locks held,
    /// from any thread.
    using StartFetch = std::function<void(std::uint32_t source, const KeySourceOptions& options)>;
    /// Told after a good fetch, with the new set: what it no longer holds must leave the policy
    /// cache.
    using KeysChanged = std::function<void(std::uint32_t source, const jwt::KeySet& keys)>;

    KeyStore();
    ~KeyStore();
    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;

    void on_start_fetch(StartFetch start_fetch);
    void on_keys_changed(KeysChanged keys_changed);

    /// The source of these options: an existing one, or a new one whose first fetch starts at the
    /// next tick().
    std::uint32_t add(const KeySourceOptions& options);

    /// Only these sources, in ascending order, are fetched and shown from now on. The others keep
    /// their ids and keys for requests that still need them, until add() names them again.
    void retain(const std::vector<std::uint32_t>& sources);

    /// All sources in use are fetched at the next tick(), whenever they were last.
    void refetch();

    /// Usable keys, or nullopt when there are none or they are older than max_stale.
    std::optional<Keys> current(std::uint32_t source, SteadyTime now) const;

    /// True when a fetch is under way or may start now (never fetched, or the cooldown is over):
    /// then one is started if none is, and `ready` is called once when it ends, well or not, on the
    /// fetching thread. False: `ready` is never called.
    bool await_fetch(std::uint32_t source, SteadyTime now, std::function<void()> ready);

    /// When a fetch for an unknown kid may start at the earliest, for the trace.
    std::chrono::milliseconds cooldown_left(std::uint32_t source, SteadyTime now) const;

    /// Where the keys come from, for the trace: the JWKS URL, or the issuer while discovery has not
    /// found it.
    std::string location(std::uint32_t source) const;

    /// Starts the fetches that are due, then makes the table of one key that is used enough to want
    /// it (PublicKey::make_table), without locks held. The control thread calls it at least every
    /// 100 ms.
    void tick(SteadyTime now);

    /// The end of a fetch. `location`: the JWKS URL in the end.
    void fetched(std::uint32_t source,
                 Result<std::shared_ptr<const jwt::KeySet>> keys,
                 std::string location,
                 SteadyTime now);

    /// By id, those that are not in use too.
    std::vector<KeySourceStatus> status(SteadyTime now) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::app
