#include "gatehouse/core/huge_pages.hpp"

#include "gatehouse/core/prefetch.hpp"

#include <cstdlib>
#include <limits>
#include <sys/mman.h>

namespace gatehouse {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = std::size_t{1} << 20;

// Nothing is larger (and what is rounded up stays a number).
constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max();

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) noexcept {
    return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* allocate_pages(std::size_t bytes) {
    if (bytes > kMost) throw std::bad_alloc();
    const std::size_t unit = bytes >= kLarge ? kHugePage : kCacheLine;
    void* const memory = std::aligned_alloc(unit, round_up(bytes, unit));
    if (memory == nullptr) throw std::bad_alloc();
    // A wish: without huge pages it is memory all the same.
    if (unit == kHugePage) ::madvise(memory, round_up(bytes, unit), MADV_HUGEPAGE);
    return memory;
}

void free_pages(void* memory) noexcept {
    std::free(memory);
}

}  // namespace gatehouse
