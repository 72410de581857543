#include "gatehouse/core/java_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace java_text_test {

using namespace gatehouse;

TEST_SUITE("core/java_text") {
    TEST_CASE("values are printed as Java prints them") {
        struct Row {
            const char* json;
            const char* text;
        };

        // Right-hand sides: the rules of Double.toString, Long.toString and Boolean.toString.
        const Row rows[] = {
            {"0", "0"},
            {"1", "1"},
            {"-7", "-7"},
            {"9223372036854775807", "9223372036854775807"},
            {"18446744073709551615", "18446744073709551615"},
            {"-9223372036854775808", "-9223372036854775808"},
            {"18446744073709551616", "1.8446744073709552E19"},
            {"0.0", "0.0"},
            {"-0.0", "-0.0"},
            {"1.0", "1.0"},
            {"1.5", "1.5"},
            {"-12.25", "-12.25"},
            {"100.0", "100.0"},
            {"1e2", "100.0"},
            {"123456.789", "123456.789"},
            {"9999999.0", "9999999.0"},
            {"9999999.999", "9999999.999"},
            {"1e7", "1.0E7"},
            {"12345678.0", "1.2345678E7"},
            {"1e10", "1.0E10"},
            {"1.5e300", "1.5E300"},
            {"0.001", "0.001"},
            {"0.0123", "0.0123"},
            {"0.000999", "9.99E-4"},
            {"-1.25e-7", "-1.25E-7"},
            {"2.5e-308", "2.5E-308"},
            {"true", "true"},
            {"false", "false"},
            {"null", ""},
            {"\"a\\\"b\"", "a\"b"},
            {"[1, \"a\"]", "[1,\"a\"]"},
            {"{\"b\": 1.0, \"a\": null}", "{\"a\":null,\"b\":1.0}"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.json);
            const auto value = parse_json(row.json);
            REQUIRE(value.has_value());
            std::string out;
            append_java_text(*value, out);
            CHECK(out == row.text);
        }
    }
}

}  // namespace java_text_test
