#include "support/allocations.hpp"
#include "support/wire_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace session_allocation_test {

using namespace gatehouse;

namespace {

bool has_whole(test::Peer& peer, std::size_t body) {
    return peer.has("\r\n\r\n") &&
           peer.received.size() >= peer.received.find("\r\n\r\n") + 4 + body;
}

/// One client connection and one to the upstream, over which a request and its answer pass again
/// and again. Counts what the worker's loop takes from the heap; the test's own ends are not
/// counted.
class Exchanges {
  public:
    Exchanges(std::string_view line, std::size_t request_body, std::size_t answer_body)
        : request_body_(request_body), answer_body_(answer_body), client_(wire_.connect()) {
        request_ = std::string(line) +
                   " HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: a name that no small string "
                   "holds\r\nAuthorization: " +
                   wire_.gate.bearer() + "\r\n";
        if (request_body > 0)
            request_ += "Content-Length: " + std::to_string(request_body) + "\r\n";
        request_ += "\r\n" + std::string(request_body, 'x');
        answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                  std::to_string(answer_body) + "\r\n\r\n" + std::string(answer_body, 'y');
        // A miss, and a connection to the upstream that has to be made.
        client_.send(std::string_view(request_).substr(0, request_.size() - request_body));
        upstream_.emplace(wire_.accept());
        send(client_, std::string(request_body, 'x'));
        finish();
    }

    /// Passes one, and returns how often memory was taken.
    std::size_t pass() {
        client_.received.clear();
        upstream_->received.clear();
        taken_ = 0;
        send(client_, request_);
        finish();
        return taken_;
    }

    /// The same with a token that is not cached.
    std::size_t pass_with_another_token() {
        const std::size_t at = request_.find("Bearer ");
        const std::size_t end = request_.find("\r\n", at);
        request_.replace(at, end - at, wire_.gate.bearer({{"sub", "user-2"}}));
        return pass();
    }

    bool served() const { return client_.received.starts_with("HTTP/1.1 200 "); }

    bool made_no_connection() { return !wire_.is_called(); }

  private:
    void finish() {
        turn_until([&] { return has_whole(*upstream_, request_body_); });
        send(*upstream_, answer_);
        turn_until([&] { return has_whole(client_, answer_body_); });
    }

    /// In pieces, since the worker that empties the socket has the same thread.
    void send(test::Peer& peer, std::string_view bytes) {
        for (std::size_t at = 0; at < bytes.size(); at += 16384) {
            peer.send(bytes.substr(at, 16384));
            turn(std::chrono::milliseconds(0));
        }
    }

    void turn_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            turn(std::chrono::milliseconds(5));
        }
    }

    void turn(std::chrono::milliseconds patience) {
        wire_.worker->io().restart();
        const test::AllocationCount allocations;
        wire_.worker->io().run_one_for(patience);
        taken_ += allocations.count();
    }

    std::size_t request_body_;
    std::size_t answer_body_;
    test::WireFixture wire_{true, "off"};
    test::Peer client_;
    std::optional<test::Peer> upstream_;
    std::string request_;
    std::string answer_;
    std::size_t taken_ = 0;
};

}  // namespace

TEST_SUITE("net/session allocations") {
    TEST_CASE("a cached hit passes the session and both sockets without taking memory") {
        struct Row {
            std::string_view name;
            std::string_view line;
            std::size_t request_body;
            std::size_t answer_body;
        };

        const Row rows[] = {
            {"no body and a small answer", "GET /guarded", 0, 1024},
            {"an answer without content", "GET /guarded", 0, 0},
            {"an answer of several buffers", "GET /guarded", 0, 150000},
            {"a small body", "POST /guarded", 1000, 10},
            {"a body of several buffers", "POST /guarded", 150000, 10},
            {"a route that is open", "GET /open", 0, 1024},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Exchanges exchanges(row.line, row.request_body, row.answer_body);
            // Strings and buffers grow to their size, and what waits for room in a socket is made
            // when one is full for the first time: after that, nothing.
            std::size_t taken = 1;
            for (int turn = 0; turn < 5 && taken > 0; ++turn) {
                taken = 0;
                for (int i = 0; i < 50; ++i)
                    taken += exchanges.pass();
            }
            CHECK(taken == 0);
            CHECK(exchanges.served());
            CHECK(exchanges.made_no_connection());
        }
    }

    TEST_CASE("what a miss takes is counted") {
        Exchanges exchanges("GET /guarded", 0, 10);
        CHECK(exchanges.pass_with_another_token() > 0);
    }
}

}  // namespace session_allocation_test
