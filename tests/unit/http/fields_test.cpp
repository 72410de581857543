#include "gatehouse/http/fields.hpp"

#include "gatehouse/core/ascii.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <string>
#include <string_view>

namespace gatehouse::http::fields_test {
namespace {

struct Known {
    std::string_view name;
    FieldId id;
};

// Every FieldId once, as it is usually written.
constexpr Known kKnown[] = {
    {"Accept", FieldId::accept},
    {"Age", FieldId::age},
    {"Authorization", FieldId::authorization},
    {"Connection", FieldId::connection},
    {"Content-Encoding", FieldId::content_encoding},
    {"Content-Length", FieldId::content_length},
    {"Content-MD5", FieldId::content_md5},
    {"Content-Type", FieldId::content_type},
    {"Cookie", FieldId::cookie},
    {"Date", FieldId::date},
    {"Expect", FieldId::expect},
    {"Host", FieldId::host},
    {"HTTP2-Settings", FieldId::http2_settings},
    {"Keep-Alive", FieldId::keep_alive},
    {"Max-Forwards", FieldId::max_forwards},
    {"Origin", FieldId::origin},
    {"Proxy-Authenticate", FieldId::proxy_authenticate},
    {"Proxy-Authorization", FieldId::proxy_authorization},
    {"Proxy-Connection", FieldId::proxy_connection},
    {"Referer", FieldId::referer},
    {"Server", FieldId::server},
    {"TE", FieldId::te},
    {"Trailer", FieldId::trailer},
    {"Transfer-Encoding", FieldId::transfer_encoding},
    {"Upgrade", FieldId::upgrade},
    {"User-Agent", FieldId::user_agent},
    {"Via", FieldId::via},
    {"WWW-Authenticate", FieldId::www_authenticate},
    {"x-amz-apigw-id", FieldId::x_amz_apigw_id},
    {"X-Amzn-Apigateway-Api-Id", FieldId::x_amzn_apigateway_api_id},
    {"x-amzn-ErrorType", FieldId::x_amzn_errortype},
    {"x-amzn-request-context", FieldId::x_amzn_request_context},
    {"x-amzn-RequestId", FieldId::x_amzn_requestid},
    {"X-Amzn-Trace-Id", FieldId::x_amzn_trace_id},
    {"X-Forwarded-For", FieldId::x_forwarded_for},
    {"X-Forwarded-Host", FieldId::x_forwarded_host},
    {"X-Forwarded-Port", FieldId::x_forwarded_port},
    {"X-Forwarded-Proto", FieldId::x_forwarded_proto},
    {"X-HTTP-Method-Override", FieldId::x_http_method_override},
};

static_assert(std::size(kKnown) == static_cast<std::size_t>(FieldId::x_http_method_override));

std::string to_upper(std::string_view text) {
    std::string upper(text);
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return upper;
}

}  // namespace

TEST_SUITE("http/fields") {
    TEST_CASE("every known name is found in any letter case") {
        for (const Known& row : kKnown) {
            CAPTURE(row.name);
            CHECK(find_field_id(row.name) == row.id);
            CHECK(find_field_id(to_lower(row.name)) == row.id);
            CHECK(find_field_id(to_upper(row.name)) == row.id);
        }
    }

    TEST_CASE("a name that is nearly a known one is another name") {
        for (const Known& row : kKnown) {
            const std::string name(row.name);
            CAPTURE(name);
            CHECK(find_field_id(name + "x") == FieldId::other);
            CHECK(find_field_id(name + " ") == FieldId::other);
            CHECK(find_field_id("x" + name) == FieldId::other);
            // "te" without its first letter is "e", and so on: never another known name.
            CHECK(find_field_id(name.substr(1)) == FieldId::other);
            // 0x0d and '-' differ in one bit only, as do letter cases.
            std::string folded = name;
            for (char& c : folded) {
                if (c == '-') c = '\r';
            }
            if (folded != name) CHECK(find_field_id(folded) == FieldId::other);
        }
        for (const std::string_view name :
             {"", "x", "content_length", "transfer_encoding", "h\xd3st", "x-authorizer-user"}) {
            CAPTURE(name);
            CHECK(find_field_id(name) == FieldId::other);
        }
        CHECK(find_field_id(std::string(100000, 'a')) == FieldId::other);
    }

    TEST_CASE("every bit of every byte of a name counts, but for the case of its letters") {
        for (const Known& row : kKnown) {
            for (std::size_t at = 0; at < row.name.size(); ++at) {
                for (int bit = 0; bit < 8; ++bit) {
                    std::string name(row.name);
                    name[at] = static_cast<char>(name[at] ^ (1 << bit));
                    const bool same = equals_ignoring_case(name, row.name);
                    CAPTURE(name);
                    CHECK((find_field_id(name) == row.id) == same);
                }
            }
        }
    }

    TEST_CASE("a field line is taken when it is whole and valid by itself") {
        struct Row {
            std::string line;
            std::string_view name;
            std::string_view value;
        };

        const std::string longs(700, 'v');
        const Row rows[] = {
            {"A: b\r\n", "A", "b"},
            {"A:b\r\n", "A", "b"},
            {"A:\r\n", "A", ""},
            {"A: \t \r\n", "A", ""},
            {"A: \t b c \t\r\n", "A", "b c"},
            {"A: b\tc\r\n", "A", "b\tc"},
            {"A: b: c\r\n", "A", "b: c"},
            {"A: \x80\xff\r\n", "A", "\x80\xff"},
            {"host: x\r\n", "host", "x"},
            {"X-Of-More-Than-Sixteen-Bytes: b\r\n", "X-Of-More-Than-Sixteen-Bytes", "b"},
            {"A: " + longs + "\r\n", "A", longs},
            {"A: " + longs + "\t" + longs + "\r\n", "A", {}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.line);
            for (const std::string_view behind : {"", "\r\n", "B: c\r\n\r\n0123456789abcdef"}) {
                Field field;
                const std::string bytes = row.line + std::string(behind);
                CHECK(take_field_line(bytes, field) == row.line.size());
                CHECK(field.name == row.name);
                if (row.value.data() != nullptr) CHECK(field.value == row.value);
                CHECK(field.id == find_field_id(row.name));
            }
            // Not before its last byte is there.
            for (std::size_t size = 0; size < row.line.size(); ++size) {
                Field field;
                CHECK(take_field_line(std::string_view(row.line).substr(0, size), field) == 0);
            }
        }
    }

    TEST_CASE("no other line is taken") {
        const std::string_view lines[] = {
            "\r\n",
            ": b\r\n",
            "A\r\n",
            "A b\r\n",
            "A : b\r\n",
            " A: b\r\n",
            "\tA: b\r\n",
            "A\x80: b\r\n",
            "(A): b\r\n",
            "A: b\n",
            "A: b\r",
            "A: b\rc\r\n",
            "A: b\r\r\n",
            "A\r\nB: c\r\n",  // the colon is another line's
            "Ho\rst: b\r\n",
        };
        for (const std::string_view line : lines) {
            CAPTURE(line);
            Field field;
            CHECK(take_field_line(line, field) == 0);
            CHECK(take_field_line(std::string(line) + "B: c\r\n\r\n", field) == 0);
        }
        // A control anywhere in a value, short or long.
        for (const std::size_t size : {1U, 15U, 16U, 17U, 70U, 200U}) {
            for (std::size_t at = 0; at < size; ++at) {
                for (const char control : {'\0', '\n', '\x1f', '\x7f'}) {
                    std::string line = "A: " + std::string(size, 'b') + "\r\n";
                    line[3 + at] = control;
                    Field field;
                    CHECK(take_field_line(line, field) == 0);
                }
            }
        }
    }

    TEST_CASE("the first field of a name is found") {
        const Field fields[] = {{"A", "1", FieldId::other},
                                {"Host", "h", FieldId::host},
                                {"a", "2", FieldId::other},
                                {"Via", "x", FieldId::via},
                                {"via", "y", FieldId::via}};
        CHECK(find_field(fields, "a")->value == "1");
        CHECK(find_field(fields, "HOST")->value == "h");
        CHECK(find_field(fields, FieldId::via)->value == "x");
        CHECK(find_field(fields, "b") == nullptr);
        CHECK(find_field(fields, "") == nullptr);
        CHECK(find_field(fields, FieldId::te) == nullptr);
        CHECK(find_field({}, "a") == nullptr);
    }

    TEST_CASE("a list has a token only as a whole element") {
        struct Row {
            std::string_view value;
            bool wanted;
        };

        constexpr Row kRows[] = {
            {"close", true},
            {"Close", true},
            {"keep-alive, close", true},
            {"close,keep-alive", true},
            {" \t,, close\t,x", true},
            {"", false},
            {",", false},
            {"closed", false},
            {"xclose", false},
            {"close;q=1", false},
            {"keep-alive close", false},
            {"\"close\"", false},
            {"clo,se", false},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.value);
            CHECK(list_has_token(row.value, "close") == row.wanted);
        }
    }
}

}  // namespace gatehouse::http::fields_test
