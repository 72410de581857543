// Compiling an integration. Writing the heads is request_head.cpp and response_head.cpp.
#include "gatehouse/forward/forward_plan.hpp"

#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/fields.hpp"
#include "owned_names.hpp"
#include "text.hpp"
#include "uri_template.hpp"

#include <algorithm>
#include <optional>

namespace gatehouse::forward {
namespace {

constexpr std::string_view kHeader = "integration.request.header.";
constexpr std::string_view kQuery = "integration.request.querystring.";
constexpr std::string_view kPath = "integration.request.path.";
constexpr std::string_view kPathSource = "method.request.path.";
constexpr std::string_view kForwardedFor = "x-forwarded-for";
constexpr std::string_view kContextSource = "context.authorizer.";

Error refuse(std::string_view place, std::string_view why) {
    return fail(Errc::config_invalid, printable(place) + ": " + std::string(why));
}

// The service answers 500 for the first ones and drops the others in silence; here neither is
// loaded. Framing and connection fields are not the author's to write, and x-amzn-request-context
// is the gateway's word.
bool may_be_mapped(std::string_view name) noexcept {
    if (equals_folded(name, authz::kOverrideHeader)) return false;
    switch (http::find_field_id(name)) {
        case http::FieldId::content_length:
        case http::FieldId::transfer_encoding:
        case http::FieldId::x_amzn_trace_id:
        case http::FieldId::x_amzn_apigateway_api_id:
        case http::FieldId::expect:
        case http::FieldId::proxy_authenticate:
        case http::FieldId::te:
        case http::FieldId::via:
        case http::FieldId::connection:
        case http::FieldId::keep_alive:
        case http::FieldId::proxy_connection:
        case http::FieldId::http2_settings:
        case http::FieldId::trailer:
        case http::FieldId::upgrade:
        case http::FieldId::x_amzn_request_context:
            return false;
        default:
            return true;
    }
}

std::optional<int> index_of(const std::vector<std::string>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<int>(found - names.begin());
}

// A placeholder that is a whole segment holds what was checked as one when the request was read.
// Next to other text, harmless parts can make a dot segment.
bool is_whole_segment(const std::vector<UriPiece>& pieces, std::size_t i) noexcept {
    const bool starts = i > 0 && !pieces[i - 1].placeholder && pieces[i - 1].text.ends_with('/');
    const bool ends = i + 1 == pieces.size() ||
                      (!pieces[i + 1].placeholder && pieces[i + 1].text.starts_with('/'));
    return starts && ends;
}

Result<std::string> check_method(std::string_view method) {
    if (method.empty() || method == "ANY") return std::string();
    if (!is_token(method) || method == "CONNECT") return refuse("httpMethod", "not a method");
    return std::string(method);
}

Result<void> check_context(const ContextHeaderOptions& options) {
    if (options.enabled && !is_token(options.prefix)) {
        return refuse("contextHeaders.prefix", "not the beginning of a header name");
    }
    return {};
}

}  // namespace

std::shared_ptr<const Endpoint> SharedParts::share(Endpoint endpoint) {
    return *endpoints_.insert(std::make_shared<const Endpoint>(std::move(endpoint))).first;
}

std::shared_ptr<const OwnedNames> SharedParts::share(OwnedNames names) {
    return *names_.insert(std::make_shared<const OwnedNames>(std::move(names))).first;
}

Result<ForwardPlan> ForwardPlan::make(const ForwardOptions& options) {
    SharedParts alone;
    return make(options, alone);
}

Result<ForwardPlan> ForwardPlan::make(const ForwardOptions& options, SharedParts& shared) {
    ForwardPlan plan;
    auto method = check_method(options.http_method);
    if (!method) return std::move(method).error();
    plan.http_method_ = std::move(method).value();
    if (auto checked = check_context(options.context_headers); !checked)
        return std::move(checked).error();
    plan.context_headers_ = options.context_headers;
    // HTTP APIs rename nothing, and drop what belongs to the connection: the fates of a plain
    // proxy.
    plan.plain_ = options.plain_headers || options.http_api;
    plan.http_ = options.http_api;
    plan.append_request_path_ = options.append_request_path;
    auto mapped = plan.http_ ? plan.set_http_mappings(options) : plan.set_mappings(options);
    if (!mapped) return std::move(mapped).error();
    auto endpoint = plan.set_uri(options);
    if (!endpoint) return std::move(endpoint).error();
    plan.endpoint_ = shared.share(std::move(endpoint).value());
    plan.owned_ = shared.share(plan.find_owned(options));
    return plan;
}

Result<void> ForwardPlan::set_mappings(const ForwardOptions& options) {
    for (const auto& [key, text] : options.request_parameters) {
        const std::string_view view = key;
        const bool header = view.starts_with(kHeader);
        const bool query = view.starts_with(kQuery);
        if (!header && !query && !view.starts_with(kPath)) {
            return refuse(key, "expected integration.request.{header,querystring,path}.NAME");
        }
        const std::string_view name = view.substr((header  ? kHeader
                                                   : query ? kQuery
                                                           : kPath)
                                                      .size());
        if (name.empty()) return refuse(key, "the name is missing");
        if (header && !is_token(name)) return refuse(key, "not a header name");
        if (header && !may_be_mapped(name)) return refuse(key, "this header cannot be mapped");
        auto expression = authz::Expression::make(text);
        if (!expression) return refuse(key, expression.error().detail);
        Mapping mapping{std::string(name), std::move(expression).value()};
        const std::string_view source = mapping.expression.value();
        if (!mapping.expression.is_literal() && source.starts_with(kPathSource) &&
            !index_of(options.path_parameters, source.substr(kPathSource.size()))) {
            return refuse(key, "the route has no path parameter of that name");
        }
        mapping.authorizer = !mapping.expression.is_literal() && source.starts_with(kContextSource);
        if (query) encode_from(mapping.name, 0);
        if (header) {
            mapping.id = http::find_field_id(name);
            const bool twice = std::ranges::any_of(header_mappings_, [&](const Mapping& other) {
                return equals_folded(other.name, name);
            });
            if (twice) return refuse(key, "this header is mapped twice");
            if (mapping.id == http::FieldId::host)
                host_mapping_ = static_cast<int>(header_mappings_.size());
        }
        (header  ? header_mappings_
         : query ? query_mappings_
                 : path_mappings_)
            .push_back(std::move(mapping));
    }
    return {};
}

Result<Endpoint> ForwardPlan::set_uri(const ForwardOptions& options) {
    auto parsed = parse_uri_template(options.uri);
    if (!parsed) return std::move(parsed).error();
    UriTemplate uri = std::move(parsed).value();
    uri.endpoint.tls_name = options.tls_name;
    has_query_ = uri.has_query;
    std::vector<bool> used(path_mappings_.size());

    const auto resolve = [&](const UriPiece& piece) -> Result<UriPart> {
        if (!piece.placeholder) return UriPart{piece.text, -1, -1, {}};
        std::string name = piece.text;
        const auto mapped = std::ranges::find_if(
            path_mappings_, [&](const Mapping& mapping) { return mapping.name == name; });
        if (mapped != path_mappings_.end()) {
            const auto index = static_cast<std::size_t>(mapped - path_mappings_.begin());
            used[index] = true;
            const std::string_view source = mapped->expression.value();
            if (mapped->expression.is_literal() || !source.starts_with(kPathSource)) {
                return UriPart{{}, -1, static_cast<int>(index), piece.text};
            }
            name = source.substr(kPathSource.size());
        }
        const auto parameter = index_of(options.path_parameters, name);
        if (!parameter) {
            return refuse("uri",
                          "{" + name + "} is neither a path parameter of the route nor mapped");
        }
        return UriPart{{}, *parameter, -1, piece.text};
    };
    for (std::size_t i = 0; i < uri.path.size(); ++i) {
        auto part = resolve(uri.path[i]);
        if (!part) return std::move(part).error();
        const bool filled = uri.path[i].placeholder;
        check_path_ =
            check_path_ || (filled && (part->mapping >= 0 || !is_whole_segment(uri.path, i)));
        path_parts_.push_back(std::move(part).value());
    }
    for (const UriPiece& piece : uri.query) {
        auto part = resolve(piece);
        if (!part) return std::move(part).error();
        query_parts_.push_back(std::move(part).value());
    }
    const auto unused = std::ranges::find(used, false);
    if (unused == used.end()) return std::move(uri.endpoint);
    const auto& mapping = path_mappings_[static_cast<std::size_t>(unused - used.begin())];
    return refuse(std::string(kPath) + mapping.name, "the uri has no placeholder of that name");
}

// Names that are ours in whatever spelling. The exact spelling of those with a FieldId never comes
// as far as the list; `X_Forwarded_For` and the like do, and CGI-style upstreams read them as ours.
OwnedNames ForwardPlan::find_owned(const ForwardOptions& options) {
    const ContextHeaderOptions& context = options.context_headers;
    std::vector<std::string> names = options.reserved_headers;
    std::vector<std::string> prefixes = options.reserved_prefixes;
    if (context.enabled) prefixes.push_back(context.prefix);
    for (const Mapping& mapping : header_mappings_) {
        // What is appended to is the client's, unless it is said in the authorizer's name.
        if (mapping.action == Action::append && !mapping.authorizer) continue;
        names.push_back(mapping.name);
        mapped_context_ =
            mapped_context_ ||
            (context.enabled && starts_with_folded(mapping.name, fold_name(context.prefix)));
    }
    own_forwarded_for_ = std::ranges::any_of(
        names, [](const std::string& name) { return equals_folded(name, kForwardedFor); });
    names.insert(names.end(),
                 {"content-length",
                  "transfer-encoding",
                  "x-amzn-request-context",
                  std::string(authz::kOverrideHeader),
                  std::string(kForwardedFor),
                  "x-forwarded-port",
                  "x-forwarded-proto"});
    if (!plain_) names.insert(names.end(), {"x-amzn-apigateway-api-id", "x-amzn-trace-id"});
    if (http_)
        names.insert(names.end(), {"forwarded", "via", "x-amzn-trace-id", "x-forwarded-host"});
    return {names, prefixes};
}

std::string_view ForwardPlan::method(const authz::RequestFacts& facts) const noexcept {
    if (!http_method_.empty()) return http_method_;
    return facts.head == nullptr ? std::string_view{} : facts.head->method;
}

}  // namespace gatehouse::forward
