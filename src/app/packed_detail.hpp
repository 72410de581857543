#pragma once

#include "gatehouse/app/trace.hpp"

#include <memory>

namespace gatehouse::app {

/// The same detail in one piece of memory of just its size. A journal keeps thousands, whose dozen
/// texts each would be twice as much memory, cold when it is given back: that was a twentieth of
/// what a new token cost.
std::shared_ptr<const char[]> pack_detail(const TraceDetail& detail);

/// @param packed  what pack_detail() gave in this process
std::shared_ptr<const TraceDetail> unpack_detail(const char* packed);

}  // namespace gatehouse::app
