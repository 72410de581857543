#pragma once

#include <cstddef>
#include <string>

namespace gatehouse::policy {

/// Bytes that `text` holds beyond its own object; 0 when it fits inside.
inline std::size_t heap_of(const std::string& text) noexcept {
    return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}

}  // namespace gatehouse::policy
