#include "gatehouse/core/errc.hpp"

#include "gatehouse/core/result.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace errc_test {

using namespace gatehouse;

TEST_SUITE("core/errc") {
    TEST_CASE("every reason has a name of its own and words") {
        std::set<std::string_view> names;
        for (int i = 0; i < errc_count(); ++i) {
            const auto code = static_cast<Errc>(i);
            CAPTURE(i);
            CHECK(names.insert(reason_id(code)).second);
            CHECK_FALSE(reason_text(code).empty());
            CHECK(reason_id(code).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                  std::string_view::npos);
        }
    }

    TEST_CASE("no reason reads as success and an unknown number reads as internal") {
        for (int i = 1; i < errc_count(); ++i)
            CHECK(make_error_code(static_cast<Errc>(i)));
        CHECK(reason_id(static_cast<Errc>(errc_count())) == "internal");
        CHECK(reason_id(static_cast<Errc>(-1)) == "internal");
    }

    TEST_CASE("a foreign error code counts as internal") {
        CHECK(
            Error{boost::system::errc::make_error_code(boost::system::errc::io_error), {}}.errc() ==
            Errc::internal);
        CHECK(fail(Errc::token_expired).errc() == Errc::token_expired);
    }
}

}  // namespace errc_test
