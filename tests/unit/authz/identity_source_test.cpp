#include "gatehouse/authz/identity_source.hpp"

#include "gatehouse/http/fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace identity_source_test {

using namespace gatehouse;
using authz::IdentitySource;

namespace {

http::Field field(std::string_view name, std::string_view value) {
    return {name, value, http::find_field_id(name)};
}

IdentitySource::Found find(const IdentitySource& source, const std::vector<http::Field>& fields) {
    http::RequestHead head;
    head.fields = fields;
    return source.find(head);
}

}  // namespace

TEST_SUITE("authz/identity_source") {
    TEST_CASE("section 2.4: a source and its expression are checked when they are made") {
        struct Row {
            const char* name;
            std::string source;
            std::string expression;
            bool good;
        };

        const Row rows[] = {
            {"the default", "method.request.header.Authorization", "", true},
            {"any header", "method.request.header.X-Token", "", true},
            {"the guide's expression",
             "method.request.header.Authorization",
             R"(^Bearer [-0-9a-zA-Z\._]*$)",
             true},
            {"a query parameter", "method.request.querystring.token", "", false},
            {"two sources", "method.request.header.A,method.request.header.B", "", false},
            {"a bare name", "Authorization", "", false},
            {"no name", "method.request.header.", "", false},
            {"a name with a space", "method.request.header.X Token", "", false},
            {"other case", "Method.Request.Header.Authorization", "", false},
            {"empty", "", "", false},
            {"an open bracket", "method.request.header.Authorization", "[", false},
            {"look-ahead, which RE2 lacks", "method.request.header.Authorization", "(?=x)x", false},
            {"a back-reference", "method.request.header.Authorization", R"((a)\1)", false},
            {"beyond the memory bound",
             "method.request.header.Authorization",
             "((a{1,100}){1,100}){1,10}",
             false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto made = IdentitySource::make(row.source, row.expression);
            CHECK(made.has_value() == row.good);
            if (!made) {
                CHECK(made.error().errc() == Errc::config_invalid);
                CHECK_FALSE(made.error().detail.empty());
            }
        }
    }

    TEST_CASE(
        "section 2.3: exactly one header that is not empty and matches whole is an identity") {
        struct Row {
            const char* name;
            std::string expression;
            std::vector<http::Field> fields;
            Errc error;
            std::string_view value = {};
        };

        const std::string jwt = "^Bearer [-0-9A-Za-z._~+/]+=*$";
        const Row rows[] = {
            {"found", "", {field("Authorization", "Bearer a")}, Errc::none, "Bearer a"},
            {"lower case", "", {field("authorization", "Bearer a")}, Errc::none, "Bearer a"},
            {"among others",
             "",
             {field("Host", "h"), field("AUTHORIZATION", "x")},
             Errc::none,
             "x"},
            {"matches", jwt, {field("Authorization", "Bearer a.b.c")}, Errc::none, "Bearer a.b.c"},
            {"not anchored and whole",
             "Bearer .+",
             {field("Authorization", "Bearer a")},
             Errc::none,
             "Bearer a"},
            {"no field", "", {}, Errc::identity_missing},
            {"another field", "", {field("X-Authorization", "Bearer a")}, Errc::identity_missing},
            {"a longer name", "", {field("Authorization2", "Bearer a")}, Errc::identity_missing},
            {"empty", "", {field("Authorization", "")}, Errc::identity_empty},
            {"twice",
             "",
             {field("Authorization", "a"), field("Authorization", "b")},
             Errc::identity_repeated},
            {"twice the same",
             "",
             {field("Authorization", "a"), field("authorization", "a")},
             Errc::identity_repeated},
            {"empty and then not",
             "",
             {field("Authorization", ""), field("Authorization", "b")},
             Errc::identity_repeated},
            {"no match", jwt, {field("Authorization", "Basic a")}, Errc::identity_mismatch},
            {"a match inside",
             "Bearer",
             {field("Authorization", "Bearer a")},
             Errc::identity_mismatch},
            {"a match at the end",
             "a",
             {field("Authorization", "Bearer a")},
             Errc::identity_mismatch},
            {"the expression sees the scheme",
             "[a-z]+",
             {field("Authorization", "Bearer a")},
             Errc::identity_mismatch},
            {"an expression does not see an empty value",
             ".*",
             {field("Authorization", "")},
             Errc::identity_empty},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto source =
                IdentitySource::make("method.request.header.Authorization", row.expression);
            REQUIRE(source.has_value());
            const auto found = find(*source, row.fields);
            CHECK(found.error == row.error);
            CHECK(found.value == row.value);
        }
    }

    TEST_CASE("a header that no rule knows is found without regard to case") {
        const auto source = IdentitySource::make("method.request.header.X-Api-Token", "");
        REQUIRE(source.has_value());
        CHECK(source->header() == "X-Api-Token");
        CHECK(find(*source, {field("x-api-token", "t")}).value == "t");
        CHECK(find(*source, {field("X_Api_Token", "t")}).error == Errc::identity_missing);
        CHECK(find(*source, {field("x-api-token", "t"), field("X-API-TOKEN", "t")}).error ==
              Errc::identity_repeated);
    }

    TEST_CASE("a hostile value does not slow an expression with nested repeats") {
        const auto source =
            IdentitySource::make("method.request.header.Authorization", "(a*)*(a*)*b");
        REQUIRE(source.has_value());
        const std::string value(8000, 'a');
        CHECK(find(*source, {field("Authorization", value)}).error == Errc::identity_mismatch);
    }
}

}  // namespace identity_source_test
