#pragma once

#include "ast.hpp"

#include <string>

// What can be refused before the first request: names that nothing answers to. Each returns why,
// empty when there is nothing to refuse.
namespace gatehouse::templates {

/// The functions of `$input` and `$util`, the members of `$foreach`, methods that no type has,
/// arguments that are constant and wrong (a JSONPath, a regular expression).
std::string check_reference(const ast::Reference& reference);

/// The left side of #set. `$context` takes overrides alone.
std::string check_target(const ast::Reference& target);

/// Velocity 1.7 has no truth for bare literals and sums: it takes them all for false, in silence.
std::string check_condition(const ast::Expression& condition);

/// Names that belong to the gateway.
bool is_reserved(std::string_view variable) noexcept;

}  // namespace gatehouse::templates
