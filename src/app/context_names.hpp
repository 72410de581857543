#pragma once

#include "gatehouse/app/snapshot.hpp"

namespace gatehouse::app {

/// Collects them from every API: they may share an upstream.
ContextNames make_context_names(const config::Model& model);

}  // namespace gatehouse::app
