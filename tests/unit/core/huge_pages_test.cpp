#include "gatehouse/core/huge_pages.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <new>

namespace huge_pages_test {

using namespace gatehouse;

TEST_SUITE_BEGIN("core/huge_pages");

TEST_CASE("memory begins with a line, and a large table's with a huge page") {
    struct Row {
        std::size_t bytes;
        std::uintptr_t unit;
    };

    for (const Row row : {Row{1, 64},
                          Row{64, 64},
                          Row{(1 << 20) - 1, 64},
                          Row{1 << 20, 2 << 20},
                          Row{(4 << 20) + 1, 2 << 20}}) {
        CAPTURE(row.bytes);
        auto* const memory = static_cast<char*>(allocate_pages(row.bytes));
        CHECK(reinterpret_cast<std::uintptr_t>(memory) % row.unit == 0);
        memory[0] = memory[row.bytes - 1] = 'x';
        free_pages(memory);
    }
}

TEST_CASE("a table grows and keeps what it has") {
    TableVector<int> table;
    for (int i = 0; i < 1'000'000; ++i)
        table.push_back(i);
    for (int i = 0; i < 1'000'000; i += 999)
        CHECK(table[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("more than there is, is refused") {
    HugePageAllocator<std::uint64_t> allocator;
    // Read at run time, or the compiler warns of just that.
    volatile std::size_t most = std::numeric_limits<std::size_t>::max();
    CHECK_THROWS_AS((void)allocator.allocate(most / 4), std::bad_array_new_length);
    CHECK_THROWS_AS((void)allocator.allocate(most / 8), std::bad_alloc);
}

TEST_SUITE_END();

}  // namespace huge_pages_test
