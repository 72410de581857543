#include "session.hpp"

#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/status.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace gatehouse::net {
namespace {

// After an answer to a request whose content was not read, the client's bytes are read away within
// these bounds, so that it sees the answer instead of a reset (RFC 9112 9.6).
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::size_t kLingerBytes = 1024 * 1024;
// Above every fetch and function limit: reached only by a bug.
constexpr std::chrono::milliseconds kDecidingTime{60000};

HeadScanner::Limits scan_limits(const config::Limits& limits) noexcept {
    return {limits.request_line_bytes, limits.header_bytes, limits.header_count};
}

}  // namespace

void Exchange::clear() {
    up_timeout.disarm();
    head.release();
    body.release();
    down.release();
    up_pipe.release();
    down_pipe.release();
    splices = true;
    head_filled = body_begin = body_end = down_begin = down_end = 0;
    scanner.reset();
    answer_scanner.reset();
    release(content);  // megabytes, perhaps: not kept for the next one
    release(answer_text);
    release(answer_content);
    share.clear();
    buffered = false;
    call.end();  // before the request lets go of what it is a part of
    request.clear();
    body_in_head = true;
    signed_content = collected = false;
    framing = {};
    body_left = answer_left = 0;
    decoder = {};
    answer_decoder = {};
    answer = {};
    up.clear();
    to_client.clear();
    interim = 0;
    replayable = true;
    asked_by_head = asked_to_close = false;
    upload_done = upload_broken = answer_begun = answer_head_done = answer_any_byte = rechunk =
        answer_done = own_answer = keep_upstream = retried = false;
}

Session::Session(Worker& worker,
                 Socket socket,
                 const boost::asio::ip::tcp::endpoint& peer,
                 std::uint16_t listener_port,
                 bool decision)
    : worker_(worker),
      client_(std::move(socket)),
      client_read_(*this),
      down_timeout_(this,
                    [](void* self, Timeout&) { static_cast<Session*>(self)->on_down_timeout(); }) {
    // On a listener for both, IPv4 clients come as ::ffff:192.0.2.7.
    boost::asio::ip::address address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
    client_facts_.source_ip = address.to_string();
    client_facts_.listener_port = listener_port;
    client_facts_.decision = decision;
    worker_.enter(*this);
}

Session::~Session() {
    worker_.leave(*this);
}

void Session::start(const ServerTls* tls) {
    self_ = this;
    if (!has_place()) {
        if (tls == nullptr)
            refuse_connection(client_.socket().native_handle());  // else it would be no TLS
        return close();
    }
    worker_.timeouts().arm(
        down_timeout_, worker_.snapshot().model.timeouts.header, worker_.now().steady);
    if (tls != nullptr) return begin_handshake(*tls);
    arm_client_read(Expect::news);
}

// Counted here and not by who accepts, so that the count's lock is spread over the workers.
bool Session::has_place() {
    const std::size_t most = worker_.snapshot().model.limits.connections_per_address;
    // A proxy's connections carry the requests of all its clients.
    if (most == 0 || client_facts_.decision) return true;
    boost::system::error_code ec;
    const auto peer = client_.socket().remote_endpoint(ec);
    if (ec) return false;
    if (auto place = worker_.shared().addresses.enter(peer.address(), most)) {
        address_place_ = std::move(*place);
        return true;
    }
    ++worker_.gateway().metrics().connections_refused_by_address;
    return false;
}

// limits.requestsPerConnection: its answer says that the connection closes, and does.
bool Session::is_last_request() noexcept {
    const std::size_t most = worker_.snapshot().model.limits.requests_per_connection;
    return ++requests_ >= most && most != 0;
}

// The first write to a side, of a head and what fits behind it: whoever is woken by it finds more
// to do. What follows is written when it has been read, as ever.
bool Session::put_off(Side side) {
    if (put_off_ == 0 && !worker_.put_off(*this)) return false;
    put_off_ |= static_cast<std::uint8_t>(side);
    return true;
}

void Session::write_now() {
    const std::uint8_t sides = std::exchange(put_off_, 0);
    guarded_in_turn([&] {
        if ((sides & static_cast<std::uint8_t>(Side::upstream)) != 0) pump_up();
        if ((sides & static_cast<std::uint8_t>(Side::client)) != 0) pump_down();
    });
}

void Session::arm_client_read(Expect expect) {
    if (phase_ == Phase::closed) return;
    if (!client_.has_pending()) return client_read_.arm(expect);
    // Through the loop, as if the socket had told of it.
    boost::asio::post(worker_.io(), [self = Ptr(this)] {
        if (self->phase_ != Phase::closed && !self->client_read_.armed())
            self->on_client_readable();
    });
}

void Session::on_client_ready(boost::system::error_code ec) {
    if (ec == boost::asio::error::operation_aborted || phase_ == Phase::closed) return;
    on_client_readable();
}

void Session::arm_client_write() {
    if (write_armed_ || phase_ == Phase::closed) return;
    write_armed_ = true;
    unsent_ = client_.unsent();
    worker_.timeouts().arm(
        down_timeout_, worker_.snapshot().model.timeouts.write, worker_.now().steady);
    client_.wait_writable([self = Ptr(this)](boost::system::error_code ec) {
        self->write_armed_ = false;
        if (ec == boost::asio::error::operation_aborted || self->phase_ == Phase::closed) return;
        self->on_client_writable();
    });
}

void Session::arm_up_timeout(std::chrono::milliseconds duration) {
    exchange_->up_timeout.tell(
        this, [](void* self, Timeout&) { static_cast<Session*>(self)->on_up_timeout(); });
    worker_.timeouts().arm(exchange_->up_timeout, duration, worker_.now().steady);
}

void Session::on_client_readable() {
    guarded([this] {
        switch (phase_) {
            case Phase::handshaking:
                shake_hands();
                break;
            case Phase::idle:
            case Phase::head:
                read_head();
                break;
            case Phase::relaying:
                pump_up();
                break;
            case Phase::collecting:
                collect();
                break;
            case Phase::lingering:
                linger();
                break;
            default:
                break;  // looked at when it is its turn: nothing is read early
        }
    });
}

void Session::on_client_writable() {
    guarded([this] {
        if (phase_ == Phase::handshaking) return shake_hands();
        if (phase_ != Phase::deciding) down_timeout_.disarm();
        pump_down();
        // An interim 100 that had to wait holds the content back until it is out.
        if (phase_ == Phase::relaying && !exchange_->upload_done && exchange_->to_client.empty())
            pump_up();
        if (phase_ == Phase::collecting && flush_down()) collect();
    });
}

// ---- reading a head

void Session::read_head() {
    if (!exchange_) exchange_ = worker_.take_exchange();
    Exchange& exchange = *exchange_;
    if (!exchange.head) exchange.head = worker_.head_buffers().take();
    const IoResult got = client_.read(exchange.head.data() + exchange.head_filled,
                                      exchange.head.size() - exchange.head_filled);
    if (got.status == IoStatus::would_block) {
        if (exchange.head_filled == 0) worker_.give_back(std::move(exchange_));
        arm_client_read(Expect::more);
        return;
    }
    if (got.status != IoStatus::done) {
        close();
        return;
    }
    const bool begins = exchange.head_filled == 0 || phase_ == Phase::idle;
    phase_ = Phase::head;
    exchange.head_filled += got.bytes;
    if (scan_head()) return;
    if (begins)
        worker_.timeouts().arm(
            down_timeout_, worker_.snapshot().model.timeouts.header, worker_.now().steady);
    arm_client_read(Expect::more);
}

// Looks for a whole head among the bytes that are there. False: more must be read.
bool Session::scan_head() {
    Exchange& exchange = *exchange_;
    const std::string_view bytes(exchange.head.data(), exchange.head_filled);
    if (exchange.scanner.scan(bytes, scan_limits(worker_.snapshot().model.limits))) {
        begin_request();
        return true;
    }
    if (exchange.scanner.error() != Errc::none) {
        refuse_unread(exchange.scanner.error());
        return true;
    }
    if (exchange.head_filled == exchange.head.size()) {
        refuse_unread(Errc::head_too_large);
        return true;
    }
    return false;
}

void Session::begin_request() {
    Exchange& exchange = *exchange_;
    down_timeout_.disarm();
    phase_ = Phase::deciding;
    exchange.body_begin = exchange.scanner.head_end();
    exchange.body_end = exchange.head_filled;
    http::RequestHead head;
    const Errc malformed = exchange.scanner.read_request_head(head);
    exchange.asked_by_head = head.method == "HEAD";
    if (malformed != Errc::none) {
        exchange.request.head = head;
        refuse_unread(malformed);
        return;
    }
    exchange.asked_to_close = !head.keep_alive;
    exchange.framing = head.framing;
    exchange.body_left = head.framing.length;
    keep_alive_ = !is_last_request() && head.keep_alive && !worker_.draining();
    if (head.framing.kind == http::Framing::Kind::length &&
        head.framing.length > worker_.snapshot().model.limits.body_bytes) {
        exchange.request.head = head;
        refuse_unread(Errc::body_too_large);
        return;
    }
    proceed(worker_.gateway().begin(
        exchange.request, head, client_facts_, worker_.now(), [this] { return make_wake(); }));
}

void Session::refuse_unread(Errc error) {
    Exchange& exchange = *exchange_;
    phase_ = Phase::answering;
    worker_.gateway().begin_unread(exchange.request, client_facts_, worker_.now(), error);
    keep_alive_ = false;
    answer_refusal();
}

void Session::proceed(app::Step step) {
    switch (step) {
        case app::Step::forward:
            begin_forward();
            break;
        case app::Step::authenticate:
            exchange_->signed_content = true;
            begin_collect();
            break;
        case app::Step::collect:
            if (exchange_->collected) {
                execute();
                break;
            }
            begin_collect();
            break;
        case app::Step::invoke:
            invoke();
            break;
        case app::Step::answer: {
            const authz::RenderedResponse& ready = *exchange_->request.answer;
            answer(ready.status, ready.headers, ready.body);
            break;
        }
        case app::Step::mock:
            answer_mock();
            break;
        case app::Step::preflight: {
            const auto response = worker_.gateway().render_preflight(exchange_->request);
            answer(response.status, response.headers, response.body);
            break;
        }
        case app::Step::refuse:
            answer_refusal();
            break;
        case app::Step::wait:
            worker_.timeouts().arm(down_timeout_, kDecidingTime, worker_.now().steady);
            break;
    }
}

// ---- waiting for an authorizer

app::Wake Session::make_wake() {
    // The ticket tells a late wake from the one that is waited for: the connection may have moved
    // on.
    const std::uint64_t ticket = ++wake_ticket_;
    auto holder = std::make_shared<Ptr>(this);
    Worker* worker = &worker_;
    return [holder, worker, ticket](std::shared_ptr<const app::AuthorizeResult> result) {
        // Called on any thread; the session's counter is not atomic, so the pointer is only touched
        // on the worker.
        worker->post([session = std::move(*holder), ticket, result = std::move(result)] {
            session->wake(ticket, result);
        });
    };
}

void Session::wake(std::uint64_t ticket,
                   const std::shared_ptr<const app::AuthorizeResult>& result) {
    if (phase_ != Phase::deciding || ticket != wake_ticket_) return;
    guarded([&] {
        down_timeout_.disarm();
        proceed(worker_.gateway().resume(exchange_->request, *result, worker_.now()));
    });
}

// ---- answers of our own

void Session::answer_refusal() {
    // A target that two readers could take differently: what follows on this connection is not
    // trusted either. A proxy's connection carries the requests of all its clients, and framed this
    // one.
    if (exchange_->request.outcomes.target != Errc::none && !client_facts_.decision)
        keep_alive_ = false;
    const authz::RenderedResponse response = worker_.gateway().render_refusal(exchange_->request);
    answer(response.status, response.headers, response.body);
}

void Session::answer_mock() {
    const app::CompiledRoute& route = *exchange_->request.route;
    std::string headers = "Content-Type: " + route.mock_type + "\r\nx-amzn-RequestId: ";
    headers.append(exchange_->request.ids.request())
        .append("\r\nx-amz-apigw-id: ")
        .append(exchange_->request.ids.extended())
        .append("\r\n");
    worker_.gateway().append_dev_header(exchange_->request, headers);
    answer(route.source->integration.status_code, headers, route.mock_body);
}

// An allowed request that cannot be served. Once the answer's head is out, only closing can say so.
void Session::fail(Errc error, std::string detail) {
    Exchange& exchange = *exchange_;
    judge_target(error);
    exchange.call.end();
    drop_upstream(!exchange.upload_done);
    if (exchange.answer_head_done && !exchange.answer_begun && exchange.to_client.text_sent == 0 &&
        !client_.has_begun_write()) {
        // Nothing of the upstream's answer went out yet, nor half a 100 before it: the client gets
        // a whole answer of ours instead of half of its.
        exchange.to_client.clear();
        exchange.answer_head_done = exchange.answer_done = false;
        keep_alive_ = false;
    }
    if (exchange.answer_head_done) {
        exchange.request.record.reason = static_cast<std::uint16_t>(error);
        finish_exchange();
        // Content that ends with the connection is not whole: only a reset can say so.
        if (exchange.ends_by_close()) {
            abort();
        } else {
            close();
        }
        return;
    }
    const authz::RenderedResponse response =
        worker_.gateway().render_failure(exchange.request, error, std::move(detail));
    answer(response.status, response.headers, response.body);
}

void Session::answer(int status, std::string_view headers, std::string_view body) {
    Exchange& exchange = *exchange_;
    phase_ = Phase::answering;
    // A large answer of ours is kept until the client has taken it.
    authz::RenderedResponse overloaded;
    if (body.size() > limits::kHeadBuffer &&
        !exchange.share.add(worker_.shared().buffered, body.size(), buffered_most())) {
        overloaded = worker_.gateway().render_failure(
            exchange.request, Errc::overloaded, "limits.bufferedBytes: the answer");
        status = overloaded.status;
        headers = overloaded.headers;
        body = overloaded.body;
    }
    exchange.up_timeout.disarm();
    down_timeout_.disarm();
    exchange.own_answer = true;
    exchange.answer_done = true;
    exchange.request.record.status = static_cast<std::uint16_t>(status);
    if (!discard_request_body() || worker_.draining()) keep_alive_ = false;
    std::string& out = exchange.to_client.text;
    out.append("HTTP/1.1 ")
        .append(std::to_string(status))
        .append(" ")
        .append(http::reason_phrase(status))
        .append("\r\nDate: ");
    out.append(worker_.date()).append("\r\n").append(headers);
    const bool bodiless = status == 204 || status == 304;
    if (!bodiless)
        out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    out.append(keep_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
    if (!bodiless && !exchange.asked_by_head) {
        out.append(body);
        exchange.request.record.response_bytes = body.size();
    }
    if (!put_off(Side::client)) pump_down();
}

// True when the request's content is wholly here and thrown away, so that the next request can
// follow.
bool Session::discard_request_body() {
    Exchange& exchange = *exchange_;
    if (exchange.upload_done || exchange.framing.kind == http::Framing::Kind::none) return true;
    // A client that waits for 100 gets the final answer instead and may or may not send: only
    // closing is unambiguous.
    if (exchange.framing.kind != http::Framing::Kind::length ||
        exchange.request.head.expect_continue)
        return false;
    if (exchange.body_left > exchange.body_end - exchange.body_begin) return false;
    exchange.body_begin += static_cast<std::size_t>(exchange.body_left);
    exchange.body_left = 0;
    exchange.upload_done = true;
    return true;
}

// ---- ends

void Session::finish_exchange() {
    worker_.gateway().finish(exchange_->request, worker_.now());
    served_one_ = true;
}

void Session::next_request() {
    // What the client sent behind this request begins the next one.
    Exchange& exchange = *exchange_;
    const std::string_view left = exchange.arrived();
    if (left.empty()) {
        worker_.give_back(std::move(exchange_));
        phase_ = Phase::idle;
        looked_again_ = false;
        worker_.timeouts().arm(down_timeout_,
                               std::min(kLookAgain, worker_.snapshot().model.timeouts.keep_alive),
                               worker_.now().steady);
        arm_client_read(Expect::news);
        return;
    }
    auto next = worker_.take_exchange();
    next->head = worker_.head_buffers().take();
    std::memcpy(next->head.data(), left.data(), left.size());
    next->head_filled = left.size();
    worker_.give_back(std::exchange(exchange_, std::move(next)));
    phase_ = Phase::head;
    worker_.timeouts().arm(
        down_timeout_, worker_.snapshot().model.timeouts.header, worker_.now().steady);
    // Through the loop, so that a client that pipelines without end neither nests calls nor starves
    // others.
    boost::asio::post(worker_.io(), [self = Ptr(this)] {
        if (self->phase_ != Phase::head) return;
        self->guarded([&] {
            if (!self->scan_head()) self->arm_client_read(Expect::more);
        });
    });
}

// An idle connection is looked at once more after a second: a FIN that came with the last request's
// bytes has raised no edge (read_wait.hpp). One that is quiet, or whose next request has just come,
// then waits out its keep-alive time.
void Session::look_again() {
    const std::chrono::milliseconds keep_alive = worker_.snapshot().model.timeouts.keep_alive;
    if (looked_again_ || keep_alive <= kLookAgain || client_.has_ended()) {
        close();
        return;
    }
    looked_again_ = true;
    worker_.timeouts().arm(down_timeout_, keep_alive - kLookAgain, worker_.now().steady);
}

void Session::linger() {
    if (phase_ != Phase::lingering) {
        phase_ = Phase::lingering;
        client_.shutdown_send();
        worker_.timeouts().arm(down_timeout_, kLingerTime, worker_.now().steady);
    }
    char scrap[4096];
    for (;;) {
        const IoResult got = client_.read(scrap, sizeof(scrap));
        if (got.status == IoStatus::would_block) {
            arm_client_read(Expect::more);
            return;
        }
        linger_bytes_ += static_cast<std::uint32_t>(got.bytes);
        if (got.status != IoStatus::done || linger_bytes_ > kLingerBytes) {
            close();
            return;
        }
    }
}

void Session::close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    down_timeout_.disarm();
    drop_upstream(true);
    client_.close();
    if (exchange_) worker_.give_back(std::move(exchange_));
    self_.reset();  // whoever called holds on until the end of its event
}

void Session::abort() {
    if (phase_ == Phase::closed) return;
    const Ptr keep(this);
    client_.reset();
    close();
}

void Session::drain() {
    keep_alive_ = false;
    // With a request in the socket, closing would reset it: it is answered first, and the event
    // that says so is under way.
    const bool waits = phase_ == Phase::idle
                           ? !client_.has_pending()
                           : phase_ == Phase::handshaking && client_.is_before_handshake();
    if (waits && client_.is_silent()) close();
}

// Linux says that a socket is writable when a third of its buffer is free, which may be megabytes:
// a client that takes its answer slowly and steadily has not stalled.
bool Session::takes_more() {
    const int before = std::exchange(unsent_, client_.unsent());
    return unsent_ < before;
}

void Session::on_down_timeout() {
    guarded([this] {
        switch (phase_) {
            case Phase::handshaking:
                handshake_failed("not done in time (headerInMillis)");
                break;
            case Phase::idle:
                look_again();
                break;
            case Phase::lingering:
            case Phase::closed:
                close();
                break;
            case Phase::head:
                refuse_unread(Errc::head_timeout);
                break;
            case Phase::collecting:  // a 100 that the client does not take
                exchange_->request.record.reason = static_cast<std::uint16_t>(Errc::client_stalled);
                finish_exchange();
                abort();
                break;
            case Phase::deciding:
                fail(exchange_->request.verdict.allow ? Errc::function_timeout
                                                      : Errc::authorizer_failure,
                     "no answer in time");
                break;
            case Phase::connecting:
                worker_.pool().cancel(std::exchange(connecting_, 0));
                target_unreached(Errc::upstream_connect_timeout, "connectInMillis");
                break;
            case Phase::answering:
            case Phase::relaying:
                if (write_armed_ && takes_more()) {
                    worker_.timeouts().arm(down_timeout_,
                                           worker_.snapshot().model.timeouts.write,
                                           worker_.now().steady);
                } else if (write_armed_) {
                    exchange_->request.record.reason =
                        static_cast<std::uint16_t>(Errc::client_stalled);
                    finish_exchange();
                    abort();
                } else {
                    fail(Errc::upstream_timeout,
                         exchange_->answer_head_done ? "upstreamIdleInMillis" : "timeoutInMillis");
                }
                break;
        }
    });
}

void Session::on_up_timeout() {
    guarded([this] {
        if (phase_ != Phase::relaying && phase_ != Phase::collecting) return;
        const bool client_late = exchange_->up.empty() && exchange_->up_pipe.held() == 0;
        fail(client_late ? Errc::body_timeout : Errc::upstream_timeout,
             client_late ? "bodyInMillis" : "the upstream takes no more content");
    });
}

}  // namespace gatehouse::net
