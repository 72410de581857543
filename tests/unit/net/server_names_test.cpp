#include "../../../src/net/server_names.hpp"

#include <doctest/doctest.h>

namespace server_names_test {

using gatehouse::net::ServerNames;

TEST_SUITE("net/server_names") {
    TEST_CASE("the certificate with the name itself, else with a wildcard for its first label") {
        ServerNames names;
        REQUIRE(names.add({"default.example"}));
        REQUIRE(names.add({"api.example", "*.api.example"}));
        REQUIRE(names.add({"x.api.example", "*.other.example", "api.example"}));

        struct Row {
            const char* asked;
            int index;  // -1: none
        };

        const Row rows[] = {
            {"default.example", 0},
            {"api.example", 1},
            {"API.EXAMPLE", 1},
            {"a.api.example", 1},
            {"A.Api.Example", 1},
            {"x.api.example", 2},
            {"y.other.example", 2},
            {"", -1},
            {".", -1},
            {"example", -1},
            {"other.example", -1},
            {".api.example", -1},
            {"*.other.examples", -1},
            {"a.b.api.example", -1},
            {"xapi.example", -1},
            {"api.example.", -1},
            {"api.example.com", -1},
            {"pi.example", -1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.asked);
            const auto found = names.find(row.asked);
            CHECK((found ? static_cast<int>(*found) : -1) == row.index);
        }
    }

    TEST_CASE("a certificate whose names are all taken would never be chosen") {
        ServerNames names;
        CHECK(names.add({"a.example", "*.example"}));
        CHECK_FALSE(names.add({}));
        CHECK_FALSE(names.add({"a.example"}));
        CHECK_FALSE(names.add({"*.example", "a.example"}));
        CHECK(names.add({"a.example", "b.example"}));
        CHECK(names.find("b.example") == 4);
        CHECK(names.find("a.example") == 0);
    }
}

}  // namespace server_names_test
