#include "../../../src/net/address_counts.hpp"

#include <boost/asio/ip/address.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace address_counts_test {

using namespace gatehouse::net;

namespace {

boost::asio::ip::address address(const char* text) {
    return boost::asio::ip::make_address(text);
}

}  // namespace

TEST_SUITE("net/address_counts") {
    TEST_CASE("what counts as one client") {
        struct Row {
            const char* one;
            const char* other;
            bool same;
        };

        const Row rows[] = {
            {"192.0.2.7", "192.0.2.7", true},
            {"192.0.2.7", "::ffff:192.0.2.7", true},
            {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
            {"2001:db8::", "2001:db8::1", true},
            {"192.0.2.7", "192.0.2.8", false},
            {"192.0.2.7", "::ffff:192.0.2.8", false},
            {"::ffff:192.0.2.7", "::ffff:192.0.2.8", false},
            {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
            {"::1", "::ffff:0.0.0.1", false},
            {"::1", "0.0.0.0", false},
            {"0:0:c000:207::", "192.0.2.7", false},
            {"0:0:0:c000::", "192.0.0.0", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.one);
            CAPTURE(row.other);
            const bool same = AddressCounts::key_of(address(row.one)) ==
                              AddressCounts::key_of(address(row.other));
            CHECK(same == row.same);
        }
    }

    TEST_CASE("an address has so many places and gets each back once") {
        AddressCounts counts;
        std::vector<AddressCounts::Place> places;
        for (int i = 0; i < 3; ++i) {
            auto place = counts.enter(address("192.0.2.7"), 3);
            REQUIRE(place.has_value());
            places.push_back(std::move(*place));
        }
        CHECK_FALSE(counts.enter(address("192.0.2.7"), 3).has_value());
        CHECK_FALSE(counts.enter(address("::ffff:192.0.2.7"), 3).has_value());
        CHECK(counts.enter(address("192.0.2.8"), 3).has_value());
        places.pop_back();
        {
            auto place = counts.enter(address("192.0.2.7"), 3);
            REQUIRE(place.has_value());
            const AddressCounts::Place moved = std::move(*place);
            CHECK_FALSE(counts.enter(address("192.0.2.7"), 3).has_value());
        }
        CHECK(counts.enter(address("192.0.2.7"), 3).has_value());
        // A lower limit, as after a change of the configuration: nobody is put out, nobody let in.
        CHECK_FALSE(counts.enter(address("192.0.2.7"), 1).has_value());
        places.clear();
        CHECK(counts.enter(address("192.0.2.7"), 1).has_value());
    }

    TEST_CASE("addresses that left take no memory") {
        AddressCounts counts;
        for (int i = 0; i < 1000; ++i) {
            const auto place = counts.enter(
                address(
                    ("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)).c_str()),
                1);
            REQUIRE(place.has_value());
            CHECK(counts.size() == 1);
        }
        CHECK(counts.size() == 0);
        CHECK_FALSE(counts.enter(address("192.0.2.7"), 0).has_value());
        CHECK(counts.size() == 0);
    }
}

}  // namespace address_counts_test
