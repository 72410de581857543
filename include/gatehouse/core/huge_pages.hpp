#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace gatehouse {

/// Memory of `bytes`, aligned to a cache line. A megabyte or more asks for huge pages (Linux:
/// MADV_HUGEPAGE, a no-op where the machine has them off) and is rounded up to whole ones: what is
/// looked up in a large table at random would otherwise have to look its page up first.
/// @throws std::bad_alloc
void* allocate_pages(std::size_t bytes);
void free_pages(void* memory) noexcept;

/// Allocator of large tables that are made once and then only read.
template <class T>
struct HugePageAllocator {
    using value_type = T;

    HugePageAllocator() = default;

    template <class U>
    explicit(false) HugePageAllocator(const HugePageAllocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        if (count > std::size_t(-1) / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(allocate_pages(count * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t) noexcept { free_pages(memory); }

    bool operator==(const HugePageAllocator&) const = default;
};

template <class T>
using TableVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace gatehouse
