// The response side of an integration that maps.
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/hop_by_hop.hpp"
#include "gatehouse/mapping/integration.hpp"
#include "media_types.hpp"
#include "template_inputs.hpp"

#include <algorithm>

namespace gatehouse::mapping {
namespace {

using http::FieldId;

constexpr std::string_view kHeader = "method.response.header.";

bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, is_control);
}

Error bad_response(const std::string& pointer, const std::string& why) {
    return fail(Errc::config_invalid, pointer + ": " + why);
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
}

authz::NamedValues* find_name(authz::ValueMap& map, std::string_view name) noexcept {
    const auto found = std::ranges::find_if(map, [&](const authz::NamedValues& entry) {
        return equals_ignoring_case(entry.name, name);
    });
    return found == map.end() ? nullptr : &*found;
}

// Written by the server, which alone knows the framing, or by Gatehouse in its own name.
http::Fate fate_of(FieldId id, bool plain) noexcept {
    switch (id) {
        case FieldId::connection:
        case FieldId::content_length:
        case FieldId::date:
        case FieldId::x_amz_apigw_id:
        case FieldId::x_amzn_requestid:
            return http::Fate::overwrite;
        case FieldId::accept:
        case FieldId::expect:
        case FieldId::host:
            return http::Fate::drop;
        case FieldId::via:  // the notes' table, column HTTP
            return http::Fate::pass;
        case FieldId::x_amzn_trace_id:
            return plain ? http::Fate::pass : http::Fate::overwrite;
        default:
            return http::response_fate(id, plain);
    }
}

// The fault is the backend's or the template's, and a client can do nothing about it.
Error response_fault(const Error& error) {
    return fail(Errc::template_failed,
                error.errc() == Errc::template_failed ? error.detail
                                                      : std::string(reason_text(error.errc())));
}

}  // namespace

Result<Integration::Source> Integration::compile_source(std::string_view text) {
    constexpr std::string_view kRoot = "integration.response.";
    Source source;
    if (!text.starts_with(kRoot)) {
        if (text.starts_with("method.")) {
            return fail(Errc::config_invalid,
                        "a response is mapped from integration.response.…, context.…, "
                        "stageVariables.… or a 'literal'");
        }
        auto expression = authz::Expression::make(text);
        if (!expression) return std::move(expression).error();
        source.expression = std::move(expression).value();
        return source;
    }
    text.remove_prefix(kRoot.size());
    if (text == "body" || text.starts_with("body.")) {
        auto body = BodySource::make(text.substr(4));
        if (!body) return std::move(body).error();
        source.kind = Source::Kind::body;
        source.body = std::move(body).value();
        return source;
    }
    for (const std::string_view prefix : {"header.", "multivalueheader."}) {
        if (!text.starts_with(prefix) || !is_token(text.substr(prefix.size()))) continue;
        source.kind = prefix == "header." ? Source::Kind::header : Source::Kind::multi_header;
        source.name = text.substr(prefix.size());
        return source;
    }
    return fail(Errc::config_invalid,
                "allowed behind integration.response.: header.NAME, multivalueheader.NAME, body, "
                "body.JSONPATH");
}

Result<Integration::Response> Integration::compile_response(const ResponseSpec& spec) {
    const std::string pointer = "/integrationResponses/" + spec.key;
    Response response;
    response.key = spec.key;
    response.status_code = spec.status_code;
    if (spec.status_code < 200 || spec.status_code > 599)
        return bad_response(pointer + "/statusCode", "a status is 200 to 599");
    if (!spec.selection_pattern.empty()) {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(limits::kExpressionBytes);
        response.pattern = std::make_shared<const re2::RE2>(spec.selection_pattern, options);
        if (!response.pattern->ok())
            return bad_response(pointer + "/selectionPattern", response.pattern->error());
    }
    for (const auto& [destination, text] : spec.response_parameters) {
        std::string place = pointer + "/responseParameters/";
        place += destination;
        if (!destination.starts_with(kHeader))
            return bad_response(place, "expected method.response.header.NAME");
        std::string name = destination.substr(kHeader.size());
        if (!is_token(name)) return bad_response(place, "not a header name");
        auto source = compile_source(text);
        if (!source) return bad_response(place, source.error().detail);
        response.headers.emplace_back(std::move(name), std::move(source).value());
    }
    auto compiled = compile_templates(spec.response_templates, pointer + "/responseTemplates");
    if (!compiled) return std::move(compiled).error();
    response.templates = std::move(compiled).value();
    return response;
}

// The whole status against each pattern in turn; the one without pattern is for what is left. A
// MOCK that asked for no status gets that one.
const Integration::Response* Integration::choose_response(int status) const {
    const std::string text = std::to_string(status);
    const Response* fallback = nullptr;
    for (const Response& response : responses_) {
        if (response.pattern == nullptr) {
            fallback = &response;
        } else if (status != 0 && re2::RE2::FullMatch(text, *response.pattern)) {
            return &response;
        }
    }
    return fallback;
}

Result<std::vector<std::string>> Integration::read_source(const Source& source,
                                                          const authz::RequestFacts& facts,
                                                          const BackendAnswer& answer) const {
    std::vector<std::string> values;
    if (source.kind == Source::Kind::expression) {
        std::string value;
        if (source.expression && source.expression->append(facts, value))
            values.push_back(std::move(value));
        return values;
    }
    if (source.kind == Source::Kind::body) {
        auto value = source.body->read(answer.content);
        if (!value) return response_fault(value.error());
        if (*value) values.push_back(**value);
        return values;
    }
    for (const http::Field& field : answer.fields) {
        if (equals_ignoring_case(field.name, source.name)) values.emplace_back(field.value);
    }
    // Of several the last, as on the request's side.
    if (source.kind == Source::Kind::header && values.size() > 1)
        values.erase(values.begin(), values.end() - 1);
    return values;
}

Result<authz::ValueMap> Integration::read_headers(const Response& response,
                                                  const authz::RequestFacts& facts,
                                                  const BackendAnswer& answer) const {
    authz::ValueMap headers;
    for (const auto& [name, source] : response.headers) {
        auto values = read_source(source, facts, answer);
        if (!values) return std::move(values).error();
        if (!values->empty()) headers.push_back({name, std::move(values).value()});
    }
    return headers;
}

Result<void> Integration::write_headers(const authz::ValueMap& headers,
                                        std::string_view content_type,
                                        const authz::RequestFacts& facts,
                                        std::string& out) const {
    const bool typed = std::ranges::any_of(headers, [](const authz::NamedValues& entry) {
        return http::find_field_id(entry.name) == FieldId::content_type;
    });
    if (!typed) add_line(out, "Content-Type", content_type);
    if (!facts.request_id.empty()) add_line(out, "x-amzn-RequestId", facts.request_id);
    if (!facts.extended_request_id.empty())
        add_line(out, "x-amz-apigw-id", facts.extended_request_id);
    // Recorded: HTTP integrations send it, MOCK ones do not.
    if (!spec_.mock && !spec_.plain_headers && !facts.trace_id.empty())
        add_line(out, "X-Amzn-Trace-Id", facts.trace_id);
    for (const authz::NamedValues& entry : headers) {
        if (!is_token(entry.name))
            return fail(Errc::mapping_invalid, "a header's name is no token");
        const http::Fate fate = fate_of(http::find_field_id(entry.name), spec_.plain_headers);
        if (fate != http::Fate::pass && fate != http::Fate::remap) continue;
        if (equals_ignoring_case(entry.name, authz::kTraceHeader)) continue;
        for (const std::string& value : entry.values) {
            if (has_control(value)) {
                return fail(Errc::mapping_invalid,
                            "the value of " + entry.name + " holds a control character");
            }
            if (fate == http::Fate::remap) out += "x-amzn-Remapped-";
            add_line(out, entry.name, value);
        }
    }
    return {};
}

Result<MappedAnswer> Integration::map_response(const authz::RequestFacts& facts,
                                               const templates::Overrides& earlier,
                                               const BackendAnswer& answer) const {
    const Response* response = choose_response(answer.status);
    if (response == nullptr) {
        return fail(Errc::integration_response_unmatched,
                    "status " + std::to_string(answer.status) +
                        " matches no selectionPattern, and there is no default");
    }
    MappedAnswer mapped;
    mapped.key = response->key;
    mapped.response.status = response->status_code;
    auto headers = read_headers(*response, facts, answer);
    if (!headers) return std::move(headers).error();
    templates::Overrides overrides = earlier;
    // UNCONFIRMED without a template: the recorded Content-Type is JSON unless it is mapped.
    std::string_view content_type = kJsonType;
    if (response->templates.empty()) {
        mapped.response.body = answer.content;
    } else {
        const auto* chosen = find_type(response->templates, media_type(facts, FieldId::accept));
        if (chosen == nullptr) chosen = find_type(response->templates, kJsonType);
        if (chosen == nullptr) chosen = &response->templates.front();
        const TemplateInputs inputs(facts, spec_.reserved_headers, spec_.reserved_prefixes);
        auto rendered = templates::render(chosen->second, inputs.view(answer.content, &earlier));
        if (!rendered) return response_fault(rendered.error());
        mapped.response.body = std::move(rendered->text);
        overrides = std::move(rendered->overrides);
        mapped.chosen = content_type = chosen->first;
    }
    for (templates::Override& one : overrides.response_headers) {
        if (authz::NamedValues* entry = find_name(*headers, one.name)) {
            entry->values = std::move(one.values);
        } else {
            headers->push_back({std::move(one.name), std::move(one.values)});
        }
    }
    if (overrides.response_status) mapped.response.status = *overrides.response_status;
    // RFC 9110 6.4.1: these have no content.
    if (mapped.response.status == 204 || mapped.response.status == 304)
        mapped.response.body.clear();
    if (auto written = write_headers(*headers, content_type, facts, mapped.response.headers);
        !written)
        return std::move(written).error();
    return mapped;
}

}  // namespace gatehouse::mapping
