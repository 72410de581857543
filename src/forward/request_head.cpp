// Writing a request's head for the upstream: anew, from the parsed form, into one block.
#include "gatehouse/authz/request_context.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/hop_by_hop.hpp"
#include "head_parts.hpp"
#include "owned_names.hpp"
#include "text.hpp"
#include "uri_template.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

// The service takes a SigV4 signature for its own, and it would not fit the backend's URL anyway.
bool is_signature(const http::Field& field) noexcept {
    return field.id == http::FieldId::authorization && field.value.starts_with("AWS4-");
}

}  // namespace

void ForwardPlan::Written::mark(http::FieldId id) noexcept {
    accept = accept || id == http::FieldId::accept;
    content_type = content_type || id == http::FieldId::content_type;
    user_agent = user_agent || id == http::FieldId::user_agent;
    forwarded_for = forwarded_for || id == http::FieldId::x_forwarded_for;
    forwarded_port = forwarded_port || id == http::FieldId::x_forwarded_port;
    forwarded_proto = forwarded_proto || id == http::FieldId::x_forwarded_proto;
}

Errc ForwardPlan::write_request_head(const authz::RequestFacts& facts,
                                     const http::Framing& framing,
                                     std::string& out,
                                     std::string_view host_line) const {
    if (facts.head == nullptr) return Errc::internal;
    const std::size_t start = out.size();
    Written written;
    out += method(facts);
    out += ' ';
    Errc error = append_target(facts, out);
    if (error == Errc::none) {
        out += " HTTP/1.1\r\n";
        error = append_host(facts, host_line, out);
    }
    if (error == Errc::none) {
        append_client_fields(facts, written, out);
        error = append_mapped_headers(facts, written, out);
    }
    if (error != Errc::none) {
        out.resize(start);
        return error;
    }
    append_context(facts, nullptr, out);
    append_additions(facts, written, out);
    // RFC 9110 8.6: these methods say so when they have no content. An HTTP API was seen to say so
    // of every request.
    append_framing(http_ || wants_content(method(facts)), framing, out);
    out += "\r\n";
    return Errc::none;
}

Errc ForwardPlan::write_context_lines(const authz::RequestFacts& facts, std::string& out) const {
    const std::size_t start = out.size();
    for (const Mapping& mapping : header_mappings_) {
        if (!mapping.authorizer || mapping.id == http::FieldId::host ||
            mapping.action == Action::remove)
            continue;
        if (const Errc error = append_mapped_header(mapping, facts, out); error != Errc::none) {
            out.resize(start);
            return error;
        }
    }
    append_context(facts, nullptr, out);
    return Errc::none;
}

Errc ForwardPlan::append_target(const authz::RequestFacts& facts, std::string& out) const {
    const Errc error = append_path(facts, out);
    return error == Errc::none ? append_query(facts, out) : error;
}

Errc ForwardPlan::append_path(const authz::RequestFacts& facts, std::string& out) const {
    const std::size_t start = out.size();
    if (!mapped_path_.empty()) return append_mapped_path(facts, out);
    for (const UriPart& part : path_parts_) {
        if (const Errc error = append_part(part, facts, false, out); error != Errc::none)
            return error;
    }
    if (append_request_path_) {
        if (out.ends_with('/')) out.pop_back();
        out += facts.api_path;
    }
    if (check_path_ && !is_clean_path(std::string_view(out).substr(start)))
        return Errc::mapping_invalid;
    return Errc::none;
}

// The query is the URI's own, then the client's byte for byte, then mapped parameters: the service
// appends them too.
Errc ForwardPlan::append_query(const authz::RequestFacts& facts, std::string& out) const {
    Separator separator;
    if (has_query_) {
        separator.write(out);
        for (const UriPart& part : query_parts_) {
            if (const Errc error = append_part(part, facts, true, out); error != Errc::none)
                return error;
        }
        separator.follow(!query_parts_.empty());
    }
    if (facts.target.has_query && (!has_query_ || !facts.target.query.empty())) {
        const std::size_t before = out.size();
        separator.write(out);
        const std::size_t written = out.size();
        if (filters_query_) {
            append_filtered_query(facts.target.query, out);
            // All of it taken out: no lone '?' either.
            if (out.size() == written) out.resize(before);
        } else {
            out += facts.target.query;
        }
        if (out.size() > before) separator.follow(out.size() > written);
    }
    for (const Mapping& mapping : query_mappings_) {
        if (mapping.action == Action::remove) continue;
        const std::size_t before = out.size();
        separator.write(out);
        const std::size_t name = out.size();
        out += mapping.name;
        if (http_) encode_from(out, name);  // a REST API's is encoded already
        out += '=';
        const std::size_t value = out.size();
        if (mapping.expression.append(facts, out)) {
            encode_from(out, value);
            separator.follow(true);
        } else {
            out.resize(before);
        }
    }
    return Errc::none;
}

// INVARIANT: nothing that is filled in can end a segment, a path or a parameter. Path parameters
// are checked and encoded as they came, so a path takes them unchanged; into a query go their
// escapes and unreserved characters only.
Errc ForwardPlan::append_part(const UriPart& part,
                              const authz::RequestFacts& facts,
                              bool query,
                              std::string& out) const {
    const std::size_t start = out.size();
    if (part.parameter >= 0) {
        const auto index = static_cast<std::size_t>(part.parameter);
        if (index >= facts.parameters.size()) return Errc::mapping_invalid;
        out += facts.parameters[index];
        if (query) encode_rest_from(out, start);
        return Errc::none;
    }
    if (part.mapping < 0) {
        out += part.text;
        return Errc::none;
    }
    const Mapping& mapping = path_mappings_[static_cast<std::size_t>(part.mapping)];
    const bool found = mapping.expression.append(facts, out);
    if (query) {
        encode_from(out, start);
        return Errc::none;
    }
    // Without a value the path would name another resource.
    if (!found || out.size() == start) return Errc::mapping_invalid;
    const std::string_view value = std::string_view(out).substr(start);
    if (has_control(value) || !is_utf8(value)) {
        return mapping.authorizer ? Errc::context_unusable : Errc::mapping_invalid;
    }
    encode_from(out, start);
    return Errc::none;
}

Errc ForwardPlan::append_host(const authz::RequestFacts& facts,
                              std::string_view host_line,
                              std::string& out) const {
    if (host_mapping_ >= 0) {
        const std::size_t start = out.size();
        out += "Host: ";
        const std::size_t value = out.size();
        if (header_mappings_[static_cast<std::size_t>(host_mapping_)].expression.append(facts,
                                                                                        out)) {
            if (!is_host_value(std::string_view(out).substr(value))) return Errc::mapping_invalid;
            out += "\r\n";
            return Errc::none;
        }
        out.resize(start);
    }
    out += host_line.empty() ? std::string_view(endpoint_->host_line) : host_line;
    return Errc::none;
}

void ForwardPlan::append_client_fields(const authz::RequestFacts& facts,
                                       Written& written,
                                       std::string& out) const {
    const std::span<const http::Field> fields = facts.head->fields;
    const http::NamedByConnection named(fields);
    TailWriter writer(out, room_for(fields));
    FieldLines lines(writer);
    for (const http::Field& field : fields) {
        const http::Fate fate = http::request_fate(field.id, plain_);
        // With plain headers the gateway writes no trace id, so the client's is not ours to drop.
        const bool own_trace = plain_ && !http_ && field.id == http::FieldId::x_amzn_trace_id;
        if (fate != http::Fate::pass && !own_trace) continue;
        if (owned_->has(field.name) || named.has(field.name)) continue;
        if (!plain_ && is_signature(field)) continue;
        written.mark(field.id);
        lines.add(field);
    }
    lines.flush();
}

Errc ForwardPlan::append_mapped_headers(const authz::RequestFacts& facts,
                                        Written& written,
                                        std::string& out) const {
    for (const Mapping& mapping : header_mappings_) {
        if (mapping.id == http::FieldId::host || mapping.action == Action::remove) continue;
        const std::size_t start = out.size();
        if (const Errc error = append_mapped_header(mapping, facts, out); error != Errc::none)
            return error;
        if (out.size() == start) continue;
        written.mark(mapping.id);
    }
    return Errc::none;
}

// The header's line, or nothing when the source has no value.
Errc ForwardPlan::append_mapped_header(const Mapping& mapping,
                                       const authz::RequestFacts& facts,
                                       std::string& out) const {
    const std::size_t start = out.size();
    out += mapping.name;
    out += ": ";
    const std::size_t value = out.size();
    if (!mapping.expression.append(facts, out)) {
        out.resize(start);
        return Errc::none;
    }
    const std::string_view written_value = std::string_view(out).substr(value);
    // Context is UTF-8 or refused, here as in the context headers. What the client sent may
    // hold other bytes.
    if (mapping.authorizer && (has_control(written_value) || !is_utf8(written_value))) {
        return Errc::context_unusable;
    }
    if (has_control(written_value)) return Errc::mapping_invalid;
    out += "\r\n";
    return Errc::none;
}

void ForwardPlan::append_context(const authz::RequestFacts& facts,
                                 const Additions* additions,
                                 std::string& out) const {
    if (context_headers_.enabled && facts.grant != nullptr) {
        std::string_view block = facts.grant->header_block;
        if (!mapped_context_ && additions == nullptr) {
            out += block;
            block = {};
        }
        // A mapped header that is called as a context header takes its place: each name is there
        // once.
        while (!block.empty()) {
            const std::size_t end = std::min(block.find('\n'), block.size() - 1);
            const std::string_view line = block.substr(0, end + 1);
            block.remove_prefix(line.size());
            const std::string_view name = line.substr(0, line.find(':'));
            const bool mapped = std::ranges::any_of(header_mappings_, [&](const Mapping& mapping) {
                return equals_folded(mapping.name, name);
            });
            const bool added = additions != nullptr && find_folded(additions->headers, name);
            if (!mapped && !added) out += line;
        }
    }
    if (!context_headers_.request_context) return;
    out += "x-amzn-request-context: ";
    authz::append_request_context(
        facts, facts.grant == nullptr ? std::string_view{} : facts.grant->authorizer_json, out);
    out += "\r\n";
}

void ForwardPlan::append_additions(const authz::RequestFacts& facts,
                                   const Written& written,
                                   std::string& out) const {
    if (http_) return append_http_additions(facts, out);
    TailWriter lines(out, 512);
    if (!plain_) {
        const std::string_view api_id =
            facts.stage == nullptr ? std::string_view{} : facts.stage->api_id;
        if (!written.accept) lines.add("Accept: application/json\r\n");
        if (!written.user_agent) {
            lines.add("User-Agent: AmazonAPIGateway_");
            lines.add(api_id);
            lines.add("\r\n");
        }
        if (!api_id.empty()) lines.add_line("X-Amzn-Apigateway-Api-Id", api_id);
        if (!facts.trace_id.empty()) lines.add_line("X-Amzn-Trace-Id", facts.trace_id);
    }
    if (!written.forwarded_for) append_forwarded_for(facts, lines);
    if (!written.forwarded_port) {
        lines.add("X-Forwarded-Port: ");
        lines.add_number(facts.listener_port);
        lines.add("\r\n");
    }
    if (!written.forwarded_proto)
        lines.add_line("X-Forwarded-Proto", facts.secure ? "https" : "http");
}

// The client's list, if it sent one, and the address that we saw. One line, since it is ours now.
void ForwardPlan::append_forwarded_for(const authz::RequestFacts& facts, TailWriter& lines) const {
    lines.add("X-Forwarded-For: ");
    if (!own_forwarded_for_) {
        const http::NamedByConnection named(facts.head->fields);
        for (const http::Field& field : facts.head->fields) {
            if (field.id != http::FieldId::x_forwarded_for || field.value.empty() ||
                named.has(field.name))
                continue;
            lines.add(field.value);
            lines.add(", ");
        }
    }
    lines.add(facts.source_ip);
    lines.add("\r\n");
}

}  // namespace gatehouse::forward
