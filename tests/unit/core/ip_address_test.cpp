#include "gatehouse/core/ip_address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace ip_address_test {

using namespace gatehouse;

TEST_SUITE("core/ip_address") {
    TEST_CASE("An address is read whole, and spelled as RFC 5952 has it") {
        const struct {
            std::string_view text;
            const char* want;  // nullptr: refused
        } rows[] = {
            {"192.0.2.7", "192.0.2.7"},
            {"0.0.0.0", "0.0.0.0"},
            {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
            {"::1", "::1"},
            {"::ffff:192.0.2.7", "192.0.2.7"},
            {"::FFFF:c000:207", "192.0.2.7"},
            {"::192.0.2.7", "::192.0.2.7"},
            {"", nullptr},
            {"192.0.2", nullptr},
            {"192.0.2.256", nullptr},
            {"192.0.2.07", nullptr},
            {"192.0.2.7 ", nullptr},
            {" 192.0.2.7", nullptr},
            {"192.0.2.7:80", nullptr},
            {"192.0.2.0/24", nullptr},
            {std::string_view("192.0.2.7\0", 10), nullptr},
            {std::string_view("::1\0x", 5), nullptr},
            {"0x7f.0.0.1", nullptr},
            {"2130706433", nullptr},
            {"[::1]", nullptr},
            {"fe80::1%eth0", nullptr},
            {"1::2::3", nullptr},
            {"12345::1", nullptr},
            {"0000:0000:0000:0000:0000:ffff:192.168.100.2280", nullptr},
            {"localhost", nullptr},
        };

        for (const auto& row : rows) {
            CAPTURE(row.text);
            const auto address = parse_ip_address(row.text);
            REQUIRE(address.has_value() == (row.want != nullptr));
            if (address) CHECK(to_string(*address) == row.want);
        }
    }

    TEST_CASE("One address in two spellings is one, in two families it is two") {
        CHECK(parse_ip_address("::ffff:10.0.0.1") == parse_ip_address("10.0.0.1"));
        CHECK(parse_ip_address("2001:db8::") == parse_ip_address("2001:0DB8:0::0"));
        CHECK_FALSE(parse_ip_address("::10.0.0.1") == parse_ip_address("10.0.0.1"));
        CHECK_FALSE(parse_ip_address("10.0.0.1") == parse_ip_address("10.0.0.2"));
    }
}

}  // namespace ip_address_test
