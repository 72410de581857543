#pragma once

#include "value.hpp"

#include <optional>
#include <string>
#include <string_view>

// The JSONPath of `$input.json` and `$input.path`: `$`, `.name`, `['name']`, `[n]` (from the end
// when negative), `[*]`, `.*`, `..name`. Filters, scripts, slices, unions and functions are refused
// by name.
namespace gatehouse::templates {

/// Why the path cannot be used; empty when it can.
std::string check_path(std::string_view path);

/// What the path finds: the value, or nothing when there is none. A path with `*` or `..` finds a
/// list, which may be empty. Errc::template_failed for a path that cannot be used.
std::optional<Value> find_path(Work& work, const Value& root, std::string_view path);

}  // namespace gatehouse::templates
