// What follows an allow: validation of the request, and integrations that map it.
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/core/ascii.hpp"

#include <utility>

namespace gatehouse::app {
namespace {

constexpr std::string_view kPassedThrough = "none: passed through";

std::string name_template(std::string_view chosen) {
    return std::string(chosen.empty() ? kPassedThrough : chosen);
}

}  // namespace

// Parameters before the body, and before the body is read (developer guide, "Request validation").
Step Gateway::follow(Request& request, const Instant& now) {
    if (request.verdict.reason == Errc::cors_preflight) return Step::preflight;
    const CompiledRoute& route = *request.route;
    if (route.validator != nullptr) {
        request.validation = route.validator->missing_parameters(request.facts);
        if (!request.validation.empty()) {
            request.outcomes.validation = Errc::parameters_missing;
            request.make_detail().validation =
                "missing: " + printable(request.validation, limits::kSchemaMessageBytes);
            return settle(request, now);
        }
    }
    if (route.needs_content()) return Step::collect;
    return route.forward ? Step::forward : Step::mock;
}

Result<Step> Gateway::take_content(Request& request, std::string& content, const Instant& now) {
    const CompiledRoute& route = *request.route;
    // INVARIANT: nothing but an allow comes here.
    if (!request.verdict.allow) return fail(Errc::internal, "content of a refused request");
    request.record.request_bytes = content.size();
    if (route.validator != nullptr && route.validator->validates_body()) {
        if (auto fault = route.validator->check_body(request.facts, content)) {
            request.outcomes.validation = Errc::request_body_invalid;
            request.validation = std::move(fault->message);
            request.make_detail().validation = std::move(fault->place);
            return settle(request, now);
        }
    }
    if (route.aws_proxy) return Step::invoke;
    if (route.mapped == nullptr) return route.forward ? Step::forward : Step::mock;
    auto mapped = route.mapped->map_request(request.facts, content);
    if (!mapped) return std::move(mapped).error();
    request.mapped = std::move(mapped).value();
    explain(request, nullptr);
    request.make_detail().request_template = name_template(request.mapped->chosen);
    if (route.forward) {
        content = std::move(request.mapped->body);
        return Step::forward;
    }
    auto answer = map_response(request, {request.mapped->status, {}, {}});
    if (!answer) return std::move(answer).error();
    request.answer = std::move(answer).value();
    return Step::answer;
}

Result<authz::RenderedResponse> Gateway::map_response(Request& request,
                                                      const mapping::BackendAnswer& backend) {
    static const templates::Overrides kNone;
    auto mapped = request.route->mapped->map_response(
        request.facts, request.mapped ? request.mapped->overrides : kNone, backend);
    if (!mapped) return std::move(mapped).error();
    request.make_detail().integration_response = mapped->key;
    request.detail->response_template = name_template(mapped->chosen);
    append_dev_header(request, mapped->response.headers);
    return std::move(mapped->response);
}

authz::RenderedResponse Gateway::map_answer(Request& request,
                                            const http::ResponseHead& head,
                                            std::string_view content) {
    auto answer = map_response(request, {head.status, head.fields, content});
    if (answer) return std::move(answer).value();
    return render_failure(request, answer.error().errc(), answer.error().detail);
}

}  // namespace gatehouse::app
