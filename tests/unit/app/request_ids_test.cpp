#include "gatehouse/app/request_ids.hpp"

#include "gatehouse/app/trace.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace request_ids_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{0x6a5145a8s};

bool is_lower_hex(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

TEST_SUITE("app/request_ids") {
    TEST_CASE("request ids are lower-case version 4 UUIDs") {
        IdSource source(1);
        for (int i = 0; i < 100; ++i) {
            RequestIds ids;
            source.make(ids, kNow, {});
            const std::string_view id = ids.request();
            REQUIRE(id.size() == 36);
            CHECK(id[14] == '4');
            CHECK(std::string_view("89ab").find(id[19]) != std::string_view::npos);
            for (const std::size_t dash : {8U, 13U, 18U, 23U})
                CHECK(id[dash] == '-');
            std::string digits(id);
            std::erase(digits, '-');
            CHECK(digits.size() == 32);
            CHECK(is_lower_hex(digits));
            CHECK(request_id_text(ids.bytes) == id);
        }
    }

    TEST_CASE("extended ids are 15 base64 characters and an equals sign") {
        IdSource source(2);
        RequestIds ids;
        source.make(ids, kNow, {});
        const std::string_view id = ids.extended();
        REQUIRE(id.size() == 16);
        CHECK(id.back() == '=');
        constexpr std::string_view kBase64 =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        CHECK(std::string(id) == std::string_view(make_extended_id(ids.bytes).data(), 16));
        RequestIds twice;
        RequestIds again;
        source.make(twice, kNow, ids.request());
        source.make(again, kNow, ids.request());
        CHECK(twice.request() == again.request());
        CHECK(twice.extended() != again.extended());
        CHECK(id.substr(0, 15).find_first_not_of(kBase64) == std::string_view::npos);
    }

    TEST_CASE("trace ids tell the time in their first part") {
        IdSource source(3);
        RequestIds ids;
        source.make(ids, kNow + 999ms, {});
        const std::string_view id = ids.trace();
        REQUIRE(id.size() == 35);
        CHECK(id.substr(0, 11) == "1-6a5145a8-");
        CHECK(is_lower_hex(id.substr(11)));
    }

    TEST_CASE("ids do not repeat and seeds differ") {
        IdSource source(4);
        IdSource other(5);
        std::set<std::string> seen;
        RequestIds ids;
        for (int i = 0; i < 10000; ++i) {
            source.make(ids, kNow, {});
            seen.emplace(ids.request());
            seen.emplace(ids.extended());
            seen.emplace(ids.trace());
            other.make(ids, kNow, {});
            seen.emplace(ids.request());
        }
        CHECK(seen.size() == 40000);
    }

    TEST_CASE("a client id that is a UUID is taken over in lower case") {
        IdSource source(6);
        RequestIds ids;
        source.make(ids, kNow, "7C2AF7DB-31f3-42b5-8a6d-9ffc74e3b9e0");
        CHECK(ids.request() == "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0");
        CHECK(request_id_text(ids.bytes) == "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0");
    }

    TEST_CASE("a client id that is no UUID is ignored") {
        struct Row {
            const char* name;
            std::string_view id;
        };

        const Row rows[] = {
            {"empty", ""},
            {"one short", "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e"},
            {"one long", "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e00"},
            {"no hex digit", "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9eg"},
            {"no dashes", "7c2af7db031f3042b508a6d09ffc74e3b9e0"},
            {"dash for a digit", "7c2af7d--31f3-42b5-8a6d-9ffc74e3b9e0"},
            {"braces", "{c2af7db-31f3-42b5-8a6d-9ffc74e3b9e}"},
            {"quotes that would break out of a log line", "7c2af7db-31f3-42b5-8a6d-9ffc74e3b\",\""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            IdSource source(7);
            IdSource same(7);
            RequestIds ids;
            RequestIds own;
            source.make(ids, kNow, row.id);
            same.make(own, kNow, {});
            CHECK(ids.request() == own.request());
        }
    }
}

}  // namespace request_ids_test
