#include "gatehouse/http/status.hpp"

#include <doctest/doctest.h>

namespace status_test {

using gatehouse::http::reason_phrase;

TEST_SUITE("http/status") {
    TEST_CASE("a status has its registered phrase or that of its class") {
        CHECK(reason_phrase(200) == "OK");
        CHECK(reason_phrase(403) == "Forbidden");
        CHECK(reason_phrase(431) == "Request Header Fields Too Large");
        CHECK(reason_phrase(511) == "Network Authentication Required");
        CHECK(reason_phrase(299) == "Success");
        CHECK(reason_phrase(499) == "Client Error");
        CHECK(reason_phrase(599) == "Server Error");
    }
}

}  // namespace status_test
