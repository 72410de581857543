#include "gatehouse/authz/response_type.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace response_type_test {

using namespace gatehouse::authz;

TEST_SUITE("authz/response_type") {
    TEST_CASE("every type has a name of its own that finds it") {
        std::set<std::string> names;
        for (int i = 0; i < kResponseTypeCount; ++i) {
            const auto type = static_cast<ResponseType>(i);
            const std::string name(to_string(type));
            CAPTURE(name);
            CHECK(names.insert(name).second);
            CHECK(find_response_type(name) == type);
        }
    }

    TEST_CASE("names are matched whole and by their case") {
        for (const std::string_view name :
             {"", "unauthorized", "UNAUTHORIZED ", "DEFAULT", "DEFAULT_4xx", "DEFAULT_400"}) {
            CAPTURE(name);
            CHECK_FALSE(find_response_type(name).has_value());
        }
        CHECK(to_string(ResponseType::default_4xx) == "DEFAULT_4XX");
        CHECK(to_string(ResponseType::waf_filtered) == "WAF_FILTERED");
    }
}

}  // namespace response_type_test
