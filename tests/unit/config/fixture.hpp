#pragma once

#include "gatehouse/config/parse.hpp"
#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// What the configuration's tests share: documents to start from, and rows that say what one change
// to them must lead to.
namespace gatehouse::config::testing {

inline std::string read_file(const std::string& path) {
    std::ifstream file(std::string(GATEHOUSE_SOURCE_DIR) + "/" + path);
    REQUIRE_MESSAGE(file.is_open(), path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

inline Environment make_environment(std::map<std::string, std::string> variables = {}) {
    return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
        const auto it = variables.find(std::string(name));
        if (it == variables.end()) return std::nullopt;
        return it->second;
    };
}

inline Json parse_document(std::string_view text) {
    Result<Json> json = parse_json(text, JsonLimits{1024 * 1024, 64, true});
    REQUIRE_MESSAGE(json.has_value(), text);
    return *json;
}

/// The shipped example: every key there is.
inline Json full_document() {
    return parse_document(read_file("config/gatehouse.example.json"));
}

inline Json minimal_document() {
    return parse_document(read_file("config/examples/minimal.json"));
}

inline Loaded load(const Json& document, const Environment& environment = make_environment()) {
    return parse(dump_json(document, 2), environment);
}

inline std::string show(const std::vector<Problem>& problems) {
    std::string text;
    for (const Problem& problem : problems)
        text += to_string(problem, "file") + "\n";
    return text;
}

inline bool has_problem(const std::vector<Problem>& problems,
                        std::string_view pointer,
                        std::string_view words) {
    for (const Problem& problem : problems) {
        if (problem.pointer == pointer && problem.message.find(words) != std::string::npos)
            return true;
    }
    return false;
}

/// One change to a document: at `at` stands `value` (JSON; empty: nothing stands there), and the
/// only problem is at `pointer` with `words` in its message.
struct Refusal {
    const char* name;
    const char* at;
    const char* value;
    const char* pointer;
    const char* words;
};

inline void change(Json& document, const std::string& at, const std::string& value) {
    const Json::json_pointer place(at);
    if (!value.empty()) {
        document[place] = parse_document(value);
    } else if (document[place.parent_pointer()].is_object()) {
        document[place.parent_pointer()].erase(place.back());
    }
}

inline void check_refusals(const Json& base, const std::vector<Refusal>& rows) {
    REQUIRE(show(load(base).problems) == "");
    for (const Refusal& row : rows) {
        CAPTURE(row.name);
        Json document = base;
        change(document, row.at, row.value);
        const Loaded loaded = load(document);
        const std::string problems = show(loaded.problems);
        CAPTURE(problems);
        CHECK(loaded.problems.size() == 1);
        CHECK(has_problem(loaded.problems, row.pointer, row.words));
        for (const Problem& problem : loaded.problems)
            CHECK(problem.line > 0);
    }
}

/// One change that is right.
struct Acceptance {
    const char* name;
    const char* at;
    const char* value;
};

inline void check_acceptances(const Json& base, const std::vector<Acceptance>& rows) {
    for (const Acceptance& row : rows) {
        CAPTURE(row.name);
        Json document = base;
        change(document, row.at, row.value);
        CHECK(show(load(document).problems) == "");
    }
}

}  // namespace gatehouse::config::testing
