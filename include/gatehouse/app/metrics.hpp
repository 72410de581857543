#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/grant_cache.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::app {

struct Snapshot;

/// Upper bounds of the duration histograms in seconds; the last bucket is +Inf.
constexpr std::array<double, 11> kDurationBounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5};

struct Histogram {
    std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};
    double sum = 0;
    std::uint64_t count = 0;

    void observe(double seconds) noexcept;
    void add(const Histogram& other) noexcept;
};

/// Counters of one worker, written by its thread alone; a scrape sums copies. Labels come from
/// configured names, statuses and reasons only, so that no client can add a series.
struct Metrics {
    boost::unordered_flat_map<std::uint64_t, std::uint64_t>
        requests;  ///< (api, route, status, reason) packed by count()
    Histogram request_seconds;
    Histogram upstream_seconds;
    Histogram authorizer_seconds;
    std::uint64_t cache_hits = 0;
    std::uint64_t cache_misses = 0;
    std::uint64_t cache_joined = 0;
    std::uint64_t cache_negative_hits = 0;
    std::uint64_t connections_opened = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_refused = 0;
    std::uint64_t upstream_connects = 0;
    std::uint64_t upstream_failures = 0;
    std::uint64_t upstream_reuses = 0;
    std::uint64_t upstream_idle = 0;
    std::uint64_t access_log_dropped = 0;
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;

    void count(const TraceRecord& record);
    void add(const Metrics& other);
};

struct ProcessFacts {
    std::vector<KeySourceStatus> key_sources;
    authz::CacheStats cache;
    double uptime_seconds = 0;
    std::uint64_t authorizer_calls = 0;  ///< verifications made, of all workers
    bool ready = false;
    std::string version;
};

/// Prometheus text exposition format 0.0.4.
std::string to_prometheus(const Metrics& metrics,
                          const ProcessFacts& facts,
                          const Snapshot& snapshot);

}  // namespace gatehouse::app
