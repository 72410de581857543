#pragma once

#include "source.hpp"

#include <span>
#include <string>
#include <string_view>

namespace gatehouse::config {

/// A message as it may be shown: what came from the environment, a secret perhaps, gives way to the
/// name of its variable. What is shorter than four characters stays, since it hides nothing and
/// stands in too many words.
std::string conceal(std::string_view message, std::span<const Expanded> values);

}  // namespace gatehouse::config
