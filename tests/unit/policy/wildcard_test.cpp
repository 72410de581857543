#include "gatehouse/policy/wildcard.hpp"

#include "support/naive_policy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace gatehouse::policy::wildcard_test {
namespace {

struct Row {
    const char* name;
    std::string_view pattern;
    std::string_view text;
    bool want;
};

constexpr Row kRows[] = {
    {"star alone", "*", "arn:aws:execute-api:us-east-1:1:a/p/GET/", true},
    {"star matches nothing too", "*", "", true},
    {"star matches an empty tail", "GET/*", "GET/", true},
    {"star crosses slashes and colons", "a*z", "a/b:c/z", true},
    {"stars in a row are one", "a**b***", "ab", true},
    {"star first", "*/pets", "x/y/pets", true},
    {"star takes as much as it must", "*ab", "aaab", true},
    {"several stars", "a*b*c", "a-b-b-c", true},
    {"question mark is one character", "a?c", "abc", true},
    {"question mark may be a slash", "a?c", "a/c", true},
    {"question mark is a whole UTF-8 character", "caf?", "caf\xc3\xa9", true},
    {"question mark after a star counts whole characters", "*?", "\xe2\x82\xac", true},
    {"stray bytes are characters by themselves", "??", "\xc3(", true},
    {"literal", "GET/pets", "GET/pets", true},
    {"nothing matches nothing", "", "", true},
    {"escaped star", "a${*}b", "a*b", true},
    {"escaped question mark", "a${?}b", "a?b", true},
    {"escaped dollar", "a${$}b", "a$b", true},
    {"escaped dollar before a brace", "${$}{x}", "${x}", true},
    {"dollar alone is text", "$default/*", "$default/GET/", true},
    {"dollar at the end is text", "a$", "a$", true},
    {"two dollars", "$${*}", "$*", true},

    {"literal has no subpaths", "GET/pets", "GET/pets/7", false},
    {"literal is not found inside", "pets", "GET/pets", false},
    {"anchored at the start", "ets*", "pets", false},
    {"anchored at the end", "*pet", "pets", false},
    {"letter case counts", "GET/Pets", "GET/pets", false},
    {"dot is a dot", "a.c", "abc", false},
    {"brackets are text", "[ab]", "a", false},
    {"plus is text", "a+", "aa", false},
    {"caret and dollar are text", "^a$", "a", false},
    {"backslash escapes nothing", "a\\*", "a*", false},
    {"question mark is never empty", "a?", "a", false},
    {"question mark is never two", "a?d", "abcd", false},
    {"two question marks are not one wide character", "*??", "\xe2\x82\xac", false},
    {"star takes whole characters",
     "*??b?",
     "\xe2\x82\xac"
     "bx",
     false},
    {"escaped star is no wildcard", "a${*}b", "axb", false},
    {"escaped question mark is no wildcard", "a${?}b", "axb", false},
    {"prefix longer than the text", "GET/pets*", "GET/pet", false},
    {"the overlap is not counted twice", "ab*ba", "aba", false},
    {"empty pattern", "", "a", false},
    {"text ends before the tail", "a*bc", "ab", false},
};

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t most) {
    std::string text;
    for (std::size_t size = random() % (most + 1); text.size() < size;)
        text += alphabet[random() % alphabet.size()];
    return text;
}

TEST_SUITE("policy/wildcard") {
    TEST_CASE("star and question mark match and everything else is literal") {
        for (const Row& row : kRows) {
            CAPTURE(row.name);
            const auto pattern = Wildcard::make(row.pattern);
            REQUIRE(pattern.has_value());
            CHECK(pattern->matches(row.text) == row.want);
            CHECK(naive::glob(row.pattern, row.text) == row.want);
            CHECK(pattern->pattern() == row.pattern);
        }
    }

    TEST_CASE("policy variables are refused") {
        for (const std::string_view pattern : {"${aws:username}",
                                               "a/${claims.sub}",
                                               "${",
                                               "a${*",
                                               "${}",
                                               "${**}",
                                               "${*}${x}",
                                               "$${",
                                               "${ *}",
                                               "*${aws:SourceIp}*"}) {
            CAPTURE(pattern);
            const auto made = Wildcard::make(pattern);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::policy_invalid);
            const auto text = resolve_specials(pattern);
            REQUIRE_FALSE(text.has_value());
            CHECK(text.error().errc() == Errc::policy_invalid);
        }
    }

    TEST_CASE("a pattern that is not UTF-8 is refused") {
        for (const std::string_view pattern :
             {"\xff", "a\xfe", "\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
            const auto made = Wildcard::make(pattern);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::policy_invalid);
        }
    }

    TEST_CASE("a text that is compared keeps its stars and loses its escapes") {
        CHECK(resolve_specials("a*?${*}${?}${$}").value() == "a*?*?$");
        CHECK(resolve_specials("").value().empty());
    }

    TEST_CASE("an escaped value matches itself alone") {
        CHECK(escape_wildcard("a*b?c$d") == "a${*}b${?}c${$}d");
        CHECK(escape_wildcard("plain/text:1") == "plain/text:1");
        std::mt19937 random(7);
        for (int i = 0; i < 3000; ++i) {
            const std::string value = random_text(random, "*?$a{}", 8);
            const std::string other = random_text(random, "*?$a{}", 8);
            CAPTURE(value);
            CAPTURE(other);
            const auto pattern = Wildcard::make(escape_wildcard(value));
            REQUIRE(pattern.has_value());
            CHECK(pattern->matches(value));
            CHECK(pattern->matches(other) == (value == other));
        }
    }

    TEST_CASE("random patterns match as the naive matcher says") {
        std::mt19937 random(20260101);
        int matched = 0;
        for (int i = 0; i < 20000; ++i) {
            const std::string pattern = random_text(random, "aab/**?:", 9);
            const std::string text = random_text(random, "aab/:", 10);
            const auto compiled = Wildcard::make(pattern);
            REQUIRE(compiled.has_value());
            const bool match = compiled->matches(text);
            matched += match ? 1 : 0;
            if (match == naive::glob(pattern, text)) continue;
            CAPTURE(pattern);
            CAPTURE(text);
            FAIL("the matchers disagree");
        }
        CHECK(matched > 1000);
    }

    TEST_CASE("random patterns over wide characters match as the naive matcher says") {
        std::mt19937 random(3);
        // The last one is a stray byte: in texts only, since no pattern may hold it.
        constexpr std::string_view kCharacters[] = {
            "a", "b", "*", "?", "\xc3\xa9", "\xe2\x82\xac", "\xc3"};
        for (int i = 0; i < 10000; ++i) {
            std::string pattern;
            std::string text;
            for (std::size_t n = random() % 6; n > 0; --n)
                pattern += kCharacters[random() % (std::size(kCharacters) - 1)];
            for (std::size_t n = random() % 6; n > 0; --n)
                text += kCharacters[random() % std::size(kCharacters)];
            const auto compiled = Wildcard::make(pattern);
            REQUIRE(compiled.has_value());
            if (compiled->matches(text) == naive::glob(pattern, text)) continue;
            CAPTURE(pattern);
            CAPTURE(text);
            FAIL("the matchers disagree");
        }
    }

    // With backtracking over every star these take longer than anyone waits; with pattern times
    // text (0.8 million steps) they take milliseconds.
    TEST_CASE("the worst pattern ends") {
        std::string stars;
        while (stars.size() + 2 <= 511)
            stars += "a*";
        const std::string text(1600, 'a');
        for (const std::string& pattern : {stars + "b", "*" + std::string(510, 'a') + "b"}) {
            const auto compiled = Wildcard::make(pattern);
            REQUIRE(compiled.has_value());
            const auto began = std::chrono::steady_clock::now();
            CHECK_FALSE(compiled->matches(text));
            CHECK(compiled->matches(text + "b"));
            CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
        }
    }

    TEST_CASE("long patterns count their memory") {
        const auto small = Wildcard::make("*");
        const auto large = Wildcard::make("*" + std::string(500, 'a'));
        REQUIRE(small.has_value());
        REQUIRE(large.has_value());
        CHECK(small->heap_bytes() < 64);
        CHECK(large->heap_bytes() >= 1000);
    }
}

}  // namespace
}  // namespace gatehouse::policy::wildcard_test
