#pragma once

#include "options.hpp"

namespace gatehouse::bench {

/// Starts options.command options.starts times on options.core and prints, as JSON, the
/// milliseconds from before fork() to the first 200 of each.
int measure_starts(const Options& options);

}  // namespace gatehouse::bench
