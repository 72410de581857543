#pragma once

#include "gatehouse/app/metrics.hpp"

namespace gatehouse::net {

/// What the system says of this process. Nullopt where it does not say (no /proc).
std::optional<app::ProcessUsage> read_process_usage();

}  // namespace gatehouse::net
