#include "gatehouse/jwt/jwks.hpp"

#include <doctest/doctest.h>

namespace discovery_test {

using namespace gatehouse;
using namespace gatehouse::jwt;

TEST_SUITE("jwt/discovery") {
    TEST_CASE("the discovery URL has one slash between issuer and path") {
        CHECK(discovery_url("https://issuer.example") ==
              "https://issuer.example/.well-known/openid-configuration");
        CHECK(discovery_url("https://issuer.example/") ==
              "https://issuer.example/.well-known/openid-configuration");
        CHECK(discovery_url("http://127.0.0.1:9000/realms/a/") ==
              "http://127.0.0.1:9000/realms/a/.well-known/openid-configuration");
    }

    TEST_CASE("a document of the same issuer gives its key set URL") {
        const auto url = parse_discovery(
            R"({"issuer":"https://a.example/","jwks_uri":"https://keys.example/jwks","x":[1]})",
            "https://a.example/");
        REQUIRE(url.has_value());
        CHECK(*url == "https://keys.example/jwks");
        CHECK(
            parse_discovery(R"({"issuer":"http://a:1","jwks_uri":"http://a:1/jwks"})", "http://a:1")
                .has_value());
        CHECK(
            parse_discovery(R"({"issuer":"http://a:1","jwks_uri":"https://b/jwks"})", "http://a:1")
                .has_value());
    }

    TEST_CASE("a document that cannot be trusted is refused") {
        const struct {
            std::string_view name;
            const char* text;
            Errc want;
        } kRows[] = {
            {"slash missing",
             R"({"issuer":"https://a.example","jwks_uri":"https://a.example/k"})",
             Errc::discovery_issuer_mismatch},
            {"other case",
             R"({"issuer":"https://A.example/","jwks_uri":"https://a.example/k"})",
             Errc::discovery_issuer_mismatch},
            {"other issuer",
             R"({"issuer":"https://b.example/","jwks_uri":"https://a.example/k"})",
             Errc::discovery_issuer_mismatch},
            {"longer issuer",
             R"({"issuer":"https://a.example/x","jwks_uri":"https://a.example/k"})",
             Errc::discovery_issuer_mismatch},
            {"empty issuer",
             R"({"issuer":"","jwks_uri":"https://a.example/k"})",
             Errc::discovery_issuer_mismatch},
            {"no issuer", R"({"jwks_uri":"https://a.example/k"})", Errc::discovery_invalid},
            {"issuer a list",
             R"({"issuer":["https://a.example/"],"jwks_uri":"https://a.example/k"})",
             Errc::discovery_invalid},
            {"no jwks_uri", R"({"issuer":"https://a.example/"})", Errc::discovery_invalid},
            {"jwks_uri a number",
             R"({"issuer":"https://a.example/","jwks_uri":5})",
             Errc::discovery_invalid},
            {"jwks_uri a file",
             R"({"issuer":"https://a.example/","jwks_uri":"file:///etc/passwd"})",
             Errc::discovery_invalid},
            {"jwks_uri relative",
             R"({"issuer":"https://a.example/","jwks_uri":"/jwks"})",
             Errc::discovery_invalid},
            {"jwks_uri scheme alone",
             R"({"issuer":"https://a.example/","jwks_uri":"https://"})",
             Errc::discovery_invalid},
            {"jwks_uri with line end",
             R"({"issuer":"https://a.example/","jwks_uri":"https://a/\r\nx: y"})",
             Errc::discovery_invalid},
            {"jwks_uri with space",
             R"({"issuer":"https://a.example/","jwks_uri":"https://a/ b"})",
             Errc::discovery_invalid},
            {"downgrade to http",
             R"({"issuer":"https://a.example/","jwks_uri":"http://a.example/k"})",
             Errc::discovery_invalid},
            {"issuer twice",
             R"({"issuer":"https://a.example/","issuer":"https://a.example/","jwks_uri":"https://a/k"})",
             Errc::discovery_invalid},
            {"a list", R"([])", Errc::discovery_invalid},
            {"html", R"(<html>)", Errc::discovery_invalid},
            {"nothing", "", Errc::discovery_invalid},
        };

        for (const auto& row : kRows) {
            CAPTURE(row.name);
            const auto url = parse_discovery(row.text, "https://a.example/");
            REQUIRE_FALSE(url.has_value());
            CHECK(reason_id(url.error().errc()) == reason_id(row.want));
        }
    }

    TEST_CASE("an issuer mismatch names both issuers") {
        const auto url =
            parse_discovery(R"({"issuer":"https://b.example/","jwks_uri":"https://b.example/k"})",
                            "https://a.example/");
        REQUIRE_FALSE(url.has_value());
        CHECK(url.error().detail.find("https://a.example/") != std::string::npos);
        CHECK(url.error().detail.find("https://b.example/") != std::string::npos);
    }
}

}  // namespace discovery_test
