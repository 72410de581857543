#include "gatehouse/routing/api_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::routing::api_table_test {
namespace {

std::string find_in(const ApiTable& table, std::string_view host, std::string_view path) {
    const ApiMatch match = table.find(host, path);
    if (match.api < 0) return "none";
    return std::to_string(match.api) + ' ' + std::string(match.path);
}

struct Row {
    std::string_view host;
    std::string_view path;
    std::string_view wanted;
};

}  // namespace

TEST_SUITE("routing/api_table") {
    TEST_CASE("an API is chosen by host and then by the longest base path") {
        const ApiSpec specs[] = {
            {{}, "/"},                                  // 0
            {{}, "/prod"},                              // 1
            {{"api.example", "www.api.example"}, "/"},  // 2
            {{"api.example"}, "/prod"},                 // 3
            {{"api.example"}, "/prod/v2/"},             // 4
            {{"admin.example"}, "/admin"},              // 5
            {{"[::1]"}, "/%7ev6"},                      // 6
        };
        const ApiTable table = std::move(ApiTable::make(specs).value());
        constexpr Row kRows[] = {
            {"other", "/", "0 /"},
            {"other", "/a/b", "0 /a/b"},
            {"", "/a", "0 /a"},
            {"other", "/prod", "1 /"},
            {"other", "/prod/", "1 /"},
            {"other", "/prod/a/", "1 /a/"},
            {"other", "/production", "0 /production"},
            {"other", "/Prod/a", "0 /Prod/a"},
            {"other", "/prod%2Fa", "0 /prod%2Fa"},
            {"other", "/x/prod", "0 /x/prod"},
            {"api.example", "/a", "2 /a"},
            {"API.Example", "/a", "2 /a"},
            {"api.example.", "/a", "2 /a"},
            {"api.example:8080", "/a", "2 /a"},
            {"api.example.:8080", "/a", "2 /a"},
            {"www.api.example", "/prod", "2 /prod"},
            {"api.example", "/prod", "3 /"},
            {"api.example", "/prod/v2", "4 /"},
            {"api.example", "/prod/v2/x", "4 /x"},
            {"api.example", "/prod/v22", "3 /v22"},
            {"xapi.example", "/prod", "1 /"},
            {"api.example.evil", "/prod", "1 /"},
            {"api.exampl", "/prod", "1 /"},
            {"api.example..", "/prod", "1 /"},
            {"[::1]", "/~v6/a", "6 /a"},
            {"[::1]:80", "/~v6", "6 /"},
            {"admin.example", "/admin/x", "5 /x"},
            // A host that an API names is served by such APIs alone.
            {"admin.example", "/", "none"},
            {"admin.example", "/prod", "none"},
            {"[::1]", "/prod", "none"},
            {"other", "*", "none"},
            {"other", "", "none"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.host);
            CAPTURE(row.path);
            CHECK(find_in(table, row.host, row.path) == row.wanted);
        }
    }

    TEST_CASE("a host that nobody serves has no API") {
        const ApiSpec specs[] = {{{"b.example"}, "/"}, {{"D.Example."}, "/"}};
        const ApiTable table = std::move(ApiTable::make(specs).value());
        for (const std::string_view host :
             {"", "a.example", "c.example", "e.example", "b.example.x", "b"}) {
            CAPTURE(host);
            CHECK(find_in(table, host, "/") == "none");
        }
        CHECK(find_in(table, "b.example", "/") == "0 /");
        CHECK(find_in(table, "d.example", "/") == "1 /");
        CHECK(find_in(ApiTable(), "a", "/") == "none");
        CHECK(find_in(table, std::string(1000, 'b'), "/") == "none");
    }

    TEST_CASE("APIs that cannot be told apart are refused") {
        struct Refused {
            std::string_view name;
            std::vector<ApiSpec> specs;
            std::string_view why;
        };

        const Refused rows[] = {
            {"two without host",
             {{{}, "/"}, {{}, "/"}},
             "apis[0] and apis[1] have the same basePath \"/\" on every host"},
            {"one host", {{{"a"}, "/p"}, {{"b"}, "/p"}, {{"b"}, "/p"}}, "apis[1] and apis[2]"},
            {"one host in two spellings", {{{"a"}, "/p"}, {{"A."}, "/p/"}}, "host \"a\""},
            {"one of several hosts", {{{"a", "b"}, "/"}, {{"c", "b"}, "/"}}, "host \"b\""},
            {"base path in two spellings", {{{}, "/~"}, {{}, "/%7E"}}, "same basePath"},
            {"base path without slash", {{{}, "prod"}}, "can never match"},
            {"empty base path", {{{}, ""}}, "can never match"},
            {"base path with dots", {{{}, "/a/../b"}}, "dot segment"},
            {"base path with empty segment", {{{}, "/a//b"}}, "empty segment"},
            {"base path with query", {{{}, "/a?b"}}, "not a plain path"},
            {"absolute base path", {{{}, "http://a/b"}}, "not a plain path"},
            {"asterisk", {{{}, "*"}}, "not a plain path"},
            {"base path with parameter", {{{}, "/a;b"}}, "not a plain path"},
        };
        for (const Refused& row : rows) {
            CAPTURE(row.name);
            const Result<ApiTable> table = ApiTable::make(row.specs);
            REQUIRE_FALSE(table.has_value());
            CHECK(table.error().errc() == Errc::config_invalid);
            CAPTURE(table.error().detail);
            CHECK(table.error().detail.find(row.why) != std::string::npos);
        }
    }

    TEST_CASE("an API may list a host twice") {
        const ApiSpec specs[] = {{{"a", "A"}, "/"}};
        CHECK(ApiTable::make(specs).has_value());
    }
}

}  // namespace gatehouse::routing::api_table_test
