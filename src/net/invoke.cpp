#include "gatehouse/core/limits.hpp"
#include "session.hpp"

#include <algorithm>
#include <string>
#include <utility>

// A request whose integration is a function: its content is read whole, since an event has it in
// one piece, then the function is called, and the session sleeps until it has answered.
namespace gatehouse::net {
namespace {

constexpr std::chrono::milliseconds kInvokeSlack{5000};

}  // namespace

void Session::begin_collect() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::collecting;
    exchange.body_began = worker_.now().steady;
    exchange.upload_done =
        exchange.framing.kind == http::Framing::Kind::none ||
        (exchange.framing.kind == http::Framing::Kind::length && exchange.framing.length == 0);
    if (exchange.framing.kind == http::Framing::Kind::length &&
        exchange.framing.length > most_content()) {
        keep_alive_ = false;
        fail(Errc::function_event_too_large, "the content alone is larger than an event may be");
        return;
    }
    if (!exchange.upload_done && exchange.request.head.expect_continue &&
        exchange.arrived().empty()) {
        // RFC 9110 10.1.1: only now is it certain that the content will be read.
        exchange.to_client.text += "HTTP/1.1 100 Continue\r\n\r\n";
        if (!flush_down()) return;
    }
    collect();
}

void Session::collect() {
    up_timeout_.disarm();
    while (!exchange_->upload_done) {
        if (exchange_->arrived().empty() && !read_client_body()) return;
        if (!take_content()) return;
    }
    if (exchange_->signed_content) return authenticate();
    invoke();
}

// A function's event has a limit of its own; what is signed has the request's.
std::uint64_t Session::most_content() const {
    return exchange_->signed_content ? worker_.snapshot().model.limits.body_bytes
                                     : limits::kFunctionEventBytes;
}

// AWS_IAM: the signature covers the content, so nothing of it goes on before it is judged. From
// here on the request is one of known length, its content in memory.
void Session::authenticate() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::deciding;
    exchange.signed_content = false;
    exchange.collected = true;
    proceed(worker_.gateway().check_signature(exchange.request, exchange.content, worker_.now()));
}

// Moves what has arrived into the content. False: the request was ended (bad chunk, too large).
bool Session::take_content() {
    Exchange& exchange = *exchange_;
    if (exchange.framing.kind == http::Framing::Kind::length) {
        const std::string_view arrived = exchange.arrived();
        const auto run =
            static_cast<std::size_t>(std::min<std::uint64_t>(arrived.size(), exchange.body_left));
        exchange.content += arrived.substr(0, run);
        exchange.body_begin += run;
        exchange.body_left -= run;
        exchange.upload_done = exchange.body_left == 0;
        return true;
    }
    while (!exchange.decoder.done() && exchange.body_begin < exchange.body_end) {
        const auto step = exchange.decoder.feed(exchange.arrived());
        exchange.body_begin += step.consumed;
        const std::uint64_t size = exchange.decoder.content_bytes();
        const bool large = size > worker_.snapshot().model.limits.body_bytes;
        if (step.error != Errc::none || large || size > most_content()) {
            keep_alive_ = false;
            fail(step.error != Errc::none ? step.error
                 : large                  ? Errc::body_too_large
                                          : Errc::function_event_too_large,
                 "chunked content");
            return false;
        }
        exchange.content += step.data;
        if (step.consumed == 0) break;
    }
    exchange.upload_done = exchange.decoder.done();
    return true;
}

void Session::invoke() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::deciding;
    exchange.request.record.request_bytes = exchange.content.size();
    // The session's pointer is only touched on the worker; the ticket tells a late outcome from the
    // one that is waited for.
    const std::uint64_t ticket = ++wake_ticket_;
    auto holder = std::make_shared<Ptr>(this);
    Worker* worker = &worker_;
    const Errc error = worker_.gateway().invoke(
        exchange.request,
        exchange.content,
        worker_.now(),
        [holder, worker, ticket](app::LambdaOutcome outcome) {
            auto told = std::make_shared<const app::LambdaOutcome>(std::move(outcome));
            worker->post([session = std::move(*holder), ticket, told = std::move(told)] {
                session->on_outcome(ticket, told);
            });
        });
    exchange.content = {};
    exchange.collected = false;
    if (error != Errc::none) {
        fail(error, "the event of this request");
        return;
    }
    // Behind the integration's own limit, which the invoker keeps: reached only by a bug.
    worker_.timeouts().arm(down_timeout_,
                           exchange.request.route->source->integration.timeout + kInvokeSlack,
                           worker_.now().steady);
}

void Session::on_outcome(std::uint64_t ticket,
                         const std::shared_ptr<const app::LambdaOutcome>& outcome) {
    if (phase_ != Phase::deciding || ticket != wake_ticket_) return;
    guarded([&] {
        down_timeout_.disarm();
        const authz::RenderedResponse response =
            worker_.gateway().read_answer(exchange_->request, *outcome, worker_.now());
        answer(response.status, response.headers, response.body);
    });
}

}  // namespace gatehouse::net
