// Writing an upstream answer's head for the client.
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/hop_by_hop.hpp"
#include "gatehouse/http/status.hpp"
#include "text.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

constexpr std::string_view kRemapped = "x-amzn-Remapped-";

void append_status_line(const http::ResponseHead& head, int status, std::string& out) {
    const bool usable = status == head.status && !head.reason.empty() && !has_control(head.reason);
    out += "HTTP/1.1 ";
    add_number(out, status);
    out += ' ';
    out += usable ? head.reason : http::reason_phrase(status);
    out += "\r\n";
}

bool has_content(const http::Framing& framing) noexcept {
    return framing.kind != http::Framing::Kind::none &&
           !(framing.kind == http::Framing::Kind::length && framing.length == 0);
}

void append_framing(const http::Framing& framing, bool keep_alive, std::string& out) {
    const bool told = framing.kind == http::Framing::Kind::none && framing.length > 0;
    if (told || framing.kind == http::Framing::Kind::length) {
        out += "Content-Length: ";
        add_number(out, framing.length);
        out += "\r\n";
    } else if (framing.kind == http::Framing::Kind::chunked) {
        out += "Transfer-Encoding: chunked\r\n";
    }
    // Content that ends with the connection cannot be followed by anything.
    const bool stays = keep_alive && framing.kind != http::Framing::Kind::until_close;
    out += stays ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
}

}  // namespace

void ForwardPlan::write_response_head(const http::ResponseHead& head,
                                      const authz::RequestFacts& facts,
                                      const http::Framing& framing,
                                      bool keep_alive,
                                      std::string_view date,
                                      std::string& out) const {
    if (http_) {
        const AnswerMapping::Rule* rule = answer_mapping_.find(head.status);
        const int status = status_after(rule, head.status);
        append_status_line(head, status, out);
        add_line(out, "Date", date);
        http::Framing told = framing;
        // The backend's 204 says by its status that nothing follows; what it becomes must say so.
        const bool silent = framing.kind == http::Framing::Kind::none && framing.length == 0;
        if (silent && status != head.status && facts.head->method != "HEAD")
            told.kind = http::Framing::Kind::length;
        append_framing(told, keep_alive, out);
        append_http_answer(head, facts, rule, out);
        out += "\r\n";
        return;
    }
    append_status_line(head, head.status, out);
    const http::NamedByConnection named(head.fields);
    // A plain proxy passes the origin's date on (RFC 9110 6.6.1), unless Connection takes it away
    // below.
    const bool has_date = plain_ && http::find_field(head.fields, http::FieldId::date) != nullptr &&
                          !named.has("date");
    if (!has_date) add_line(out, "Date", date);
    const bool has_type = http::find_field(head.fields, http::FieldId::content_type) != nullptr;
    if (!plain_ && !has_type && has_content(framing)) out += "Content-Type: application/json\r\n";
    append_framing(framing, keep_alive, out);
    if (!facts.request_id.empty()) add_line(out, "x-amzn-RequestId", facts.request_id);
    if (!facts.extended_request_id.empty())
        add_line(out, "x-amz-apigw-id", facts.extended_request_id);

    for (const http::Field& field : head.fields) {
        const http::Fate fate = http::response_fate(field.id, plain_);
        if (fate != http::Fate::pass && fate != http::Fate::remap) continue;
        if (named.has(field.name) || equals_ignoring_case(field.name, authz::kTraceHeader))
            continue;
        if (fate == http::Fate::remap) out += kRemapped;
        add_line(out, field.name, field.value);
    }
    out += "\r\n";
}

}  // namespace gatehouse::forward
