#pragma once

#include "../../src/net/session.hpp"
#include "../../src/net/worker.hpp"
#include "support/gateway_fixture.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

// One worker without its thread: the test runs its loop, turn by turn, and holds both ends of every
// connection. Real sockets on loopback, a clock that stands still until it is moved.
namespace gatehouse::test {

using boost::asio::ip::tcp;

/// The fake clock, until a test makes looking at it fail: each event of a session begins with that.
class FaultyClock final : public app::Clock {
  public:
    explicit FaultyClock(const FakeClock& clock) : clock_(clock) {}

    Instant now() const override {
        if (faulty) throw std::runtime_error("the clock is broken");
        return clock_.now();
    }

    bool faulty = false;

  private:
    const FakeClock& clock_;
};

/// The test's end of a connection.
class Peer {
  public:
    explicit Peer(tcp::socket socket) : socket_(std::move(socket)) {}

    void send(std::string_view bytes) {
        boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()));
    }

    /// Takes what has arrived, and notes an end.
    void take() {
        if (!socket_.is_open() || ended) return;
        for (;;) {
            pollfd ready{socket_.native_handle(), POLLIN, 0};
            if (::poll(&ready, 1, 0) <= 0) return;
            char block[65536];
            const ssize_t got = ::recv(socket_.native_handle(), block, sizeof(block), 0);
            if (got <= 0) {
                ended = true;
                reset = got < 0;
                return;
            }
            received.append(block, static_cast<std::size_t>(got));
        }
    }

    bool has(std::string_view text) {
        take();
        return received.find(text) != std::string::npos;
    }

    bool is_closed() {
        take();
        return ended;
    }

    void close() { socket_.close(); }

    void close_with_reset() {
        socket_.set_option(boost::asio::socket_base::linger(true, 0));
        socket_.close();
    }

    tcp::socket& socket() { return socket_; }

    std::string received;
    bool ended = false;
    bool reset = false;

  private:
    tcp::socket socket_;
};

class WireFixture {
  public:
    /// @param access_log  what lines() reads; "off": none, which takes no memory
    explicit WireFixture(bool with_keys = true,
                         const std::string& access_log =
                             "$context.requestId $context.status $context.gatehouse.reason")
        : upstream_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
          listener_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
          gate(config(access_log), with_keys, false),
          clock(gate.clock),
          shared{gate.cache,
                 gate.authorize,
                 clock,
                 nullptr,
                 [this](std::string lines) {
                     log += lines;
                     lines.clear();
                     return lines;
                 },
                 [this](const std::string& text) { bugs.push_back(text); }} {
        worker.emplace(shared, gate.snapshot);
        // As the worker's tick, which does not run here, keeps its loop alive.
        worker->io().get_executor().on_work_started();
    }

    WireFixture(const WireFixture&) = delete;
    WireFixture& operator=(const WireFixture&) = delete;

    ~WireFixture() {
        // As the program does: who waits for keys is told before the worker goes.
        while (gate.fetcher.pending() > 0)
            gate.fetcher.fail();
        worker.reset();
    }

    /// Where clients say that they come from.
    static inline const tcp::endpoint kClient{boost::asio::ip::address_v4::loopback(), 40000};

    /// A client connection that nobody serves yet, and its other end.
    std::pair<Peer, std::shared_ptr<net::Socket>> knock() {
        tcp::socket client(io_);
        client.connect(listener_.local_endpoint());
        auto accepted = std::make_shared<net::Socket>(worker->io());
        listener_.accept(*accepted);
        accepted->native_non_blocking(true);
        ++shared.connections;
        return {Peer(std::move(client)), std::move(accepted)};
    }

    /// A client connection that the worker serves.
    Peer connect() {
        auto [client, accepted] = knock();
        worker->serve(std::move(*accepted), kClient, 8080);
        return std::move(client);
    }

    /// True when a connection to the upstream is there to be accepted.
    bool is_called() {
        pollfd ready{upstream_.native_handle(), POLLIN, 0};
        return ::poll(&ready, 1, 0) > 0;
    }

    /// The worker's next connection to the upstream.
    Peer accept() {
        turn_until([&] { return is_called(); });
        return Peer(upstream_.accept());
    }

    /// Runs the worker's loop until `done`; fails the test when that does not come.
    void turn_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            worker->io().restart();
            worker->io().run_one_for(std::chrono::milliseconds(5));
        }
    }

    /// Runs what is ready now.
    void turn() {
        worker->io().restart();
        while (worker->io().poll() > 0)
            worker->io().restart();
    }

    /// Lets time pass and tells everybody who is late.
    void pass(std::chrono::milliseconds span) {
        gate.clock.step(span);
        worker->wake();
        worker->timeouts().sweep(worker->now().steady);
        turn();
    }

    std::size_t connections() const { return shared.connections; }

    /// Status and reason of each line of the access log so far.
    std::string lines() {
        log += worker->gateway().take_access_log();
        std::string told;
        for (std::size_t begin = 0; begin < log.size();) {
            const std::size_t end = log.find('\n', begin) + 1;
            const std::size_t id = log.find(' ', begin) + 1;
            told += log.substr(id, end - id);
            begin = end;
        }
        return told;
    }

  private:
    boost::asio::io_context io_{1};
    tcp::acceptor upstream_;
    tcp::acceptor listener_;

    std::string config(const std::string& access_log) const {
        const std::string to =
            "http://127.0.0.1:" + std::to_string(upstream_.local_endpoint().port());
        ConfigText text;
        text.routes =
            R"({ "routeKey": "ANY /guarded", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": ")" +
            to + R"(/guarded" } },
               { "routeKey": "ANY /open", "authorizer": "NONE", "integration": { "type": "HTTP_PROXY", "uri": ")" +
            to + R"(/open", "timeoutInMillis": 5000 } })";
        text.top = R"(, "accessLog": { "format": ")" + access_log + R"(" },
                "timeouts": { "headerInMillis": 1000, "bodyInMillis": 2000, "bodyTotalInMillis": 8000, "keepAliveInMillis": 4000,
                              "writeInMillis": 3000, "connectInMillis": 1500, "upstreamIdleInMillis": 2500 })";
        return text.text();
    }

  public:
    GatewayFixture gate;
    FaultyClock clock;
    net::WorkerShared shared;
    std::string log;
    std::vector<std::string> bugs;
    std::optional<net::Worker> worker;
};

}  // namespace gatehouse::test
