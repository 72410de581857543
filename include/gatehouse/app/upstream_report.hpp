#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/time.hpp"

#include <string>
#include <vector>

namespace gatehouse::app {

struct Snapshot;

/// What GET /report shows of upstreams: each target with what is known of it.
Json upstream_report(const Snapshot& snapshot, SteadyTime now);

/// A line for each upstream with targets that are out, for /health/ready. No reason not to be
/// ready: requests go to the others, or to all where none is up.
std::vector<std::string> describe_missing_targets(const Snapshot& snapshot, SteadyTime now);

}  // namespace gatehouse::app
