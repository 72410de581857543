#include "../../../src/net/head_parser.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace head_parser_test {

using namespace gatehouse;
using namespace gatehouse::net;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_SUITE_BEGIN("net/head_parser");

namespace {

constexpr HeadScanner::Limits kPlenty{1000, 1000, 20};
constexpr HeadScanner::Limits kEnough{100000, 100000, 1000};

struct Scanned {
    bool whole = false;
    Errc error = Errc::none;
    std::size_t begin = 0;
    std::size_t end = 0;
};

// The bytes at once, or one more with each call as a slow peer sends them.
Scanned scan(std::string_view bytes, const HeadScanner::Limits& limits, bool at_once) {
    HeadScanner scanner;
    bool whole = false;
    for (std::size_t size = at_once ? bytes.size() : 1; size <= bytes.size(); ++size) {
        whole = scanner.scan(bytes.substr(0, size), limits);
        if (whole || scanner.error() != Errc::none) break;
    }
    return {whole, scanner.error(), scanner.head_begin(), scanner.head_end()};
}

// A copy of exactly that size, so that ASan sees a read past its end.
struct Parsed {
    explicit Parsed(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
        std::memcpy(bytes.get(), text.data(), size);
    }

    std::string_view view() const { return {bytes.get(), size}; }

    std::unique_ptr<char[]> bytes;
    std::size_t size;
    HeadScanner scanner;
};

Errc read(Parsed& parsed, http::RequestHead& head) {
    if (!parsed.scanner.scan(parsed.view(), kEnough)) return parsed.scanner.error();
    return parsed.scanner.read_request_head(head);
}

Errc read(Parsed& parsed, std::string_view method, http::ResponseHead& head) {
    if (!parsed.scanner.scan(parsed.view(), kEnough)) return Errc::upstream_malformed;
    return parsed.scanner.read_response_head(method, head);
}

Errc parse_request(std::string_view text) {
    Parsed parsed(text);
    http::RequestHead head;
    return read(parsed, head);
}

Errc parse_response(std::string_view text, std::string_view method = "GET") {
    Parsed parsed(text);
    http::ResponseHead head;
    return read(parsed, method, head);
}

}  // namespace

TEST_CASE("a head ends at its empty line however slowly it comes") {
    struct Row {
        std::string name;
        std::string bytes;
        std::size_t begin;
        std::size_t end;
    };

    const Row rows[] = {
        {"line alone", "GET / HTTP/1.1\r\n\r\n", 0, 18},
        {"fields", "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n", 0, 30},
        {"what follows is not looked at", "GET / HTTP/1.1\r\n\r\n\n\0\r \n"s, 0, 18},
        {"one empty line in front", "\r\nGET / HTTP/1.1\r\n\r\n", 2, 20},
        {"two empty lines in front", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", 4, 22},
        {"empty value", "GET / HTTP/1.1\r\nA:\r\n\r\n", 0, 22},
    };
    for (const Row& row : rows) {
        for (const bool at_once : {true, false}) {
            CAPTURE(row.name);
            CAPTURE(at_once);
            const Scanned scanned = scan(row.bytes, kPlenty, at_once);
            CHECK(scanned.whole);
            CHECK(scanned.error == Errc::none);
            CHECK(scanned.begin == row.begin);
            CHECK(scanned.end == row.end);
        }
    }
}

TEST_CASE("what no later byte can mend is refused at once") {
    struct Row {
        std::string name;
        std::string bytes;
        Errc error;
    };

    const Row rows[] = {
        {"bare LF after the line", "GET / HTTP/1.1\n", Errc::request_malformed},
        {"bare LF after a field", "GET / HTTP/1.1\r\nA: b\n", Errc::request_malformed},
        {"bare LF for the empty line", "GET / HTTP/1.1\r\nA: b\r\n\n", Errc::request_malformed},
        {"LF alone", "\n", Errc::request_malformed},
        {"three empty lines in front", "\r\n\r\n\r\n", Errc::request_malformed},
        {"fold by a blank", "GET / HTTP/1.1\r\nA: b\r\n c\r\n", Errc::field_invalid},
        {"fold by a tab", "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", Errc::field_invalid},
        {"fold of the first field", "GET / HTTP/1.1\r\n A: b\r\n", Errc::field_invalid},
        {"line of blanks for the empty one",
         "GET / HTTP/1.1\r\nA: b\r\n \r\n",
         Errc::field_invalid},
        {"line too long",
         "GET /" + std::string(1000, 'a') + " HTTP/1.1\r\n",
         Errc::target_too_long},
        {"line too long and never ending", std::string(1002, 'a'), Errc::target_too_long},
        {"fields too large",
         "GET / HTTP/1.1\r\nA: " + std::string(996, 'a') + "\r\n",
         Errc::head_too_large},
        {"field that never ends",
         "GET / HTTP/1.1\r\nA: " + std::string(1002, 'a'),
         Errc::head_too_large},
    };
    for (const Row& row : rows) {
        for (const bool at_once : {true, false}) {
            CAPTURE(row.name);
            CAPTURE(at_once);
            const Scanned scanned = scan(row.bytes, kPlenty, at_once);
            CHECK_FALSE(scanned.whole);
            CHECK(scanned.error == row.error);
        }
    }
}

TEST_CASE("each limit lets its own value pass and no more") {
    const auto line = [](std::size_t size) {
        return "GET /" + std::string(size - 14, 'a') + " HTTP/1.1\r\n\r\n";
    };
    CHECK(scan(line(1000), kPlenty, true).whole);
    CHECK(scan(line(1001), kPlenty, true).error == Errc::target_too_long);

    // All field lines with their line ends, the empty line not counted.
    const auto fields = [](std::size_t size) {
        return "GET / HTTP/1.1\r\nA: " + std::string(size - 5, 'a') + "\r\n\r\n";
    };
    CHECK(scan(fields(1000), kPlenty, true).whole);
    CHECK(scan(fields(1001), kPlenty, true).error == Errc::head_too_large);

    const auto count = [](int lines) {
        std::string head = "GET / HTTP/1.1\r\n";
        for (int i = 0; i < lines; ++i)
            head += "A: b\r\n";
        return head + "\r\n";
    };
    CHECK(scan(count(20), kPlenty, true).whole);
    CHECK(scan(count(21), kPlenty, true).error == Errc::fields_too_many);
}

TEST_CASE("a scanner that is reset has forgotten everything") {
    HeadScanner scanner;
    CHECK_FALSE(scanner.scan("\r\nGET / HTTP/1.1\n", kPlenty));
    CHECK(scanner.error() != Errc::none);
    CHECK_FALSE(scanner.scan("\r\nGET / HTTP/1.1\r\n\r\n", kPlenty));
    scanner.reset();
    CHECK(scanner.scan("GET / HTTP/1.1\r\n\r\n", kPlenty));
    CHECK(scanner.head_begin() == 0);
    CHECK(scanner.error() == Errc::none);
}

TEST_CASE("a request head becomes views into its bytes") {
    Parsed parsed(
        "POST /a?b=c HTTP/1.1\r\nHost: x.example\r\nX-A: \t one \t\r\nX-A:\r\nContent-Length: "
        "5\r\n\r\n");
    http::RequestHead head;
    REQUIRE(read(parsed, head) == Errc::none);
    CHECK(head.method == "POST");
    CHECK(head.target == "/a?b=c");
    CHECK(head.version == http::Version::http_1_1);
    CHECK(head.host == "x.example");
    CHECK(head.framing.kind == http::Framing::Kind::length);
    CHECK(head.framing.length == 5);
    CHECK(head.keep_alive);
    REQUIRE(head.fields.size() == 4);
    CHECK(head.fields[0].id == http::FieldId::host);
    CHECK(head.fields[1].name == "X-A");
    CHECK(head.fields[1].value == "one");
    CHECK(head.fields[2].value.empty());
    for (const http::Field& field : head.fields) {
        CHECK(field.name.data() > parsed.bytes.get());
        CHECK(field.name.data() < parsed.bytes.get() + parsed.size);
    }
    Parsed old("GET / HTTP/1.0\r\n\r\n");
    REQUIRE(read(old, head) == Errc::none);
    CHECK(head.fields.empty());
    CHECK(head.version == http::Version::http_1_0);
    CHECK_FALSE(head.keep_alive);
}

TEST_CASE("a head that moves while it comes is read where it stands") {
    const std::string_view text =
        "GET / HTTP/1.1\r\nHost: x.example\r\nX-A: one\r\nX-B: two\r\n\r\n";
    HeadScanner scanner;
    std::string bytes;
    bool whole = false;
    for (std::size_t size = 1; size <= text.size() && !whole; ++size) {
        std::string moved(text.substr(0, size));
        moved.swap(bytes);
        moved.assign(moved.size(), '!');  // nobody reads it there any more
        whole = scanner.scan(bytes, kPlenty);
    }
    REQUIRE(whole);
    const std::string kept = bytes;
    bytes.assign(bytes.size(), '!');
    scanner.move_to(kept.data());
    http::RequestHead head;
    REQUIRE(scanner.read_request_head(head) == Errc::none);
    CHECK(head.target == "/");
    CHECK(head.host == "x.example");
    REQUIRE(head.fields.size() == 3);
    CHECK(head.fields[1].name == "X-A");
    CHECK(head.fields[2].value == "two");
}

TEST_CASE("request heads that two readers could take differently are refused") {
    struct Row {
        std::string name;
        std::string bytes;
        Errc error;
    };

    const auto with = [](std::string_view lines) {
        return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(lines) + "\r\n\r\n";
    };
    const Row rows[] = {
        // What two readers frame, or route, in two ways. No order of the fields makes a difference.
        {"length then chunked",
         with("Content-Length: 5\r\nTransfer-Encoding: chunked"),
         Errc::framing_conflict},
        {"chunked then length",
         with("Transfer-Encoding: chunked\r\nContent-Length: 5"),
         Errc::framing_conflict},
        {"length 0 then chunked",
         with("Content-Length: 0\r\nTransfer-Encoding: chunked"),
         Errc::framing_conflict},
        {"chunked in HTTP/1.0",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         Errc::transfer_encoding_invalid},
        {"other coding", with("Transfer-Encoding: gzip"), Errc::transfer_encoding_invalid},
        {"other coding before chunked",
         with("Transfer-Encoding: gzip, chunked"),
         Errc::transfer_encoding_invalid},
        {"chunked twice",
         with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
         Errc::transfer_encoding_invalid},
        {"identity then chunked",
         with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
         Errc::transfer_encoding_invalid},
        {"equal lengths",
         with("Content-Length: 5\r\nContent-Length: 5"),
         Errc::content_length_invalid},
        {"different lengths",
         with("Content-Length: 5\r\nContent-Length: 6"),
         Errc::content_length_invalid},
        {"list of lengths", with("Content-Length: 5, 5"), Errc::content_length_invalid},
        {"length with a sign", with("Content-Length: +5"), Errc::content_length_invalid},
        {"length over 64 bits",
         with("Content-Length: 18446744073709551616"),
         Errc::content_length_invalid},
        {"length in disguise", with("Content_Length: 5"), Errc::field_invalid},
        {"coding in disguise", with("transfer_encoding: chunked"), Errc::field_invalid},
        {"Host twice", with("Host: x"), Errc::host_repeated},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", Errc::host_missing},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", Errc::host_invalid},
        {"absolute form of another host",
         "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n",
         Errc::host_invalid},
        {"other expectation", with("Expect: 200-ok"), Errc::expectation_failed},
        {"CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", Errc::method_unsupported},
        {"asterisk for GET", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", Errc::target_invalid},
        // Syntax.
        {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", Errc::version_unsupported},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: x\r\n\r\n", Errc::version_unsupported},
        {"HTTP/0.9", "GET /\r\n\r\n", Errc::request_malformed},
        {"blank at the end of the line",
         "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
         Errc::request_malformed},
        {"CR before the line's end",
         "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
         Errc::request_malformed},
        {"two blanks", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", Errc::request_malformed},
        {"tab for a blank", "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", Errc::request_malformed},
        {"no method", " / HTTP/1.1\r\nHost: x\r\n\r\n", Errc::request_malformed},
        {"blank before the colon", with("X-A : b"), Errc::field_invalid},
        {"no colon", with("X-A b"), Errc::field_invalid},
        {"no name", with(": b"), Errc::field_invalid},
        {"NUL in a value", with("X-A: a\0b"sv), Errc::field_invalid},
        {"CR in a value", with("X-A: a\rX-B: c"), Errc::field_invalid},
        {"CR before the field's end", with("X-A: a\r"), Errc::field_invalid},
        {"byte over 127 in a name", with("X-\xc3\xa9: b"), Errc::field_invalid},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Errc error = parse_request(row.bytes);
        CHECK(error != Errc::none);
        CHECK(reason_id(error) == reason_id(row.error));
    }
    CHECK(parse_request(with("Content-Length: 5")) == Errc::none);
    CHECK(parse_request(with("Transfer-Encoding: chunked")) == Errc::none);
    CHECK(parse_request(with("Expect: 100-continue\r\nContent-Length: 5")) == Errc::none);
}

TEST_CASE("answer heads are read as strictly") {
    const auto with = [](std::string_view lines) {
        return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n\r\n";
    };
    const std::pair<std::string, std::string> rows[] = {
        {"length and chunks", with("Content-Length: 5\r\nTransfer-Encoding: chunked")},
        {"chunks and length", with("Transfer-Encoding: chunked\r\nContent-Length: 5")},
        {"different lengths", with("Content-Length: 5\r\nContent-Length: 6")},
        {"list of lengths", with("Content-Length: 5, 5")},
        {"negative length", with("Content-Length: -5")},
        {"other coding", with("Transfer-Encoding: gzip")},
        {"chunked twice", with("Transfer-Encoding: chunked, chunked")},
        {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"a switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
        {"interim answer with a length", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n"},
        {"interim answer with chunks",
         "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
        {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"},
        {"status below 100", "HTTP/1.1 099 No\r\n\r\n"},
        {"status above 599", "HTTP/1.1 600 No\r\n\r\n"},
        {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"},
        {"another protocol", "ICY 200 OK\r\n\r\n"},
        {"lower case", "http/1.1 200 OK\r\n\r\n"},
        {"control in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n"},
        {"CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n"},
        {"blank before the colon", with("X-A : b")},
        {"NUL in a value", with("X-A: a\0b"sv)},
        {"CR in a value", with("X-A: a\rX-B: c")},
        {"length in disguise", with("Content_Length: 5")},
        {"nothing", ""},
    };
    for (const auto& [name, bytes] : rows) {
        CAPTURE(name);
        CHECK(reason_id(parse_response(bytes)) == reason_id(Errc::upstream_malformed));
    }
}

TEST_CASE("the framing of an answer follows its status and the method") {
    struct Row {
        std::string name;
        std::string bytes;
        const char* method;
        http::Framing::Kind kind;
        bool keep_alive;
    };

    using Kind = http::Framing::Kind;
    const Row rows[] = {
        {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", Kind::length, true},
        {"equal lengths",
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
         "GET",
         Kind::length,
         true},
        {"chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
         "GET",
         Kind::chunked,
         true},
        {"neither", "HTTP/1.1 200 OK\r\n\r\n", "GET", Kind::until_close, false},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", Kind::length, false},
        {"HTTP/1.0 that stays",
         "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
         "GET",
         Kind::length,
         true},
        {"close",
         "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n",
         "GET",
         Kind::length,
         false},
        {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", Kind::none, true},
        {"HEAD of chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "HEAD",
         Kind::none,
         true},
        {"204", "HTTP/1.1 204 No Content\r\n\r\n", "GET", Kind::none, true},
        {"204 that announces content",
         "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
         "GET",
         Kind::none,
         false},
        {"304 with a length",
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
         "GET",
         Kind::none,
         true},
        {"interim", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "GET", Kind::none, true},
        {"no reason", "HTTP/1.1 204 \r\n\r\n", "GET", Kind::none, true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Parsed parsed(row.bytes);
        http::ResponseHead head;
        REQUIRE(read(parsed, row.method, head) == Errc::none);
        CHECK(head.framing.kind == row.kind);
        CHECK(head.keep_alive == row.keep_alive);
    }
}

TEST_SUITE_END();

}  // namespace head_parser_test
