#include "../../../src/functions/log_lines.hpp"

#include "gatehouse/core/ascii.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace log_lines_test {

using namespace gatehouse;
using namespace gatehouse::functions;

namespace {

struct Collected {
    std::vector<std::string> lines;
    LogLines log{[this](const std::string& line) { lines.push_back(line); }};
};

}  // namespace

TEST_SUITE("functions/log_lines") {
    TEST_CASE("bytes are cut into lines however they come") {
        using Lines = std::vector<std::string>;
        for (const std::size_t step : {1U, 2U, 3U, 100U}) {
            CAPTURE(step);
            Collected collected;
            const std::string_view text = "one\ntwo\r\n\nthree\n\r\nfour";
            for (std::size_t i = 0; i < text.size(); i += step)
                collected.log.write(text.substr(i, step));
            CHECK(collected.lines == Lines{"one", "two", "three"});
            collected.log.end();
            CHECK(collected.lines == Lines{"one", "two", "three", "four"});
            CHECK(collected.log.last() == "one | two | three | four");
        }
    }

    TEST_CASE("controls and bytes that are no UTF-8 are escaped and text is left alone") {
        struct Row {
            const char* name;
            std::string_view text;
            const char* want;
        };

        const Row rows[] = {
            {"JSON", R"({"a":"b\n"})", R"({"a":"b\n"})"},
            {"tab", "a\tb", "a\tb"},
            {"UTF-8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"},
            {"colour", "\x1b[31mred", "\\x1b[31mred"},
            {"bell and NUL", std::string_view("a\a\0b", 4), "a\\x07\\x00b"},
            {"carriage return inside", "good\rbad", "good\\x0dbad"},
            {"DEL", "\x7f", "\\x7f"},
            {"C1 control",
             "\xc2\x9b"
             "31m",
             "\\xc2\\x9b31m"},
            {"first after C1", "\xc2\xa0", "\xc2\xa0"},
            {"Latin-1", "gr\xfc\xdf", "gr\\xfc\\xdf"},
            {"half a character at the end", "a\xc2", "a\\xc2"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(escape_controls(row.text) == row.want);
        }
    }

    TEST_CASE("a long line is cut and the rest of it dropped") {
        Collected collected;
        for (int i = 0; i < 100; ++i)
            collected.log.write(std::string(1000, 'a'));
        CHECK(collected.lines.empty());
        collected.log.write("\nnext\n");
        REQUIRE(collected.lines.size() == 2);
        CHECK(collected.lines[0].size() <= limits::kFunctionLogLine + 3);
        CHECK(collected.lines[0].ends_with("a…"));
        CHECK(collected.lines[1] == "next");
    }

    TEST_CASE("a cut falls between characters") {
        for (std::size_t before = 0; before < 4; ++before) {
            CAPTURE(before);
            Collected collected;
            std::string line(before, 'x');
            while (line.size() < 2 * limits::kFunctionLogLine)
                line += "\xf0\x9f\x98\x80";
            collected.log.write(line + "\n");
            REQUIRE(collected.lines.size() == 1);
            CHECK(is_utf8(collected.lines[0]));
            CHECK(collected.lines[0].find('\\') == std::string::npos);
            CHECK(is_utf8(collected.log.last()));
        }
    }

    TEST_CASE("a line of exactly the most bytes is whole") {
        Collected collected;
        const std::string line(limits::kFunctionLogLine, 'a');
        collected.log.write(line + "\n");
        CHECK(collected.lines == std::vector<std::string>{line});
    }

    TEST_CASE("the last ten lines are kept and each is cut") {
        Collected collected;
        for (int i = 0; i < 20; ++i)
            collected.log.write("line " + std::to_string(i) + "\n");
        collected.log.write(std::string(500, 'z') + "\n");
        const std::string last = collected.log.last();
        CHECK(last.find("line 10 ") == std::string::npos);
        CHECK(last.starts_with("line 11 | line 12 | "));
        CHECK(last.ends_with(" | " + std::string(200, 'z')));
    }
}

}  // namespace log_lines_test
