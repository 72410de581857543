#include "gatehouse/http/framing.hpp"

#include "gatehouse/http/fields.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::http::framing_test {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::vector<Field> make_fields(const Pairs& pairs) {
    std::vector<Field> fields;
    for (const auto& [name, value] : pairs)
        fields.push_back({name, value, find_field_id(name)});
    return fields;
}

struct Request {
    std::string method = "POST";
    std::string target = "/x";
    Version version = Version::http_1_1;
    Pairs fields = {{"Host", "a"}};
};

struct Checked {
    Errc code;
    Framing framing;
    std::string host;
    bool keep_alive;
    bool expect_continue;
};

Checked check(const Request& request) {
    const std::vector<Field> fields = make_fields(request.fields);
    RequestHead head;
    head.method = request.method;
    head.target = request.target;
    head.version = request.version;
    head.fields = fields;
    const Errc code = check_request(head);
    return {code, head.framing, std::string(head.host), head.keep_alive, head.expect_continue};
}

Checked check_with(const Pairs& more, Version version = Version::http_1_1) {
    Request request;
    request.version = version;
    request.fields.insert(request.fields.end(), more.begin(), more.end());
    return check(request);
}

struct Answer {
    int status = 200;
    Version version = Version::http_1_1;
    Pairs fields;
    std::string method = "GET";
    std::string reason = "OK";
};

std::pair<Errc, ResponseHead> check(const Answer& answer) {
    const std::vector<Field> fields = make_fields(answer.fields);
    ResponseHead head;
    head.status = answer.status;
    head.version = answer.version;
    head.reason = answer.reason;
    head.fields = fields;
    const Errc code = check_response(head, answer.method);
    head.fields = {};
    head.reason = {};
    return {code, head};
}

constexpr auto k10 = Version::http_1_0;
constexpr auto k11 = Version::http_1_1;

}  // namespace

TEST_SUITE("http/framing") {
    TEST_CASE("a request line is refused unless its method and form are served") {
        struct Row {
            std::string method;
            std::string target;
            Errc wanted;
        };

        const Row rows[] = {
            {"GET", "/", Errc::none},
            {"OPTIONS", "*", Errc::none},
            {"TRACE", "/", Errc::none},
            {"M-SEARCH", "/", Errc::none},
            {"GET", "http://a/x", Errc::none},
            {std::string(32, 'A'), "/", Errc::none},
            {std::string(33, 'A'), "/", Errc::method_unsupported},
            {"CONNECT", "a:443", Errc::method_unsupported},
            {"CONNECT", "/", Errc::method_unsupported},
            {"", "/", Errc::request_malformed},
            {"G ET", "/", Errc::request_malformed},
            {"GET\t", "/", Errc::request_malformed},
            {"GE(T", "/", Errc::request_malformed},
            {"G\xc3\x89T", "/", Errc::request_malformed},
            {std::string("GET\0", 4), "/", Errc::request_malformed},
            {"GET", "*", Errc::target_invalid},
            {"GET", "", Errc::target_invalid},
            {"GET", "a", Errc::target_invalid},
            {"GET", "a:443", Errc::target_invalid},
            {"GET", "ftp://a/x", Errc::target_invalid},
            {"GET", "http:/a/x", Errc::target_invalid},
            {"GET", "http:///x", Errc::target_invalid},
            {"OPTIONS", "**", Errc::target_invalid},
            {"OPTIONS", "?x", Errc::target_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(row.method);
            CAPTURE(row.target);
            Request request;
            request.method = row.method;
            request.target = row.target;
            CHECK(check(request).code == row.wanted);
        }
    }

    TEST_CASE("Host is required once and must be valid") {
        struct Row {
            std::string name;
            Pairs fields;
            Errc wanted;
            Version version = k11;
        };

        const Row rows[] = {
            {"name", {{"Host", "api.example"}}, Errc::none},
            {"name and port", {{"HOST", "api.example:8080"}}, Errc::none},
            {"underscore", {{"Host", "my_service"}}, Errc::none},
            {"trailing dot", {{"Host", "api.example."}}, Errc::none},
            {"highest port", {{"Host", "a:65535"}}, Errc::none},
            {"no digits after the colon", {{"Host", "a:"}}, Errc::none},
            {"IPv4", {{"Host", "127.0.0.1:80"}}, Errc::none},
            {"IPv6", {{"Host", "[::1]"}}, Errc::none},
            {"IPv6 with port", {{"Host", "[2001:db8::1:0]:8080"}}, Errc::none},
            {"IPv6 in full", {{"Host", "[1:2:3:4:5:6:7:8]"}}, Errc::none},
            {"IPv6 with IPv4", {{"Host", "[::ffff:192.0.2.1]"}}, Errc::none},
            {"IPv6 unspecified", {{"Host", "[::]"}}, Errc::none},
            {"HTTP/1.0 without", {}, Errc::none, k10},
            {"HTTP/1.0 empty", {{"Host", ""}}, Errc::none, k10},
            {"missing", {}, Errc::host_missing},
            {"missing among others", {{"X-Host", "a"}, {"Hos", "a"}}, Errc::host_missing},
            {"twice", {{"Host", "a"}, {"Host", "b"}}, Errc::host_repeated},
            {"twice the same", {{"Host", "a"}, {"X", "y"}, {"host", "a"}}, Errc::host_repeated},
            {"twice in HTTP/1.0", {{"Host", "a"}, {"Host", "a"}}, Errc::host_repeated, k10},
            {"empty", {{"Host", ""}}, Errc::host_invalid},
            {"invalid in HTTP/1.0", {{"Host", "a b"}}, Errc::host_invalid, k10},
            {"userinfo", {{"Host", "u@a"}}, Errc::host_invalid},
            {"list", {{"Host", "a, b"}}, Errc::host_invalid},
            {"list without space", {{"Host", "a,b"}}, Errc::host_invalid},
            {"space", {{"Host", "a b"}}, Errc::host_invalid},
            {"path", {{"Host", "a/b"}}, Errc::host_invalid},
            {"query", {{"Host", "a?b"}}, Errc::host_invalid},
            {"fragment", {{"Host", "a#b"}}, Errc::host_invalid},
            {"backslash", {{"Host", "a\\b"}}, Errc::host_invalid},
            {"scheme", {{"Host", "http://a"}}, Errc::host_invalid},
            {"encoded letter", {{"Host", "%61pi.example"}}, Errc::host_invalid},
            {"angle brackets", {{"Host", "<a>"}}, Errc::host_invalid},
            {"non-ASCII", {{"Host", "b\xc3\xbc"}}, Errc::host_invalid},
            {"only a port", {{"Host", ":80"}}, Errc::host_invalid},
            {"port too high", {{"Host", "a:65536"}}, Errc::host_invalid},
            {"port too long", {{"Host", "a:000080"}}, Errc::host_invalid},
            {"port of letters", {{"Host", "a:http"}}, Errc::host_invalid},
            {"port with sign", {{"Host", "a:+80"}}, Errc::host_invalid},
            {"two ports", {{"Host", "a:80:80"}}, Errc::host_invalid},
            {"bare IPv6", {{"Host", "::1"}}, Errc::host_invalid},
            {"open bracket", {{"Host", "[::1"}}, Errc::host_invalid},
            {"empty brackets", {{"Host", "[]"}}, Errc::host_invalid},
            {"text behind the bracket", {{"Host", "[::1]a"}}, Errc::host_invalid},
            {"IPv6 with zone", {{"Host", "[fe80::1%25eth0]"}}, Errc::host_invalid},
            {"IPv6 with nine groups", {{"Host", "[1:2:3:4:5:6:7:8:9]"}}, Errc::host_invalid},
            {"IPv6 with seven groups", {{"Host", "[1:2:3:4:5:6:7]"}}, Errc::host_invalid},
            {"IPv6 elided twice", {{"Host", "[1::2::3]"}}, Errc::host_invalid},
            {"IPv6 elides nothing", {{"Host", "[1:2:3:4::5:6:7:8]"}}, Errc::host_invalid},
            {"IPv6 with a long group", {{"Host", "[12345::]"}}, Errc::host_invalid},
            {"IPv6 ends with a colon", {{"Host", "[1:2:3:4:5:6:7:]"}}, Errc::host_invalid},
            {"IPv6 begins with a colon", {{"Host", "[:1::2]"}}, Errc::host_invalid},
            {"IPv6 with a bad IPv4", {{"Host", "[::256.0.0.1]"}}, Errc::host_invalid},
            {"IPv6 with a short IPv4", {{"Host", "[::1.2.3]"}}, Errc::host_invalid},
            {"IPv6 with octal IPv4", {{"Host", "[::01.2.3.4]"}}, Errc::host_invalid},
            {"IPvFuture", {{"Host", "[v1.a]"}}, Errc::host_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Request request;
            request.fields = row.fields;
            request.version = row.version;
            CHECK(check(request).code == row.wanted);
        }
    }

    TEST_CASE("an absolute-form authority agrees with Host") {
        struct Row {
            std::string target;
            Pairs fields;
            Errc wanted;
            std::string host;
            Version version = k11;
        };

        const Row rows[] = {
            {"http://a/x", {{"Host", "a"}}, Errc::none, "a"},
            {"HTTP://A", {{"Host", "a"}}, Errc::none, "a"},
            {"http://a:80?q", {{"Host", "a"}}, Errc::none, "a"},
            {"https://a/x", {{"Host", "a:443"}}, Errc::none, "a:443"},
            {"http://a:/x", {{"Host", "a:80"}}, Errc::none, "a:80"},
            {"http://a:8080/x", {{"Host", "a:8080"}}, Errc::none, "a:8080"},
            {"http://a/x", {}, Errc::none, "a", k10},
            {"http://a/x", {{"Host", ""}}, Errc::none, "a", k10},
            {"http://a/x", {}, Errc::host_missing, ""},
            {"http://b/x", {{"Host", "a"}}, Errc::host_invalid, ""},
            {"http://b/x", {{"Host", "a"}}, Errc::host_invalid, "", k10},
            {"http://a:443/x", {{"Host", "a"}}, Errc::host_invalid, ""},
            {"https://a:80/x", {{"Host", "a"}}, Errc::host_invalid, ""},
            {"http://a/x", {{"Host", "a:8080"}}, Errc::host_invalid, ""},
            {"http://a@b/x", {{"Host", "b"}}, Errc::host_invalid, ""},
            {"http://a@b/x", {{"Host", "a@b"}}, Errc::host_invalid, ""},
            {"http://a\\@b/x", {{"Host", "a"}}, Errc::host_invalid, ""},
            {"http://a b/x", {}, Errc::host_invalid, "", k10},
        };
        for (const Row& row : rows) {
            CAPTURE(row.target);
            CAPTURE(row.fields.size());
            Request request;
            request.target = row.target;
            request.fields = row.fields;
            request.version = row.version;
            const Checked checked = check(request);
            CHECK(checked.code == row.wanted);
            if (row.wanted == Errc::none) CHECK(checked.host == row.host);
        }
    }

    TEST_CASE("a field is refused when its name is no token or its value has a control") {
        struct Row {
            std::string name;
            std::string value;
            bool valid;
        };

        const Row rows[] = {
            {"X", "", true},
            {"X", "a\tb", true},
            {"X", "caf\xc3\xa9 and more than eight bytes", true},
            {"!#$%&'*+-.^_`|~09az", "~", true},
            {"Content_Type", "text/plain", true},
            {"", "a", false},
            {"X ", "a", false},
            {" X", "a", false},
            {"X\t", "a", false},
            {"X:", "a", false},
            {"X(", "a", false},
            {"X\r", "a", false},
            {std::string("X\0", 2), "a", false},
            {"\xc3\x89", "a", false},
            {"X", "a\rb", false},
            {"X", "a\nb", false},
            {"X", "a\r\n b", false},
            {"X", std::string("a\0b", 3), false},
            {"X", "12345678\x01", false},
            {"X", "1234567\x7f", false},
            {"X",
             "12345\x0b"
             "78",
             false},
            {"X", "1234567812345\n78", false},
            {"X", "\t234567\x1f", false},
            {"Content_Length", "5", false},
            {"content-length_", "5", true},
            {"Transfer_Encoding", "chunked", false},
            {"TRANSFER_encoding", "chunked", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CAPTURE(row.value);
            CHECK(check_with({{row.name, row.value}}).code ==
                  (row.valid ? Errc::none : Errc::field_invalid));
        }
    }

    TEST_CASE("every byte of a field value is judged alike wherever it stands") {
        for (int byte = 0; byte < 256; ++byte) {
            const bool valid = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
            for (const std::size_t size : {1U, 15U, 16U, 17U, 33U}) {  // sixteen are read at once
                for (std::size_t at = 0; at < size; ++at) {
                    std::string value(size, 'v');
                    value[at] = static_cast<char>(byte);
                    CAPTURE(byte);
                    CAPTURE(size);
                    CAPTURE(at);
                    CHECK((check_with({{"X", value}}).code == Errc::none) == valid);
                }
            }
        }
    }

    TEST_CASE("Content-Length is one plain number that fits") {
        struct Row {
            std::string value;
            bool valid;
            std::uint64_t length = 0;
        };

        const Row rows[] = {
            {"0", true, 0},
            {"5", true, 5},
            {"007", true, 7},
            {"18446744073709551615", true, 18446744073709551615ULL},
            {"18446744073709551616", false},
            {"99999999999999999999999", false},
            {"", false},
            {" 5", false},
            {"5 ", false},
            {"+5", false},
            {"-5", false},
            {"0x5", false},
            {"5e1", false},
            {"5.0", false},
            {"5,5", false},
            {"5, 5", false},
            {"5;5", false},
            {"\"5\"", false},
            {"5\t", false},
            {"\xd9\xa5", false},
            {"five", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.value);
            const Checked checked = check_with({{"Content-Length", row.value}});
            CHECK(checked.code == (row.valid ? Errc::none : Errc::content_length_invalid));
            if (!row.valid) continue;
            CHECK(checked.framing.kind == Framing::Kind::length);
            CHECK(checked.framing.length == row.length);
        }
    }

    TEST_CASE("framing is decided once and every doubt is refused") {
        struct Row {
            std::string name;
            Pairs fields;
            Errc wanted;
            Framing::Kind kind = Framing::Kind::none;
            Version version = k11;
        };

        const std::string te = "Transfer-Encoding";
        const std::string cl = "Content-Length";
        const Row rows[] = {
            {"nothing", {}, Errc::none},
            {"length", {{cl, "3"}}, Errc::none, Framing::Kind::length},
            {"chunked", {{te, "chunked"}}, Errc::none, Framing::Kind::chunked},
            {"chunked in capitals", {{te, "CHUNKED"}}, Errc::none, Framing::Kind::chunked},
            {"length in HTTP/1.0", {{cl, "3"}}, Errc::none, Framing::Kind::length, k10},
            {"CL and TE", {{cl, "3"}, {te, "chunked"}}, Errc::framing_conflict},
            {"TE and CL", {{te, "chunked"}, {cl, "3"}}, Errc::framing_conflict},
            {"TE and CL of 0", {{te, "chunked"}, {"X", "y"}, {cl, "0"}}, Errc::framing_conflict},
            {"odd TE and CL", {{te, "identity"}, {cl, "3"}}, Errc::framing_conflict},
            {"TE and odd CL", {{te, "chunked"}, {cl, "x"}}, Errc::framing_conflict},
            {"TE and CL in HTTP/1.0",
             {{te, "chunked"}, {cl, "3"}},
             Errc::framing_conflict,
             {},
             k10},
            {"two equal CL", {{cl, "3"}, {cl, "3"}}, Errc::content_length_invalid},
            {"two different CL", {{cl, "3"}, {cl, "4"}}, Errc::content_length_invalid},
            {"empty CL and CL", {{cl, ""}, {cl, "4"}}, Errc::content_length_invalid},
            {"two spellings of CL",
             {{cl, "3"}, {"content-length", "03"}},
             Errc::content_length_invalid},
            {"chunked in HTTP/1.0", {{te, "chunked"}}, Errc::transfer_encoding_invalid, {}, k10},
            {"two chunked fields",
             {{te, "chunked"}, {te, "chunked"}},
             Errc::transfer_encoding_invalid},
            {"chunked twice", {{te, "chunked, chunked"}}, Errc::transfer_encoding_invalid},
            {"gzip and chunked", {{te, "gzip, chunked"}}, Errc::transfer_encoding_invalid},
            {"gzip then chunked field",
             {{te, "gzip"}, {te, "chunked"}},
             Errc::transfer_encoding_invalid},
            {"chunked then identity",
             {{te, "chunked"}, {te, "identity"}},
             Errc::transfer_encoding_invalid},
            {"chunked before gzip", {{te, "chunked, gzip"}}, Errc::transfer_encoding_invalid},
            {"identity", {{te, "identity"}}, Errc::transfer_encoding_invalid},
            {"empty", {{te, ""}}, Errc::transfer_encoding_invalid},
            {"xchunked", {{te, "xchunked"}}, Errc::transfer_encoding_invalid},
            {"chunkedx", {{te, "chunkedx"}}, Errc::transfer_encoding_invalid},
            {"chunked with parameter", {{te, "chunked;q=1"}}, Errc::transfer_encoding_invalid},
            {"chunked in quotes", {{te, "\"chunked\""}}, Errc::transfer_encoding_invalid},
            {"chunked and comma", {{te, "chunked,"}}, Errc::transfer_encoding_invalid},
            {"comma and chunked", {{te, ",chunked"}}, Errc::transfer_encoding_invalid},
            {"chunked and space", {{te, "chunked "}}, Errc::transfer_encoding_invalid},
            {"tab and chunked", {{te, "\tchunked"}}, Errc::transfer_encoding_invalid},
            {"two words", {{te, "x chunked"}}, Errc::transfer_encoding_invalid},
            {"long s", {{te, "chunk\xc5\xbf"}}, Errc::transfer_encoding_invalid},
            {"vertical tab", {{te, "chunked\x0b"}}, Errc::field_invalid},
            {"NUL", {{te, std::string("chunked\0", 8)}}, Errc::field_invalid},
            {"folded", {{te, "\r\n chunked"}}, Errc::field_invalid},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Checked checked = check_with(row.fields, row.version);
            CHECK(checked.code == row.wanted);
            if (row.wanted == Errc::none) CHECK(checked.framing.kind == row.kind);
        }
    }

    TEST_CASE("only 100-continue is an expectation and only with content") {
        struct Row {
            std::string name;
            Pairs fields;
            Errc wanted;
            bool continues = false;
            Version version = k11;
        };

        const Row rows[] = {
            {"with length",
             {{"Expect", "100-continue"}, {"Content-Length", "3"}},
             Errc::none,
             true},
            {"with chunks",
             {{"Expect", "100-Continue"}, {"Transfer-Encoding", "chunked"}},
             Errc::none,
             true},
            {"without content", {{"Expect", "100-continue"}}, Errc::none},
            {"length of zero", {{"Expect", "100-continue"}, {"Content-Length", "0"}}, Errc::none},
            {"HTTP/1.0",
             {{"Expect", "100-continue"}, {"Content-Length", "3"}},
             Errc::none,
             false,
             k10},
            {"other in HTTP/1.0",
             {{"Expect", "x"}, {"Content-Length", "3"}},
             Errc::none,
             false,
             k10},
            {"other", {{"Expect", "200-ok"}, {"Content-Length", "3"}}, Errc::expectation_failed},
            {"other without content", {{"Expect", "x"}}, Errc::expectation_failed},
            {"empty", {{"Expect", ""}}, Errc::expectation_failed},
            {"list", {{"Expect", "100-continue, x"}}, Errc::expectation_failed},
            {"parameter", {{"Expect", "100-continue;x=y"}}, Errc::expectation_failed},
            {"second field",
             {{"Expect", "100-continue"}, {"Expect", "x"}},
             Errc::expectation_failed},
            {"first field",
             {{"Expect", "x"}, {"Expect", "100-continue"}},
             Errc::expectation_failed},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Checked checked = check_with(row.fields, row.version);
            CHECK(checked.code == row.wanted);
            CHECK(checked.expect_continue == row.continues);
        }
    }

    TEST_CASE("a connection persists as its version and Connection say") {
        struct Row {
            Version version;
            Pairs fields;
            bool wanted;
        };

        const Row rows[] = {
            {k11, {}, true},
            {k11, {{"Connection", "keep-alive"}}, true},
            {k11, {{"Connection", "upgrade"}}, true},
            {k11, {{"Connection", "closed"}}, true},
            {k10, {{"Connection", "Keep-Alive"}}, true},
            {k11, {{"Connection", "close"}}, false},
            {k11, {{"Connection", "x, CLOSE"}}, false},
            {k11, {{"Connection", "keep-alive"}, {"Connection", "close"}}, false},
            {k11, {{"Connection", "close"}, {"Connection", "keep-alive"}}, false},
            {k10, {}, false},
            {k10, {{"Connection", "upgrade"}}, false},
            {k10, {{"Proxy-Connection", "keep-alive"}}, false},
            {k10, {{"Keep-Alive", "timeout=5"}}, false},
            {k10, {{"Connection", "keep-alive, close"}}, false},
        };
        for (const Row& row : rows) {
            CAPTURE(static_cast<int>(row.version));
            CAPTURE(row.fields.size());
            const Checked checked = check_with(row.fields, row.version);
            CHECK(checked.code == Errc::none);
            CHECK(checked.keep_alive == row.wanted);
        }
    }

    TEST_CASE("an answer's content is delimited as RFC 9112 6.3 has it") {
        using Kind = Framing::Kind;

        struct Row {
            std::string name;
            Answer answer;
            Kind kind;
            std::uint64_t length = 0;
            bool keep_alive = true;
        };

        const Row rows[] = {
            {"length", {200, k11, {{"Content-Length", "5"}}}, Kind::length, 5},
            {"length of zero", {200, k11, {{"Content-Length", "0"}}}, Kind::length, 0},
            {"equal lengths",
             {200, k11, {{"Content-Length", "5"}, {"Content-Length", "5"}}},
             Kind::length,
             5},
            {"chunked", {200, k11, {{"Transfer-Encoding", "Chunked"}}}, Kind::chunked},
            {"until close", {200, k11, {}}, Kind::until_close, 0, false},
            {"until close although kept",
             {200, k11, {{"Connection", "keep-alive"}}},
             Kind::until_close,
             0,
             false},
            {"HTTP/1.0", {200, k10, {{"Content-Length", "5"}}}, Kind::length, 5, false},
            {"HTTP/1.0 kept",
             {200, k10, {{"Content-Length", "5"}, {"Connection", "keep-alive"}}},
             Kind::length,
             5},
            {"closes",
             {200, k11, {{"Content-Length", "5"}, {"Connection", "close"}}},
             Kind::length,
             5,
             false},
            {"HEAD with length", {200, k11, {{"Content-Length", "5"}}, "HEAD"}, Kind::none, 5},
            {"HEAD chunked", {200, k11, {{"Transfer-Encoding", "chunked"}}, "HEAD"}, Kind::none},
            {"HEAD without", {200, k11, {}, "HEAD"}, Kind::none},
            {"304 with length", {304, k11, {{"Content-Length", "5"}}}, Kind::none, 5},
            {"204", {204, k11, {}}, Kind::none},
            {"204 with zero", {204, k11, {{"Content-Length", "0"}}}, Kind::none},
            {"204 that announces content",
             {204, k11, {{"Content-Length", "5"}}},
             Kind::none,
             0,
             false},
            {"204 that announces chunks",
             {204, k11, {{"Transfer-Encoding", "chunked"}}},
             Kind::none,
             0,
             false},
            {"100", {100, k11, {}}, Kind::none},
            {"103", {103, k11, {{"Link", "<x>"}}}, Kind::none},
            {"599", {599, k11, {{"Content-Length", "1"}}}, Kind::length, 1},
            {"205", {205, k11, {{"Content-Length", "0"}}}, Kind::length, 0},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto [code, head] = check(row.answer);
            CHECK(code == Errc::none);
            CHECK(head.framing.kind == row.kind);
            CHECK(head.framing.length == row.length);
            CHECK(head.keep_alive == row.keep_alive);
        }
    }

    TEST_CASE("a malformed answer is refused") {
        struct Row {
            std::string name;
            Answer answer;
        };

        const std::string te = "Transfer-Encoding";
        const std::string cl = "Content-Length";
        const Row rows[] = {
            {"status 0", {0, k11, {{cl, "0"}}}},
            {"status 99", {99, k11, {{cl, "0"}}}},
            {"status 600", {600, k11, {{cl, "0"}}}},
            {"status 1000", {1000, k11, {{cl, "0"}}}},
            {"negative status", {-200, k11, {{cl, "0"}}}},
            {"101", {101, k11, {{"Upgrade", "websocket"}}}},
            {"control in reason", {200, k11, {{cl, "0"}}, "GET", "O\rK"}},
            {"differing lengths", {200, k11, {{cl, "5"}, {cl, "6"}}}},
            {"differing and equal", {200, k11, {{cl, "5"}, {cl, "6"}, {cl, "6"}}}},
            {"differing for HEAD", {200, k11, {{cl, "5"}, {cl, "6"}}, "HEAD"}},
            {"listed length", {200, k11, {{cl, "5, 5"}}}},
            {"length with sign", {200, k11, {{cl, "+5"}}}},
            {"empty length", {200, k11, {{cl, ""}}}},
            {"bad length with 304", {304, k11, {{cl, "x"}}}},
            {"overflowing length", {200, k11, {{cl, "18446744073709551616"}}}},
            {"TE and CL", {200, k11, {{te, "chunked"}, {cl, "5"}}}},
            {"CL and TE", {200, k11, {{cl, "5"}, {te, "chunked"}}}},
            {"TE and CL for HEAD", {200, k11, {{te, "chunked"}, {cl, "5"}}, "HEAD"}},
            {"gzip", {200, k11, {{te, "gzip, chunked"}}}},
            {"identity", {200, k11, {{te, "identity"}}}},
            {"chunked twice", {200, k11, {{te, "chunked"}, {te, "chunked"}}}},
            {"chunked in HTTP/1.0", {200, k10, {{te, "chunked"}}}},
            {"interim with length", {103, k11, {{cl, "5"}}}},
            {"interim with chunks", {100, k11, {{te, "chunked"}}}},
            {"name with space", {200, k11, {{cl, "0"}, {"X ", "y"}}}},
            {"empty name", {200, k11, {{cl, "0"}, {"", "y"}}}},
            {"line feed in value", {200, k11, {{cl, "0"}, {"X", "a\nSet-Cookie: b"}}}},
            {"NUL in value", {200, k11, {{cl, "0"}, {"X", std::string("a\0", 2)}}}},
            {"disguised length", {200, k11, {{"Content_Length", "0"}}}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(check(row.answer).first == Errc::upstream_malformed);
        }
    }

    TEST_CASE("a reading error has its status and others have none") {
        struct Row {
            Errc code;
            int status;
        };

        constexpr Row kRows[] = {
            {Errc::request_malformed, 400},
            {Errc::target_dot_segment, 400},
            {Errc::target_encoded_slash, 400},
            {Errc::target_path_parameter, 400},
            {Errc::host_missing, 400},
            {Errc::framing_conflict, 400},
            {Errc::transfer_encoding_invalid, 400},
            {Errc::chunk_invalid, 400},
            {Errc::chunk_overhead, 400},
            {Errc::head_timeout, 408},
            {Errc::context_forged, 400},
            {Errc::body_timeout, 408},
            {Errc::body_too_large, 413},
            {Errc::target_too_long, 414},
            {Errc::expectation_failed, 417},
            {Errc::head_too_large, 431},
            {Errc::fields_too_many, 431},
            {Errc::method_unsupported, 501},
            {Errc::version_unsupported, 505},
            {Errc::none, 0},
            {Errc::internal, 0},
            {Errc::route_unmatched, 0},
            {Errc::token_expired, 0},
            {Errc::upstream_timeout, 0},
            {Errc::config_invalid, 0},
        };
        for (const Row& row : kRows) {
            CAPTURE(reason_id(row.code));
            CHECK(status_of_read_error(row.code) == row.status);
        }
        // Every reason between the two marks is about reading a request, so none may be forgotten.
        for (int i = static_cast<int>(Errc::request_malformed);
             i <= static_cast<int>(Errc::body_timeout);
             ++i) {
            CAPTURE(reason_id(static_cast<Errc>(i)));
            CHECK(status_of_read_error(static_cast<Errc>(i)) >= 400);
        }
    }
}

}  // namespace gatehouse::http::framing_test
