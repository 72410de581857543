#pragma once

#include <cstddef>

namespace gatehouse::test {

/// Counts what its thread takes from the heap with operator new, from the first to the last line of
/// its life. Not to be nested.
class AllocationCount {
  public:
    AllocationCount() noexcept;
    ~AllocationCount();
    AllocationCount(const AllocationCount&) = delete;
    AllocationCount& operator=(const AllocationCount&) = delete;

    std::size_t count() const noexcept;
};

}  // namespace gatehouse::test
