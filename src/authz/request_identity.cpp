#include "gatehouse/authz/request_identity.hpp"

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kHeader = "method.request.header.";
constexpr std::string_view kQuery = "method.request.querystring.";

// Path parameters are in the event, and cannot be a source (developer guide, "Input to a Lambda
// authorizer"). What authorizes cannot be told apart by what only the authorizer knows, nor by what
// is known when the answer is there.
bool is_source(std::string_view name) noexcept {
    if (name.starts_with(kHeader)) return is_token(name.substr(kHeader.size()));
    if (name.starts_with(kQuery)) return name.size() > kQuery.size();
    for (const std::string_view late : {"context.authorizer.",
                                        "context.error.",
                                        "context.integration",
                                        "context.response",
                                        "context.status",
                                        "context.authenticate.",
                                        "context.authorize.",
                                        "context.gatehouse."}) {
        if (name.starts_with(late)) return false;
    }
    return name.starts_with("stageVariables.") || name.starts_with("context.");
}

const NamedValues* find_values(const ValueMap& map, std::string_view name, bool any_case) noexcept {
    const auto it = std::ranges::find_if(map, [&](const NamedValues& entry) {
        return any_case ? equals_ignoring_case(entry.name, name) : entry.name == name;
    });
    return it == map.end() ? nullptr : &*it;
}

// Which of two credentials counts is a question that gateway and function could answer differently.
Errc take_value(const NamedValues* found, std::string& value) {
    if (found == nullptr || found->values.empty()) return Errc::identity_missing;
    if (found->values.size() > 1) return Errc::identity_repeated;
    value = found->values.front();
    return value.empty() ? Errc::identity_empty : Errc::none;
}

}  // namespace

Result<RequestIdentity> RequestIdentity::make(std::string_view sources) {
    RequestIdentity identity;
    for (bool more = !sources.empty(); more;) {
        const std::size_t comma = std::min(sources.find(','), sources.size());
        const std::string_view name = trim(sources.substr(0, comma));
        more = comma < sources.size();
        sources.remove_prefix(std::min(comma + 1, sources.size()));
        auto source = Expression::make(name);
        if (!source || source->is_literal() || !is_source(name)) {
            return fail(Errc::config_invalid,
                        "\"" + printable(name) +
                            "\" is no identity source; allowed, with commas between them: "
                            "method.request.header.NAME, method.request.querystring.NAME, "
                            "stageVariables.NAME, context.NAME");
        }
        identity.add(name, std::move(*source));
    }
    return identity;
}

Result<RequestIdentity> RequestIdentity::make_for_http(std::span<const std::string> sources) {
    RequestIdentity identity;
    for (const std::string& text : sources) {
        auto source = text.starts_with('$') && !text.starts_with("${")
                          ? Expression::make_for_http(text)
                          : Result<Expression>(fail(Errc::config_invalid));
        if (!source || !is_source(source->value())) {
            return fail(Errc::config_invalid,
                        "\"" + printable(text) +
                            "\" is no identity source; allowed: $request.header.NAME, "
                            "$request.querystring.NAME, $context.NAME, $stageVariables.NAME");
        }
        const std::string name = source->value();
        identity.add(name, std::move(*source));
    }
    return identity;
}

void RequestIdentity::add(std::string_view name, Expression expression) {
    using Kind = Source::Kind;
    const Kind kind = name.starts_with(kHeader)  ? Kind::header
                      : name.starts_with(kQuery) ? Kind::query
                                                 : Kind::variable;
    const std::size_t prefix = kind == Kind::header  ? kHeader.size()
                               : kind == Kind::query ? kQuery.size()
                                                     : 0;
    sources_.push_back({kind, std::string(name.substr(prefix)), std::move(expression)});
}

std::vector<std::string> RequestIdentity::values_of(std::string_view identity) {
    std::vector<std::string> values;
    while (!identity.empty()) {
        std::size_t size = 0;
        const auto [end, error] =
            std::from_chars(identity.data(), identity.data() + identity.size(), size);
        identity.remove_prefix(static_cast<std::size_t>(end - identity.data()) + 1);
        values.emplace_back(identity.substr(0, size));
        identity.remove_prefix(std::min(size, identity.size()));
    }
    return values;
}

RequestIdentity::Found RequestIdentity::find(const RequestFacts& facts,
                                             std::string& scratch) const {
    scratch.clear();
    std::size_t first_begin = 0;
    std::size_t first_size = 0;
    std::optional<ValueMap> headers;
    std::optional<ValueMap> query;
    std::string value;
    for (const Source& source : sources_) {
        value.clear();
        Errc error = Errc::none;
        if (source.kind == Source::Kind::header) {
            if (!headers) headers = header_values(facts, EventFormat::rest, {});
            error = take_value(find_values(*headers, source.name, true), value);
        } else if (source.kind == Source::Kind::query) {
            if (!query) query = query_values(facts.target.query);
            error = take_value(find_values(*query, source.name, false), value);
        } else if (!source.expression.append(facts, value)) {
            error = Errc::identity_missing;
        } else if (value.empty()) {
            error = Errc::identity_empty;
        }
        if (error != Errc::none) return {{}, {}, error, source.expression.text()};
        scratch.append(std::to_string(value.size())).append(":");
        if (first_size == 0) {
            first_begin = scratch.size();
            first_size = value.size();
        }
        scratch.append(value);
    }
    const std::string_view all = scratch;
    return {all, all.substr(first_begin, first_size), Errc::none};
}

}  // namespace gatehouse::authz
