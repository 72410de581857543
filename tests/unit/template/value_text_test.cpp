#include "../../../src/template/value_text.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace value_text_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/value_text") {
    TEST_CASE("reals print as Double.toString does") {
        struct Row {
            double value;
            const char* wanted;
        };

        const Row rows[] = {
            {0.0, "0.0"},
            {-0.0, "-0.0"},
            {1.0, "1.0"},
            {100.0, "100.0"},
            {9999999.0, "9999999.0"},
            {1e7, "1.0E7"},
            {12345678.9, "1.23456789E7"},
            {0.001, "0.001"},
            {0.0009, "9.0E-4"},
            {-1.5e-10, "-1.5E-10"},
            {0.1, "0.1"},
            {1e300, "1.0E300"},
            {std::numeric_limits<double>::max(), "1.7976931348623157E308"},
            {std::numeric_limits<double>::infinity(), "Infinity"},
            {-std::numeric_limits<double>::infinity(), "-Infinity"},
            {std::numeric_limits<double>::quiet_NaN(), "NaN"},
        };
        for (const Row& row : rows)
            CHECK(java_double(row.value) == row.wanted);
    }
}

}  // namespace value_text_test
