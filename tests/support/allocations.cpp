#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

// The whole program's operator new, replaced: malloc and, while somebody counts, a counter. The
// library's array forms come here too; so would its nothrow forms, but AddressSanitizer has its
// own, which do not fit the operators delete below.
namespace {

thread_local bool counting = false;
thread_local std::size_t counted = 0;

void* take(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    if (counting) ++counted;
    return memory;
}

}  // namespace

void* operator new(std::size_t size) {
    return take(std::malloc(size == 0 ? 1 : size));
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto align = static_cast<std::size_t>(alignment);
    return take(std::aligned_alloc(align, (size + align - 1) / align * align));
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    if (counting) ++counted;
    return std::malloc(size == 0 ? 1 : size);
}

void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    if (counting) ++counted;
    const auto align = static_cast<std::size_t>(alignment);
    return std::aligned_alloc(align, (size + align - 1) / align * align);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

namespace gatehouse::test {

AllocationCount::AllocationCount() noexcept {
    counted = 0;
    counting = true;
}

AllocationCount::~AllocationCount() {
    counting = false;
}

std::size_t AllocationCount::count() const noexcept {
    return counted;
}

}  // namespace gatehouse::test
