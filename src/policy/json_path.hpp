#pragma once

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_pointer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

// Steps of a JSON Pointer (RFC 6901), for naming the place at fault.
namespace gatehouse::policy {

/// As pointer_step, for names that an authorizer chose: shown printable.
inline std::string step(std::string_view member) {
    return pointer_step(printable(member));
}

inline std::string step(std::size_t index) {
    return pointer_step(index);
}

}  // namespace gatehouse::policy
