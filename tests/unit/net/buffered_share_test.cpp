#include "../../../src/net/buffered_share.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace buffered_share_test {

using namespace gatehouse::net;

TEST_SUITE("net/buffered_share") {
    TEST_CASE("shares add up to the limit and no further") {
        constexpr std::uint64_t kMost = 100;
        BufferedBytes all{0};
        BufferedShare one;
        BufferedShare other;
        CHECK(one.add(all, 60, kMost));
        CHECK(other.add(all, 40, kMost));
        CHECK(other.add(all, 0, kMost));
        CHECK_FALSE(one.add(all, 1, kMost));
        CHECK(all == 100);
        CHECK(one.held() == 60);
        one.clear();
        one.clear();
        CHECK(all == 40);
        CHECK_FALSE(one.add(all, 61, kMost));
        CHECK(one.add(all, 60, kMost));
    }

    TEST_CASE("no size and no limit makes the sum run over") {
        BufferedBytes all{0};
        BufferedShare share;
        CHECK_FALSE(share.add(all, UINT64_MAX, 100));
        CHECK_FALSE(share.add(all, 101, 100));
        CHECK_FALSE(share.add(all, 1, 0));
        CHECK(share.add(all, 0, 0));
        CHECK(all == 0);
        CHECK(share.add(all, 100, 100));
        CHECK_FALSE(share.add(all, 1, 50));  // a limit that was lowered meanwhile
        CHECK(all == 100);
    }

    TEST_CASE("a share ends with its owner") {
        BufferedBytes all{0};
        {
            BufferedShare share;
            REQUIRE(share.add(all, 7, 10));
        }
        CHECK(all == 0);
    }
}

}  // namespace buffered_share_test
