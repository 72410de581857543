// Writing the head of a custom integration (type HTTP): nothing of the client's goes on but what is
// mapped (API Gateway developer guide, "Set up HTTP integrations", "Request and response data
// mapping reference").
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/fields.hpp"
#include "head_parts.hpp"
#include "text.hpp"
#include "uri_template.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

const authz::NamedValues* find_exact(const authz::ValueMap& map, std::string_view name) noexcept {
    const auto found = std::ranges::find(map, name, &authz::NamedValues::name);
    return found == map.end() ? nullptr : &*found;
}

enum class Right { write, drop, refuse };

// The service answers 500 where a mapping names the first ones, and drops the others in silence.
// What a template names is known only now, so there is nobody to be told at load.
Right right_to_write(std::string_view name) noexcept {
    switch (http::find_field_id(name)) {
        case http::FieldId::content_length:
        case http::FieldId::transfer_encoding:
        case http::FieldId::x_amzn_trace_id:
        case http::FieldId::x_amzn_apigateway_api_id:
        case http::FieldId::x_amzn_request_context:
            return Right::refuse;
        case http::FieldId::connection:
        case http::FieldId::expect:
        case http::FieldId::http2_settings:
        case http::FieldId::keep_alive:
        case http::FieldId::proxy_authenticate:
        case http::FieldId::proxy_authorization:
        case http::FieldId::proxy_connection:
        case http::FieldId::te:
        case http::FieldId::trailer:
        case http::FieldId::upgrade:
        case http::FieldId::via:
            return Right::drop;
        default:
            return is_token(name) ? Right::write : Right::refuse;
    }
}

}  // namespace

Errc ForwardPlan::write_custom_head(const authz::RequestFacts& facts,
                                    const http::Framing& framing,
                                    const Additions& additions,
                                    std::string& out,
                                    std::string_view host_line) const {
    if (facts.head == nullptr) return Errc::internal;
    const std::size_t start = out.size();
    out += method(facts);
    out += ' ';
    Errc error = append_custom_path(facts, additions, out);
    if (error == Errc::none) error = append_custom_query(facts, additions, out);
    if (error == Errc::none) {
        out += " HTTP/1.1\r\n";
        error = append_custom_headers(facts, framing, additions, host_line, out);
    }
    if (error != Errc::none) {
        out.resize(start);
        return error;
    }
    append_framing(wants_content(method(facts)), framing, out);
    out += "\r\n";
    return Errc::none;
}

Errc ForwardPlan::append_custom_path(const authz::RequestFacts& facts,
                                     const Additions& additions,
                                     std::string& out) const {
    const std::size_t start = out.size();
    for (const UriPart& part : path_parts_) {
        const Errc error = append_custom_part(part, facts, additions, false, out);
        if (error != Errc::none) return error;
    }
    const bool check = check_path_ || !additions.path.empty();
    const bool clean = !check || is_clean_path(std::string_view(out).substr(start));
    return clean ? Errc::none : Errc::mapping_invalid;
}

Errc ForwardPlan::append_custom_part(const UriPart& part,
                                     const authz::RequestFacts& facts,
                                     const Additions& additions,
                                     bool query,
                                     std::string& out) const {
    const auto* added = part.name.empty() ? nullptr : find_exact(additions.path, part.name);
    if (added == nullptr || added->values.empty()) return append_part(part, facts, query, out);
    const std::string& value = added->values.back();
    // As in append_part: without a value the path would name another resource.
    if (!query && value.empty()) return Errc::mapping_invalid;
    if (!query && (has_control(value) || !is_utf8(value))) return Errc::mapping_invalid;
    const std::size_t start = out.size();
    out += value;
    encode_from(out, start);
    return Errc::none;
}

// The URI's own query, then mapped parameters. The client's stays here.
Errc ForwardPlan::append_custom_query(const authz::RequestFacts& facts,
                                      const Additions& additions,
                                      std::string& out) const {
    Separator separator;
    if (has_query_) {
        separator.write(out);
        for (const UriPart& part : query_parts_) {
            const Errc error = append_custom_part(part, facts, additions, true, out);
            if (error != Errc::none) return error;
        }
        separator.follow(!query_parts_.empty());
    }
    const auto begin = [&](std::string_view encoded_name) {
        separator.write(out);
        out += encoded_name;
        out += '=';
        return out.size();
    };
    std::string name;
    for (const Mapping& mapping : query_mappings_) {
        const bool overridden = std::ranges::any_of(additions.querystring, [&](const auto& added) {
            name = added.name;
            encode_from(name, 0);
            return name == mapping.name;  // which is encoded already
        });
        if (overridden) continue;
        const std::size_t before = out.size();
        const std::size_t value = begin(mapping.name);
        if (mapping.expression.append(facts, out)) {
            encode_from(out, value);
            separator.follow(true);
        } else {
            out.resize(before);
        }
    }
    for (const authz::NamedValues& added : additions.querystring) {
        name = added.name;
        encode_from(name, 0);
        for (const std::string& text : added.values) {
            const std::size_t value = begin(name);
            out += text;
            encode_from(out, value);
            separator.follow(true);
        }
    }
    return Errc::none;
}

Errc ForwardPlan::append_custom_headers(const authz::RequestFacts& facts,
                                        const http::Framing& framing,
                                        const Additions& additions,
                                        std::string_view host_line,
                                        std::string& out) const {
    Written written;
    const auto host = std::ranges::find_if(additions.headers, [](const auto& added) {
        return http::find_field_id(added.name) == http::FieldId::host && !added.values.empty();
    });
    if (host != additions.headers.end()) {
        if (!is_host_value(host->values.back())) return Errc::mapping_invalid;
        add_line(out, "Host", host->values.back());
    } else if (const Errc error = append_host(facts, host_line, out); error != Errc::none) {
        return error;
    }
    for (const Mapping& mapping : header_mappings_) {
        if (mapping.id == http::FieldId::host || find_folded(additions.headers, mapping.name))
            continue;
        const std::size_t start = out.size();
        if (const Errc error = append_mapped_header(mapping, facts, out); error != Errc::none)
            return error;
        if (out.size() != start) written.mark(mapping.id);
    }
    for (const authz::NamedValues& added : additions.headers) {
        const http::FieldId id = http::find_field_id(added.name);
        const Right right = right_to_write(added.name);
        if (right == Right::refuse) return Errc::mapping_invalid;
        if (right == Right::drop || id == http::FieldId::host) continue;
        for (const std::string& value : added.values) {
            if (has_control(value)) return Errc::mapping_invalid;
            add_line(out, added.name, value);
            written.mark(id);
        }
    }
    append_context(facts, &additions, out);
    if (framing.kind != http::Framing::Kind::none && !written.content_type) {
        const http::Field* type = http::find_field(facts.head->fields, http::FieldId::content_type);
        add_line(out, "Content-Type", type == nullptr ? "application/json" : type->value);
    }
    // UNCONFIRMED for X-Forwarded-*: the recorded ones came from the backend's own front end.
    written.forwarded_for = written.forwarded_port = written.forwarded_proto = true;
    append_additions(facts, written, out);
    return Errc::none;
}

}  // namespace gatehouse::forward
