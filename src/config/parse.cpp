#include "gatehouse/config/parse.hpp"

#include "conceal.hpp"
#include "expand.hpp"
#include "gatehouse/config/locate.hpp"
#include "gatehouse/config/validate.hpp"
#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse::config {
namespace {

constexpr std::size_t kMostBytes =
    4 * 1024 * 1024;  // a hundred full-size APIs; more is a wrong file
constexpr int kMostDepth = 64;

// Lists follow the file from top to bottom, whichever check found what.
void add_lines(std::string_view text, std::vector<Problem>& problems) {
    if (problems.empty()) return;
    std::vector<std::string> pointers;
    pointers.reserve(problems.size());
    for (const Problem& problem : problems)
        pointers.push_back(problem.pointer);
    const std::vector<int> lines = locate(text, pointers);
    for (std::size_t i = 0; i < problems.size(); ++i)
        problems[i].line = lines[i];
    std::ranges::stable_sort(problems, {}, &Problem::line);
}

std::vector<Problem> take(std::vector<Problem> problems, const Source& source) {
    for (Problem& problem : problems)
        problem.message = conceal(problem.message, source.expanded);
    return problems;
}

// Where the first line stands that is not UTF-8.
int find_bad_line(std::string_view text) {
    int line = 1;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        if (!is_utf8(text.substr(0, end))) return line;
        text.remove_prefix(end + 1);
        ++line;
    }
    return line;
}

Problem describe_syntax(std::string_view text, const Error& error) {
    if (text.starts_with("\xef\xbb\xbf"))
        return {"", 1, "begins with a byte order mark; save the file as plain UTF-8"};
    if (!is_utf8(text)) return {"", find_bad_line(text), "is not UTF-8"};
    constexpr std::string_view kAt = "at byte ";
    const std::string_view detail = error.detail;
    if (!detail.starts_with(kAt)) return {"", 0, "is not valid JSON: " + error.detail};
    std::size_t offset = 0;
    std::from_chars(detail.data() + kAt.size(), detail.data() + detail.size(), offset);
    const SyntaxFault fault = describe_syntax_fault(text, offset);
    return {"", fault.line, "is not valid JSON: " + fault.message};
}

// A text that cannot be read gives one problem: whatever else it holds is guesswork.
Problem describe_unreadable(std::string_view text, const Error& error) {
    switch (error.errc()) {
        case Errc::json_duplicate_key:
            if (const std::optional<Duplicate> found = find_duplicate(text)) {
                return {
                    found->pointer,
                    found->line,
                    "is here twice; the first one is in line " + std::to_string(found->first_line)};
            }
            return {"", 0, "has a key twice: " + error.detail};
        case Errc::json_too_deep:
            return {"",
                    find_too_deep(text, kMostDepth),
                    "is nested too deeply: more than 64 levels of lists and objects"};
        case Errc::json_too_large:
            return {"", 0, "is too large: " + error.detail};
        default:
            return describe_syntax(text, error);
    }
}

}  // namespace

Loaded parse(std::string_view text, const Environment& environment) {
    Loaded loaded;
    Result<Json> root = parse_json(text, JsonLimits{kMostBytes, kMostDepth, true});
    if (!root) {
        loaded.problems.push_back(describe_unreadable(text, root.error()));
        return loaded;
    }
    Source source;
    expand(*root, environment, source);
    add_admin_token(*root, environment, source);
    if (environment) source.lambda_endpoint = environment("AWS_ENDPOINT_URL_LAMBDA").value_or("");
    loaded.model = read_model(*root, source);
    validate(loaded.model, source.problems, source.warnings);
    add_lines(text, source.problems);
    add_lines(text, source.warnings);
    loaded.problems = take(std::move(source.problems), source);
    loaded.warnings = take(std::move(source.warnings), source);
    loaded.model.document = std::move(*root);
    return loaded;
}

std::string to_string(const Problem& problem, std::string_view file) {
    std::string text(file);
    if (problem.line > 0) text += ":" + std::to_string(problem.line);
    text += ": ";
    if (!problem.pointer.empty()) text += problem.pointer + ": ";
    text += problem.message;
    // Keys may hold anything, and this line goes to a terminal.
    std::ranges::replace_if(text, is_control, '?');
    return text;
}

}  // namespace gatehouse::config
