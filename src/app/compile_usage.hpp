#pragma once

#include "gatehouse/app/snapshot.hpp"

namespace gatehouse::app {

/// Fills the snapshot's keys, plans and throttles and what each route asks of them. Called once all
/// APIs are compiled. Errc::config_invalid when a plan names what is not there.
/// @param before  whose counts go on; null: none
Result<void> compile_usage(Snapshot& snapshot, const Snapshot* before = nullptr);

}  // namespace gatehouse::app
