#include "gatehouse/http/target.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace gatehouse::http::target_test {

TEST_SUITE("http/target") {
    TEST_CASE("an accepted path comes out normalised") {
        struct Row {
            std::string raw;
            std::string path;
            bool rewritten = false;
        };

        const Row rows[] = {
            {"/", "/"},
            {"/a", "/a"},
            {"/a/b/", "/a/b/"},
            {"/-._~!$&'()*+,=:@09azAZ", "/-._~!$&'()*+,=:@09azAZ"},
            {"/2024-01-01T00:00:00Z", "/2024-01-01T00:00:00Z"},
            {"/.well-known/x", "/.well-known/x"},
            {"/...", "/..."},
            {"/a..b/..c/d..", "/a..b/..c/d.."},
            {"/%61bc", "/abc", true},
            {"/a%2Db%2e%5f%7E", "/a-b._~", true},
            {"/%2Ehidden", "/.hidden", true},
            {"/a%20b", "/a%20b"},
            {"/a%2fb", "/a%2Fb", true},
            {"/a%2Fb", "/a%2Fb"},
            {"/caf%C3%A9", "/caf%C3%A9"},
            {"/caf%c3%a9/x", "/caf%C3%A9/x", true},
            {"/%F0%9F%98%80", "/%F0%9F%98%80"},
            {"/%E2%82%AC", "/%E2%82%AC"},
            {"/%23%3F%7C%22%3c", "/%23%3F%7C%22%3C", true},
            {"/%252541", "/%252541"},
            {"/100%25", "/100%25"},
            {"/x%3d/%41/y", "/x=/A/y", true},
            {"/strict%3Aop", "/strict:op", true},
            {"/u%40h/%28%29%21%24%26%27%2a%2C", "/u@h/()!$&'*,", true},
            {"/a%2Bb+c", "/a%2Bb+c"},
            {"/a%2bb", "/a%2Bb", true},
            {"/a%3Bb", "/a%3Bb"},
            {"http://host", "/"},
            {"http://host/", "/"},
            {"HTTPS://host:443/a%62/c", "/ab/c", true},
            {"http://[::1]:8080/a", "/a"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.raw);
            std::string scratch = "left over";
            const Result<Target> target = parse_target(row.raw, scratch);
            REQUIRE(target.has_value());
            CHECK(target->path == row.path);
            CHECK_FALSE(target->has_query);
            CHECK_FALSE(target->asterisk);
            CHECK(scratch.empty() == !row.rewritten);
            std::string again;
            CHECK(parse_target(row.path, again).value().path == row.path);
        }
    }

    TEST_CASE("an ambiguous path is refused") {
        struct Row {
            std::string raw;
            Errc wanted;
        };

        const Row rows[] = {
            {"", Errc::target_invalid},
            {"a", Errc::target_invalid},
            {"?a", Errc::target_invalid},
            {"**", Errc::target_invalid},
            {"*/", Errc::target_invalid},
            {"ftp://host/", Errc::target_invalid},
            {"http:", Errc::target_invalid},
            {"http://", Errc::target_invalid},
            {"http:///a", Errc::target_invalid},
            {"http://u:p@host/a", Errc::target_invalid},
            {"http://host:x/a", Errc::target_invalid},
            {"http://ho st/a", Errc::target_invalid},
            {"http://host#/a", Errc::target_invalid},
            {"http://host\\a/b", Errc::target_invalid},
            {"http:\\\\host\\a", Errc::target_invalid},

            {"/.", Errc::target_dot_segment},
            {"/..", Errc::target_dot_segment},
            {"/./a", Errc::target_dot_segment},
            {"/a/.", Errc::target_dot_segment},
            {"/a/../b", Errc::target_dot_segment},
            {"/a/..", Errc::target_dot_segment},
            {"/a/../", Errc::target_dot_segment},
            {"/%2e", Errc::target_dot_segment},
            {"/a/%2e%2E/b", Errc::target_dot_segment},
            {"/a/.%2e/b", Errc::target_dot_segment},
            {"/a/%2e./b", Errc::target_dot_segment},
            {"/a/..%2Fb", Errc::target_dot_segment},
            {"/a/%2e%2e%2fb", Errc::target_dot_segment},
            {"/a%2F..", Errc::target_dot_segment},
            {"/a%2f%2e/b", Errc::target_dot_segment},
            {"/..%2F", Errc::target_dot_segment},
            {"/a/..;/b", Errc::target_dot_segment},
            {"/a/..;x=y/b", Errc::target_dot_segment},
            {"/a/.;/b", Errc::target_dot_segment},
            {"/a/..%3b/b", Errc::target_dot_segment},
            {"/a/%2e%2e%3Bx", Errc::target_dot_segment},
            {"http://host/..", Errc::target_dot_segment},

            {"//", Errc::target_empty_segment},
            {"//evil.example/a", Errc::target_empty_segment},
            {"/a//b", Errc::target_empty_segment},
            {"/a//", Errc::target_empty_segment},
            {"/a/%2F", Errc::target_empty_segment},
            {"/%2fa", Errc::target_empty_segment},
            {"/a%2F/b", Errc::target_empty_segment},
            {"/a%2F%2Fb", Errc::target_empty_segment},
            {"/%62//a", Errc::target_empty_segment},
            {"http://host//a", Errc::target_empty_segment},

            {"/a\\b", Errc::target_backslash},
            {"/a%5cb", Errc::target_backslash},
            {"/..%5C..%5C", Errc::target_backslash},
            {"\\a", Errc::target_invalid},

            {std::string("/a\0b", 4), Errc::target_control},
            {"/a\rb", Errc::target_control},
            {"/a\nb", Errc::target_control},
            {"/a\tb", Errc::target_control},
            {"/a\x7f", Errc::target_control},
            {"/%00", Errc::target_control},
            {"/a%00.png", Errc::target_control},
            {"/a%0d%0aX:y", Errc::target_control},
            {"/%1F", Errc::target_control},
            {"/%7f", Errc::target_control},
            {"/%C2%85", Errc::target_control},

            {"/%", Errc::target_percent},
            {"/%4", Errc::target_percent},
            {"/a%4/b", Errc::target_percent},
            {"/%zz", Errc::target_percent},
            {"/%4g", Errc::target_percent},
            {"/%%41", Errc::target_percent},
            {"/%u002e", Errc::target_percent},
            {"/%+1", Errc::target_percent},
            {"/% 1", Errc::target_percent},

            {"/%80", Errc::target_utf8},
            {"/%C0%AE%C0%AE/", Errc::target_utf8},
            {"/%C0%AF", Errc::target_utf8},
            {"/%E0%80%AF", Errc::target_utf8},
            {"/%F0%80%80%AF", Errc::target_utf8},
            {"/%C1%9C", Errc::target_utf8},
            {"/%ED%A0%80", Errc::target_utf8},
            {"/%F4%90%80%80", Errc::target_utf8},
            {"/%F8%88%80%80%80", Errc::target_utf8},
            {"/%FF", Errc::target_utf8},
            {"/%C3", Errc::target_utf8},
            {"/%C3/%A9", Errc::target_utf8},
            {"/%C3A9", Errc::target_utf8},
            {"/%C3%41", Errc::target_utf8},
            {"/%E2%82", Errc::target_utf8},
            {"/%E2%82%4", Errc::target_utf8},

            {"/caf\xc3\xa9", Errc::target_invalid},
            {"/a b", Errc::target_invalid},
            {"/a#b", Errc::target_invalid},
            {"/a|b", Errc::target_invalid},
            {"/a^b", Errc::target_invalid},
            {"/a`b", Errc::target_invalid},
            {"/{a}", Errc::target_invalid},
            {"/a\"b", Errc::target_invalid},
            {"/<a>", Errc::target_invalid},
            {"/[a]", Errc::target_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(row.raw);
            std::string scratch;
            const Result<Target> target = parse_target(row.raw, scratch);
            REQUIRE_FALSE(target.has_value());
            CHECK(reason_id(target.error().errc()) == reason_id(row.wanted));
        }
    }

    TEST_CASE("what an upstream could read in another way is flagged") {
        struct Row {
            std::string raw;
            bool encoded_slash = false;
            bool path_parameter = false;
            bool trailing_slash = false;
        };

        const Row rows[] = {
            {"/"},
            {"/a"},
            {"/a%25b"},
            {"/a%2525"},
            {"/a%25252"},
            {"/a%2541"},
            {"/a?b;c%252F/"},
            {"/a/", false, false, true},
            {"/a/?b/", false, false, true},
            {"/a%2Fb", true},
            {"/a%2f", true},
            {"/a%2Fb/", true, false, true},
            {"/a;x", false, true},
            {"/a;x/b", false, true},
            {"/;", false, true},
            {"/a%3Bx", false, true},
            {"/a%252Fb", false, true},
            {"/a%252fb", false, true},
            {"/a%255Cb", false, true},
            {"/%252e%252E", false, true},
            {"/a%253Bx", false, true},
            {"/a%25252Fb", false, true},
            {"/a%2525252Fb", false, true},
            // Encoded digits of the inner triple are decoded first, which is what makes it a
            // triple.
            {"/a%25%32%46b", false, true},
            {"/a%252%46b", false, true},
            {"/a%25%2Fb", true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.raw);
            std::string scratch;
            const Target target = parse_target(row.raw, scratch).value();
            CHECK(target.encoded_slash == row.encoded_slash);
            CHECK(target.path_parameter == row.path_parameter);
            CHECK(target.trailing_slash == row.trailing_slash);
        }
    }

    TEST_CASE("a query is kept byte for byte") {
        struct Row {
            std::string raw;
            std::string path;
            std::string query;
        };

        const Row rows[] = {
            {"/a?", "/a", ""},
            {"/?x=1&y=2", "/", "x=1&y=2"},
            {"/a?b?c", "/a", "b?c"},
            {"/a?u=http://h/../x//y", "/a", "u=http://h/../x//y"},
            {"/a?%2e%2e%00%zz%", "/a", "%2e%2e%00%zz%"},
            {"/a?filter[name]=x", "/a", "filter[name]=x"},
            {"/%61?%61", "/a", "%61"},
            {"http://host?q=1", "/", "q=1"},
            {"http://host/a?q=http://x", "/a", "q=http://x"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.raw);
            std::string scratch;
            const Target target = parse_target(row.raw, scratch).value();
            CHECK(target.path == row.path);
            CHECK(target.has_query);
            CHECK(target.query == row.query);
        }
    }

    TEST_CASE("a query with bytes outside URI syntax is refused") {
        struct Row {
            std::string raw;
            Errc wanted;
        };

        const Row rows[] = {
            {"/a?b#c", Errc::target_invalid},
            {"/a?b c", Errc::target_invalid},
            {"/a?b|c", Errc::target_invalid},
            {"/a?{b}", Errc::target_invalid},
            {"/a?b^c", Errc::target_invalid},
            {"/a?b`c", Errc::target_invalid},
            {"/a?b\"c", Errc::target_invalid},
            {"/a?<b>", Errc::target_invalid},
            {"/a?b\\c", Errc::target_invalid},
            {"/a?caf\xc3\xa9", Errc::target_invalid},
            {"/a?b\rc", Errc::target_control},
            {"/a?b\nc", Errc::target_control},
            {std::string("/a?b\0", 5), Errc::target_control},
            {"/a?b\x7f", Errc::target_control},
        };
        for (const Row& row : rows) {
            CAPTURE(row.raw);
            std::string scratch;
            const Result<Target> target = parse_target(row.raw, scratch);
            REQUIRE_FALSE(target.has_value());
            CHECK(reason_id(target.error().errc()) == reason_id(row.wanted));
        }
    }

    TEST_CASE("an asterisk is a path that nothing matches") {
        std::string scratch;
        const Target target = parse_target("*", scratch).value();
        CHECK(target.asterisk);
        CHECK(target.path == "*");
    }

    TEST_CASE("nothing is copied while nothing changes") {
        const std::string raw = "/files/a%2Fb/caf%C3%A9;x?q=1";
        std::string scratch;
        const Target target = parse_target(raw, scratch).value();
        CHECK(target.path.data() == raw.data());
        CHECK(target.query.data() == raw.data() + raw.find('?') + 1);
        CHECK(scratch.empty());
    }

    TEST_CASE("the authority is what stands between scheme and path") {
        struct Row {
            std::string_view raw;
            std::string_view wanted;
        };

        constexpr Row kRows[] = {
            {"http://host:80/x", "host:80"},
            {"HtTpS://host", "host"},
            {"http://host?q", "host"},
            {"http://host#f", "host"},
            {"http://u@host/", "u@host"},
            {"http:///x", ""},
            {"/x", ""},
            {"//host/x", ""},
            {"*", ""},
            {"", ""},
            {"http:/host", ""},
            {"ftp://host/", ""},
            {"host:443", ""},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.raw);
            CHECK(authority_of(row.raw) == row.wanted);
        }
    }
}

}  // namespace gatehouse::http::target_test
