#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Steps of a JSON Pointer, for naming the place at fault.
namespace gatehouse {

/// "/" and the member's name, with '~' written as "~0" and '/' as "~1" (RFC 6901, 3). A name that a
/// client chose goes through printable() first.
std::string pointer_step(std::string_view member);

/// "/" and the element's index, from 0.
std::string pointer_step(std::size_t index);

}  // namespace gatehouse
