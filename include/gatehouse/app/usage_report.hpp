#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/time.hpp"

namespace gatehouse::app {

struct Snapshot;

/// What GET /usage shows: each usage plan, and of each of its keys, by id, what was let through,
/// throttled and over quota since the start, and how much of the quota is left. Values of keys are
/// not in it.
Json usage_report(const Snapshot& snapshot, WallTime now);

}  // namespace gatehouse::app
