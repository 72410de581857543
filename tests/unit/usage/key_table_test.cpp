#include "gatehouse/usage/key_table.hpp"

#include <doctest/doctest.h>

namespace key_table_test {

using namespace gatehouse;
using namespace gatehouse::usage;

TEST_SUITE("usage/key_table") {
    TEST_CASE("a key is found by its whole value alone") {
        const std::string first(20, 'a');
        const std::string second = "key-two-0123456789-0123456789";
        const std::string longest(128, 'z');
        for (const char seed : {'\0', 'x'}) {
            Salt salt;
            salt.fill(seed);
            const KeyTable table({first, second, longest}, salt);
            CHECK(table.find(first) == 0);
            CHECK(table.find(second) == 1);
            CHECK(table.find(longest) == 2);
            const std::string none[] = {"",
                                        "a",
                                        first.substr(1),
                                        first + "a",
                                        second.substr(0, 28),
                                        "KEY-TWO-0123456789-0123456789",
                                        " " + second,
                                        std::string(127, 'z'),
                                        std::string(129, 'z'),
                                        std::string(100000, 'z'),
                                        std::string(20, '\0')};
            for (const std::string& value : none) {
                CAPTURE(value);
                CHECK(table.find(value) == -1);
            }
        }
    }

    TEST_CASE("no keys no finds") {
        CHECK(KeyTable().find(std::string(20, 'a')) == -1);
        CHECK(KeyTable({}, {}).find(std::string(20, 'a')) == -1);
        // Blank where reading it failed: nobody's key.
        CHECK(KeyTable({""}, {}).find("") == -1);
    }
}

}  // namespace key_table_test
