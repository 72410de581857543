#include "gatehouse/core/json_pointer.hpp"

#include <doctest/doctest.h>

namespace json_pointer_test {

using namespace gatehouse;

TEST_SUITE("core/json_pointer") {
    TEST_CASE("a step escapes what a pointer reads as its own (RFC 6901, 3)") {
        const struct {
            const char* name;
            const char* step;
        } rows[] = {
            {"", "/"},
            {"plain", "/plain"},
            {"/items", "/~1items"},
            {"a~b", "/a~0b"},
            {"~1", "/~01"},
            {"~/", "/~0~1"},
            {"$default", "/$default"},
        };

        for (const auto& row : rows) {
            CAPTURE(row.name);
            CHECK(pointer_step(std::string_view(row.name)) == row.step);
        }
        CHECK(pointer_step(std::size_t{0}) == "/0");
        CHECK(pointer_step(std::size_t{32767}) == "/32767");
    }
}

}  // namespace json_pointer_test
