#include "context_names.hpp"

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/http_mapping.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/context_headers.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace gatehouse::app {
namespace {

constexpr std::string_view kHeaderDestination = "integration.request.header.";
constexpr std::string_view kContext = "context.authorizer.";

// The header that a mapping writes authorizer context into; empty: none.
std::string context_header(const config::Api& api,
                           const std::string& destination,
                           const std::string& source) {
    if (api.protocol == config::Protocol::rest) {
        const bool context =
            destination.starts_with(kHeaderDestination) && source.starts_with(kContext);
        return context ? destination.substr(kHeaderDestination.size()) : std::string();
    }
    using Destination = authz::HttpDestination;
    const auto parsed = authz::parse_http_destination(destination);
    if (!parsed || parsed->place != Destination::Place::header ||
        parsed->action == Destination::Action::remove)
        return {};
    const auto value = authz::Expression::make_for_http(source);
    return value && value->reads(kContext) ? parsed->name : std::string();
}

void add_once(const std::string& name, std::vector<std::string>& into) {
    const auto same = [&](const std::string& other) { return equals_ignoring_case(other, name); };
    if (std::ranges::none_of(into, same)) into.push_back(name);
}

// Of an authorizer in the process its map has the keys; those of a function nobody knows before.
void add_known_keys(const config::Api& api, std::vector<std::string>& into) {
    const std::string& prefix = api.context_headers.prefix;
    add_once(prefix + std::string(forward::kPrincipalKey), into);
    for (const config::Authorizer& authorizer : api.authorizers) {
        if (authorizer.function >= 0) continue;
        for (const config::ContextEntry& entry : authorizer.claims().context)
            if (is_token(entry.key)) add_once(prefix + entry.key, into);
    }
}

}  // namespace

ContextNames make_context_names(const config::Model& model) {
    ContextNames names;
    names.headers.emplace_back("x-amzn-request-context");
    for (const config::Api& api : model.apis) {
        std::vector<std::string>& answered = names.answered.emplace_back();
        if (api.context_headers.enabled) {
            names.prefixes.push_back(api.context_headers.prefix);
            add_known_keys(api, answered);
        }
        for (const config::Route& route : api.routes) {
            for (const auto& [destination, source] : route.integration.request_parameters) {
                std::string name = context_header(api, destination, source);
                if (name.empty()) continue;
                add_once(name, answered);
                names.headers.push_back(std::move(name));
            }
        }
    }
    return names;
}

bool ContextNames::has(std::string_view name) const noexcept {
    const auto begins = [&](const std::string& prefix) {
        return equals_folded(name.substr(0, prefix.size()), prefix);
    };
    const auto equals = [&](const std::string& known) { return equals_folded(name, known); };
    return std::ranges::any_of(prefixes, begins) || std::ranges::any_of(headers, equals);
}

}  // namespace gatehouse::app
