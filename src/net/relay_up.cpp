#include "gatehouse/core/limits.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/upstream/ejection.hpp"
#include "session.hpp"
#include "splice.hpp"

#include <limits>
#include <string>
#include <utility>

// The upload pump of a session: the request's head and content to the upstream.
namespace gatehouse::net {
namespace {

bool is_idempotent(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
           method == "DELETE";  // RFC 9110 9.2.2
}

}  // namespace

void Session::begin_forward() {
    Exchange& exchange = *exchange_;
    exchange.forward_began = worker_.now().steady;
    if (upstream::Upstream* upstream = exchange.request.route->upstream) {
        const Errc refused = exchange.call.begin(*upstream, worker_.index(), worker_.now().steady);
        if (refused != Errc::none) {
            fail(refused, upstream->rules().name + ": maxRequests");
            return;
        }
        note_target();
    }
    reach_upstream();
}

void Session::note_target() {
    app::TraceRecord& record = exchange_->request.record;
    static_assert(limits::kUpstreamTargets - 1 <=
                  std::numeric_limits<decltype(record.target)>::max());
    record.target = static_cast<std::uint8_t>(exchange_->call.index());
    record.attempts = static_cast<std::uint8_t>(exchange_->call.attempts() & 0x3);
}

UpstreamPtr Session::take_idle() {
    const Exchange& exchange = *exchange_;
    if (exchange.call.is_active()) return worker_.pool().take(*exchange.call.target());
    return worker_.pool().take(exchange.request.route->forward->endpoint());
}

void Session::reach_upstream() {
    Exchange& exchange = *exchange_;
    while (UpstreamPtr idle = take_idle()) {
        // What cannot be sent twice does not go where the upstream has closed meanwhile.
        const bool repeatable = is_repeatable() && exchange.body_left <= exchange.arrived().size();
        if (!repeatable && !idle->transport().is_silent()) {
            idle->close();
            continue;
        }
        ++worker_.gateway().metrics().upstream_reuses;
        on_connected({std::move(idle), Errc::none, {}});
        return;
    }
    connect_upstream();
}

void Session::connect_upstream() {
    upstream::Call& call = exchange_->call;
    phase_ = Phase::connecting;
    worker_.timeouts().arm(
        down_timeout_, worker_.snapshot().model.timeouts.connect, worker_.now().steady);
    const auto done = [self = Ptr(this)](Connected connected) {
        self->connecting_ = 0;
        self->guarded([&] { self->on_connected(std::move(connected)); });
    };
    connecting_ = call.is_active()
                      ? worker_.pool().connect(call.target(), done)
                      : worker_.pool().connect(exchange_->request.route->forward->endpoint(), done);
    if (connecting_ != 0) {
        ++worker_.gateway().metrics().upstream_connects;
        return;
    }
    if (call.pass_by(worker_.now().steady)) {
        note_target();
        reach_upstream();
        return;
    }
    down_timeout_.disarm();
    phase_ = Phase::relaying;
    fail(Errc::upstream_overloaded, call.upstream().rules().name + ": maxConnections");
}

// Nothing of the request is there: whatever its method, another target may have it.
void Session::target_unreached(Errc error, std::string detail) {
    Exchange& exchange = *exchange_;
    judge_target(error);
    if (exchange.call.is_active() && exchange.call.move_on(worker_.now().steady)) {
        exchange.request.record.retried = true;
        note_target();
        reach_upstream();
        return;
    }
    phase_ = Phase::relaying;
    fail(error, std::move(detail));
}

// What Gatehouse answers by 502 or 504 is the target's failure, but for an idle connection that it
// had every right to close.
void Session::judge_target(Errc error) {
    if (!exchange_->call.is_active() || !upstream::counts_as_failure(error)) return;
    const bool was_idle = upstream_ && upstream_->reused() && !exchange_->answer_any_byte;
    if (error == Errc::upstream_reset && was_idle) return;
    exchange_->call.failed(worker_.now().steady);
}

void Session::on_connected(Connected connected) {
    Exchange& exchange = *exchange_;
    down_timeout_.disarm();
    if (connected.error != Errc::none) {
        ++worker_.gateway().metrics().upstream_failures;
        target_unreached(connected.error, std::move(connected.detail));
        return;
    }
    upstream_ = std::move(connected.connection);
    ++worker_.gateway().metrics().upstream_active;
    upstream_->use(this);
    phase_ = Phase::relaying;
    app::TraceRecord& record = exchange.request.record;
    record.reused_upstream = upstream_->reused();
    record.connect_us =
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       worker_.now().steady - exchange.forward_began)
                                       .count());
    send_request();
}

void Session::send_request() {
    Exchange& exchange = *exchange_;
    exchange.up.clear();
    exchange.body_began = worker_.now().steady;
    const forward::ForwardPlan& plan = *exchange.request.route->forward;
    const std::string_view host =
        exchange.call.is_active() ? std::string_view(exchange.call.target()->endpoint().host_line)
                                  : std::string_view();
    const std::optional<mapping::MappedRequest>& mapped = exchange.request.mapped;
    const Errc unwritable =
        mapped ? plan.write_custom_head(exchange.request.facts,
                                        exchange.up_framing(),
                                        mapped->additions,
                                        exchange.up.text,
                                        host)
               : plan.write_request_head(
                     exchange.request.facts, exchange.up_framing(), exchange.up.text, host);
    if (unwritable != Errc::none) {
        fail(unwritable, "a mapped value cannot stand in a header");
        return;
    }
    if (exchange.collected) {
        exchange.up.content = exchange.content;
        exchange.upload_done = true;
        if (!put_off(Side::upstream)) pump_up();
        return;
    }
    exchange.upload_done = exchange.framing.kind == http::Framing::Kind::none;
    if (exchange.framing.kind == http::Framing::Kind::length && exchange.framing.length == 0)
        exchange.upload_done = true;
    if (!exchange.upload_done && exchange.request.head.expect_continue &&
        exchange.arrived().empty() && !exchange.retried) {
        // RFC 9110 10.1.1: only now is it certain that the content will be read.
        exchange.to_client.text += "HTTP/1.1 100 Continue\r\n\r\n";
        if (!flush_down()) return;
    }
    if (!put_off(Side::upstream)) pump_up();
}

void Session::pump_up() {
    if (phase_ != Phase::relaying || exchange_->upload_broken || !upstream_) return;
    exchange_->up_timeout.disarm();
    for (;;) {
        // Content that is here goes out with what is pending: one send for head and small bodies.
        if (!exchange_->upload_done && !exchange_->up_pipe && exchange_->up.content.empty() &&
            exchange_->up.text.size() < kOneSend) {
            if (!produce_up()) return;
        }
        if (!exchange_->up.empty()) {
            if (!flush_up()) return;
            continue;
        }
        if (exchange_->upload_done) {
            upload_finished();
            return;
        }
        if (may_splice_up()) {
            if (!splice_up()) return;
            continue;
        }
        if (exchange_->arrived().empty() && !read_client_body()) return;
    }
}

// Writes what is pending. False: the upstream takes no more now, or is gone.
bool Session::flush_up() {
    Outgoing& up = exchange_->up;
    while (!up.empty()) {
        const IoResult sent = upstream_->transport().write(up.rest_of_text(), up.content);
        if (sent.status == IoStatus::would_block || sent.status == IoStatus::want_write) {
            await_room_up();
            return false;
        }
        if (sent.status != IoStatus::done) {
            upload_failed();
            return false;
        }
        up.advance(sent.bytes);
    }
    return true;
}

// Turns arrived content into outgoing bytes. False: the request was ended (bad chunk, too large).
bool Session::produce_up() {
    Exchange& exchange = *exchange_;
    const std::string_view arrived = exchange.arrived();
    app::TraceRecord& record = exchange.request.record;
    if (exchange.framing.kind == http::Framing::Kind::length) {
        const std::size_t run =
            static_cast<std::size_t>(std::min<std::uint64_t>(arrived.size(), exchange.body_left));
        exchange.up.content = arrived.substr(0, run);
        exchange.body_begin += run;
        exchange.body_left -= run;
        exchange.upload_done = exchange.body_left == 0;
        record.request_bytes += run;
        return true;
    }
    // Chunks are taken apart and framed anew: no byte of the client's framing reaches the upstream.
    while (!exchange.decoder.done() && exchange.body_begin < exchange.body_end) {
        const auto step = exchange.decoder.feed(exchange.arrived());
        exchange.body_begin += step.consumed;
        if (step.error != Errc::none ||
            exchange.decoder.content_bytes() > worker_.snapshot().model.limits.body_bytes) {
            keep_alive_ = false;
            fail(step.error != Errc::none ? step.error : Errc::body_too_large, "chunked content");
            return false;
        }
        if (!step.data.empty()) {
            char size[20];
            exchange.up.text.append(size, http::write_chunk_head(size, step.data.size()))
                .append(step.data)
                .append("\r\n");
            record.request_bytes += step.data.size();
        }
        if (step.consumed == 0) break;
    }
    if (exchange.decoder.done()) {
        exchange.up.text += "0\r\n\r\n";
        exchange.upload_done = true;
    }
    return true;
}

bool Session::is_upload_late() {
    const std::chrono::milliseconds most = worker_.snapshot().model.timeouts.body_total;
    if (worker_.now().steady - exchange_->body_began <= most) return false;
    fail(Errc::body_timeout, "bodyTotalInMillis");
    return true;
}

void Session::await_client_body() {
    arm_up_timeout(worker_.snapshot().model.timeouts.body);
    arm_client_read(Expect::more);
    if (upstream_) upstream_->arm_read(Expect::more);
}

// Reads more content from the client. False: nothing is there yet, or the client is gone.
bool Session::read_client_body() {
    Exchange& exchange = *exchange_;
    if (is_upload_late()) return false;
    // Chunked content may run into the next request, which must fit a head buffer; content of known
    // length cannot.
    const bool bounded = exchange.framing.kind == http::Framing::Kind::length;
    if (!exchange.body)
        exchange.body = bounded ? worker_.body_buffers().take() : worker_.head_buffers().take();
    exchange.body_in_head = exchange.replayable = false;
    exchange.body_begin = exchange.body_end = 0;
    std::size_t room = exchange.body.size();
    if (bounded) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, exchange.body_left));
    const IoResult got = client_.read(exchange.body.data(), room);
    if (got.status == IoStatus::would_block) {
        await_client_body();
        return false;
    }
    if (got.status != IoStatus::done) {
        // An incomplete request is never forwarded as complete: the upstream sees a reset, not an
        // end.
        exchange.request.record.reason = static_cast<std::uint16_t>(Errc::client_gone);
        finish_exchange();
        close();
        return false;
    }
    exchange.body_end = got.bytes;
    return true;
}

// As may_splice_down(): all that came with the head has gone.
bool Session::may_splice_up() const noexcept {
    const Exchange& exchange = *exchange_;
    if (exchange.up_pipe) return true;
    return exchange.framing.kind == http::Framing::Kind::length && !exchange.collected &&
           exchange.body_left >= limits::kSpliceFrom && exchange.arrived().empty() &&
           exchange.splices && !client_.secure() && !upstream_->transport().secure();
}

// Moves content of the request from socket to socket. False: no more can be moved now, or the
// request was ended.
bool Session::splice_up() {
    Exchange& exchange = *exchange_;
    if (is_upload_late()) return false;
    if (!exchange.up_pipe) exchange.up_pipe = worker_.pipes().take();
    exchange.splices = static_cast<bool>(exchange.up_pipe);
    if (!exchange.splices) return true;
    const std::uint64_t before = exchange.body_left;
    const Spliced ended =
        splice(client_, upstream_->transport(), exchange.up_pipe, exchange.body_left);
    exchange.request.record.request_bytes += before - exchange.body_left;
    exchange.replayable = exchange.replayable && before == exchange.body_left;
    if (ended == Spliced::sink_full) {
        await_room_up();
        return false;
    }
    exchange.up_pipe.release();
    if (ended == Spliced::sink_failed) {
        upload_failed();
        return false;
    }
    if (ended == Spliced::source_empty) {
        await_client_body();
        return false;
    }
    exchange.splices = ended == Spliced::done;  // a client that has left is read to be told
    exchange.upload_done = exchange.body_left == 0;
    return true;
}

void Session::await_room_up() {
    arm_up_timeout(worker_.snapshot().model.timeouts.write);
    upstream_->arm_write();
    upstream_->arm_read(Expect::more);  // it may answer before it has read all
}

void Session::upload_finished() {
    exchange_->up_timeout.disarm();
    if (exchange_->body && exchange_->arrived().empty()) {
        exchange_->body.release();
        exchange_->body_in_head = true;
        exchange_->body_begin = exchange_->body_end = exchange_->head_filled;
    }
    if (!exchange_->answer_head_done) {
        worker_.timeouts().arm(
            down_timeout_, exchange_->request.route->timeout, worker_.now().steady);
    }
    if (upstream_->transport().has_pending()) {
        pump_down();
    } else {
        upstream_->arm_read(Expect::more);
    }
}

// The upstream closed while it was written to: it may have answered first (a 413, say), so its
// answer is looked for.
void Session::upload_failed() {
    exchange_->up_timeout.disarm();
    if (try_again()) return;
    exchange_->upload_broken = true;
    exchange_->up.clear();
    worker_.timeouts().arm(down_timeout_, exchange_->request.route->timeout, worker_.now().steady);
    pump_down();
}

// Only idempotent methods whose whole content is at hand (RFC 9110 9.2.2).
bool Session::is_repeatable() const {
    const Exchange& exchange = *exchange_;
    const bool at_hand =
        exchange.collected ||
        (exchange.replayable && exchange.framing.kind != http::Framing::Kind::chunked);
    return at_hand && is_idempotent(exchange.request.head.method) &&
           is_idempotent(exchange.request.route->forward->method(exchange.request.facts));
}

// Once, only on a reused connection that closed before any byte of the answer.
bool Session::may_retry() const {
    const Exchange& exchange = *exchange_;
    return upstream_ && upstream_->reused() && !exchange.retried && !exchange.answer_any_byte &&
           is_repeatable();
}

// By another target where one is up, within the budget.
bool Session::try_again() {
    upstream::Call& call = exchange_->call;
    if (!may_retry() || (call.is_active() && !call.repeat(worker_.now().steady))) return false;
    if (call.is_active()) note_target();
    retry();
    return true;
}

void Session::retry() {
    Exchange& exchange = *exchange_;
    drop_upstream(false);
    exchange.retried = true;
    exchange.request.record.retried = true;
    if (!exchange.collected) {
        exchange.request.record.request_bytes = 0;
        exchange.body_begin = exchange.scanner.head_end();
        exchange.body_left = exchange.framing.length;
        exchange.upload_done = false;
    }
    exchange.down.release();
    exchange.down_begin = exchange.down_end = 0;
    exchange.answer_scanner.reset();
    // A fresh connection: another idle one may have been closed by the same restart.
    connect_upstream();
}

void Session::on_upstream_writable() {
    guarded([this] { pump_up(); });
}

}  // namespace gatehouse::net
