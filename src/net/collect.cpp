#include "gatehouse/core/limits.hpp"
#include "session.hpp"

#include <algorithm>
#include <string>
#include <utility>

// A request whose content is needed in one piece: for its signature, for a function's event, for a
// mapping template, to be validated. It is read whole, within limits, before anything goes on.
namespace gatehouse::net {

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
    exchange_->up_timeout.disarm();
    while (!exchange_->upload_done) {
        if (exchange_->arrived().empty() && !read_client_body()) return;
        if (!take_content()) return;
    }
    if (exchange_->signed_content) {
        authenticate();
    } else {
        execute();
    }
}

// A function's event has a limit of its own; what is signed, mapped or validated has the request's.
std::uint64_t Session::most_content() const {
    const bool function =
        !exchange_->signed_content && exchange_->request.route->aws_proxy.has_value();
    return function ? limits::kFunctionEventBytes : worker_.snapshot().model.limits.body_bytes;
}

std::uint64_t Session::buffered_most() const {
    return worker_.snapshot().model.limits.buffered_bytes;
}

// Counted as it arrives, not as it is announced: who announces and does not send holds up nobody.
// False: all requests together keep too much, and this one was ended.
bool Session::keep_content(std::string& into, std::string_view bytes) {
    if (exchange_->share.add(worker_.shared().buffered, bytes.size(), buffered_most())) {
        into += bytes;
        return true;
    }
    fail(Errc::overloaded, "limits.bufferedBytes");
    return false;
}

// AWS_IAM: the signature covers the content, so nothing of it goes on before it is judged. From
// here on the request is one of known length, its content in memory.
void Session::authenticate() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::deciding;
    exchange.signed_content = false;
    exchange.collected = true;
    exchange.request.record.request_bytes = exchange.content.size();
    proceed(worker_.gateway().check_signature(exchange.request, exchange.content, worker_.now()));
}

// Moves what has arrived into the content. False: the request was ended (bad chunk, too large).
bool Session::take_content() {
    Exchange& exchange = *exchange_;
    if (exchange.framing.kind == http::Framing::Kind::length) {
        const std::string_view arrived = exchange.arrived();
        const auto run =
            static_cast<std::size_t>(std::min<std::uint64_t>(arrived.size(), exchange.body_left));
        if (!keep_content(exchange.content, arrived.substr(0, run))) return false;
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
        if (!keep_content(exchange.content, step.data)) return false;
        if (step.consumed == 0) break;
    }
    exchange.upload_done = exchange.decoder.done();
    return true;
}

// The content is here: what is to be done with it?
void Session::execute() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::deciding;
    const Result<app::Step> step =
        worker_.gateway().take_content(exchange.request, exchange.content, worker_.now());
    if (!step) {
        fail(step.error().errc(), step.error().detail);
        return;
    }
    exchange.collected = true;
    exchange.buffered = exchange.request.route->mapped != nullptr;
    proceed(*step);
}

}  // namespace gatehouse::net
