#pragma once

#include "value.hpp"

#include <string>
#include <string_view>

// Java's regular expressions by RE2, which never backtracks. What RE2 does not know (look-around,
// back references, possessive quantifiers) is refused.
namespace gatehouse::templates {

/// Why the pattern cannot be used; empty when it can.
std::string check_pattern(std::string_view pattern);

/// String.matches: the whole text. A pattern that cannot be used is Errc::template_failed, here and
/// below.
bool matches(Work& work, std::string_view text, std::string_view pattern);

/// String.replaceAll and replaceFirst. `$n` in the replacement is a group, a backslash takes the
/// next character as it is.
std::string replace_matches(Work& work,
                            std::string_view text,
                            std::string_view pattern,
                            std::string_view replacement,
                            bool all);

/// String.split: trailing empty parts are left out.
List* split(Work& work, std::string_view text, std::string_view pattern);

}  // namespace gatehouse::templates
