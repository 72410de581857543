#include "gatehouse/schema/schema.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace official_suite_test {

using namespace gatehouse;

namespace {

// Where Debian's json-schema-test-suite has it; ./dev test installs the package.
const std::filesystem::path kSuite = "/usr/share/json-schema-test-suite/tests/draft4";

Json read(const std::filesystem::path& path) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto json = parse_json(text, {.max_bytes = 1 << 24, .max_depth = 64});
    REQUIRE_MESSAGE(json.has_value(), path.string());
    return *json;
}

// What is refused at load, and so never judged: references to elsewhere, `id` within a model, words
// that nothing enforces. Nothing else may be.
bool is_refused_by_design(const std::string& why) {
    return std::ranges::any_of(
        std::vector<std::string>{"/$ref: ", "/id: ", "would be ignored", "/percent%field: "},
        [&](const std::string& part) { return why.find(part) != std::string::npos; });
}

}  // namespace

TEST_SUITE("schema/official_suite") {
    TEST_CASE("every case of the official suite for draft 4 is judged right or refused by name") {
        if (!std::filesystem::exists(kSuite)) {
            MESSAGE("not installed: json-schema-test-suite");
            return;
        }
        int judged = 0;
        for (const auto& entry : std::filesystem::directory_iterator(kSuite)) {
            if (!entry.is_regular_file()) continue;  // the folder of what is optional
            CAPTURE(entry.path().string());
            for (const Json& group : read(entry.path())) {
                CAPTURE(group["description"].dump());
                const auto schema = schema::compile({{"Model", group["schema"]}}, "Model");
                if (!schema) {
                    CAPTURE(schema.error().detail);
                    CHECK(is_refused_by_design(schema.error().detail));
                    continue;
                }
                for (const Json& test : group["tests"]) {
                    CAPTURE(test["description"].dump());
                    CHECK(schema->validate(test["data"]).empty() == test["valid"].get<bool>());
                    ++judged;
                }
            }
        }
        CHECK(judged > 250);
    }
}

}  // namespace official_suite_test
