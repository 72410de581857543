#include "gatehouse/authz/grant.hpp"

#include <doctest/doctest.h>

#include <string>

namespace grant_test {

using gatehouse::authz::ContextItem;
using gatehouse::authz::Grant;

TEST_SUITE("authz/grant") {
    TEST_CASE("a context value is found by its exact key") {
        Grant grant;
        grant.context = {{"userId", "u1", ContextItem::Kind::string},
                         {"n", "1", ContextItem::Kind::number}};
        REQUIRE(grant.find_context("n") != nullptr);
        CHECK(grant.find_context("n")->value == "1");
        CHECK(grant.find_context("userid") == nullptr);
        CHECK(grant.find_context("") == nullptr);
    }

    TEST_CASE("every part of a grant counts in its size") {
        const std::string large(1000, 'x');
        const std::size_t empty = Grant{}.heap_bytes();

        struct Row {
            const char* name;
            void (*fill)(Grant&, const std::string&);
        };

        const Row rows[] = {
            {"principal", [](Grant& grant, const std::string& text) { grant.principal_id = text; }},
            {"context key",
             [](Grant& grant, const std::string& text) {
                 grant.context.push_back({text, "", {}});
             }},
            {"context value",
             [](Grant& grant, const std::string& text) {
                 grant.context.push_back({"", text, {}});
             }},
            {"claim", [](Grant& grant, const std::string& text) { grant.claims["sub"] = text; }},
            {"claim name", [](Grant& grant, const std::string& text) { grant.claims[text] = ""; }},
            {"claim in a list",
             [](Grant& grant, const std::string& text) {
                 grant.claims["a"] = {"b", text};
             }},
            {"scope", [](Grant& grant, const std::string& text) { grant.scopes.push_back(text); }},
            {"method ARN", [](Grant& grant, const std::string& text) { grant.issued_for = text; }},
            {"key", [](Grant& grant, const std::string& text) { grant.key_thumbprint = text; }},
            {"kid", [](Grant& grant, const std::string& text) { grant.kid = text; }},
            {"header lines",
             [](Grant& grant, const std::string& text) { grant.header_block = text; }},
            {"event text",
             [](Grant& grant, const std::string& text) { grant.authorizer_json = text; }},
            {"policy text",
             [](Grant& grant, const std::string& text) {
                 grant.policy = std::make_shared<gatehouse::policy::Document>(
                     gatehouse::policy::Document{{}, text, {}});
             }},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Grant grant;
            row.fill(grant, large);
            CHECK(grant.heap_bytes() >= large.size());
            CHECK(grant.heap_bytes() < empty + 4 * large.size());
        }
    }
}

}  // namespace grant_test
