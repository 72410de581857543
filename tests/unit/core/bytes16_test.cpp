#include "gatehouse/core/bytes16.hpp"

#include "gatehouse/core/ascii.hpp"

#include <doctest/doctest.h>

#include <array>

namespace bytes16_test {

using namespace gatehouse;

TEST_SUITE_BEGIN("core/bytes16");

TEST_CASE("controls are found among sixteen bytes as one by one") {
    for (int value = 0; value < 256; ++value) {
        for (int at = 0; at < 16; ++at) {
            std::array<char, 16> bytes;
            bytes.fill('a');
            bytes[static_cast<std::size_t>(at)] = static_cast<char>(value);
            const int wanted = is_control(static_cast<char>(value)) ? at : 16;
            CAPTURE(value);
            CHECK(find_first(controls_of(load16(bytes.data()))) == wanted);
        }
    }
}

TEST_CASE("of several the first is found") {
    std::array<char, 16> bytes;
    bytes.fill('\x7f');
    for (int at = 0; at < 16; ++at) {
        CHECK(find_first(controls_of(load16(bytes.data()))) == at);
        bytes[static_cast<std::size_t>(at)] = ' ';
    }
    CHECK(find_first(controls_of(load16(bytes.data()))) == 16);
}

TEST_SUITE_END();

}  // namespace bytes16_test
