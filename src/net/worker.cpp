#include "worker.hpp"

#include "session.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <exception>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace gatehouse::net {
namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::uint64_t kTicksOfASecond = 10;
constexpr std::size_t kMostFreeExchanges = 256;
// Log lines that are not kept until the next tick: as many as a second-level cache holds well.
constexpr std::size_t kMuchLog = 256 * 1024;
// Where turns are short, nothing is gained by waiting for their end.
constexpr std::size_t kManyWrites = 3;
// A turn of dear requests, whose tokens are new, say, does not hold back those that are ready.
constexpr std::chrono::microseconds kLongestPutOff{500};

std::size_t head_buffer_bytes(const config::Limits& limits) {
    // A head at its limits, the empty lines around it, and room for what comes behind.
    return std::max(limits::kHeadBuffer, limits.request_line_bytes + limits.header_bytes + 1024);
}

constexpr std::string_view kOverloaded =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: "
    "33\r\nConnection: close\r\n\r\n"
    "{\"message\":\"Service Unavailable\"}";

}  // namespace

void refuse_connection(int socket) noexcept {
    ::send(socket, kOverloaded.data(), kOverloaded.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Worker::Worker(WorkerShared& shared,
               std::shared_ptr<const app::Snapshot> snapshot,
               std::size_t index)
    : shared_(shared),
      index_(index),
      reading_{shared.clock.now()},
      head_buffers_(head_buffer_bytes(snapshot->model.limits)),
      body_buffers_(std::max(limits::kBodyBuffer, snapshot->model.limits.upstream_header_bytes)),
      pool_(io_, timeouts_, shared.upstream_tls),
      gateway_(std::move(snapshot), shared.cache, shared.authorize) {
    pool_.fetch_now(now().steady);
    turn_.watch(io_);
}

Worker::~Worker() {
    stop();
    put_off_.clear();
    timer_.cancel();
    pool_.clear();
    // Handlers that were cut off own sessions and connections: they run out here, while what they
    // point to is still there. One of them may still begin a session: the socket of a connection
    // that was accepted and not yet taken over.
    do {
        abort();
        io_.restart();
        run(&boost::asio::io_context::poll);
    } while (sessions_ != nullptr);
}

void Worker::start() {
    tick();
    thread_ = std::thread([this] { run(&boost::asio::io_context::run); });
}

// Sessions catch what goes wrong in their own events. What escapes from anything else is a bug too,
// and must not end the other connections.
void Worker::run(std::size_t (boost::asio::io_context::*loop)()) {
    for (;;) {
        try {
            (io_.*loop)();
            return;
        } catch (const std::exception& fault) {
            shared_.report_bug(fault.what());
        }
    }
}

void Worker::stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
}

void Worker::post(std::function<void()> task) {
    boost::asio::post(io_, std::move(task));
}

void Worker::serve(Socket socket,
                   const boost::asio::ip::tcp::endpoint& peer,
                   std::uint16_t listener_port,
                   bool decision,
                   const ServerTls* tls) {
    wake();
    ++gateway_.metrics().connections_opened;
    const boost::intrusive_ptr<Session> session(
        new Session(*this, std::move(socket), peer, listener_port, decision));
    session->start(tls);
    if (draining_) session->drain();
}

// The worker's clockwork, ten times a second: late connections, the log lines made meanwhile. The
// timer runs for ever, and so keeps the loop alive; it is set first, so that a fault cannot stop
// it.
void Worker::tick() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) tick();
    });
    shared_.clock.now();  // by which quick_now() goes
    wake();
    timeouts_.sweep(now().steady);
    if (++ticks_ % kTicksOfASecond == 0) {
        pipes_.close_unused();
        gateway_.release_unused_grants();
    }
    pool_.make_room();
    pool_.use_old_addresses();
    gateway_.metrics().connections_open = open_.load(std::memory_order_relaxed);
    gateway_.metrics().upstream_idle = pool_.idle();
    gateway_.metrics().upstream_connecting = pool_.connecting();
    hand_over_log();
}

void Worker::hand_over_log() {
    if (gateway_.access_log_bytes() == 0) return;
    gateway_.use_log_buffer(shared_.write_access_log(gateway_.take_access_log()));
}

bool Worker::put_off(Session& session) {
    if (!kTurnsAreTold || turn_ends_) return false;
    ++writes_in_turn_;
    if (!puts_off_) return false;
    if (!put_off_.empty() && now().steady - put_off_since_ > kLongestPutOff) write_put_off();
    if (put_off_.empty()) put_off_since_ = now().steady;
    put_off_.emplace_back(&session);
    return true;
}

void Worker::write_put_off() {
    if (put_off_.empty()) return;
    turn_ends_ = true;
    for (const boost::intrusive_ptr<Session>& session : put_off_)
        session->write_now();
    put_off_.clear();
    turn_ends_ = false;
}

void Worker::end_turn() {
    write_put_off();
    if (writes_in_turn_ != 0) puts_off_ = std::exchange(writes_in_turn_, 0) >= kManyWrites;
    if (gateway_.access_log_bytes() > kMuchLog) hand_over_log();
}

void Worker::adopt(std::shared_ptr<const app::Snapshot> snapshot) {
    head_buffers_.grow(head_buffer_bytes(snapshot->model.limits));
    body_buffers_.grow(snapshot->model.limits.upstream_header_bytes);
    pool_.forget_targets();
    gateway_.adopt(std::move(snapshot));
}

void Worker::drain() {
    leaving_ = draining_ = true;
    for (Session* session = sessions_; session != nullptr;) {
        const boost::intrusive_ptr<Session> keep(session);
        session->drain();
        session = session->next_;
    }
}

void Worker::abort() {
    for (Session* session = sessions_; session != nullptr;) {
        const boost::intrusive_ptr<Session> keep(session);
        session->abort();
        session = session->next_;
    }
}

std::string_view Worker::date() {
    const auto second =
        std::chrono::floor<std::chrono::seconds>(now().wall).time_since_epoch().count();
    if (second != date_second_) {
        date_second_ = second;
        const std::time_t time = second;
        std::tm parts{};
        gmtime_r(&time, &parts);
        std::array<char, 40> text{};
        const std::size_t length =
            std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_.assign(text.data(), length);
    }
    return date_;
}

std::unique_ptr<Exchange> Worker::take_exchange() {
    if (exchanges_.empty()) return std::make_unique<Exchange>();
    std::unique_ptr<Exchange> exchange = std::move(exchanges_.back());
    exchanges_.pop_back();
    return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
    exchange->clear();
    if (exchanges_.size() < kMostFreeExchanges) exchanges_.push_back(std::move(exchange));
}

void Worker::enter(Session& session) {
    session.next_ = sessions_;
    if (sessions_ != nullptr) sessions_->previous_ = &session;
    sessions_ = &session;
    open_.fetch_add(1, std::memory_order_relaxed);
}

void Worker::leave(Session& session) {
    if (session.previous_ != nullptr) session.previous_->next_ = session.next_;
    if (session.next_ != nullptr) session.next_->previous_ = session.previous_;
    if (sessions_ == &session) sessions_ = session.next_;
    open_.fetch_sub(1, std::memory_order_relaxed);
    shared_.connections.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace gatehouse::net
