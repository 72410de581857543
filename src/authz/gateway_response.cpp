#include "gatehouse/authz/gateway_response.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "gatehouse/http/fields.hpp"

#include <algorithm>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHeaderPrefix = "gatewayresponse.header.";

Error refuse(std::string_view pointer, std::string_view why) {
    return fail(Errc::config_invalid, std::string(pointer) + ": " + std::string(why));
}

// Written by the server, which alone knows the framing.
bool is_framing(std::string_view name) noexcept {
    switch (http::find_field_id(name)) {
        case http::FieldId::connection:
        case http::FieldId::content_length:
        case http::FieldId::date:
        case http::FieldId::keep_alive:
        case http::FieldId::trailer:
        case http::FieldId::transfer_encoding:
        case http::FieldId::upgrade:
            return true;
        default:
            return false;
    }
}

using Headers = std::vector<std::pair<std::string, Expression>>;

bool has_header(const Headers& headers, std::string_view name) noexcept {
    return std::ranges::any_of(
        headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
}

Result<Headers> compile_headers(const GatewayResponseSpec& spec, const std::string& pointer) {
    Headers headers;
    for (const auto& [key, text] : spec.response_parameters) {
        const std::string place = pointer + "/responseParameters" + pointer_step(key);
        if (!key.starts_with(kHeaderPrefix)) {
            return refuse(place, "only gatewayresponse.header.NAME has an effect");
        }
        const std::string name = key.substr(kHeaderPrefix.size());
        if (!is_token(name)) return refuse(place, "not a header name");
        if (is_framing(name)) return refuse(place, "this header is the server's own");
        if (has_header(headers, name)) return refuse(place, "this header is there twice");
        auto expression = Expression::make(text);
        if (!expression) return refuse(place, expression.error().detail);
        headers.emplace_back(name, std::move(expression).value());
    }
    return headers;
}

using Templates = std::vector<std::pair<std::string, Template>>;

Result<Templates> compile_templates(const GatewayResponseSpec& spec, const std::string& pointer) {
    Templates templates;
    for (const auto& [type, text] : spec.response_templates) {
        const std::string place = pointer + "/responseTemplates" + pointer_step(type);
        if (type.find('/') == std::string::npos || std::ranges::any_of(type, is_control)) {
            return refuse(place, "not a media type");
        }
        auto body = Template::make(text);
        if (!body) return refuse(place, body.error().detail);
        templates.emplace_back(type, std::move(body).value());
    }
    return templates;
}

// Which of several templates the service takes is not documented for gateway responses. As for
// integration responses without an Accept that decides: JSON, else the first. Kept in this one
// place.
const Templates::value_type* choose_template(const Templates& templates) noexcept {
    const auto json =
        std::ranges::find_if(templates, [](const auto& entry) { return entry.first == kJson; });
    if (json != templates.end()) return &*json;
    return templates.empty() ? nullptr : &templates.front();
}

std::string default_body(const GatewayError& error) {
    if (error.plain_text) return error.message.value_or("");
    std::string body = "{\"";
    body += error.key;
    body += error.spaced ? "\": " : "\":";
    body += error.message ? quote_json(*error.message) : "null";
    body += '}';
    return body;
}

void add_line(std::string& lines, std::string_view name, std::string_view value) {
    lines += name;
    lines += ": ";
    lines += value;
    lines += "\r\n";
}

// What is about to fail has no authorizer context: the service does not show it where nobody was
// authorized.
bool shows_context(ResponseType type) noexcept {
    return type != ResponseType::unauthorized && type != ResponseType::authorizer_failure &&
           type != ResponseType::authorizer_configuration_error;
}

}  // namespace

Result<GatewayResponses> GatewayResponses::make(
    const std::map<std::string, GatewayResponseSpec>& specs) {
    GatewayResponses made;
    for (const auto& [name, spec] : specs) {
        const std::string pointer = pointer_step(name);
        const auto type = find_response_type(name);
        if (!type) return refuse(pointer, "not a gateway response type");
        Compiled compiled;
        compiled.status_code = spec.status_code;
        if (spec.status_code && (*spec.status_code < 200 || *spec.status_code > 599)) {
            return refuse(pointer + "/statusCode", "a status is 200 to 599");
        }
        auto headers = compile_headers(spec, pointer);
        if (!headers) return std::move(headers).error();
        auto templates = compile_templates(spec, pointer);
        if (!templates) return std::move(templates).error();
        compiled.headers = std::move(headers).value();
        compiled.templates = std::move(templates).value();
        made.specs_.emplace(*type, std::move(compiled));
    }
    return made;
}

const GatewayResponses::Compiled* GatewayResponses::find(const GatewayError& error) const noexcept {
    // What the front end answers before any API is known cannot be configured.
    if (error.plain_text) return nullptr;
    const auto fallback =
        error.status < 500 ? ResponseType::default_4xx : ResponseType::default_5xx;
    for (const ResponseType type : {error.type, fallback}) {
        const auto found = specs_.find(type);
        if (found != specs_.end()) return &found->second;
    }
    return nullptr;
}

RenderedResponse GatewayResponses::render(const GatewayError& error, RequestFacts facts) const {
    static const Compiled kBuiltIn;
    const Compiled* found = find(error);
    const Compiled& spec = found == nullptr ? kBuiltIn : *found;
    ErrorFacts error_facts{error.type, std::nullopt, error.validation};
    if (error.message) error_facts.message = *error.message;
    facts.error = &error_facts;
    if (!shows_context(error.type)) facts.grant = nullptr;

    RenderedResponse response;
    response.status = spec.status_code.value_or(error.status);
    const auto* chosen = choose_template(spec.templates);
    response.body = chosen == nullptr ? default_body(error) : chosen->second.render(facts, "");
    const auto add_default = [&](std::string_view name, std::string_view value) {
        if (!value.empty() && !has_header(spec.headers, name))
            add_line(response.headers, name, value);
    };
    add_default("Content-Type",
                error.plain_text    ? "text/plain"
                : chosen == nullptr ? kJson
                                    : chosen->first);
    add_default("x-amzn-ErrorType", error.error_type);
    add_default("x-amzn-RequestId", facts.request_id);
    add_default("x-amz-apigw-id", facts.extended_request_id);
    // Captured on validation errors, and on no other.
    if (error.type == ResponseType::bad_request_parameters ||
        error.type == ResponseType::bad_request_body)
        add_default("X-Amzn-Trace-Id", facts.trace_id);
    std::string value;
    for (const auto& [name, expression] : spec.headers) {
        value.clear();
        if (!expression.append(facts, value) || std::ranges::any_of(value, is_control)) continue;
        add_line(response.headers, name, value);
    }
    return response;
}

}  // namespace gatehouse::authz
