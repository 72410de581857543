#include "gatehouse/forward/proxy_event.hpp"

#include "event_authorizer.hpp"
#include "gatehouse/authz/request_context.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/json_text.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "media_type.hpp"

namespace gatehouse::forward {
namespace {

using authz::EventFormat;
using authz::ValueMap;

bool is_base64(const ProxyRequest& request, const ProxyEventOptions& options) noexcept {
    const auto* field = http::find_field(request.facts.head->fields, http::FieldId::content_type);
    const std::string_view type = field == nullptr ? "" : first_media_type(field->value);
    if (options.format == EventFormat::rest) return is_binary(options.binary_media_types, type);
    // Text that is no UTF-8 (compressed JSON, say) would be lost as text.
    return !is_text(type) || !is_utf8(request.body);
}

void add_body(std::string_view body, bool base64, JsonMembers& members) {
    if (base64) {
        members.text("body", encode_base64(body));
    } else {
        members.text("body", body);
    }
}

// A map of a format 1.0 proxy event: null without entries, unlike in an authorizer's event.
template <class Append>
void add_map(std::string_view name, bool empty, JsonMembers& members, Append append) {
    if (empty) {
        members.raw(name, "null");
    } else {
        append(members.name(name));
    }
}

void append_event_1(const ProxyRequest& request,
                    const ProxyEventOptions& options,
                    const authz::HiddenHeaders& hidden,
                    std::string& out) {
    const authz::RequestFacts& facts = request.facts;
    const std::string authorizer = make_event_authorizer(request, options.format);
    JsonMembers members(out);
    if (options.format != EventFormat::rest) members.text("version", "1.0");
    members.text("resource", facts.resource_path);
    members.text("path", event_path(facts, options.format));
    members.text("httpMethod", facts.head->method);
    const ValueMap headers = header_values(facts, options.format, hidden);
    append_last_values(headers, members.name("headers"));
    append_all_values(headers, members.name("multiValueHeaders"));
    const ValueMap query = authz::query_values(facts.target.query);
    add_map("queryStringParameters", query.empty(), members, [&](std::string& to) {
        append_last_values(query, to);
    });
    add_map("multiValueQueryStringParameters", query.empty(), members, [&](std::string& to) {
        append_all_values(query, to);
    });
    const ValueMap path = path_values(facts, options.format);
    add_map("pathParameters", path.empty(), members, [&](std::string& to) {
        append_last_values(path, to);
    });
    add_map("stageVariables", !has_stage_variables(facts), members, [&](std::string& to) {
        append_stage_variables(facts, to);
    });
    members.name("requestContext");
    if (options.format == EventFormat::rest) {
        append_request_context(facts, authorizer, out);
    } else {
        append_http_context_1(facts, request.route_key, authorizer, out);
    }
    const bool base64 = !request.body.empty() && is_base64(request, options);
    if (request.body.empty()) {
        members.raw("body", "null");
    } else {
        add_body(request.body, base64, members);
    }
    members.raw("isBase64Encoded", base64 ? "true" : "false");
    members.end();
}

void append_event_2(const ProxyRequest& request,
                    const ProxyEventOptions& options,
                    const authz::HiddenHeaders& hidden,
                    std::string& out) {
    const authz::RequestFacts& facts = request.facts;
    JsonMembers members(out);
    members.text("version", "2.0");
    members.text("routeKey", request.route_key);
    members.text("rawPath", event_path(facts, options.format));
    members.text("rawQueryString", facts.target.query);
    const auto cookies = cookie_values(facts);
    if (!cookies.empty()) authz::append_strings(cookies, members.name("cookies"));
    append_joined_values(header_values(facts, options.format, hidden), members.name("headers"));
    const ValueMap query = authz::query_values(facts.target.query);
    if (!query.empty()) append_joined_values(query, members.name("queryStringParameters"));
    const ValueMap path = path_values(facts, options.format);
    if (!path.empty()) append_last_values(path, members.name("pathParameters"));
    if (has_stage_variables(facts)) append_stage_variables(facts, members.name("stageVariables"));
    members.name("requestContext");
    append_http_context_2(
        facts, request.route_key, {}, make_event_authorizer(request, options.format), out);
    const bool base64 = !request.body.empty() && is_base64(request, options);
    if (!request.body.empty()) add_body(request.body, base64, members);
    members.raw("isBase64Encoded", base64 ? "true" : "false");
    members.end();
}

}  // namespace

Errc append_proxy_event(const ProxyRequest& request,
                        const ProxyEventOptions& options,
                        std::string& out) {
    // The body is in the event whole, or larger. Asked first, so that no event of many times the
    // limit is made.
    if (request.body.size() > limits::kFunctionEventBytes) return Errc::function_event_too_large;
    const authz::HiddenHeaders hidden{options.reserved_headers, options.reserved_prefixes, true};
    const std::size_t start = out.size();
    if (options.format == EventFormat::http_2_0) {
        append_event_2(request, options, hidden, out);
    } else {
        append_event_1(request, options, hidden, out);
    }
    if (out.size() - start <= limits::kFunctionEventBytes) return Errc::none;
    out.resize(start);
    return Errc::function_event_too_large;
}

}  // namespace gatehouse::forward
