#include "../../../src/net/buffers.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

namespace buffers_test {

using namespace gatehouse::net;

TEST_SUITE_BEGIN("net/buffers");

TEST_CASE("a block is as large as its pool says and goes back when its holder ends") {
    BufferPool pool(4096);
    char* first = nullptr;
    {
        const Buffer buffer = pool.take();
        REQUIRE(buffer);
        CHECK(buffer.size() == 4096);
        std::memset(buffer.data(), 'x', buffer.size());
        first = buffer.data();
    }
    const Buffer again = pool.take();
    CHECK(again.data() == first);
}

TEST_CASE("nobody shares a block") {
    BufferPool pool(64);
    std::vector<Buffer> held;
    std::set<char*> places;
    for (int i = 0; i < 100; ++i) {
        held.push_back(pool.take());
        places.insert(held.back().data());
    }
    CHECK(places.size() == 100);
    static_assert(!std::is_copy_constructible_v<Buffer> && !std::is_copy_assignable_v<Buffer>);
}

TEST_CASE("a block that moved belongs to its new holder alone") {
    BufferPool pool(64);
    Buffer from = pool.take();
    char* const block = from.data();
    Buffer to = std::move(from);
    CHECK(to.data() == block);
    CHECK_FALSE(from);
    CHECK(from.size() == 0);
    from.release();  // nothing to give back
    Buffer third = pool.take();
    CHECK(third.data() != block);
    third = std::move(to);  // its own block goes back
    CHECK(third.data() == block);
    Buffer& same = third;
    third = std::move(same);
    CHECK(third.data() == block);
}

TEST_CASE("released twice is given back once") {
    BufferPool pool(64);
    Buffer buffer = pool.take();
    buffer.release();
    buffer.release();
    CHECK_FALSE(buffer);
    CHECK(buffer.data() == nullptr);
    const Buffer one = pool.take();
    const Buffer two = pool.take();
    CHECK(one.data() != two.data());
}

TEST_CASE("a pool keeps no more free blocks than it was told") {
    BufferPool pool(64, 2);
    std::vector<Buffer> held;
    for (int i = 0; i < 5; ++i)
        held.push_back(pool.take());
    std::set<char*> kept{held[0].data(), held[1].data()};
    for (Buffer& buffer : held)
        buffer.release();  // the first two stay, ASan sees that the others are freed
    const Buffer one = pool.take();
    const Buffer two = pool.take();
    CHECK(kept == std::set<char*>{one.data(), two.data()});
}

TEST_SUITE_END();

}  // namespace buffers_test
