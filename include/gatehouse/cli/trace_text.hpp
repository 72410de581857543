#pragma once

#include "gatehouse/core/json.hpp"

#include <string>

namespace gatehouse::cli {

/// A trace (app/trace.hpp) as text for people: numbered steps, each marked "ok", "NO" or "--"
/// (neither). Members that this version does not know are printed as they are; controls are
/// escaped.
std::string trace_to_text(const Json& trace);

}  // namespace gatehouse::cli
