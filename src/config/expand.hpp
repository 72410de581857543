#pragma once

#include "source.hpp"

namespace gatehouse::config {

/// Puts the environment in place of ${NAME} and ${NAME:-default} in every string value of the
/// document (keys stay). Names are [A-Z_][A-Z0-9_]*; every other ${…} is left to its own place, and
/// $${ is a literal ${. As in a shell, a default also stands in for an empty variable.
void expand(Json& root, const Environment& environment, Source& source);

/// GATEHOUSE_ADMIN_TOKEN as the admin token of a document that says none: a token that somebody set
/// is never without effect.
void add_admin_token(Json& root, const Environment& environment, Source& source);

}  // namespace gatehouse::config
