// Whatever stands in a configuration, loading it gives a model or problems, and one who reads the
// problems can act on them. A model that loads is one that can be served: it passes its own checks
// a second time, everything in it compiles, and no route is open unless it says so.
#include "fuzz/require.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/config/validate.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace gatehouse;

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

// Variables of every kind that a reference can meet; all others are unset.
std::optional<std::string> look_up(std::string_view name) {
    if (name == "PORT") return "8081";
    if (name == "HOST") return "backend:3000";
    if (name == "EMPTY") return "";
    if (name == "ODD") return "${PORT} \"\\{x}\r\n\xff";
    return std::nullopt;
}

void check_problems(const std::vector<config::Problem>& problems, int last_line) {
    for (const config::Problem& problem : problems) {
        require(!problem.message.empty(), "a problem says what is wrong");
        require(problem.pointer.empty() || problem.pointer.front() == '/', "a JSON pointer");
        require(problem.line >= 0 && problem.line <= last_line, "a line of the file");
        for (const char c : config::to_string(problem, "file"))
            require(!is_control(c), "nothing for a terminal to obey");
    }
}

bool is_guarded_or_says_so(const config::Api& api, const config::Route& route) {
    const auto has_name = [&](const config::Authorizer& a) { return a.name == route.authorizer; };
    return route.authorizer == "NONE" || std::ranges::any_of(api.authorizers, has_name);
}

void check_model(const config::Model& model) {
    require(!model.listeners.empty() && !model.apis.empty(), "a model has something to serve");
    std::size_t routes = 0;
    for (const config::Api& api : model.apis) {
        routes += api.routes.size();
        for (const config::Route& route : api.routes)
            require(is_guarded_or_says_so(api, route), "no route is silently open");
    }
    std::vector<config::Problem> problems;
    std::vector<config::Problem> warnings;
    config::validate(model, problems, warnings);
    require(problems.empty(), "what loaded is still valid");

    authz::GrantCache cache;
    app::KeyStore keys;
    const auto snapshot = app::make_snapshot(model, cache, keys, false);
    if (!snapshot) std::fprintf(stderr, "%s\n", snapshot.error().detail.c_str());
    require(snapshot.has_value(), "what loaded compiles");
    require((*snapshot)->report.size() == routes, "the report has every route");
}

void check(const config::Loaded& loaded, int last_line) {
    check_problems(loaded.problems, last_line);
    check_problems(loaded.warnings, last_line);
    if (loaded.problems.empty()) check_model(loaded.model);
}

void try_file(std::string_view text) {
    const auto last_line = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
    check(config::parse(text, look_up), last_line);
}

// One variable a line, in the order of the contract's table.
void try_environment(std::string_view text) {
    std::vector<std::pair<std::string_view, std::string>> variables;
    for (const char* name : {"UPSTREAM_URL",
                             "EXPECTED_ISSUER",
                             "EXPECTED_AUDIENCE",
                             "JWKS_URL",
                             "GATEHOUSE_OPEN_ROUTES"}) {
        if (!text.empty()) variables.emplace_back(name, std::string(take_line(text)));
    }
    const auto find = [&](std::string_view name) -> std::optional<std::string> {
        for (const auto& [known, value] : variables) {
            if (known == name) return value;
        }
        return std::nullopt;
    };
    check(config::parse_environment(find), 0);
}

Json read_example() {
    std::ifstream file(GATEHOUSE_SOURCE_DIR "/config/gatehouse.example.json");
    std::stringstream text;
    text << file.rdbuf();
    return parse_json(text.str(), JsonLimits{1024 * 1024, 64, true}).value();
}

// What stands at a JSON pointer without escapes; a missing member or entry is added.
Json& find_or_add(Json& document, std::string_view pointer) {
    Json* value = &document;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const std::size_t end = std::min(pointer.find('/'), pointer.size());
        const std::string token(pointer.substr(0, end));
        pointer.remove_prefix(end);
        if (value->is_array()) {
            std::size_t index = value->size();
            std::from_chars(token.data(), token.data() + token.size(), index);
            if (index >= value->size()) value->push_back(nullptr);
            value = &(*value)[std::min(index, value->size() - 1)];
        } else {
            if (!value->is_object()) *value = Json::object();
            value = &(*value)[token];
        }
    }
    return *value;
}

// The shipped example, which has every key, with some of its values replaced: lines of a pointer,
// a space and the JSON text that takes the value's place.
void try_changed(std::string_view changes) {
    static const Json kExample = read_example();
    Json document = kExample;
    while (!changes.empty()) {
        const std::string_view line = take_line(changes);
        const std::size_t space = std::min(line.find(' '), line.size());
        const auto value = parse_json(line.substr(space), JsonLimits{65536, 16, true});
        if (!value) return;
        find_or_add(document, line.substr(0, space)) = *value;
    }
    try_file(dump_json(document, 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // An allocation of exactly this size, so that a read past its end is seen.
    const std::vector<char> copy(data + 1, data + size);
    const std::string_view text(copy.data(), copy.size());
    switch (data[0]) {
        case 'f':
            try_file(text);
            break;
        case 'e':
            try_environment(text);
            break;
        case 'c':
            try_changed(text);
            break;
        default:
            break;
    }
    return 0;
}
