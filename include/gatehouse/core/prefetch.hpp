#pragma once

#include <cstddef>

namespace gatehouse {

constexpr std::size_t kCacheLine = 64;  ///< bytes

/// Asks the processor for the cache lines of `bytes` at `start`, and does not wait for them: what
/// is read soon, and may have been used long ago, is fetched side by side instead of one after the
/// other. Always inline, as must be what calls it alone: GCC 12 takes a function that only
/// prefetches for one without effect, and leaves the call out.
[[gnu::always_inline]] inline void prefetch(const void* start, std::size_t bytes) noexcept {
    const char* const first = static_cast<const char*>(start);
    for (std::size_t offset = 0; offset < bytes; offset += kCacheLine)
        __builtin_prefetch(first + offset);
}

/// The same for one object.
template <class T>
[[gnu::always_inline]] inline void prefetch(const T& object) noexcept {
    prefetch(&object, sizeof(T));
}

}  // namespace gatehouse
