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

void append_status_line(const http::ResponseHead& head, int status, TailWriter& lines) {
    const bool usable = status == head.status && !head.reason.empty() && !has_control(head.reason);
    lines.add("HTTP/1.1 ");
    lines.add_number(status);
    lines.add(" ");
    lines.add(usable ? head.reason : http::reason_phrase(status));
    lines.add("\r\n");
}

bool has_content(const http::Framing& framing) noexcept {
    return framing.kind != http::Framing::Kind::none &&
           !(framing.kind == http::Framing::Kind::length && framing.length == 0);
}

void append_framing(const http::Framing& framing, bool keep_alive, TailWriter& lines) {
    const bool told = framing.kind == http::Framing::Kind::none && framing.length > 0;
    if (told || framing.kind == http::Framing::Kind::length) {
        lines.add("Content-Length: ");
        lines.add_number(framing.length);
        lines.add("\r\n");
    } else if (framing.kind == http::Framing::Kind::chunked) {
        lines.add("Transfer-Encoding: chunked\r\n");
    }
    // Content that ends with the connection cannot be followed by anything.
    const bool stays = keep_alive && framing.kind != http::Framing::Kind::until_close;
    lines.add_line("Connection", stays ? "keep-alive" : "close");
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
        http::Framing told = framing;
        // The backend's 204 says by its status that nothing follows; what it becomes must say so.
        const bool silent = framing.kind == http::Framing::Kind::none && framing.length == 0;
        if (silent && status != head.status && facts.head->method != "HEAD")
            told.kind = http::Framing::Kind::length;
        {
            TailWriter lines(out, 512);
            append_status_line(head, status, lines);
            lines.add_line("Date", date);
            append_framing(told, keep_alive, lines);
        }
        append_http_answer(head, facts, rule, out);
        out += "\r\n";
        return;
    }
    TailWriter lines(out, room_for(head.fields));
    append_status_line(head, head.status, lines);
    const http::NamedByConnection named(head.fields);
    // A plain proxy passes the origin's date on (RFC 9110 6.6.1), unless Connection takes it away
    // below.
    const bool has_date = plain_ && http::find_field(head.fields, http::FieldId::date) != nullptr &&
                          !named.has("date");
    if (!has_date) lines.add_line("Date", date);
    const bool has_type = http::find_field(head.fields, http::FieldId::content_type) != nullptr;
    if (!plain_ && !has_type && has_content(framing))
        lines.add("Content-Type: application/json\r\n");
    append_framing(framing, keep_alive, lines);
    if (!facts.request_id.empty()) lines.add_line("x-amzn-RequestId", facts.request_id);
    if (!facts.extended_request_id.empty())
        lines.add_line("x-amz-apigw-id", facts.extended_request_id);

    FieldLines passed(lines);
    for (const http::Field& field : head.fields) {
        const http::Fate fate = http::response_fate(field.id, plain_);
        if (fate != http::Fate::pass && fate != http::Fate::remap) continue;
        if (named.has(field.name) || equals_ignoring_case(field.name, authz::kTraceHeader))
            continue;
        if (fate == http::Fate::remap) {
            passed.flush();
            lines.add(kRemapped);
            lines.add_line(field.name, field.value);
        } else {
            passed.add(field);
        }
    }
    passed.flush();
    lines.add("\r\n");
}

}  // namespace gatehouse::forward
