#include "gatehouse/forward/proxy_answer.hpp"

#include "function_answer.hpp"
#include "gatehouse/authz/cors.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/hop_by_hop.hpp"
#include "media_type.hpp"
#include "text.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

using authz::EventFormat;
using http::FieldId;

// A body that is JSON of the function's own (format 2.0) may be nested as deeply as it likes, in
// reason.
constexpr JsonLimits kLimits{.max_bytes = limits::kFunctionAnswerBytes, .max_depth = 200};

Error end_of(authz::Invocation::End end) {
    using End = authz::Invocation::End;
    switch (end) {
        case End::failed:
            return fail(Errc::function_error);
        case End::timed_out:
            return fail(Errc::function_timeout);
        case End::too_large:
            return fail(Errc::function_answer_too_large);
        default:
            return fail(Errc::function_not_invokable);
    }
}

// Format 2.0: what has no statusCode is a body. A bare string goes out without its quotes.
FunctionAnswer infer_answer(const Json& payload, std::string_view text) {
    FunctionAnswer answer;
    answer.headers.emplace_back("content-type", "application/json");
    const auto* bare = payload.get_ptr<const Json::string_t*>();
    answer.body = bare != nullptr ? *bare : std::string(text);
    return answer;
}

Result<FunctionAnswer> parse_answer(std::string_view text, EventFormat format) {
    const auto payload = parse_json(text, kLimits);
    if (!payload) {
        const Errc reason = payload.error().errc();
        if (reason == Errc::json_too_large) return fail(Errc::function_answer_too_large);
        return fail(Errc::function_answer_invalid, std::string(reason_text(reason)));
    }
    if (format == EventFormat::http_2_0) {
        const Json* status = find_member(*payload, "statusCode");
        if (status == nullptr || status->is_null()) return infer_answer(*payload, text);
    }
    return parse_function_answer(*payload, format);
}

const std::string* find_content_type(const FunctionAnswer& answer) noexcept {
    for (const auto& [name, value] : answer.headers) {
        if (equals_ignoring_case(name, "content-type")) return &value;
    }
    return nullptr;
}

bool is_decoded(const FunctionAnswer& answer,
                const ProxyAnswerRules& rules,
                const authz::RequestFacts& facts) noexcept {
    if (!answer.base64) return false;
    if (rules.format != EventFormat::rest) return true;
    const http::Field* accept = http::find_field(facts.head->fields, FieldId::accept);
    const std::string* type = find_content_type(answer);
    std::string_view value = type == nullptr ? std::string_view() : *type;
    if (accept != nullptr) value = accept->value;
    return is_binary(rules.binary_media_types, first_media_type(value));
}

// HTTP APIs remap nothing, and drop what belongs to the connection: the fates of a plain proxy.
// Written by us, or by the server that frames the answer, whatever the function says: these names.
http::Fate fate_of(FieldId id, const ProxyAnswerRules& rules) noexcept {
    const bool plain = rules.plain_headers || rules.format != EventFormat::rest;
    const http::Fate fate = http::response_fate(id, plain);
    if (id == FieldId::content_length || id == FieldId::x_amzn_requestid) return http::Fate::drop;
    if (id == FieldId::date && plain) return http::Fate::drop;
    if (id == FieldId::x_amzn_trace_id && !plain) return http::Fate::overwrite;
    return fate;
}

void append_own(const ProxyAnswerRules& rules, const authz::RequestFacts& facts, std::string& out) {
    if (rules.format != EventFormat::rest) {
        if (!facts.extended_request_id.empty())
            add_line(out, "apigw-requestid", facts.extended_request_id);
        return;
    }
    if (!facts.request_id.empty()) add_line(out, "x-amzn-RequestId", facts.request_id);
    if (!facts.extended_request_id.empty())
        add_line(out, "x-amz-apigw-id", facts.extended_request_id);
    if (!rules.plain_headers && !facts.trace_id.empty())
        add_line(out, "X-Amzn-Trace-Id", facts.trace_id);
}

void append_headers(const FunctionAnswer& answer,
                    const ProxyAnswerRules& rules,
                    const authz::RequestFacts& facts,
                    std::string& out) {
    const bool cors = facts.stage != nullptr && facts.stage->cors;
    if (cors) facts.stage->cors->append_answer(*facts.head, out);
    if (find_content_type(answer) == nullptr) {
        add_line(
            out,
            "Content-Type",
            rules.format == EventFormat::rest ? "application/json" : "text/plain; charset=utf-8");
    }
    for (const auto& [name, value] : answer.headers) {
        const http::Fate fate = fate_of(http::find_field_id(name), rules);
        if (fate != http::Fate::pass && fate != http::Fate::remap) continue;
        // What Gatehouse says of a request in its own name.
        if (equals_ignoring_case(name, "apigw-requestid") ||
            equals_ignoring_case(name, authz::kTraceHeader) || (cors && authz::Cors::is_own(name)))
            continue;
        if (fate == http::Fate::remap) out += "x-amzn-Remapped-";
        add_line(out, name, value);
    }
}

}  // namespace

Result<authz::RenderedResponse> read_proxy_answer(const authz::Invocation& invocation,
                                                  const ProxyAnswerRules& rules,
                                                  const authz::RequestFacts& facts) {
    if (invocation.end != authz::Invocation::End::returned) return end_of(invocation.end);
    auto answer = parse_answer(invocation.payload, rules.format);
    if (!answer) return std::move(answer).error();
    authz::RenderedResponse response;
    response.status = answer->status;
    if (is_decoded(*answer, rules, facts)) {
        auto decoded = decode_base64(answer->body);
        if (!decoded) return fail(Errc::function_answer_invalid, "/body: not base64");
        response.body = std::move(decoded).value();
    } else {
        response.body = std::move(answer->body);
    }
    // RFC 9110 6.4.1: these have no content, and a client would take it for the next answer.
    if (response.status == 204 || response.status == 304) response.body.clear();
    append_headers(*answer, rules, facts, response.headers);
    append_own(rules, facts, response.headers);
    return response;
}

}  // namespace gatehouse::forward
