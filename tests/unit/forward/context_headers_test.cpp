#include "gatehouse/forward/context_headers.hpp"

#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace context_headers_test {

using namespace gatehouse;
using authz::ContextItem;
using authz::Grant;
using forward::make_authorizer_json;
using forward::make_context_headers;
using Kind = authz::ContextItem::Kind;

namespace {

Grant grant_of(std::string principal, std::vector<ContextItem> context) {
    Grant grant;
    grant.principal_id = std::move(principal);
    grant.context = std::move(context);
    return grant;
}

}  // namespace

TEST_SUITE("forward/context_headers") {
    TEST_CASE("section 8: the principal comes first and then the keys in order") {
        const Grant grant = grant_of("auth0|user123",
                                     {{"userId", "auth0|user123"},
                                      {"roles", "admin,user"},
                                      {"n", "1", Kind::number},
                                      {"b", "true", Kind::boolean},
                                      {"gone", "", Kind::null},
                                      {"empty", ""},
                                      {"city", "K\xc3\xb6ln"}});
        const auto made = make_context_headers(grant, {});
        REQUIRE(made.has_value());
        CHECK(made->block ==
              "X-Authorizer-Principal-Id: auth0|user123\r\n"
              "X-Authorizer-userId: auth0|user123\r\n"
              "X-Authorizer-roles: admin,user\r\n"
              "X-Authorizer-n: 1\r\n"
              "X-Authorizer-b: true\r\n"
              "X-Authorizer-empty: \r\n"
              "X-Authorizer-city: K\xc3\xb6ln\r\n");
        CHECK(made->left_out.empty());
    }

    TEST_CASE("the prefix is the API's and without headers there is no block") {
        const Grant grant = grant_of("p", {{"k", "bad\n"}});
        const auto off = make_context_headers(grant, {false, "X-", false});
        REQUIRE(off.has_value());
        CHECK(off->block.empty());
        const auto other = make_context_headers(grant_of("", {{"k", "v"}}), {true, "My-", false});
        REQUIRE(other.has_value());
        CHECK(other->block == "My-k: v\r\n");
    }

    TEST_CASE("keys that cannot be header names of their own are left out and named") {
        const Grant grant = grant_of("p",
                                     {{"user_id", "1"},
                                      {"User-Id", "2"},
                                      {"principal_id", "3"},
                                      {"PRINCIPAL-ID", "4"},
                                      {"a b", "5"},
                                      {"", "6"},
                                      {"a:b", "7"},
                                      {"k\r\nX-Evil", "8"},
                                      {"caf\xc3\xa9", "9"},
                                      {"ok", "10"}});
        const auto made = make_context_headers(grant, {});
        REQUIRE(made.has_value());
        CHECK(made->block ==
              "X-Authorizer-Principal-Id: p\r\nX-Authorizer-user_id: 1\r\nX-Authorizer-ok: 10\r\n");
        const std::vector<std::string> left_out = {"User-Id",
                                                   "principal_id",
                                                   "PRINCIPAL-ID",
                                                   "a b",
                                                   "",
                                                   "a:b",
                                                   "k\r\nX-Evil",
                                                   "caf\xc3\xa9"};
        CHECK(made->left_out == left_out);
        // Nobody can be made the principal by a context key, also where there is none.
        const auto nobody = make_context_headers(grant_of("", {{"Principal-Id", "root"}}), {});
        REQUIRE(nobody.has_value());
        CHECK(nobody->block.empty());
    }

    TEST_CASE("a value that cannot stand in a header is refused whole") {
        for (const std::string value : {"a\nb",
                                        "a\r\nX-Evil: 1",
                                        "\t",
                                        "\x7f",
                                        "\x01",
                                        "\xff",
                                        "\xc0\x80",
                                        "\xed\xa0\x80",
                                        "\xc3"}) {
            CAPTURE(value);
            const auto made =
                make_context_headers(grant_of("p", {{"good", "1"}, {"bad", value}}), {});
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::context_unusable);
            CHECK(made.error().detail == "bad");
            const auto principal = make_context_headers(grant_of(value, {}), {});
            REQUIRE_FALSE(principal.has_value());
            CHECK(principal.error().detail == "principalId");
        }
        const auto nul = make_context_headers(grant_of("p", {{"bad", std::string("a\0b", 3)}}), {});
        CHECK_FALSE(nul.has_value());
    }

    TEST_CASE("the event shows every value as text and a null as null") {
        const Grant grant = grant_of("my-username",
                                     {{"str", "hello"},
                                      {"bool", "true", Kind::boolean},
                                      {"null", "", Kind::null},
                                      {"num", "123", Kind::number}});
        CHECK(
            make_authorizer_json(grant) ==
            R"({"str":"hello","bool":"true","null":null,"num":"123","principalId":"my-username","integrationLatency":0})");
        CHECK(make_authorizer_json(Grant{}) == R"({"integrationLatency":0})");
    }

    TEST_CASE("the event has the claims and no member twice") {
        Grant grant = grant_of("p",
                               {{"principalId", "mallory"},
                                {"integrationLatency", "9"},
                                {"claims", "text"},
                                {"k\"\n", "K\xc3\xb6ln"}});
        CHECK(
            make_authorizer_json(grant) ==
            R"({"claims":"text","k\"\u000a":"K\u00f6ln","principalId":"p","integrationLatency":0})");
        grant.claims = Json{{"sub", "s"}, {"city", "K\xc3\xb6ln"}};
        const std::string text = make_authorizer_json(grant);
        CHECK(
            text ==
            R"({"k\"\u000a":"K\u00f6ln","claims":{"city":"K\u00f6ln","sub":"s"},"principalId":"p","integrationLatency":0})");
        CHECK(parse_json(text).has_value());  // which refuses a member that is there twice
    }
}

}  // namespace context_headers_test
