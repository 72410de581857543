#include "gatehouse/authz/request_identity.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kHeader = "method.request.header.";

// Path parameters are in the event, and cannot be a source (developer guide, "Input to a Lambda
// authorizer").
bool is_source(std::string_view name) noexcept {
    if (name.starts_with(kHeader)) return is_token(name.substr(kHeader.size()));
    constexpr std::string_view kKinds[] = {
        "method.request.querystring.", "stageVariables.", "context."};
    return std::ranges::any_of(kKinds,
                               [&](std::string_view kind) { return name.starts_with(kind); });
}

// Which of two credentials counts is a question that gateway and function could answer differently.
bool is_repeated(const RequestFacts& facts, std::string_view name) noexcept {
    if (!name.starts_with(kHeader)) return false;
    const std::string_view header = name.substr(kHeader.size());
    return std::ranges::count_if(facts.head->fields, [&](const http::Field& field) {
               return equals_ignoring_case(field.name, header);
           }) > 1;
}

}  // namespace

Result<RequestIdentity> RequestIdentity::make(std::string_view sources) {
    RequestIdentity identity;
    while (!sources.empty()) {
        const std::size_t comma = std::min(sources.find(','), sources.size());
        const std::string_view name = trim(sources.substr(0, comma));
        sources.remove_prefix(std::min(comma + 1, sources.size()));
        auto source = Expression::make(name);
        // What authorizes cannot be told apart by what only the authorizer knows.
        if (!source || source->is_literal() || !is_source(name) ||
            name.starts_with("context.authorizer.") || name.starts_with("context.error.")) {
            return fail(Errc::config_invalid,
                        "\"" + printable(name) +
                            "\" is no identity source; allowed, with commas between them: "
                            "method.request.header.NAME, method.request.querystring.NAME, "
                            "stageVariables.NAME, context.NAME");
        }
        identity.sources_.push_back(std::move(*source));
    }
    return identity;
}

RequestIdentity::Found RequestIdentity::find(const RequestFacts& facts,
                                             std::string& scratch) const {
    scratch.clear();
    std::size_t first_begin = 0;
    std::size_t first_size = 0;
    std::string value;
    for (const Expression& source : sources_) {
        if (is_repeated(facts, source.value())) return {{}, {}, Errc::identity_repeated};
        value.clear();
        if (!source.append(facts, value)) return {{}, {}, Errc::identity_missing};
        if (value.empty()) return {{}, {}, Errc::identity_empty};
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
