#pragma once

#include "gatehouse/core/limits.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the configuration says of an upstream: several targets behind one name.
namespace gatehouse::upstream {

enum class Balance { round_robin, least_requests };

/// Active checks.
struct HealthRule {
    std::string path = "/";  ///< with its query
    std::chrono::milliseconds interval = limits::kHealthInterval;
    std::chrono::milliseconds timeout = limits::kHealthTimeout;
    unsigned healthy = 2;    ///< good answers in a row that bring a target back
    unsigned unhealthy = 3;  ///< bad ones that take it out
    std::vector<std::pair<int, int>> statuses = {{200, 399}};  ///< from, to: what is good

    bool operator==(const HealthRule&) const = default;
};

/// What requests themselves tell of a target.
struct EjectionRule {
    unsigned consecutive_failures = 5;
    std::chrono::milliseconds base_time = limits::kEjectionTime;  ///< of the first ejection
    unsigned max_percent = 50;                                    ///< of the targets

    bool operator==(const EjectionRule&) const = default;
};

/// How many second attempts may be made: `min_per_second` always, beyond that `percent` of the
/// requests of the last ten seconds.
struct RetryRule {
    unsigned percent = 20;
    unsigned min_per_second = 10;

    bool operator==(const RetryRule&) const = default;
};

struct Rules {
    std::string name;
    std::vector<std::string> targets;  ///< "http://10.0.0.1:8080"
    Balance balance = Balance::round_robin;
    std::optional<HealthRule> health;
    std::optional<EjectionRule> ejection;
    RetryRule retries;
    std::size_t max_requests = 0;     ///< open at once, all targets; 0: no limit
    std::size_t max_connections = 0;  ///< to each target, idle ones too; 0: no limit
    std::size_t max_idle = limits::kIdleConnections;  ///< to each target, of each worker
    std::string tls_name;  ///< in SNI and certificates; empty: each target's host

    bool operator==(const Rules&) const = default;
};

/// True when `status` is one of those that a health check takes for good.
bool is_good_status(const HealthRule& rule, int status) noexcept;

}  // namespace gatehouse::upstream
