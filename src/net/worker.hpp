#pragma once

#include "address_counts.hpp"
#include "buffered_share.hpp"
#include "buffers.hpp"
#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "loop_turn.hpp"
#include "pipes.hpp"
#include "timeouts.hpp"
#include "upstream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gatehouse::net {

class ClientTls;
class Session;
class ServerTls;
struct Exchange;

/// What all workers share.
struct WorkerShared {
    authz::GrantCache& cache;
    app::Authorize& authorize;
    const app::Clock& clock;
    const ClientTls* upstream_tls;  ///< null: the system's authorities
    /// Takes whole lines, gives a buffer for the next ones; thread-safe.
    std::function<std::string(std::string lines)> write_access_log;
    std::function<void(const std::string& text)> report_bug;  ///< a caught exception; thread-safe
    std::atomic<std::size_t> connections{
        0};                     ///< open client connections of all workers: a limit by nature
    AddressCounts addresses{};  ///< counted while limits.connectionsPerAddress is not 0
    BufferedBytes buffered{0};
};

/// The answer to a connection above a limit: 503, if the socket takes it at once.
void refuse_connection(int socket) noexcept;

/// One thread with its own event loop, connections, upstream pool, buffers, timeouts, journal and
/// metrics. Nothing on the request path is shared but what WorkerShared names. Other threads reach
/// a worker by post() alone.
class Worker {
  public:
    /// @param index  its number among the workers
    Worker(WorkerShared& shared,
           std::shared_ptr<const app::Snapshot> snapshot,
           std::size_t index = 0);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void start();

    /// Stops the loop and joins the thread.
    void stop();

    void post(std::function<void()> task);

    boost::asio::io_context& io() noexcept { return io_; }

    std::size_t index() const noexcept { return index_; }

    /// Takes an accepted connection over. Worker's thread.
    /// @param peer  the client's address
    /// @param decision  of the listener that other proxies ask
    /// @param tls  of the listener; null: none
    void serve(Socket socket,
               const boost::asio::ip::tcp::endpoint& peer,
               std::uint16_t listener_port,
               bool decision = false,
               const ServerTls* tls = nullptr);

    /// Tells each client with its next answer that the connection ends. Worker's thread.
    void take_leave() noexcept { leaving_ = true; }

    /// Closes idle connections, ends the others after their request. Worker's thread.
    void drain();

    /// No connection is kept alive any more.
    bool draining() const noexcept { return leaving_; }

    /// Closes everything at once. Worker's thread.
    void abort();

    std::size_t open_connections() const noexcept { return open_.load(std::memory_order_relaxed); }

    // For sessions, on the worker's thread.
    app::Gateway& gateway() noexcept { return gateway_; }

    const app::Snapshot& snapshot() const noexcept { return *gateway_.snapshot(); }

    /// Begins requests by another configuration from now on. Worker's thread.
    void adopt(std::shared_ptr<const app::Snapshot> snapshot);

    const app::Clock& clock() const noexcept { return shared_.clock; }

    /// An event begins.
    void wake() {
        shared_.clock.renew(reading_);
        pool_.fetch_now(now().steady);
    }

    /// When the event began that is handled.
    const Instant& now() const noexcept { return reading_.instant; }

    TimeoutLists& timeouts() noexcept { return timeouts_; }

    BufferPool& head_buffers() noexcept { return head_buffers_; }

    BufferPool& body_buffers() noexcept { return body_buffers_; }

    PipePool& pipes() noexcept { return pipes_; }

    UpstreamPool& pool() noexcept { return pool_; }

    std::string_view date();

    std::unique_ptr<Exchange> take_exchange();
    void give_back(std::unique_ptr<Exchange> exchange);

    WorkerShared& shared() noexcept { return shared_; }

    void enter(Session& session);
    void leave(Session& session);

    /// Has the session write at the end of this turn of the loop (Session::write_now), with all
    /// others of the turn: who reads what they write on this machine is woken once, and not by
    /// each. False: the turn's end is not told, or has come; it writes at once.
    bool put_off(Session& session);

    void report_bug(const std::string& text) const { shared_.report_bug(text); }

  private:
    void run(std::size_t (boost::asio::io_context::*loop)());
    void tick();
    void write_put_off();
    void end_turn();
    void hand_over_log();

    WorkerShared& shared_;
    const std::size_t index_;
    LoopTurn<Worker, &Worker::end_turn> turn_{*this};  // older than the loop
    // One thread touches its sockets, so that Asio need not lock each of them; others post.
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    boost::asio::steady_timer timer_{io_};
    app::Reading reading_;
    TimeoutLists timeouts_;
    BufferPool head_buffers_;
    BufferPool body_buffers_;
    PipePool pipes_;
    std::uint64_t ticks_ = 0;
    UpstreamPool pool_;
    app::Gateway gateway_;
    std::vector<std::unique_ptr<Exchange>> exchanges_;
    std::vector<boost::intrusive_ptr<Session>> put_off_;  ///< who writes at the turn's end
    std::size_t writes_in_turn_ = 0;
    bool puts_off_ = false;  ///< the last turn with writes had many: so will this one
    SteadyTime put_off_since_{};
    bool turn_ends_ = false;
    Session* sessions_ = nullptr;  // intrusive list of all open sessions
    std::atomic<std::size_t> open_{0};
    std::string date_;
    std::int64_t date_second_ = -1;
    bool leaving_ = false;
    bool draining_ = false;
    std::thread thread_;
};

}  // namespace gatehouse::net
