#include "../../../src/forward/uri_template.hpp"

#include <doctest/doctest.h>

#include <string>

namespace uri_template_test {

using namespace gatehouse;
using forward::is_clean_path;
using forward::parse_uri_template;

namespace {

std::string shown(const std::vector<forward::UriPiece>& pieces) {
    std::string text;
    for (const auto& piece : pieces)
        text += piece.placeholder ? "<" + piece.text + ">" : piece.text;
    return text;
}

}  // namespace

TEST_SUITE("forward/uri_template") {
    TEST_CASE("a uri names where requests go") {
        struct Row {
            std::string_view uri;
            bool tls;
            std::string host;
            int port;
            std::string host_header;
            std::string path;
            std::string query;
        };

        const Row rows[] = {
            {"http://127.0.0.1:3000/items",
             false,
             "127.0.0.1",
             3000,
             "127.0.0.1:3000",
             "/items",
             ""},
            {"http://example.com", false, "example.com", 80, "example.com", "/", ""},
            {"http://example.com/", false, "example.com", 80, "example.com", "/", ""},
            {"http://example.com:80/a/", false, "example.com", 80, "example.com", "/a/", ""},
            {"HTTPS://Example.com/a", true, "example.com", 443, "Example.com", "/a", ""},
            {"https://example.com:8443/a", true, "example.com", 8443, "example.com:8443", "/a", ""},
            {"http://my_service:1/{proxy}", false, "my_service", 1, "my_service:1", "/<proxy>", ""},
            {"http://[::1]:9/a", false, "::1", 9, "[::1]:9", "/a", ""},
            {"http://[2001:DB8::1]/a", false, "2001:db8::1", 80, "[2001:DB8::1]", "/a", ""},
            {"http://h/a/{x}-{y}/b?q={x}&r=1", false, "h", 80, "h", "/a/<x>-<y>/b", "q=<x>&r=1"},
            {"http://h?a=b", false, "h", 80, "h", "/", "a=b"},
            {"http://h/a?", false, "h", 80, "h", "/a", ""},
            {"http://h/a%2Fb;c?x=%20?/", false, "h", 80, "h", "/a%2Fb;c", "x=%20?/"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.uri);
            const auto made = parse_uri_template(row.uri);
            REQUIRE(made.has_value());
            CHECK(made->endpoint.tls == row.tls);
            CHECK(made->endpoint.host == row.host);
            CHECK(made->endpoint.port == row.port);
            CHECK(made->endpoint.host_header == row.host_header);
            CHECK(shown(made->path) == row.path);
            CHECK(shown(made->query) == row.query);
            CHECK(made->has_query == (row.uri.find('?') != std::string_view::npos));
        }
    }

    TEST_CASE("what is no plain http uri is refused") {
        for (const std::string_view uri : {"",
                                           "example.com/a",
                                           "//example.com/a",
                                           "ftp://example.com/",
                                           "arn:aws:lambda:us-east-1:123456789012:function:f",
                                           "unix:/run/app.sock",
                                           "http://",
                                           "http:///a",
                                           "http://:80/",
                                           "http://h:/",
                                           "http://h:0/",
                                           "http://h:65536/",
                                           "http://h:8a/",
                                           "http://h:-1/",
                                           "http://user@h/",
                                           "http://user:secret@h/",
                                           "http://{host}/a",
                                           "http://${stageVariables.backend}/a",
                                           "http://h{proxy}",
                                           "http://h h/",
                                           "http://h\r\n/",
                                           "http://\xc3\xa9/",
                                           "http://[::1/",
                                           "http://[]/",
                                           "http://[127.0.0.1]/",
                                           "http://[::1%25eth0]/",
                                           "http://[::1]x/",
                                           "http://h/a#b",
                                           "http://h/a b",
                                           "http://h/a\tb",
                                           "http://h/a\\b",
                                           "http://h/\"",
                                           "http://h/%",
                                           "http://h/%zz",
                                           "http://h/a?%4",
                                           "http://h/a?b c",
                                           "http://h/{",
                                           "http://h/{}",
                                           "http://h/}",
                                           "http://h/{proxy+}",
                                           "http://h/{a b}",
                                           "http://h/{a/b}",
                                           "http://h/${stageVariables.x}",
                                           "http://h/../a",
                                           "http://h/a/./b",
                                           "http://h/a/..",
                                           "http://h/a/%2e%2E/b",
                                           "http://h//a",
                                           "http://h/a%5cb",
                                           "http://h/a//b"}) {
            CAPTURE(uri);
            const auto made = parse_uri_template(uri);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK(made.error().detail.find("secret") == std::string::npos);
        }
    }

    TEST_CASE("a path to an upstream is held to the rules for clients") {
        for (const std::string_view path : {"",
                                            "a",
                                            "*",
                                            "http://h/a",
                                            "/.",
                                            "/..",
                                            "/a/../b",
                                            "/a/%2e%2e/b",
                                            "/a/.%2E",
                                            "//",
                                            "/a//b",
                                            "/a%2F/b",
                                            "/..%2Fa",
                                            "/a%5Cb",
                                            "/a%0Ab",
                                            "/a%C2%99b",
                                            "/a%F7b",
                                            "/a b"}) {
            CAPTURE(path);
            CHECK_FALSE(is_clean_path(path));
        }
        for (const std::string_view path :
             {"/", "/a", "/a/", "/...", "/a.b", "/.a", "/a/..b/", "/a%2Fb", "/K%C3%B6ln"}) {
            CAPTURE(path);
            CHECK(is_clean_path(path));
        }
    }
}

}  // namespace uri_template_test
