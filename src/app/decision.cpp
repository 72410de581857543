// What a gateway does otherwise for other proxies, which ask who may pass and carry the request
// themselves. Everything between head and verdict is the same; what would need the request itself
// is refused.
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/authz/request_context.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gateway_parts.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::app {
namespace {

bool has_line(std::string_view lines, std::string_view name) noexcept {
    while (!lines.empty()) {
        if (equals_ignoring_case(lines.substr(0, lines.find(':')), name)) return true;
        lines.remove_prefix(std::min(lines.find('\n'), lines.size() - 1) + 1);
    }
    return false;
}

}  // namespace

Step Gateway::begin_decision(Request& request,
                             const http::RequestHead& asked,
                             const ClientFacts& proxy,
                             const Instant& now,
                             const std::function<Wake()>& make_wake) {
    request.decision = true;
    // INVARIANT: only the listener of `decision` marks its connections so.
    const http::OriginalForm form =
        current().model.decision ? current().model.decision->form : http::OriginalForm::forwarded;
    http::OriginalRequest& original = request.original;
    const Result<void> read = http::read_original_request(form, asked, original);
    if (!read) {
        const Errc error = read.error().errc();
        request.head = original.head.method.empty() ? asked : original.head;
        if (error != Errc::decision_unreadable) {
            // The client's fault, answered as it would be without a proxy.
            begin_unread(request, proxy, now, error);
            explain(request, nullptr);
            return Step::refuse;
        }
        start(request, proxy, now, {});
        request.outcomes.authorizer = error;
        request.make_detail().error = read.error().detail;
        return settle(request, now);
    }
    request.original_client.source_ip = original.source_ip;
    request.original_client.listener_port = original.port;
    request.original_client.secure = original.secure;
    return begin(request, original.head, request.original_client, now, make_wake);
}

// What the gateway does to a request on its way cannot be done to one that goes another way.
bool Gateway::is_decidable(Request& request) const {
    const auto refuse = [&](Errc& outcome, Errc error, std::string detail) {
        outcome = error;
        request.make_detail().error = std::move(detail);
        return false;
    };
    // Here they would be removed. The proxy may or may not do that, so nobody passes with them.
    for (const http::Field& field : request.head.fields) {
        if (request.snapshot->context_names.has(field.name))
            return refuse(
                request.outcomes.target, Errc::context_forged, "header " + printable(field.name));
    }
    // The proxy sends on the method that it got, whatever was judged.
    if (request.api->source->method_override &&
        http::find_field(request.head.fields, http::FieldId::x_http_method_override) != nullptr)
        return refuse(request.outcomes.authorizer,
                      Errc::decision_unsupported,
                      "methodOverride: the proxy sends on the method that it got");
    if (request.authorizer != nullptr && request.authorizer->access_keys)
        return refuse(request.outcomes.authorizer,
                      Errc::decision_unsupported,
                      "AWS_IAM: the signature covers the content, which the proxy keeps");
    return true;
}

// What the upstream would get of the authorizer goes to the proxy, which hands it on.
Step Gateway::answer_decision(Request& request) {
    const CompiledRoute& route = *request.route;
    authz::RenderedResponse answer;
    answer.status = 200;
    Errc error = Errc::none;
    if (route.forward) {
        error = route.forward->write_context_lines(request.facts, answer.headers);
    } else if (request.grant) {
        const config::ContextHeaders& context = request.api->source->context_headers;
        if (context.enabled) answer.headers += request.grant->header_block;
        if (context.enabled && context.request_context) {
            answer.headers += "x-amzn-request-context: ";
            authz::append_request_context(
                request.facts, request.grant->authorizer_json, answer.headers);
            answer.headers += "\r\n";
        }
    }
    if (error != Errc::none) {
        request.outcomes.guarded = true;
        request.outcomes.authorizer = error;
        request.verdict = authz::decide(request.outcomes);
        request.record.reason = static_cast<std::uint16_t>(request.verdict.reason);
        return refuse(request);
    }
    const std::string_view given = answer.headers;
    std::string absent;
    for (const std::string& name :
         request.snapshot->context_names.answered[static_cast<std::size_t>(request.record.api)]) {
        if (!has_line(given, name)) absent.append(name).append(": \r\n");
    }
    answer.headers += absent;
    answer.headers.append("x-amzn-RequestId: ").append(request.ids.request()).append("\r\n");
    append_dev_header(request, answer.headers);
    request.answer = std::move(answer);
    return Step::answer;
}

}  // namespace gatehouse::app
