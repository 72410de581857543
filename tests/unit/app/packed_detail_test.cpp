#include "../../../src/app/packed_detail.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace packed_detail_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

std::shared_ptr<const TraceDetail> through(const TraceDetail& detail) {
    return unpack_detail(pack_detail(detail).get());
}

constexpr std::string TraceDetail::*kTexts[] = {&TraceDetail::path,
                                                &TraceDetail::host,
                                                &TraceDetail::method_arn,
                                                &TraceDetail::issued_for,
                                                &TraceDetail::principal,
                                                &TraceDetail::error,
                                                &TraceDetail::hint,
                                                &TraceDetail::kid,
                                                &TraceDetail::policy,
                                                &TraceDetail::validation,
                                                &TraceDetail::request_template,
                                                &TraceDetail::integration_response,
                                                &TraceDetail::response_template};

}  // namespace

TEST_SUITE("app/packed_detail") {
    TEST_CASE("every text comes back, whatever is in it, and no other") {
        for (const auto text : kTexts) {
            for (const std::string& value :
                 {std::string("x"), std::string("a\0b\xff", 4), std::string(300, 'y')}) {
                TraceDetail detail;
                detail.*text = value;
                const auto back = through(detail);
                for (const auto other : kTexts)
                    CHECK(*back.*other == (other == text ? value : std::string()));
            }
        }
    }

    TEST_CASE("numbers, checks, statements and lists come back in their order") {
        TraceDetail detail;
        detail.key_age_s = 4'000'000'000;
        detail.shared = SharedUse::bad;
        detail.checks.add("form", true, "three parts", "");
        detail.checks.add("exp", false, "", "nothing");
        detail.statements.push_back({2, policy::Effect::deny, "NoWrites", true, "it matches"});
        detail.statements.push_back({});
        detail.left_out = {"", "a claim is missing"};

        const auto back = through(detail);
        CHECK(back->key_age_s == 4'000'000'000);
        CHECK(back->shared == SharedUse::bad);
        REQUIRE(back->checks.size() == 2);
        CHECK(back->checks[0].name == "form");
        CHECK(back->checks[0].passed);
        CHECK(back->checks[0].expected == "three parts");
        CHECK(back->checks[0].found.empty());
        CHECK(back->checks[1].name == "exp");
        CHECK_FALSE(back->checks[1].passed);
        CHECK(back->checks[1].expected.empty());
        CHECK(back->checks[1].found == "nothing");
        REQUIRE(back->statements.size() == 2);
        CHECK(back->statements[0].statement == 2);
        CHECK(back->statements[0].effect == policy::Effect::deny);
        CHECK(back->statements[0].sid == "NoWrites");
        CHECK(back->statements[0].matched);
        CHECK(back->statements[0].why == "it matches");
        CHECK(back->statements[1].sid.empty());
        CHECK(back->left_out == detail.left_out);
    }

    TEST_CASE("nothing comes back as nothing") {
        const auto back = through({});
        CHECK(back->key_age_s == -1);
        CHECK(back->shared == SharedUse::none);
        CHECK(back->checks.empty());
        CHECK(back->statements.empty());
        CHECK(back->left_out.empty());
    }
}

}  // namespace packed_detail_test
