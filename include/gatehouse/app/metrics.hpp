#pragma once

#include "gatehouse/app/histogram.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/upstream/target.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::app {

struct Snapshot;

/// Counters of one worker, written by its thread alone; a scrape sums copies. Labels come from
/// configured names, statuses and reasons only, so that no client can add a series.
struct Metrics {
    boost::unordered_flat_map<std::uint64_t, std::uint64_t>
        requests;                            ///< (api, route, status, reason) packed by count()
    std::vector<Histogram> request_seconds;  ///< by API; the first: of none
    Histogram upstream_seconds;
    boost::unordered_flat_map<std::uint32_t, Histogram>
        authorizer_seconds;  ///< (api, authorizer) packed by observe_authorizer()
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    std::uint64_t cache_joined = 0;
    std::uint64_t cache_negative_hits = 0;
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_refused = 0;
    std::uint64_t connections_refused_by_address = 0;
    std::uint64_t upstream_active = 0;
    std::uint64_t upstream_connecting = 0;
    std::uint64_t tls_handshake_failures = 0;
    std::uint64_t upstream_connects = 0;
    std::uint64_t upstream_failures = 0;
    std::uint64_t upstream_reuses = 0;
    std::uint64_t upstream_idle = 0;
    std::uint64_t access_log_dropped = 0;
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
    std::uint64_t decisions_allowed = 0;
    std::uint64_t decisions_refused = 0;
    /// Idle connections to the targets of upstreams. Of a scrape's copy alone.
    boost::unordered_flat_map<const upstream::Target*, std::uint64_t> target_idle;

    void count(const TraceRecord& record);
    void observe_authorizer(const TraceRecord& record);

    /// Moves what is counted by API, route and authorizer to the places that their names have in
    /// another configuration; what it has no more is counted under none.
    void rename(const Snapshot& from, const Snapshot& to);
    void add(const Metrics& other);
};

struct ProcessUsage {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t open_files = 0;
    std::uint64_t most_files = 0;
};

/// What is shared with other replicas.
struct SharedFacts {
    bool up = false;
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t away = 0;
    std::uint64_t bad = 0;      ///< entries and messages that are not ours
    std::uint64_t errors = 0;   ///< error replies of Redis
    std::uint64_t flushes = 0;  ///< that came from other replicas
    Histogram look_up_seconds;
};

struct ProcessFacts {
    std::vector<KeySourceStatus> key_sources;
    authz::CacheStats cache;
    double uptime_seconds = 0;
    std::uint64_t authorizer_calls = 0;  ///< verifications made, of all workers
    std::uint64_t buffered_bytes = 0;    ///< content kept in memory now
    SteadyTime now{};
    bool ready = false;
    std::string version;
    std::optional<ProcessUsage> usage;
    std::optional<SharedFacts> shared;
};

/// Prometheus text exposition format 0.0.4.
std::string to_prometheus(const Metrics& metrics,
                          const ProcessFacts& facts,
                          const Snapshot& snapshot);

}  // namespace gatehouse::app
