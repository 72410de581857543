#pragma once

#include "gatehouse/core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::policy {

/// A pattern of `*` (any run, '/' and ':' included, also empty) and `?` (exactly one character),
/// everything else literal, matched against the whole text. Compiled once: a literal prefix settles
/// most misses, and a literal, or a literal with one `*` at the end, costs one comparison. Linear
/// in pattern times text at worst, no recursion, no allocation when matching. A character is a
/// UTF-8 sequence; in a text that is not UTF-8 a stray byte counts as one. IAM's `${*}`, `${?}` and
/// `${$}` stand for the plain characters (IAM User Guide, "Policy variables", special characters).
class Wildcard {
  public:
    Wildcard() = default;

    /// Errc::policy_invalid for any other `${…}` (policy variables are not supported, and are never
    /// taken as text) and for a pattern that is not UTF-8.
    static Result<Wildcard> make(std::string_view pattern);

    bool matches(std::string_view text) const noexcept;

    /// As it was written.
    const std::string& pattern() const noexcept { return pattern_; }

    /// What is before the first `*` or `?`, special characters resolved: every text that matches
    /// begins with it.
    std::string_view literal() const noexcept { return literal_; }

    std::size_t heap_bytes() const noexcept;

  private:
    std::string pattern_;
    std::string literal_;              ///< literal prefix, special characters resolved
    std::vector<unsigned char> rest_;  ///< what follows it (encoding private to wildcard.cpp)
    bool exact_ = true;                ///< nothing follows the prefix
    bool prefix_star_ = false;         ///< one `*` follows and nothing else
};

/// A value that must stay literal inside a pattern, e.g. a claim: `*`, `?` and `$` become `${*}`,
/// `${?}` and `${$}`.
std::string escape_wildcard(std::string_view value);

/// A text that is compared, not matched: `*` and `?` stand for themselves, and `${*}`, `${?}`,
/// `${$}` for the plain characters. Errc::policy_invalid for any other `${`.
Result<std::string> resolve_specials(std::string_view value);

}  // namespace gatehouse::policy
