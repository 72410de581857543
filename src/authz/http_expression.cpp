// The `$…` forms of HTTP APIs. What they name is what the REST forms name, so one set of variables
// serves both.
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kOfRequests =
    "$request.{header,querystring,path}.NAME, $request.path, $context.NAME, $stageVariables.NAME, "
    "text, or text with ${request.header.NAME} and the like in it";
constexpr std::string_view kOfAnswers =
    "$response.header.NAME, $context.NAME, $stageVariables.NAME, text, or text with "
    "${response.header.NAME} and the like in it";
constexpr std::string_view kField = "response.header.";

/// The name of what stands behind '$' as variables have it, empty when there is none.
using ToVariable = std::string (*)(std::string_view name);

std::string to_request_variable(std::string_view name) {
    if (name == "request.path") return "request.path";
    // REST names a request's parts by its method.
    if (name.starts_with("method.")) return {};
    std::string variable(name);
    if (name.starts_with("request.")) variable.insert(0, "method.");
    // A multi-value name is REST's alone.
    if (name.starts_with("request.multivalue")) return {};
    return is_known_variable(variable) ? variable : std::string();
}

std::string to_answer_variable(std::string_view name) {
    if (name.starts_with(kField))
        return is_token(name.substr(kField.size())) ? std::string(name) : std::string();
    const bool fixed = name.starts_with("context.") || name.starts_with("stageVariables.");
    return fixed && is_known_variable(name) ? std::string(name) : std::string();
}

/// A text in its parts: one variable, or text with variables in it.
Result<std::vector<Expression::Part>> read_parts(std::string_view text,
                                                 std::string_view allowed,
                                                 ToVariable to_variable) {
    const auto refuse = [&](std::string_view why) {
        std::string detail = why.empty() ? std::string() : std::string(why) + "; ";
        return fail(
            Errc::config_invalid,
            detail.append("expected ").append(allowed).append(", found ").append(printable(text)));
    };
    if (std::ranges::any_of(text, is_control)) return refuse("no control characters");
    for (const std::string_view body : {"request.body", "response.body"}) {
        if (text.starts_with('$') && text.find(body) != std::string_view::npos)
            return refuse("$" + std::string(body) +
                          " is not supported: bodies are streamed, not read");
    }
    std::vector<Expression::Part> parts;
    if (text.starts_with('$') && !text.starts_with("${")) {
        std::string variable = to_variable(text.substr(1));
        if (variable.empty()) return refuse({});
        parts.push_back({std::move(variable), true});
        return parts;
    }
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t open = std::min(rest.find("${"), rest.size());
        if (open > 0) parts.push_back({std::string(rest.substr(0, open)), false});
        rest.remove_prefix(open);
        if (rest.empty()) break;
        const std::size_t close = rest.find('}');
        if (close == std::string_view::npos) return refuse("\"${\" is not closed");
        std::string variable = to_variable(rest.substr(2, close - 2));
        if (variable.empty()) return refuse({});
        parts.push_back({std::move(variable), true});
        rest.remove_prefix(close + 1);
    }
    return parts;
}

}  // namespace

Expression Expression::make_of_parts(std::string_view text, std::vector<Part> parts) {
    Expression expression;
    expression.text_ = text;
    if (std::ranges::none_of(parts, &Part::variable)) {
        expression.literal_ = true;
        expression.value_ = text;
    } else if (parts.size() == 1 && !text.starts_with("${")) {
        expression.value_ = std::move(parts.front().text);
    } else {
        expression.parts_ = std::move(parts);
    }
    return expression;
}

Result<Expression> Expression::make_for_http(std::string_view text) {
    auto parts = read_parts(text, kOfRequests, to_request_variable);
    if (!parts) return std::move(parts).error();
    return make_of_parts(text, std::move(parts).value());
}

Result<Expression> Expression::make_for_http_answer(std::string_view text) {
    auto parts = read_parts(text, kOfAnswers, to_answer_variable);
    if (!parts) return std::move(parts).error();
    return make_of_parts(text, std::move(parts).value());
}

std::vector<Expression::Part> Expression::parts() const {
    if (!parts_.empty()) return parts_;
    return {{value_, !literal_}};
}

}  // namespace gatehouse::authz
