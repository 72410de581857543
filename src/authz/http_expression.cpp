// The `$…` forms of HTTP APIs. What they name is what the REST forms name, so one set of variables
// serves both.
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kAllowed =
    "$request.{header,querystring,path}.NAME, $request.path, $context.NAME, $stageVariables.NAME, "
    "text, or text with ${request.header.NAME} and the like in it";

Error refuse(std::string_view text, std::string_view why = {}) {
    std::string detail = why.empty() ? std::string() : std::string(why) + "; ";
    return fail(
        Errc::config_invalid,
        detail.append("expected ").append(kAllowed).append(", found ").append(printable(text)));
}

/// The REST name of what stands behind '$', empty when there is none.
std::string to_variable(std::string_view name) {
    if (name == "request.path") return "request.path";
    std::string variable(name);
    if (name.starts_with("request.")) variable.insert(0, "method.");
    // A multi-value name is REST's alone.
    if (name.starts_with("request.multivalue")) return {};
    return is_known_variable(variable) ? variable : std::string();
}

}  // namespace

Result<Expression> Expression::make_for_http(std::string_view text) {
    Expression expression;
    expression.text_ = text;
    if (std::ranges::any_of(text, is_control)) return refuse(text, "no control characters");
    if (text.find("request.body") != std::string_view::npos && text.starts_with('$'))
        return refuse(text, "$request.body is not supported: bodies are streamed, not read");
    if (text.starts_with('$') && !text.starts_with("${")) {
        expression.value_ = to_variable(text.substr(1));
        if (expression.value_.empty()) return refuse(text);
        return expression;
    }
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t open = std::min(rest.find("${"), rest.size());
        if (open > 0) expression.parts_.push_back({std::string(rest.substr(0, open)), false});
        rest.remove_prefix(open);
        if (rest.empty()) break;
        const std::size_t close = rest.find('}');
        if (close == std::string_view::npos) return refuse(text, "\"${\" is not closed");
        std::string variable = to_variable(rest.substr(2, close - 2));
        if (variable.empty()) return refuse(text);
        expression.parts_.push_back({std::move(variable), true});
        rest.remove_prefix(close + 1);
    }
    const bool plain = std::ranges::none_of(expression.parts_, &Part::variable);
    if (plain) {
        expression.literal_ = true;
        expression.value_ = text;
        expression.parts_.clear();
    }
    return expression;
}

std::vector<Expression::Part> Expression::parts() const {
    if (!parts_.empty()) return parts_;
    return {{value_, !literal_}};
}

}  // namespace gatehouse::authz
