#include "../../../src/config/conceal.hpp"

#include "fixture.hpp"
#include "gatehouse/config/locate.hpp"

namespace conceal_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

TEST_SUITE("config/conceal") {
    TEST_CASE("what came from the environment gives way to its variable") {
        struct Row {
            const char* name;
            std::string value;
            std::string message;
            std::string shown;
        };

        const std::string lengthy(300, 'x');
        const Row rows[] = {
            {"quoted",
             "hunter2!",
             "is \"hunter2!\"; allowed: \"a\"",
             "is \"${V}\"; allowed: \"a\""},
            {"twice", "hunter2!", "hunter2! and hunter2!", "${V} and ${V}"},
            {"within a longer text",
             "s3cret",
             "\"http://s3cret/a\" is no URL",
             "\"http://${V}/a\" is no URL"},
            {"escaped", "a\nbcd", "is \"a\\x0abcd\"", "is \"${V}\""},
            {"cut by the message",
             lengthy,
             "\"" + lengthy.substr(0, 200) + "…\" is no name",
             "\"${V}…\" is no name"},
            {"a number", "70000", "is 70000; allowed: 0 to 65535", "is 70000; allowed: 0 to 65535"},
            {"digits in quotes", "70000", "\"70000\" is no name", "\"${V}\" is no name"},
            {"long, within a word", "hunter2hunter2", "\"xhunter2hunter2y\"", "\"x${V}y\""},
            {"part of a number", "6553", "is 1; allowed: 0 to 65535", "is 1; allowed: 0 to 65535"},
            {"part of a word", "GATE", "DELEGATE", "DELEGATE"},
            {"begins like something else", "http://x", "allowed: http://…", "allowed: http://…"},
            {"too short to hide anything", "on", "on", "on"},
            {"empty", "", "is \"\"", "is \"\""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Expanded values[] = {{"V", row.value}};
            CHECK(conceal(row.message, values) == row.shown);
        }
    }

    TEST_CASE("the longest value wins") {
        const Expanded values[] = {{"HOST", "db.example"}, {"URL", "db.example:5432"}};
        CHECK(conceal("\"db.example:5432\"", values) == "\"${URL}\"");
    }

    TEST_CASE("no value of the environment is in an error or a warning of any key") {
        const Environment environment = make_environment({{"SECRET", "correct-horse-battery"}});
        Json document = full_document();
        std::vector<std::string> places;
        const auto walk = [&](const auto& self, const Json& value, const std::string& at) -> void {
            if (value.is_string()) places.push_back(at);
            if (!value.is_structured()) return;
            std::size_t index = 0;
            for (const auto& [key, member] : value.items())
                self(self,
                     member,
                     append_pointer(at, value.is_array() ? std::to_string(index++) : key));
        };
        walk(walk, document, "");
        REQUIRE(places.size() > 20);
        int problems = 0;
        for (const std::string& place : places) {
            for (const char* text : {"${SECRET}", "http://${SECRET}/", "x${SECRET}"}) {
                CAPTURE(place);
                Json changed = document;
                changed[Json::json_pointer(place)] = text;
                const Loaded loaded = load(changed, environment);
                const std::string shown = show(loaded.problems) + show(loaded.warnings);
                CAPTURE(shown);
                CHECK(shown.find("horse") == std::string::npos);
                problems += loaded.problems.empty() ? 0 : 1;
            }
        }
        CHECK(problems > 20);
    }
}

}  // namespace conceal_test
