#include "gatehouse/config/locate.hpp"

#include <doctest/doctest.h>

namespace locate_test {

using namespace gatehouse::config;

namespace {

const std::string kText = R"({ // line 1
  "a": 1, /* "b": 2,
  "c": */ "d": {   // line 3
    "e/f": [ 1,
      2, { "g": "}" },
      [ "x",
        "y" ] ],
    "h~": "\"//\"",
    "\u0069": null
  },
  "": 5
}
)";

}  // namespace

TEST_SUITE("config/locate") {
    TEST_CASE("pointers are found on their lines") {
        struct Row {
            const char* pointer;
            int line;
        };

        const Row rows[] = {
            {"", 1},
            {"/a", 2},
            {"/d", 3},
            {"/d/e~1f", 4},
            {"/d/e~1f/0", 4},
            {"/d/e~1f/1", 5},
            {"/d/e~1f/2", 5},
            {"/d/e~1f/2/g", 5},
            {"/d/e~1f/3", 6},
            {"/d/e~1f/3/1", 7},
            {"/d/h~0", 8},
            {"/d/i", 9},
            {"/", 11},
        };
        for (const Row& row : rows) {
            CAPTURE(row.pointer);
            CHECK(locate(kText, row.pointer) == row.line);
        }
    }

    TEST_CASE("what is not there has the line of its nearest ancestor") {
        struct Row {
            const char* pointer;
            int line;
        };

        const Row rows[] = {
            {"/b", 1},
            {"/c", 1},
            {"/d/none", 3},
            {"/d/e~1f/9", 4},
            {"/d/e~1f/3/1/x/y", 7},
            {"/none/a", 1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.pointer);
            CHECK(locate(kText, row.pointer) == row.line);
        }
    }

    TEST_CASE("many pointers are found in one pass in any order") {
        const std::vector<std::string> pointers = {"/d/i", "/a", "/d/i", "/nowhere", "/d"};
        CHECK(locate(kText, pointers) == std::vector<int>{9, 2, 9, 1, 3});
        CHECK(locate(kText, std::vector<std::string>{}).empty());
    }

    TEST_CASE("texts that are no JSON never trouble it") {
        for (const char* text : {"",
                                 "{",
                                 "}",
                                 "]]]]",
                                 "{{{{",
                                 "\"",
                                 "\"\\",
                                 "{\"a\"",
                                 "{\"a\":",
                                 ",,,",
                                 "/",
                                 "/*",
                                 "//",
                                 ":",
                                 "{:}",
                                 "[}",
                                 "{]",
                                 "\n\n",
                                 "{\"\\u00\":1}"}) {
            CAPTURE(text);
            CHECK(locate(text, "/a/0/b") >= 1);
            CHECK_FALSE(find_duplicate(text));
            CHECK(find_too_deep(text, 64) == 0);
            CHECK_FALSE(describe_syntax_fault(text, 1).message.empty());
            CHECK_FALSE(describe_syntax_fault(text, 1000).message.empty());
        }
    }

    TEST_CASE("pointers are escaped as they grow") {
        CHECK(append_pointer("", "a") == "/a");
        CHECK(append_pointer("/a", "b/c~d") == "/a/b~1c~0d");
        CHECK(append_pointer("/a", "") == "/a/");
    }

    TEST_CASE("duplicates are found in whatever spelling and depth") {
        const auto nested =
            find_duplicate("{\"a\": [ 0, {\n\"x\": {\"y\": 1}, \n\"\\u0078\": 2 } ]}");
        REQUIRE(nested);
        CHECK(nested->pointer == "/a/1/x");
        CHECK(nested->first_line == 2);
        CHECK(nested->line == 3);
        CHECK_FALSE(find_duplicate("{\"a\": {\"b\": 1}, \"b\": {\"b\": [1, 1]}, \"A\": 1}"));
    }
}

}  // namespace locate_test
