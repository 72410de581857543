// What an HTTP API's HTTP_PROXY does otherwise than a REST API's (API Gateway developer guide,
// "Create HTTP proxy integrations for HTTP APIs", "Transforming API requests and responses").
#include "gatehouse/authz/cors.hpp"
#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/http_mapping.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/hop_by_hop.hpp"
#include "head_parts.hpp"
#include "text.hpp"
#include "uri_template.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

using authz::HttpDestination;

constexpr std::string_view kAuthorizerValue = "context.authorizer.";
constexpr std::string_view kPathValue = "method.request.path.";
constexpr std::string_view kRequestPath = "request.path";

Error bad_parameter(std::string_view place, std::string_view why) {
    return fail(Errc::config_invalid, printable(place) + ": " + std::string(why));
}

// An address as it may stand in a Forwarded element (RFC 7239 6): no obfuscated names, no ports of
// the client's choice.
bool is_address(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 45 && std::ranges::all_of(text, [](char c) {
        return hex_value(c) >= 0 || c == '.' || c == ':';
    });
}

void append_node(std::string_view address, std::string& out) {
    const bool v6 = address.find(':') != std::string_view::npos;
    out.append("for=").append(v6 ? "\"[" : "").append(address).append(v6 ? "]\"" : "");
}

}  // namespace

Result<void> ForwardPlan::set_http_mappings(const ForwardOptions& options) {
    for (const auto& [key, text] : options.request_parameters) {
        if (auto added = add_http_mapping(key, text, options); !added)
            return std::move(added).error();
    }
    auto answers = AnswerMapping::make(options.answer_parameters);
    if (!answers) return std::move(answers).error();
    answer_mapping_ = std::move(answers).value();
    // In which order the service works is not known: first what is taken away, then what is set,
    // then what is added.
    const auto by_action = [](const Mapping& a, const Mapping& b) { return a.action < b.action; };
    std::ranges::stable_sort(header_mappings_, by_action);
    std::ranges::stable_sort(query_mappings_, by_action);
    for (std::size_t i = 0; i < header_mappings_.size(); ++i) {
        if (header_mappings_[i].id == http::FieldId::host) host_mapping_ = static_cast<int>(i);
    }
    return {};
}

Result<void> ForwardPlan::add_http_mapping(std::string_view key,
                                           std::string_view text,
                                           const ForwardOptions& options) {
    auto destination = authz::parse_http_destination(key);
    if (!destination) return bad_parameter(key, destination.error().detail);
    const bool removes = destination->action == HttpDestination::Action::remove;
    if (removes && !text.empty() && text != "''") return bad_parameter(key, "takes no value");
    auto expression = authz::Expression::make_for_http(removes ? std::string_view() : text);
    if (!expression) return bad_parameter(key, expression.error().detail);
    for (const auto& part : expression->parts()) {
        if (!part.variable || !part.text.starts_with(kPathValue)) continue;
        const auto& names = options.path_parameters;
        if (std::ranges::find(names, part.text.substr(kPathValue.size())) == names.end())
            return bad_parameter(key, "the route has no path parameter of that name");
    }
    if (destination->place == HttpDestination::Place::path) {
        mapped_path_ = expression->parts();
        return {};
    }
    Mapping mapping{std::move(destination->name), std::move(*expression)};
    mapping.authorizer = mapping.expression.reads(kAuthorizerValue);
    mapping.action = removes                                                  ? Action::remove
                     : destination->action == HttpDestination::Action::append ? Action::append
                                                                              : Action::set;
    if (destination->place == HttpDestination::Place::query) {
        filters_query_ = filters_query_ || mapping.action != Action::append;
        query_mappings_.push_back(std::move(mapping));
        return {};
    }
    mapping.id = http::find_field_id(mapping.name);
    if (mapping.id == http::FieldId::host && mapping.action != Action::set)
        return bad_parameter(key, "a request has one Host: only overwrite: sets it");
    const bool twice = std::ranges::any_of(header_mappings_, [&](const Mapping& other) {
        return other.action == mapping.action && equals_folded(other.name, mapping.name);
    });
    if (twice) return bad_parameter(key, "this header is mapped twice");
    header_mappings_.push_back(std::move(mapping));
    return {};
}

// INVARIANT: as with the uri's placeholders, nothing that is filled in can end a segment, but for
// $request.path, which is a path and was checked as one.
Errc ForwardPlan::append_mapped_path(const authz::RequestFacts& facts, std::string& out) const {
    const std::size_t start = out.size();
    for (const auto& part : mapped_path_) {
        const std::size_t begin = out.size();
        if (!part.variable) {
            out += part.text;
            continue;
        }
        const bool found = authz::append_variable(facts, part.text, out);
        // Without a value the path would name another resource.
        if (!found || out.size() == begin) return Errc::mapping_invalid;
        if (part.text == kRequestPath || part.text.starts_with(kPathValue)) continue;
        const std::string_view value = std::string_view(out).substr(begin);
        if (has_control(value) || !is_utf8(value))
            return part.text.starts_with(kAuthorizerValue) ? Errc::context_unusable
                                                           : Errc::mapping_invalid;
        encode_from(out, begin);
    }
    const std::string_view path = std::string_view(out).substr(start);
    const bool clean = path.find('?') == std::string_view::npos && is_clean_path(path);
    return clean ? Errc::none : Errc::mapping_invalid;
}

// Parameters keep their order and their bytes; those that are set or removed are left out, as a
// function would name them.
void ForwardPlan::append_filtered_query(std::string_view query, std::string& out) const {
    bool first = true;
    while (!query.empty()) {
        const std::size_t end = query.find_first_of("&;");
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (pair.empty()) continue;
        const auto values = authz::query_values(pair);
        const bool taken =
            !values.empty() && std::ranges::any_of(query_mappings_, [&](const Mapping& mapping) {
                return mapping.action != Action::append && mapping.name == values.front().name;
            });
        if (taken) continue;
        if (!first) out += '&';
        first = false;
        out += pair;
    }
}

// As backends of HTTP APIs were seen to get them. The client's X-Forwarded-For becomes the first
// elements of Forwarded (RFC 7239 7.4); what is no address in it is left out, since it would be the
// client's word in ours. `by` is left out: the service's is an address of its own.
void ForwardPlan::append_http_additions(const authz::RequestFacts& facts, std::string& out) const {
    out += "Via: HTTP/1.1 AmazonAPIGateway\r\nForwarded: ";
    if (!own_forwarded_for_) {
        const http::NamedByConnection named(facts.head->fields);
        for (const http::Field& field : facts.head->fields) {
            if (field.id != http::FieldId::x_forwarded_for || named.has(field.name)) continue;
            for (std::string_view rest = field.value; !rest.empty();) {
                const std::size_t comma = std::min(rest.find(','), rest.size());
                const std::string_view address = trim(rest.substr(0, comma));
                rest.remove_prefix(std::min(comma + 1, rest.size()));
                if (!is_address(address)) continue;
                append_node(address, out);
                out += ", ";
            }
        }
    }
    append_node(facts.source_ip, out);
    if (is_host_value(facts.head->host)) {
        const bool token = is_token(facts.head->host);
        out.append(token ? ";host=" : ";host=\"")
            .append(facts.head->host)
            .append(token ? "" : "\"");
    }
    out += facts.secure ? ";proto=https\r\n" : ";proto=http\r\n";
    if (!facts.trace_id.empty()) add_line(out, "X-Amzn-Trace-Id", facts.trace_id);
}

void ForwardPlan::append_http_answer(const http::ResponseHead& head,
                                     const authz::RequestFacts& facts,
                                     const AnswerMapping::Rule* rule,
                                     std::string& out) const {
    if (!facts.extended_request_id.empty())
        add_line(out, "apigw-requestid", facts.extended_request_id);
    const bool cors = facts.stage != nullptr && facts.stage->cors;
    if (cors) facts.stage->cors->append_answer(*facts.head, out);
    const http::NamedByConnection named(head.fields);
    for (const http::Field& field : head.fields) {
        // DIVERGES: whether the service replaces Date is not known; one answer has one.
        if (http::response_fate(field.id, true) != http::Fate::pass ||
            field.id == http::FieldId::date || named.has(field.name))
            continue;
        // What Gatehouse says in its own name, and what corsConfiguration says instead.
        if (equals_ignoring_case(field.name, "apigw-requestid") ||
            equals_ignoring_case(field.name, authz::kTraceHeader) ||
            (cors && authz::Cors::is_own(field.name)))
            continue;
        if (rule != nullptr && replaces(*rule, field.name)) continue;
        add_line(out, field.name, field.value);
    }
    if (rule != nullptr) append_answer_fields(*rule, head, facts, out);
}

}  // namespace gatehouse::forward
