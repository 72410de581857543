#include "gatehouse/authz/expression.hpp"

#include "context_variables.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/bytes16.hpp"

#include <algorithm>
#include <array>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kMessageString = "context.error.messageString";  // a JSON string already
constexpr std::string_view kRouteKey = "context.routeKey";                  // HTTP APIs alone
constexpr std::string_view kRoots[] = {"context.", "stageVariables.", "method.request."};

bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, is_control);
}

// Names are wider in braces, where anything may stand:
// `${context.authorizer.claims.cognito:username}`.
bool is_name_char(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

bool has_root(std::string_view name) noexcept {
    return std::ranges::any_of(kRoots,
                               [&](std::string_view root) { return name.starts_with(root); });
}

/// A `$name` or `${name}` at the start of a text.
struct Reference {
    std::string_view name;   // empty: the dollar sign is text
    std::size_t length = 0;  // of the whole reference
};

Reference find_reference(std::string_view text) noexcept {
    if (text.starts_with("${")) {
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) return {};
        return {text.substr(2, end - 2), end + 1};
    }
    std::size_t end = 1;
    while (end < text.size() && is_name_char(text[end]))
        ++end;
    while (end > 1 && text[end - 1] == '.')
        --end;
    return {text.substr(1, end - 1), end};
}

constexpr std::array<bool, 256> kEscaped = [] {
    std::array<bool, 256> escaped{};
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        const char c = static_cast<char>(i);
        escaped[i] = c == '"' || c == '\\' || is_control(c) || i >= 0x80;
    }
    return escaped;
}();

bool needs_escapes(std::string_view value) noexcept {
    const char* at = value.data();
    const char* end = at + value.size();
    for (; end - at >= 16; at += 16) {
        const Bytes16 bytes = load16(at);
        const auto others = (bytes == '"') | (bytes == '\\') | (bytes >= 0x80);
        if (find_first(controls_of(bytes) | reinterpret_cast<Bytes16>(others)) != 16) return true;
    }
    return std::any_of(at, end, [](char c) { return kEscaped[static_cast<unsigned char>(c)]; });
}

void append_escape(char c, std::string& out) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out += "\\u00";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
}

// As inside a JSON string, which also keeps a plain line whole. Bytes that are no UTF-8 are taken
// as Latin-1.
void escape_from(std::size_t start, std::string& out) {
    if (!needs_escapes(std::string_view(out).substr(start))) return;
    const std::string value = out.substr(start);
    out.resize(start);
    const bool utf8 = is_utf8(value);
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (is_control(c) || (!utf8 && static_cast<unsigned char>(c) >= 0x80)) {
            append_escape(c, out);
        } else {
            out += c;
        }
    }
}

}  // namespace

Result<Expression> Expression::make(std::string_view text) {
    Expression expression;
    expression.text_ = text;
    if (text.starts_with('\'')) {
        if (text.size() < 2 || !text.ends_with('\'')) {
            return fail(Errc::config_invalid,
                        "a literal ends with a single quote: " + printable(text));
        }
        expression.literal_ = true;
        expression.value_ = text.substr(1, text.size() - 2);
        if (has_control(expression.value_)) {
            return fail(Errc::config_invalid,
                        "a literal holds no control characters: " + printable(text));
        }
        return expression;
    }
    if (text.starts_with("method.request.body")) {
        return fail(Errc::config_invalid,
                    "method.request.body is not supported: bodies are streamed, not read");
    }
    if (has_control(text) || !is_known_variable(text) || text == kRouteKey) {
        return fail(Errc::config_invalid,
                    "expected "
                    "method.request.{header,querystring,path,multivalueheader,"
                    "multivaluequerystring}.NAME, a "
                    "context.NAME that REST APIs have, stageVariables.NAME or a 'literal', found " +
                        printable(text));
    }
    expression.value_ = text;
    return expression;
}

bool Expression::append(const RequestFacts& facts, std::string& out) const {
    if (!parts_.empty()) {
        for (const Part& part : parts_) {
            if (part.variable) {
                append_variable(facts, part.text, out);
            } else {
                out += part.text;
            }
        }
        return true;
    }
    if (!literal_) return append_variable(facts, value_, out);
    out += value_;
    return true;
}

bool Expression::reads(std::string_view prefix) const noexcept {
    if (parts_.empty()) return !literal_ && value_.starts_with(prefix);
    return std::ranges::any_of(
        parts_, [&](const Part& part) { return part.variable && part.text.starts_with(prefix); });
}

void Template::add_text(std::string_view text) {
    if (text.empty()) return;
    if (parts_.empty() || parts_.back().variable) parts_.emplace_back();
    parts_.back().text += text;
}

Result<Template> Template::make(std::string_view text, bool known_only) {
    Template made;
    while (!text.empty()) {
        const std::size_t dollar = std::min(text.find('$'), text.size());
        made.add_text(text.substr(0, dollar));
        text.remove_prefix(dollar);
        if (text.empty()) break;
        const Reference reference = find_reference(text);
        if (known_only &&
            !(reference.name.starts_with("context.") && is_known_variable(reference.name))) {
            return fail(Errc::config_invalid,
                        "only $context variables of REST APIs can be logged, found " +
                            printable(text.substr(0, std::max<std::size_t>(reference.length, 1))));
        }
        if (has_root(reference.name)) {
            made.parts_.push_back(
                {std::string(reference.name),
                 true,
                 find_context_value(reference.name),
                 reference.name == kMessageString || is_plain_value(reference.name)});
            text.remove_prefix(reference.length);
        } else {
            made.add_text("$");
            text.remove_prefix(1);
        }
    }
    return made;
}

std::string Template::render(const RequestFacts& facts, std::string_view missing) const {
    std::string out;
    append(facts, missing, Escape::none, out);
    return out;
}

void Template::append(const RequestFacts& facts,
                      std::string_view missing,
                      Escape escape,
                      std::string& out) const {
    for (const Part& part : parts_) {
        if (!part.variable) {
            out += part.text;
            continue;
        }
        const std::size_t start = out.size();
        const bool found = part.append != nullptr ? part.append(facts, out)
                                                  : append_variable(facts, part.text, out);
        if (!found) {
            out += missing;
        } else if (escape == Escape::log && !part.plain) {
            escape_from(start, out);
        }
    }
}

}  // namespace gatehouse::authz
