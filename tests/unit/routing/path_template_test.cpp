#include "gatehouse/routing/path_template.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace gatehouse::routing::path_template_test {
namespace {

// Segments as text: literals plain, {p} and {p+} for parameters.
std::string show(const std::vector<Segment>& segments) {
    std::string out;
    for (const Segment& segment : segments) {
        out += '/';
        switch (segment.kind) {
            case Segment::Kind::literal:
                out += segment.text;
                break;
            case Segment::Kind::parameter:
                out += '{' + segment.text + '}';
                break;
            case Segment::Kind::greedy:
                out += '{' + segment.text + "+}";
                break;
        }
    }
    return out;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

struct Refused {
    std::string text;
    std::string_view why;  // part of the message
};

}  // namespace

TEST_SUITE("routing/path_template") {
    TEST_CASE("a route key is a method and a path") {
        for (const std::string_view method :
             {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "ANY"}) {
            CAPTURE(method);
            const Result<RouteKey> key = parse_route_key(std::string(method) + " /pets/{id}");
            REQUIRE(key.has_value());
            CHECK(key->method == method);
            CHECK(key->path == "/pets/{id}");
        }
    }

    TEST_CASE("a route key that is wrong says what is allowed") {
        const Refused rows[] = {
            {"", "one space"},
            {"GET", "one space"},
            {"/pets", "one space"},
            {"GET  /pets", "one space"},
            {" GET /pets", "one space"},
            {"GET /pets ", "one space"},
            {"GET /my pets", "one space"},
            {"GET\t/pets", "one space"},
            {"$default", "HTTP APIs"},
            {"get /pets",
             "\"get\" is not one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, ANY; did you "
             "mean GET?"},
            {"any /pets", "did you mean ANY?"},
            {"* /pets", "did you mean ANY?"},
            {"TRACE /pets", "is not one of"},
            {"CONNECT /pets", "is not one of"},
            {"FETCH /pets", "is not one of"},
            {"GET pets", "does not begin with"},
            {"GET http://a/b", "does not begin with"},
            {"GET ", "does not begin with"},
        };
        for (const Refused& row : rows) {
            CAPTURE(row.text);
            const Result<RouteKey> key = parse_route_key(row.text);
            REQUIRE_FALSE(key.has_value());
            CHECK(key.error().errc() == Errc::config_invalid);
            CAPTURE(key.error().detail);
            CHECK(contains(key.error().detail, row.why));
        }
    }

    TEST_CASE("a template is read into segments") {
        struct Row {
            std::string_view path;
            std::string_view wanted;
        };

        constexpr Row kRows[] = {
            {"/", ""},
            {"/pets", "/pets"},
            {"/pets/{id}", "/pets/{id}"},
            {"/{proxy+}", "/{proxy+}"},
            {"/a/{b}/c/{d}/{e+}", "/a/{b}/c/{d}/{e+}"},
            {"/{a-b_c.d:e9}", "/{a-b_c.d:e9}"},
            {"/items:batch/v1.0/_x~y/-", "/items:batch/v1.0/_x~y/-"},
            {"/%7euser/%61", "/~user/a"},
            {"/a%2fb", "/a%2Fb"},
            {"/caf%c3%a9", "/caf%C3%A9"},
            {"/Users/{Id}", "/Users/{Id}"},
            {"/+", "/+"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.path);
            const Result<std::vector<Segment>> segments = parse_template(row.path);
            REQUIRE(segments.has_value());
            CHECK(show(*segments) == row.wanted);
        }
    }

    TEST_CASE("a template that could not work is refused with the reason") {
        const Refused rows[] = {
            {"", "does not begin"},
            {"pets", "does not begin"},
            {"//", "empty segment"},
            {"/a//b", "empty segment"},
            {"/a//", "empty segment"},
            {"/a/", "trailing slash"},
            {"/{id}/", "trailing slash"},
            {"/.", "dot segment"},
            {"/a/../b", "dot segment"},
            {"/%2e%2e", "dot segment"},
            {"/a%2F..", "dot segment"},
            {"/a b", "outside URI syntax"},
            {"/caf\xc3\xa9", "outside URI syntax"},
            {"/a|b", "outside URI syntax"},
            {"/a\\b", "backslash"},
            {"/a%5Cb", "backslash"},
            {"/%zz", "percent-encoding"},
            {"/a%00", "control"},
            {"/%FF", "UTF-8"},
            {"/a;b", "doubly encoded"},
            {"/a%252Fb", "doubly encoded"},
            {"/a?b=c", "no query"},
            {"/a#b", "no fragment"},
            {"/*", "no wildcard"},
            {"/files/**", "no wildcard"},
            {"/a*", "no wildcard"},
            {"/{}", "needs a name"},
            {"/{+}", "needs a name"},
            {"/{*proxy}", "needs a name"},
            {"/{proxy*}", "needs a name"},
            {"/{a+b}", "needs a name"},
            {"/{proxy++}", "needs a name"},
            {"/{a b}", "needs a name"},
            {"/{a/b}", "whole segment"},
            {"/{id", "whole segment"},
            {"/id}", "whole segment"},
            {"/{{id}}", "whole segment"},
            {"/{a}{b}", "whole segment"},
            {"/{id}.json", "whole segment"},
            {"/v{version}", "whole segment"},
            {"/{proxy+}/a", "nothing can follow"},
            {"/{a+}/{b+}", "nothing can follow"},
            {"/{id}/x/{id}", "used twice"},
            {"/{id}/x/{id+}", "used twice"},
        };
        for (const Refused& row : rows) {
            CAPTURE(row.text);
            const Result<std::vector<Segment>> segments = parse_template(row.text);
            REQUIRE_FALSE(segments.has_value());
            CHECK(segments.error().errc() == Errc::config_invalid);
            CAPTURE(segments.error().detail);
            CHECK(contains(segments.error().detail, row.why));
        }
    }

    TEST_CASE("a template has at most 128 segments") {
        std::string path;
        for (int i = 0; i < 128; ++i)
            path += "/a";
        CHECK(parse_template(path).has_value());
        CHECK_FALSE(parse_template(path + "/a").has_value());
    }
}

}  // namespace gatehouse::routing::path_template_test
