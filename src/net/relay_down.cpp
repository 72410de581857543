#include "gatehouse/core/limits.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/upstream/ejection.hpp"
#include "session.hpp"
#include "splice.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

// The download pump of a session: the upstream's answer, or one of our own, to the client.
namespace gatehouse::net {
void Session::on_upstream_readable() {
    guarded([this] {
        if (phase_ != Phase::relaying) return;
        const bool asked = (put_off_ & static_cast<std::uint8_t>(Side::upstream)) == 0;
        const bool replaceable = upstream_->reused() && !exchange_->request.head.expect_continue;
        if (asked || !replaceable) return pump_down();
        // It closed, or says what nobody asked for, before the request was written to it.
        if (upstream_->transport().is_silent()) return upstream_->arm_read(Expect::news);
        drop_upstream(false);
        reach_upstream();
    });
}

void Session::pump_down() {
    if (phase_ != Phase::relaying && phase_ != Phase::answering) return;
    for (;;) {
        // Before the last of it is sent: whose answer is whole may ask again at once, of another
        // worker, and must find room.
        if (exchange_->answer_done && !exchange_->own_answer) end_call();
        if (!exchange_->to_client.empty() && !flush_down()) return;
        if (exchange_->answer_done) {
            answer_finished();
            return;
        }
        if (may_splice_down()) {
            if (!splice_down()) return;
            continue;
        }
        if (exchange_->down_begin == exchange_->down_end && !read_upstream()) return;
        if (!produce_down()) return;
        const bool begins = exchange_->answer_head_done && !exchange_->answer_begun;
        if (begins && !exchange_->to_client.empty() && put_off(Side::client)) {
            // Others of this turn may have it, unless content is still on its way to it.
            const bool upload_whole = exchange_->upload_done && exchange_->up.empty();
            if (exchange_->answer_done && upload_whole) release_upstream();
            return;
        }
    }
}

// Writes what is pending. False: the client takes no more now, or is gone.
bool Session::flush_down() {
    Outgoing& out = exchange_->to_client;
    while (!out.empty()) {
        const IoResult sent = client_.write(out.rest_of_text(), out.content);
        if (sent.status == IoStatus::would_block || sent.status == IoStatus::want_write) {
            arm_client_write();
            return false;
        }
        if (sent.status != IoStatus::done) {
            client_left();
            return false;
        }
        exchange_->answer_begun = exchange_->answer_head_done;
        out.advance(sent.bytes);
    }
    return true;
}

void Session::client_left() {
    // A refusal keeps its reason: nobody hides it by leaving.
    if (!exchange_->request.record.refused)
        exchange_->request.record.reason = static_cast<std::uint16_t>(Errc::client_gone);
    finish_exchange();
    close();
}

// Content of known length that nobody needs to look at, enough of it to be worth two calls more, or
// begun.
bool Session::may_splice_down() const noexcept {
    const Exchange& exchange = *exchange_;
    if (exchange.down_pipe) return true;
    return exchange.answer_left >= limits::kSpliceFrom && exchange.answer_head_done &&
           exchange.answer.framing.kind == http::Framing::Kind::length && !exchange.buffered &&
           exchange.down_begin == exchange.down_end && exchange.splices && !client_.secure() &&
           !upstream_->transport().secure();
}

// Moves content of the answer from socket to socket. False: no more can be moved now, or the
// request was ended.
bool Session::splice_down() {
    Exchange& exchange = *exchange_;
    exchange.down.release();
    exchange.down_begin = exchange.down_end = 0;
    if (!exchange.down_pipe) exchange.down_pipe = worker_.pipes().take();
    exchange.splices = static_cast<bool>(exchange.down_pipe);
    if (!exchange.splices) return true;
    const std::uint64_t before = exchange.answer_left;
    const Spliced ended =
        splice(upstream_->transport(), client_, exchange.down_pipe, exchange.answer_left);
    exchange.request.record.response_bytes += before - exchange.answer_left;
    if (ended == Spliced::sink_full) {
        arm_client_write();
        return false;
    }
    if (ended == Spliced::sink_failed) {
        client_left();
        return false;
    }
    exchange.down_pipe.release();
    if (ended == Spliced::source_empty) {
        await_upstream();
        return false;
    }
    if (ended == Spliced::source_ended) {
        upstream_ended(IoStatus::closed);
        return false;
    }
    exchange.splices = ended == Spliced::done;
    exchange.answer_done = exchange.answer_left == 0;
    return true;
}

// Reads more of the answer. False: nothing is there yet, or it ended (then the request was ended
// too, or answer_done is set).
bool Session::read_upstream() {
    Exchange& exchange = *exchange_;
    if (!exchange.down) {
        exchange.down = worker_.body_buffers().take();
        exchange.down_begin = exchange.down_end = 0;
    }
    if (exchange.down_begin == exchange.down_end) exchange.down_begin = exchange.down_end = 0;
    std::size_t room = exchange.down.size() - exchange.down_end;
    // What comes behind a head need not be copied, if there is much of it.
    if (!exchange.answer_head_done && exchange.splices) room = std::min(room, limits::kHeadBuffer);
    const IoResult got =
        upstream_->transport().read(exchange.down.data() + exchange.down_end, room);
    if (got.status == IoStatus::done) {
        exchange.down_end += got.bytes;
        exchange.answer_any_byte = true;
        return true;
    }
    if (got.status == IoStatus::would_block || got.status == IoStatus::want_write) {
        if (exchange.down_end == 0) exchange.down.release();
        await_upstream();
        return false;
    }
    upstream_ended(got.status);
    return false;
}

void Session::await_upstream() {
    if (exchange_->answer_head_done)
        worker_.timeouts().arm(down_timeout_, answer_patience(), worker_.now().steady);
    upstream_->arm_read(Expect::more);
}

// Between two reads of an answer. One that is mapped has its integration's limit for all of it.
std::chrono::milliseconds Session::answer_patience() const {
    const std::chrono::milliseconds idle = worker_.snapshot().model.timeouts.upstream_idle;
    if (!exchange_->buffered) return idle;
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        worker_.now().steady - exchange_->forward_began);
    const std::chrono::milliseconds left = exchange_->request.route->timeout - spent;
    return std::max(std::chrono::milliseconds(1), std::min(idle, left));
}

// The upstream closed or broke.
void Session::upstream_ended(IoStatus status) {
    Exchange& exchange = *exchange_;
    const bool clean = status == IoStatus::closed;
    if (exchange.answer_head_done && clean &&
        exchange.answer.framing.kind == http::Framing::Kind::until_close) {
        if (exchange.buffered) {
            exchange.keep_upstream = false;
            answer_mapped();
            return;
        }
        if (exchange.rechunk) exchange.to_client.text += "0\r\n\r\n";
        exchange.answer_done = true;
        exchange.keep_upstream = false;
        pump_down();
        return;
    }
    if (try_again()) return;
    ++worker_.gateway().metrics().upstream_failures;
    const bool partial = exchange.answer_any_byte;
    fail(Errc::upstream_reset, partial ? "in the middle of its answer" : "before its answer");
}

// Turns arrived bytes of the answer into outgoing ones. False: more is needed, or the request was
// ended.
bool Session::produce_down() {
    Exchange& exchange = *exchange_;
    while (!exchange.answer_head_done) {
        if (!parse_answer_head()) return false;
        if (exchange.answer_head_done) break;
        // An interim answer was passed over: more may already be here.
        if (exchange.down_begin == exchange.down_end) return true;
    }
    return exchange.buffered ? keep_answer_body() : take_answer_body();
}

// Interim answers stood before this head.
void Session::make_room_down() {
    Exchange& exchange = *exchange_;
    const std::size_t left = exchange.down_end - exchange.down_begin;
    std::memmove(exchange.down.data(), exchange.down.data() + exchange.down_begin, left);
    exchange.down_begin = 0;
    exchange.down_end = left;
}

// False: the head is not whole (then more is awaited) or bad (then the request was ended).
bool Session::parse_answer_head() {
    Exchange& exchange = *exchange_;
    const auto arrived = [&exchange] {
        return std::string_view(exchange.down.data() + exchange.down_begin,
                                exchange.down_end - exchange.down_begin);
    };
    // upstreamHeaderBytes counts the whole head; the scanner, the field lines alone.
    const config::Limits& configured = worker_.snapshot().model.limits;
    const std::size_t most = std::min(configured.upstream_header_bytes, exchange.down.size());
    const HeadScanner::Limits scan{limits::kHeaderBytes, most, configured.upstream_header_count};
    while (!exchange.answer_scanner.scan(arrived(), scan)) {
        const Errc error = exchange.answer_scanner.error();
        if (error == Errc::none && arrived().size() < most) {
            if (exchange.down_end == exchange.down.size()) make_room_down();
            if (!read_upstream()) return false;
            continue;
        }
        const bool large =
            error == Errc::none || error == Errc::head_too_large || error == Errc::fields_too_many;
        fail(large ? Errc::upstream_head_too_large : Errc::upstream_malformed, "answer head");
        return false;
    }
    const std::string_view method = exchange.request.route->forward->method(exchange.request.facts);
    const std::size_t end = exchange.answer_scanner.head_end();
    if (end > most) {
        fail(Errc::upstream_head_too_large, "answer head");
        return false;
    }
    const bool padded =
        exchange.answer_scanner.head_begin() != 0;  // nothing may come before an answer
    if (exchange.buffered) {  // what is read behind it takes its place in the buffer
        exchange.answer_text = arrived().substr(0, end);
        exchange.answer_scanner.move_to(exchange.answer_text.data());
    }
    const Errc bad = padded ? Errc::upstream_malformed
                            : exchange.answer_scanner.read_response_head(method, exchange.answer);
    if (bad != Errc::none) {
        ++worker_.gateway().metrics().upstream_failures;
        fail(bad, "answer head");
        return false;
    }
    exchange.down_begin += end;
    if (exchange.answer.status < 200) {
        exchange.answer_scanner.reset();
        // 1xx are bounded in number and not passed on: the client's own 100 was sent by us (RFC
        // 9110 15.2).
        if (++exchange.interim > limits::kInterimResponses) {
            fail(Errc::upstream_malformed, "too many interim answers");
            return false;
        }
        return true;
    }
    begin_answer();
    return true;
}

void Session::begin_answer() {
    Exchange& exchange = *exchange_;
    app::Request& request = exchange.request;
    down_timeout_.disarm();
    const http::ResponseHead& answer = exchange.answer;
    exchange.answer_head_done = true;
    exchange.answer_left = answer.framing.length;
    const auto first_byte = worker_.now().steady - exchange.forward_began;
    request.record.first_byte_us = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(first_byte).count());
    worker_.gateway().metrics().upstream_seconds.observe(
        static_cast<double>(request.record.first_byte_us) / 1e6);
    request.record.upstream_status = static_cast<std::uint16_t>(answer.status);
    request.record.status =
        static_cast<std::uint16_t>(request.route->forward->answer_status(answer.status));
    exchange.keep_upstream =
        answer.keep_alive && answer.framing.kind != http::Framing::Kind::until_close;

    using Kind = http::Framing::Kind;
    if (exchange.buffered) return;
    http::Framing to_client = answer.framing;
    const bool unknown_length =
        answer.framing.kind == Kind::chunked || answer.framing.kind == Kind::until_close;
    if (unknown_length) {
        const bool chunks = request.head.version == http::Version::http_1_1;
        to_client.kind = chunks ? Kind::chunked : Kind::until_close;
        exchange.rechunk = chunks;
        if (!chunks) keep_alive_ = false;
    }
    if (worker_.draining()) keep_alive_ = false;
    // The upstream was asked by HEAD where the client was not: what it gets is empty, and must say
    // so.
    const bool upstream_by_head = request.route->forward->method(request.facts) == "HEAD";
    const bool may_have_content = answer.status != 204 && answer.status != 304;
    if (upstream_by_head && !exchange.asked_by_head && may_have_content)
        to_client = {Kind::length, 0};
    // A final answer before the whole request was read: the rest is not awaited.
    if (!exchange.upload_done || !exchange.up.empty()) keep_alive_ = false;
    std::string& out = exchange.to_client.text;
    request.route->forward->write_response_head(
        answer, request.facts, to_client, keep_alive_, worker_.date(), out);
    if (request.snapshot->dev) {
        out.resize(out.size() - 2);  // the empty line
        worker_.gateway().append_dev_header(request, out);
        out += "\r\n";
    }
    if (answer.framing.kind == Kind::none ||
        (answer.framing.kind == Kind::length && answer.framing.length == 0))
        exchange.answer_done = true;
    // And the other way round: the content is not for this client, nor for the next.
    if (exchange.asked_by_head && !exchange.answer_done) {
        exchange.answer_done = true;
        exchange.keep_upstream = false;
    }
}

// False: the content is malformed, and the request was ended.
bool Session::take_answer_body() {
    Exchange& exchange = *exchange_;
    if (exchange.answer_done) return true;
    const std::string_view arrived(exchange.down.data() + exchange.down_begin,
                                   exchange.down_end - exchange.down_begin);
    app::TraceRecord& record = exchange.request.record;
    std::string& out = exchange.to_client.text;
    char size[20];
    switch (exchange.answer.framing.kind) {
        case http::Framing::Kind::length: {
            const std::size_t run = static_cast<std::size_t>(
                std::min<std::uint64_t>(arrived.size(), exchange.answer_left));
            // A small body goes behind the head in one send; a copy of 4 KiB costs less than a
            // second segment in the call.
            if (!out.empty() && run <= kOneSend) {
                out.append(arrived.substr(0, run));
            } else {
                exchange.to_client.content = arrived.substr(0, run);
            }
            exchange.down_begin += run;
            exchange.answer_left -= run;
            record.response_bytes += run;
            exchange.answer_done = exchange.answer_left == 0;
            break;
        }
        case http::Framing::Kind::until_close:
            if (exchange.rechunk && !arrived.empty()) {
                out.append(size, http::write_chunk_head(size, arrived.size()))
                    .append(arrived)
                    .append("\r\n");
            } else {
                exchange.to_client.content = arrived;
            }
            exchange.down_begin = exchange.down_end;
            record.response_bytes += arrived.size();
            break;
        case http::Framing::Kind::chunked:
            while (!exchange.answer_decoder.done() && exchange.down_begin < exchange.down_end) {
                const auto step =
                    exchange.answer_decoder.feed({exchange.down.data() + exchange.down_begin,
                                                  exchange.down_end - exchange.down_begin});
                exchange.down_begin += step.consumed;
                if (step.error != Errc::none) {
                    ++worker_.gateway().metrics().upstream_failures;
                    fail(Errc::upstream_malformed, "answer content");
                    return false;
                }
                if (!step.data.empty()) {
                    if (exchange.rechunk)
                        out.append(size, http::write_chunk_head(size, step.data.size()));
                    out.append(step.data);
                    if (exchange.rechunk) out.append("\r\n");
                    record.response_bytes += step.data.size();
                }
                if (step.consumed == 0) break;
            }
            if (exchange.answer_decoder.done()) {
                if (exchange.rechunk) out += "0\r\n\r\n";
                exchange.answer_done = true;
            }
            break;
        case http::Framing::Kind::none:
            exchange.answer_done = true;
            break;
    }
    return true;
}

// Keeps the content of an answer that is to be mapped. False: it is whole, and was answered with;
// or the request was ended.
bool Session::keep_answer_body() {
    Exchange& exchange = *exchange_;
    using Kind = http::Framing::Kind;
    const std::string_view arrived(exchange.down.data() + exchange.down_begin,
                                   exchange.down_end - exchange.down_begin);
    std::string& content = exchange.answer_content;
    bool whole = exchange.answer.framing.kind == Kind::none;
    Errc error = Errc::none;
    if (exchange.answer.framing.kind == Kind::length) {
        const auto run =
            static_cast<std::size_t>(std::min<std::uint64_t>(arrived.size(), exchange.answer_left));
        if (exchange.answer_left > limits::kUpstreamBodyBytes)
            error = Errc::upstream_body_too_large;
        if (error == Errc::none && !keep_content(content, arrived.substr(0, run))) return false;
        exchange.down_begin += run;
        exchange.answer_left -= run;
        whole = exchange.answer_left == 0;
    } else if (exchange.answer.framing.kind == Kind::until_close) {
        if (!keep_content(content, arrived)) return false;
        exchange.down_begin = exchange.down_end;
    } else if (exchange.answer.framing.kind == Kind::chunked) {
        while (!exchange.answer_decoder.done() && exchange.down_begin < exchange.down_end) {
            const auto step =
                exchange.answer_decoder.feed({exchange.down.data() + exchange.down_begin,
                                              exchange.down_end - exchange.down_begin});
            exchange.down_begin += step.consumed;
            if (step.error != Errc::none) error = Errc::upstream_malformed;
            if (!keep_content(content, step.data)) return false;
            if (step.consumed == 0 || error != Errc::none) break;
        }
        whole = exchange.answer_decoder.done();
    }
    if (content.size() > limits::kUpstreamBodyBytes) error = Errc::upstream_body_too_large;
    if (!whole && worker_.now().steady - exchange.forward_began > exchange.request.route->timeout)
        error = Errc::upstream_timeout;
    if (error != Errc::none) {
        ++worker_.gateway().metrics().upstream_failures;
        fail(error, "answer content");
        return false;
    }
    if (whole) answer_mapped();
    return !whole;
}

// The upstream has done its part: its connection is free before the client is answered.
void Session::answer_mapped() {
    Exchange& exchange = *exchange_;
    // A final answer before the whole request was taken: the rest is not awaited.
    release_upstream();
    exchange.up.clear();
    const authz::RenderedResponse response =
        worker_.gateway().map_answer(exchange.request, exchange.answer, exchange.answer_content);
    release(exchange.answer_content);
    release(exchange.content);
    exchange.share.clear();
    exchange.answer_head_done = false;  // that was the upstream's; ours begins now
    exchange.down.release();
    exchange.down_begin = exchange.down_end = 0;
    answer(response.status, response.headers, response.body);
}

// The target has answered: it is judged by that, and its place is free.
void Session::end_call() {
    upstream::Call& call = exchange_->call;
    if (!call.is_active()) return;
    if (upstream::counts_as_failure(exchange_->answer.status)) {
        call.failed(worker_.now().steady);
    } else {
        call.succeeded();
    }
    call.end();
}

// Gives the connection back, or ends it where another request could not trust it.
void Session::release_upstream() {
    if (!upstream_) return;
    Exchange& exchange = *exchange_;
    end_call();
    const bool upload_whole = exchange.upload_done && exchange.up.empty();
    // A connection with bytes that nobody asked for is not reused: they would become another
    // request's answer.
    const bool clean = exchange.keep_upstream && upload_whole && !exchange.upload_broken &&
                       exchange.down_begin == exchange.down_end &&
                       !upstream_->transport().has_pending();
    if (clean) {
        --worker_.gateway().metrics().upstream_active;
        worker_.pool().give_back(std::exchange(upstream_, nullptr), worker_.now().steady);
    } else {
        drop_upstream(!upload_whole);
    }
}

// Everything was sent to the client.
void Session::answer_finished() {
    Exchange& exchange = *exchange_;
    down_timeout_.disarm();
    exchange.up_timeout.disarm();
    const bool upload_whole = exchange.upload_done && exchange.up.empty();
    release_upstream();
    finish_exchange();
    const bool body_unread =
        !exchange.own_answer
            ? !upload_whole
            : !exchange.upload_done && exchange.framing.kind != http::Framing::Kind::none;
    if (keep_alive_ && !body_unread) {
        next_request();
    } else if (exchange.asked_to_close && !body_unread && exchange.arrived().empty()) {
        close();
    } else {
        linger();
    }
}

void Session::drop_upstream(bool reset) {
    if (connecting_ != 0) {
        worker_.pool().cancel(connecting_);
        connecting_ = 0;
    }
    if (!upstream_) return;
    --worker_.gateway().metrics().upstream_active;
    upstream_->use(nullptr);
    upstream_->close(reset);
    upstream_.reset();
}

}  // namespace gatehouse::net
