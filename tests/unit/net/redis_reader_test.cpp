#include "../../../src/net/redis_reader.hpp"

#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace redis_reader_test {

using namespace gatehouse;
using namespace gatehouse::net;
using app::RedisReply;
using Kind = RedisReply::Kind;

namespace {

std::string show(const RedisReply& reply) {
    switch (reply.kind) {
        case Kind::nil:
            return "nil";
        case Kind::text:
            return "'" + reply.text + "'";
        case Kind::integer:
            return std::to_string(reply.integer);
        case Kind::error:
            return "error " + reply.text;
        case Kind::list:
            break;
    }
    std::string text = "[";
    for (const RedisReply& element : reply.list)
        text += show(element) + " ";
    return text + "]";
}

std::string read_all(RedisReader& reader) {
    std::string text;
    while (const auto reply = reader.next())
        text += show(*reply) + ";";
    return text;
}

}  // namespace

TEST_SUITE("net/redis_reader") {
    TEST_CASE("replies are read however they are cut") {
        const std::string bytes =
            "+OK\r\n-ERR no\r\n:42\r\n:-7\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*0\r\n*-1\r\n"
            "*4\r\n:1\r\n$-1\r\n*2\r\n$1\r\nx\r\n+y\r\n$1\r\nz\r\n";
        const std::string want =
            "'OK';error ERR no;42;-7;'a\r\nbc';'';nil;[];nil;[1 nil ['x' 'y' ] 'z' ];";
        for (std::size_t step = 1; step <= bytes.size(); ++step) {
            CAPTURE(step);
            RedisReader reader;
            std::string got;
            for (std::size_t at = 0; at < bytes.size(); at += step) {
                REQUIRE(reader.feed(std::string_view(bytes).substr(at, step)));
                got += read_all(reader);
            }
            CHECK(got == want);
            CHECK_FALSE(reader.failed());
        }
    }

    TEST_CASE("what is no reply ends the reading") {
        struct Row {
            const char* name;
            std::string bytes;
        };

        const Row rows[] = {
            {"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"},
            {"TLS", std::string("\x15\x03\x01\x00\x02\x02\x50", 7)},
            {"RESP 3", "%1\r\n+a\r\n+b\r\n"},
            {"a list without end", "*2000000000\r\n"},
            {"a list beyond the bound", "*65537\r\n"},
            {"such a list in a list", "*2\r\n:1\r\n*65537\r\n"},
            {"nested too deep",
             "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            RedisReader reader;
            CHECK(reader.feed(row.bytes));
            CHECK(read_all(reader) == "");
            CHECK(reader.failed());
            CHECK_FALSE(reader.feed("+OK\r\n"));
            CHECK(read_all(reader) == "");
        }
    }

    TEST_CASE("a reply beyond the bound is not waited for") {
        RedisReader reader;
        CHECK(reader.feed("$2000000000\r\n"));
        const std::string chunk(65536, 'x');
        std::size_t fed = 0;
        while (reader.feed(chunk) && fed < 2 * limits::kSharedReplyBytes) {
            CHECK_FALSE(reader.next());
            fed += chunk.size();
        }
        CHECK(fed <= limits::kSharedReplyBytes);
        CHECK(reader.failed());
    }

    TEST_CASE("many replies leave nothing behind") {
        RedisReader reader;
        const std::string reply = "$1000\r\n" + std::string(1000, 'x') + "\r\n";
        for (std::size_t i = 0; i < 3 * limits::kSharedReplyBytes / reply.size(); ++i) {
            REQUIRE(reader.feed(reply));
            REQUIRE(reader.next());
        }
    }

    TEST_CASE("commands are binary-safe") {
        CHECK(format_command({"SET", std::string("a\0b", 3), "", "\r\n"}) ==
              std::string("*4\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n$2\r\n\r\n\r\n", 36));
    }
}

}  // namespace redis_reader_test
