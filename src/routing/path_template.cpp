#include "gatehouse/routing/path_template.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/http/target.hpp"
#include "methods.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::routing {
namespace {

std::string in_quotes(std::string_view text) {
    return '"' + printable(text) + '"';
}

Error refuse(std::string why) {
    return fail(Errc::config_invalid, std::move(why));
}

// The method that a slip of the pen most likely meant, empty when there is none.
std::string_view guess_method(std::string_view text) noexcept {
    if (text == "*" || equals_ignoring_case(text, "any") || equals_ignoring_case(text, "all"))
        return "ANY";
    for (const std::string_view method : kMethods) {
        if (equals_ignoring_case(text, method)) return method;
    }
    return {};
}

Error refuse_method(std::string_view text) {
    std::string why = "method " + in_quotes(text) + " is not one of ";
    for (const std::string_view method : kMethods) {
        why += method;
        why += ", ";
    }
    why += "ANY";
    if (const std::string_view meant = guess_method(text); !meant.empty()) {
        why += "; did you mean ";
        why += meant;
        why += '?';
    }
    return refuse(std::move(why));
}

bool is_parameter_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alpha(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':';
    });
}

Result<Segment> parse_parameter(std::string_view text) {
    std::string_view name = text.substr(1, text.size() - 2);
    Segment segment{Segment::Kind::parameter, {}};
    if (name.ends_with('+')) {
        segment.kind = Segment::Kind::greedy;
        name.remove_suffix(1);
    }
    if (!is_parameter_name(name)) {
        return refuse("parameter " + in_quotes(text) +
                      " needs a name of letters, digits, '_', '-', '.' or ':', as in {id}, or "
                      "{proxy+} for the rest of the path");
    }
    segment.text = name;
    return segment;
}

// A literal is normalised as requests are, or it could never equal what they become.
Result<Segment> parse_literal(std::string_view text) {
    if (text.find_first_of("{}") != std::string_view::npos) {
        return refuse("segment " + in_quotes(text) +
                      ": a parameter is a whole segment, as in /{id}/");
    }
    if (text.find('*') != std::string_view::npos) {
        return refuse(
            "segment " + in_quotes(text) +
            ": '*' is no wildcard here; {name} matches one segment, {proxy+} the rest of the path");
    }
    if (text.find_first_of("?#") != std::string_view::npos) {
        return refuse("segment " + in_quotes(text) + ": a route has no query and no fragment");
    }
    std::string scratch;
    const std::string path = '/' + std::string(text);
    const Result<http::Target> target = http::parse_target(path, scratch);
    if (!target) {
        return refuse("segment " + in_quotes(text) +
                      " can never match: " + std::string(reason_text(target.error().errc())) +
                      ", and such requests are refused");
    }
    if (target->path_parameter) {
        return refuse("segment " + in_quotes(text) +
                      " can never match safely: it has ';' or a doubly encoded separator, which "
                      "routes with an authorizer refuse");
    }
    return Segment{Segment::Kind::literal, std::string(target->path.substr(1))};
}

Result<Segment> parse_segment(std::string_view text) {
    if (text.empty())
        return refuse("empty segment (\"//\"); such requests are refused, so it can never match");
    if (text.size() >= 2 && text.starts_with('{') &&
        text.find_first_of("{}", 1) == text.size() - 1 && text.ends_with('}')) {
        return parse_parameter(text);
    }
    return parse_literal(text);
}

// What only the whole list can show; `segments` does not hold `next` yet.
Result<void> check_next(const std::vector<Segment>& segments, const Segment& next) {
    if (segments.size() >= limits::kPathSegments) {
        return refuse("more than " + std::to_string(limits::kPathSegments) + " segments");
    }
    if (!segments.empty() && segments.back().kind == Segment::Kind::greedy) {
        return refuse("{" + segments.back().text +
                      "+} takes the rest of the path, so nothing can follow it");
    }
    if (next.kind == Segment::Kind::literal) return {};
    for (const Segment& earlier : segments) {
        if (earlier.kind != Segment::Kind::literal && earlier.text == next.text) {
            return refuse("parameter name " + in_quotes(next.text) + " is used twice");
        }
    }
    return {};
}

}  // namespace

Result<RouteKey> parse_route_key(std::string_view text) {
    if (text == "$default") {
        return refuse(
            "route key \"$default\" is for HTTP APIs; a REST API has \"ANY /{proxy+}\" (and \"ANY "
            "/\")");
    }
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
        return refuse("route key " + in_quotes(text) +
                      " is not a method, one space and a path, as in \"GET /pets/{id}\"");
    }
    const std::string_view method = text.substr(0, space);
    if (method != "ANY" && find_method(method) == kNoMethod) return refuse_method(method);
    const std::string_view path = text.substr(space + 1);
    if (!path.starts_with('/'))
        return refuse("path " + in_quotes(path) + " does not begin with \"/\"");
    return RouteKey{std::string(method), std::string(path)};
}

Result<std::vector<Segment>> parse_template(std::string_view path) {
    if (!path.starts_with('/'))
        return refuse("path " + in_quotes(path) + " does not begin with \"/\"");
    std::vector<Segment> segments;
    if (path == "/") return segments;
    if (path.ends_with('/') && !path.ends_with("//")) {
        return refuse("path " + in_quotes(path) +
                      " ends with \"/\"; matching ignores a trailing slash, so leave it out");
    }
    path.remove_prefix(1);
    while (true) {
        const std::size_t slash = path.find('/');
        Result<Segment> segment = parse_segment(path.substr(0, slash));
        if (!segment) return std::move(segment).error();
        if (Result<void> next = check_next(segments, *segment); !next)
            return std::move(next).error();
        segments.push_back(std::move(*segment));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace gatehouse::routing
