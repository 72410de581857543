#include "../../../src/net/exchange.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace exchange_test {

using namespace gatehouse::net;
using namespace std::chrono_literals;

TEST_SUITE("net/exchange") {
    TEST_CASE("what one request kept in memory is not held for the next") {
        constexpr std::size_t kLarge = 10 << 20;
        BufferedBytes all{0};
        Exchange exchange;
        for (std::string* text : {&exchange.content,
                                  &exchange.answer_text,
                                  &exchange.answer_content,
                                  &exchange.up.text,
                                  &exchange.to_client.text})
            text->assign(kLarge, 'x');
        REQUIRE(exchange.share.add(all, kLarge, kLarge));
        exchange.clear();
        CHECK(exchange.content.capacity() < 1024);
        CHECK(exchange.answer_text.capacity() < 1024);
        CHECK(exchange.answer_content.capacity() < 1024);
        CHECK(exchange.up.text.capacity() < 1024);
        CHECK(exchange.to_client.text.capacity() < 1024);
        CHECK(all == 0);
    }

    TEST_CASE("small storage stays so that the next request takes no memory") {
        Exchange exchange;
        exchange.to_client.text.assign(8192, 'x');
        exchange.up.text.assign(8192, 'x');
        exchange.clear();
        CHECK(exchange.to_client.text.capacity() >= 8192);
        CHECK(exchange.up.text.capacity() >= 8192);
        CHECK(exchange.to_client.empty());
    }

    TEST_CASE("a deadline of one request is not told in the next") {
        TimeoutLists lists;
        const gatehouse::SteadyTime start{1000s};
        Exchange exchange;
        int first = 0;
        int next = 0;
        const auto count = [](void* told, Timeout&) { ++*static_cast<int*>(told); };
        exchange.up_timeout.tell(&first, count);
        lists.arm(exchange.up_timeout, 100ms, start);
        exchange.clear();
        CHECK_FALSE(exchange.up_timeout.armed());
        lists.sweep(start + 1s);
        CHECK(first == 0);
        exchange.up_timeout.tell(&next, count);
        lists.arm(exchange.up_timeout, 100ms, start + 1s);
        lists.sweep(start + 2s);
        CHECK(first == 0);
        CHECK(next == 1);
    }
}

}  // namespace exchange_test
