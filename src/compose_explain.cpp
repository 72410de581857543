#include "compose_parts.hpp"
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"
#include "net/name_query.hpp"

#include <utility>
#include <vector>

namespace gatehouse::compose {
namespace {

// A request that never was on a wire. Views point into the order and `fields`, which outlive it.
http::RequestHead make_head(const cli::JudgeOrder& order,
                            const std::string& host,
                            std::vector<http::Field>& fields) {
    bool has_host = false;
    for (const auto& [name, value] : order.headers) {
        fields.push_back({name, value, http::find_field_id(name)});
        has_host = has_host || fields.back().id == http::FieldId::host;
    }
    if (!has_host) fields.insert(fields.begin(), {"Host", host, http::FieldId::host});
    http::RequestHead head;
    head.method = order.method;
    head.target = order.path;
    head.fields = fields;
    return head;
}

std::string default_host(const config::Model& model) {
    if (model.listeners.empty()) return "localhost";
    return make_url(model.listeners.front().address, model.listeners.front().port)
        .substr(7);  // without http://
}

// Judges; where keys must be fetched, runs the control loop until they are here, or known to be
// away.
app::Step decide(Core& core,
                 app::Gateway& gateway,
                 app::Request& request,
                 const http::RequestHead& head,
                 const app::ClientFacts& client) {
    std::shared_ptr<const app::AuthorizeResult> result;
    const std::function<app::Wake()> make_wake = [&] {
        return app::Wake([&](std::shared_ptr<const app::AuthorizeResult> told) {
            result = std::move(told);
            core.control.stop();
        });
    };
    const app::Step step = gateway.begin(request, head, client, core.clock.now(), make_wake);
    if (step == app::Step::authenticate)
        return gateway.check_signature(request, {}, core.clock.now());
    if (step != app::Step::wait) return step;
    core.control.run();
    app::AuthorizeResult nothing;
    nothing.error = Errc::authorizer_failure;
    return gateway.resume(request, result ? *result : nothing, core.clock.now());
}

void take_answer(cli::Judgement& judgement, const authz::RenderedResponse& answer) {
    judgement.status = answer.status;
    judgement.body = answer.body;
}

// "GET http://127.0.0.1:3000/items", from the head that the upstream would get.
std::string upstream_of(const forward::ForwardPlan& plan, std::string_view head) {
    const std::string_view line = head.substr(0, head.find(" HTTP/1.1"));
    const std::size_t space = line.find(' ');
    const forward::Endpoint& endpoint = plan.endpoint();
    return std::string(line.substr(0, space)) + (endpoint.tls ? " https://" : " http://") +
           endpoint.host_header + std::string(line.substr(space + 1));
}

void answer(app::Gateway& gateway,
            app::Request& request,
            app::Step step,
            const app::Clock& clock,
            cli::Judgement& judgement) {
    if (step == app::Step::collect) {
        // As with no content: explain takes none.
        std::string content;
        auto next = gateway.take_content(request, content, clock.now());
        if (!next) {
            take_answer(judgement,
                        gateway.render_failure(
                            request, next.error().errc(), std::move(next.error().detail)));
            return;
        }
        step = *next;
    }
    if (step == app::Step::answer) {
        take_answer(judgement, *request.answer);
        request.record.status = static_cast<std::uint16_t>(judgement.status);
    } else if (step == app::Step::mock) {
        judgement.status = request.route->source->integration.status_code;
        judgement.body = request.route->mock_body;
        request.record.status = static_cast<std::uint16_t>(judgement.status);
    } else if (step == app::Step::preflight) {
        take_answer(judgement, gateway.render_preflight(request));
    } else if (step == app::Step::invoke) {
        const int index = request.route->source->integration.function;
        judgement.upstream =
            "the function " +
            request.snapshot->model.functions[static_cast<std::size_t>(index)].name;
    } else if (step == app::Step::forward) {
        std::string head;
        const forward::ForwardPlan& plan = *request.route->forward;
        const Errc error =
            request.mapped
                ? plan.write_custom_head(
                      request.facts, request.head.framing, request.mapped->additions, head)
                : plan.write_request_head(request.facts, request.head.framing, head);
        if (error == Errc::none) {
            judgement.upstream = upstream_of(plan, head);
            if (const upstream::Upstream* of = request.route->upstream)
                judgement.upstream += ", by a target of upstream " + of->rules().name;
        } else {
            take_answer(judgement, gateway.render_failure(request, error));
        }
    } else {
        take_answer(judgement, gateway.render_refusal(request));
    }
}

}  // namespace

Result<cli::Judgement> judge(cli::JudgeOrder order) {
    Core core;
    order.model.access_log.format = "off";
    const std::string host = default_host(order.model);
    app::ClientFacts client;
    client.source_ip = "127.0.0.1";
    client.listener_port =
        order.model.listeners.empty() ? std::uint16_t{0} : order.model.listeners.front().port;
    client.secure = !order.model.listeners.empty() && order.model.listeners.front().tls;
    // A file with overrides is served with --dev alone.
    const bool dev = order.model.dev_override.has_value();
    net::use_name_servers(order.model.name_servers);
    for (const config::Problem& problem : core.client_tls.configure(order.model.upstream_tls))
        return fail(Errc::config_invalid, problem.pointer + ": " + problem.message);
    auto functions = make_function_host(core, order.model);
    if (!functions) return functions.error();
    auto snapshot =
        app::make_snapshot(std::move(order.model), core.cache, core.keys, dev, functions->get());
    if (!snapshot) return snapshot.error();
    if (*functions) (*functions)->start();
    app::Gateway gateway(*snapshot, core.cache, core.authorize);
    std::vector<http::Field> fields;
    http::RequestHead head = make_head(order, host, fields);
    app::Request request;
    app::Step step = app::Step::refuse;
    if (const Errc malformed = http::check_request(head); malformed != Errc::none) {
        request.head = head;
        gateway.begin_unread(request, client, core.clock.now(), malformed);
    } else {
        step = decide(core, gateway, request, head, client);
    }
    cli::Judgement judgement;
    judgement.without_content = step == app::Step::collect || request.signature.has_value();
    answer(gateway, request, step, core.clock, judgement);
    gateway.finish(request, core.clock.now());
    const std::vector<app::KeptTrace> traces = gateway.journal().find({});
    if (traces.empty()) return fail(Errc::internal, "the decision left no trace");
    judgement.trace = app::to_json(traces.front());
    return judgement;
}

}  // namespace gatehouse::compose
