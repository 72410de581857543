#include "gatehouse/authz/cors.hpp"

#include "gatehouse/http/fields.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cors_test {

using namespace gatehouse;
using authz::Cors;
using authz::CorsOptions;

namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

struct Head {
    explicit Head(const Fields& given, std::string_view method = "OPTIONS") {
        for (const auto& [name, value] : given)
            fields.push_back({name, value, http::find_field_id(name)});
        head.method = method;
        head.fields = fields;
    }

    std::vector<http::Field> fields;
    http::RequestHead head;
};

std::string answer(std::vector<std::string> origins, std::string_view origin) {
    CorsOptions options;
    options.allow_origins = std::move(origins);
    const Head head(Fields{{"origin", origin}}, "GET");
    std::string out;
    Cors(options).append_answer(head.head, out);
    return out;
}

}  // namespace

TEST_SUITE("authz/cors") {
    TEST_CASE("section 15: a preflight is OPTIONS with both of its fields") {
        const Fields both = {{"ORIGIN", "https://a"}, {"Access-Control-Request-Method", "GET"}};
        CHECK(Cors::is_preflight(Head(both).head));
        CHECK_FALSE(Cors::is_preflight(Head(both, "GET").head));
        CHECK_FALSE(Cors::is_preflight(Head(both, "options").head));
        CHECK_FALSE(Cors::is_preflight(Head(Fields{both[0]}).head));
        CHECK_FALSE(Cors::is_preflight(Head(Fields{both[1]}).head));
        CHECK_FALSE(Cors::is_preflight(
            Head(Fields{{"Origin", ""}, {"Access-Control-Request-Method", "GET"}}).head));
    }

    TEST_CASE("which origins are told that they are allowed") {
        struct Row {
            std::string_view name;
            std::vector<std::string> origins;
            std::string_view origin;
            bool allowed;
        };

        const Row rows[] = {
            {"the one", {"https://a.example"}, "https://a.example", true},
            {"in any case", {"https://a.example"}, "HTTPS://A.example", true},
            {"a second one", {"https://b", "https://a"}, "https://a", true},
            {"scheme wildcard", {"https://*"}, "https://any.example:8443", true},
            {"another scheme", {"https://*"}, "http://any.example", false},
            {"wildcard is no prefix of names", {"https://*"}, "httpsx://a", false},
            {"another port", {"https://a.example"}, "https://a.example:8443", false},
            {"a longer name", {"https://a.example"}, "https://a.example.evil", false},
            {"a shorter name", {"https://a.example"}, "https://a.exampl", false},
            {"null", {"https://a.example"}, "null", false},
            {"empty", {"https://a.example"}, "", false},
            {"with a space", {"https://*"}, "https://a b", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const std::string want = row.allowed ? "vary: Origin\r\naccess-control-allow-origin: " +
                                                       std::string(row.origin) + "\r\n"
                                                 : "vary: Origin\r\n";
            CHECK(answer(row.origins, row.origin) == want);
        }
        CHECK(answer({"*"}, "https://any") == "access-control-allow-origin: *\r\n");
        CHECK(answer({"*"}, "") == "");
    }

    TEST_CASE("section 15: what a preflight is told, and what any answer") {
        CorsOptions options;
        options.allow_origins = {"https://a"};
        options.allow_methods = {"GET", "POST"};
        options.allow_headers = {"x-a"};
        options.expose_headers = {"x-b", "x-c"};
        options.max_age = 0;
        options.allow_credentials = true;
        const Cors cors(options);
        const Head head(Fields{{"Origin", "https://a"}});
        std::string preflight;
        cors.append_preflight(head.head, preflight);
        CHECK(preflight ==
              "vary: Origin\r\naccess-control-allow-origin: https://a\r\n"
              "access-control-allow-methods: GET,POST\r\naccess-control-allow-headers: x-a\r\n"
              "access-control-max-age: 0\r\naccess-control-allow-credentials: true\r\n"
              "access-control-expose-headers: x-b,x-c\r\n");
        std::string other;
        cors.append_answer(head.head, other);
        CHECK(other ==
              "vary: Origin\r\naccess-control-allow-origin: https://a\r\n"
              "access-control-allow-credentials: true\r\naccess-control-expose-headers: "
              "x-b,x-c\r\n");
        CHECK(Cors::is_own("Access-Control-Allow-Origin"));
        CHECK_FALSE(Cors::is_own("Access-Control"));
    }
}

}  // namespace cors_test
