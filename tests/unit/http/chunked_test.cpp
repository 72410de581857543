#include "gatehouse/http/chunked.hpp"

#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>

namespace gatehouse::http::chunked_test {
namespace {

struct Outcome {
    std::string content;
    std::size_t consumed = 0;
    Errc error = Errc::none;
    bool done = false;

    bool operator==(const Outcome&) const = default;
};

// Feeds `input` in pieces of `size` bytes, as a socket might give them.
Outcome decode(std::string_view input, std::size_t size = std::string_view::npos) {
    ChunkedDecoder decoder;
    Outcome outcome;
    while (!input.empty() && !decoder.done() && outcome.error == Errc::none) {
        std::string_view piece = input.substr(0, size);
        input.remove_prefix(piece.size());
        while (!piece.empty() && !decoder.done() && outcome.error == Errc::none) {
            const ChunkedDecoder::Step step = decoder.feed(piece);
            outcome.content += step.data;
            outcome.consumed += step.consumed;
            outcome.error = step.error;
            piece.remove_prefix(step.consumed);
        }
    }
    outcome.done = decoder.done();
    CHECK(decoder.content_bytes() == outcome.content.size());
    return outcome;
}

struct Row {
    std::string name;
    std::string input;
    Errc error = Errc::none;
    bool done = true;
    std::string content = {};
    std::size_t left = 0;  // bytes behind the end
};

std::string repeat(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += text;
    return out;
}

const Row kRows[] = {
    {"empty", "0\r\n\r\n"},
    {"one chunk", "5\r\nhello\r\n0\r\n\r\n", Errc::none, true, "hello"},
    {"two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", Errc::none, true, "hello"},
    {"hexadecimal both cases",
     "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
     Errc::none,
     true,
     "01234567890123456789"},
    {"content that looks like framing",
     "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
     Errc::none,
     true,
     "\r\n0\r\n\r\n"},
    {"leading zeros", "0000000000000002\r\nhe\r\n00\r\n\r\n", Errc::none, true, "he"},
    {"extension", "2;a=b;c=\"d;\"\r\nhe\r\n0;x\r\n\r\n", Errc::none, true, "he"},
    {"empty extension", "2;\r\nhe\r\n0\r\n\r\n", Errc::none, true, "he"},
    {"trailers", "0\r\nAuthorization: Bearer x\r\nX-Empty:\r\n\r\n"},
    {"another message behind", "0\r\n\r\nGET / HTTP/1.1\r\n", Errc::none, true, "", 16},
    {"not finished", "5\r\nhel", Errc::none, false, "hel"},
    {"not finished in the end", "0\r\n\r", Errc::none, false},

    {"no size", "\r\nhello", Errc::chunk_invalid, false},
    {"size of letters", "xyz\r\n", Errc::chunk_invalid, false},
    {"size with prefix", "0x5\r\nhello\r\n", Errc::chunk_invalid, false},
    {"size with sign", "+5\r\nhello\r\n", Errc::chunk_invalid, false},
    {"negative size", "-1\r\n", Errc::chunk_invalid, false},
    {"space before the size", " 5\r\nhello\r\n", Errc::chunk_invalid, false},
    {"space behind the size", "5 \r\nhello\r\n", Errc::chunk_invalid, false},
    {"space before an extension", "5 ;x\r\nhello\r\n", Errc::chunk_invalid, false},
    {"underscore in the size", "1_0\r\n", Errc::chunk_invalid, false},
    {"NUL in the size", std::string("5\0\r\n", 4), Errc::chunk_invalid, false},
    {"only an extension", ";x\r\n", Errc::chunk_invalid, false},
    {"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", Errc::chunk_invalid, false},
    {"bare CR behind the size", "5\rhello\r\n", Errc::chunk_invalid, false},
    {"two CR", "5\r\r\nhello", Errc::chunk_invalid, false},
    {"size that overflows", "10000000000000000\r\n", Errc::chunk_invalid, false},
    {"size that wraps to 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", Errc::chunk_invalid, false},
    {"too many zeros", "00000000000000005\r\nhello", Errc::chunk_invalid, false},
    {"too many zeros in a later chunk",
     "1\r\na\r\n00000000000000000\r\n\r\n",
     Errc::chunk_invalid,
     false,
     "a"},
    {"chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n", Errc::chunk_invalid, false, "hell"},
    {"chunk shorter than its size",
     "6\r\nhello\r\n0\r\n\r\n",
     Errc::chunk_invalid,
     false,
     "hello\r"},
    {"bare LF behind the content", "5\r\nhello\n0\r\n\r\n", Errc::chunk_invalid, false, "hello"},
    {"bare CR behind the content", "5\r\nhello\r0\r\n\r\n", Errc::chunk_invalid, false, "hello"},
    {"nothing behind the content", "5\r\nhello0\r\n\r\n", Errc::chunk_invalid, false, "hello"},
    {"LF in an extension", "5;a\nb\r\nhello", Errc::chunk_invalid, false},
    {"bare CR in an extension", "5;a\rb\r\nhello", Errc::chunk_invalid, false},
    {"NUL in an extension", std::string("5;a\0\r\nhello", 11), Errc::chunk_invalid, false},
    {"quoted line end in an extension",
     "5;a=\"\r\nhello\r\n0\r\n\r\n\"\r\n",
     Errc::none,
     true,
     "hello",
     3},
    {"last chunk without its empty line", "0\r\nGET / HTTP/1.1\r\n", Errc::chunk_invalid, false},
    {"bare LF at the end", "0\r\n\n", Errc::chunk_invalid, false},
    {"bare LF behind the last size", "0\n\r\n", Errc::chunk_invalid, false},
    {"bare CR at the end", "0\r\n\rX", Errc::chunk_invalid, false},
    {"trailer without colon", "0\r\nabc\r\n\r\n", Errc::chunk_invalid, false},
    {"trailer without name", "0\r\n: x\r\n\r\n", Errc::chunk_invalid, false},
    {"trailer with space before the colon", "0\r\na : x\r\n\r\n", Errc::chunk_invalid, false},
    {"folded trailer", "0\r\na: x\r\n y\r\n\r\n", Errc::chunk_invalid, false},
    {"bare LF in a trailer", "0\r\na: x\nb: y\r\n\r\n", Errc::chunk_invalid, false},
    {"bare CR in a trailer", "0\r\na: x\rb: y\r\n\r\n", Errc::chunk_invalid, false},
    {"NUL in a trailer", std::string("0\r\na: \0\r\n\r\n", 11), Errc::chunk_invalid, false},

    {"extensions up to the limit",
     "0;" + std::string(limits::kChunkExtensionBytes, 'x') + "\r\n\r\n"},
    {"extension over the limit",
     "0;" + std::string(limits::kChunkExtensionBytes + 1, 'x') + "\r\n\r\n",
     Errc::chunk_overhead,
     false},
    {"many extensions over the limit",
     repeat("1;xxxx\r\na\r\n", 1025),
     Errc::chunk_overhead,
     false,
     std::string(1024, 'a')},
    {"trailers up to the limit",
     "0\r\na:" + std::string(limits::kTrailerBytes - 4, 'x') + "\r\n\r\n"},
    {"trailer over the limit",
     "0\r\na:" + std::string(limits::kTrailerBytes, 'x') + "\r\n\r\n",
     Errc::chunk_overhead,
     false},
    {"many trailers over the limit",
     "0\r\n" + repeat("a:\r\n", 2049) + "\r\n",
     Errc::chunk_overhead,
     false},
};

}  // namespace

TEST_SUITE("http/chunked") {
    TEST_CASE("chunks are taken apart and every deviation is refused") {
        for (const Row& row : kRows) {
            CAPTURE(row.name);
            const Outcome outcome = decode(row.input);
            CHECK(outcome.error == row.error);
            CHECK(outcome.done == row.done);
            CHECK(outcome.content == row.content);
            if (row.error == Errc::none) CHECK(outcome.consumed == row.input.size() - row.left);
        }
    }

    TEST_CASE("the outcome does not depend on how the bytes arrive") {
        for (const Row& row : kRows) {
            const Outcome whole = decode(row.input);
            for (const std::size_t size : {1, 2, 3, 5, 7, 64}) {
                CAPTURE(row.name);
                CAPTURE(size);
                CHECK(decode(row.input, size) == whole);
            }
        }
    }

    TEST_CASE("content comes as views into the input") {
        const std::string input = "5\r\nhello\r\n0\r\n\r\nnext";
        ChunkedDecoder decoder;
        const ChunkedDecoder::Step first = decoder.feed(input);
        CHECK(first.data.data() == input.data() + 3);
        CHECK(first.data == "hello");
        CHECK(first.consumed == 8);
        const ChunkedDecoder::Step second = decoder.feed(std::string_view(input).substr(8));
        CHECK(second.data.empty());
        CHECK(second.consumed == 7);
        CHECK(decoder.done());
        const ChunkedDecoder::Step third = decoder.feed("next");
        CHECK(third.consumed == 0);
        CHECK(third.error == Errc::none);
    }

    TEST_CASE("a failed decoder stays failed") {
        ChunkedDecoder decoder;
        CHECK(decoder.feed("x").error == Errc::chunk_invalid);
        const ChunkedDecoder::Step step = decoder.feed("0\r\n\r\n");
        CHECK(step.error == Errc::chunk_invalid);
        CHECK(step.consumed == 0);
        CHECK_FALSE(decoder.done());
    }

    TEST_CASE("the largest size is counted exactly") {
        ChunkedDecoder decoder;
        CHECK(decoder.feed("ffffffffffffffff\r\n").error == Errc::none);
        CHECK(decoder.feed("abc").data == "abc");
        CHECK(decoder.content_bytes() == 3);
    }

    TEST_CASE("a written chunk head reads back") {
        struct Size {
            std::uint64_t size;
            std::string_view wanted;
        };

        constexpr Size kSizes[] = {
            {0, "0\r\n"},
            {1, "1\r\n"},
            {15, "f\r\n"},
            {16, "10\r\n"},
            {65536, "10000\r\n"},
            {std::numeric_limits<std::uint64_t>::max(), "ffffffffffffffff\r\n"},
        };
        for (const Size& row : kSizes) {
            CAPTURE(row.wanted);
            char out[18];
            CHECK(std::string_view(out, write_chunk_head(out, row.size)) == row.wanted);
            CHECK(decode(row.wanted).error == Errc::none);
        }
    }
}

}  // namespace gatehouse::http::chunked_test
