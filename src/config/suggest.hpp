#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gatehouse::config {

/// The candidate that `word` was probably meant to be, by edit distance (case ignored, a swap of
/// neighbours counts once); empty when none is near enough.
std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates);

/// `; did you mean "X"?`, or nothing.
std::string suggest(std::string_view word, std::span<const std::string_view> candidates);

/// `"a", "b", "c"`
std::string list_quoted(std::span<const std::string_view> names);

}  // namespace gatehouse::config
