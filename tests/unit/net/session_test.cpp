#include "support/wire_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace session_test {

using namespace gatehouse;
using namespace gatehouse::net;
using namespace gatehouse::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("net/session");

namespace {

constexpr const char* kOpen = "GET /open HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr const char* kPost = "POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
constexpr const char* kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kHalfAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

std::string guarded(const WireFixture& wire) {
    return "GET /guarded HTTP/1.1\r\nHost: x\r\nAuthorization: " + wire.gate.bearer() + "\r\n\r\n";
}

// A client connection brought to a phase, with its upstream where it has one.
struct Scene {
    WireFixture wire;
    Peer client;
    std::optional<Peer> upstream;

    explicit Scene(bool with_keys = true) : wire(with_keys), client(wire.connect()) {}

    bool gone() const { return wire.worker->open_connections() == 0 && wire.connections() == 0; }
};

struct Phase {
    std::string name;
    std::function<void(Scene&)> enter;
    bool with_keys = true;
};

const Phase kIdle{"idle", [](Scene& scene) { scene.wire.turn(); }};
const Phase kIdleAgain{"idle after an answer", [](Scene& scene) {
                           scene.client.send(kOpen);
                           scene.upstream = scene.wire.accept();
                           scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n"); });
                           scene.upstream->send(kAnswer);
                           scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nok"); });
                           scene.client.received.clear();
                       }};
const Phase kHead{"head", [](Scene& scene) {
                      scene.client.send("GET /open HTTP/1.1\r\nHo");
                      scene.wire.turn();
                  }};
const Phase kDeciding{
    "deciding",
    [](Scene& scene) {
        scene.client.send(guarded(scene.wire));
        scene.wire.turn_until([&] { return scene.wire.gate.fetcher.pending() > 0; });
    },
    false};
const Phase kForwarded{"waiting for an answer", [](Scene& scene) {
                           scene.client.send(kOpen);
                           scene.upstream = scene.wire.accept();
                           scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n"); });
                       }};
const Phase kUpload{"waiting for content", [](Scene& scene) {
                        scene.client.send(std::string(kPost) + "half");
                        scene.upstream = scene.wire.accept();
                        scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\nhalf"); });
                    }};
const Phase kDownload{"in the middle of an answer", [](Scene& scene) {
                          kForwarded.enter(scene);
                          scene.upstream->send(kHalfAnswer);
                          scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nhalf"); });
                      }};
const Phase kStalled{
    "answering a client that does not read", [](Scene& scene) {
        kForwarded.enter(scene);
        scene.upstream->send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        scene.upstream->socket().non_blocking(true);
        const std::string block(65536, 'x');
        for (int quiet = 0; quiet < 50;) {
            boost::system::error_code full;
            scene.upstream->socket().write_some(boost::asio::buffer(block), full);
            quiet = full ? quiet + 1 : 0;
            scene.wire.worker->io().restart();
            scene.wire.worker->io().run_one_for(1ms);
        }
    }};
const Phase kLingering{"lingering after a refusal", [](Scene& scene) {
                           scene.client.send("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
                           scene.wire.turn_until([&] { return scene.client.is_closed(); });
                           CHECK(scene.client.has("HTTP/1.1 400 "));
                           scene.client.received.clear();
                       }};

const Phase kPhases[] = {
    kIdle, kIdleAgain, kHead, kDeciding, kForwarded, kUpload, kDownload, kStalled, kLingering};

}  // namespace

TEST_CASE("a request goes to the upstream and its answer to the client") {
    Scene scene;
    kIdleAgain.enter(scene);
    CHECK(scene.wire.lines() == "200 open_route\n");
    // The next ones use the same two connections.
    for (int i = 0; i < 3; ++i) {
        scene.upstream->received.clear();
        scene.client.send(kPost);
        scene.client.send("0123456789");
        scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n0123456789"); });
        scene.upstream->send(kAnswer);
        scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nok"); });
        scene.client.received.clear();
    }
    CHECK(scene.wire.worker->gateway().metrics().upstream_connects == 1);
    CHECK(scene.wire.worker->gateway().metrics().upstream_reuses == 3);
}

// Several clients, each with its upstream, whose requests come in one turn of the loop.
struct Crowd {
    WireFixture wire;
    std::vector<Peer> clients;
    std::vector<Peer> upstreams;

    explicit Crowd(std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            clients.push_back(wire.connect());
            clients.back().send(kOpen);
            upstreams.push_back(wire.accept());
        }
        answer();
    }

    void ask() {
        for (Peer& client : clients)
            client.send(kOpen);
    }

    /// How many upstreams have a request.
    std::size_t asked() {
        return static_cast<std::size_t>(std::ranges::count_if(
            upstreams, [](Peer& upstream) { return upstream.has("\r\n\r\n"); }));
    }

    void answer() {
        wire.turn_until([&] { return asked() == upstreams.size(); });
        for (Peer& upstream : upstreams) {
            upstream.received.clear();
            upstream.send(kAnswer);
        }
    }

    /// Clients that were answered; forgets the answers.
    std::size_t answered() {
        std::size_t count = 0;
        for (Peer& client : clients) {
            if (!client.has("\r\n\r\nok")) continue;
            client.received.clear();
            ++count;
        }
        return count;
    }

    void all_are_answered() {
        std::size_t count = 0;
        wire.turn_until([&] { return (count += answered()) == clients.size(); });
    }

    /// Handles one event that is ready, and no more.
    void step() {
        wire.worker->io().restart();
        wire.worker->io().poll_one();
    }
};

TEST_CASE("what a turn of the loop has to write is written at its end, once turns are long") {
    constexpr std::size_t kSize = 6;
    Crowd crowd(kSize);
    crowd.all_are_answered();
    for (int round = 0; round < 3; ++round) {
        crowd.ask();
        std::size_t most_at_once = 0;
        for (std::size_t before = 0; before < kSize;) {
            crowd.step();
            const std::size_t now = crowd.asked();
            most_at_once = std::max(most_at_once, now - before);
            before = now;
        }
        // After a turn with one write each is written at once; after one with six, none before all
        // that came with it were handled. Asio's public interface does not tell of the end.
        if (kTurnsAreTold && round > 0) CHECK(most_at_once > kSize / 2);
        crowd.answer();
        crowd.all_are_answered();
    }
    CHECK(crowd.wire.bugs.empty());
}

TEST_CASE("who leaves while a write to it is put off harms nobody") {
    constexpr std::size_t kSize = 6;
    for (const bool with_reset : {false, true}) {
        for (const bool upstream : {false, true}) {
            CAPTURE(with_reset);
            CAPTURE(upstream);
            Crowd crowd(kSize);
            crowd.all_are_answered();
            crowd.ask();
            crowd.answer();
            crowd.all_are_answered();
            crowd.ask();
            crowd.step();  // one is read, and not written
            Peer& leaver = upstream ? crowd.upstreams.front() : crowd.clients.front();
            if (with_reset) {
                leaver.close_with_reset();
            } else {
                leaver.close();
            }
            (upstream ? crowd.upstreams : crowd.clients)
                .erase((upstream ? crowd.upstreams : crowd.clients).begin());
            if (upstream) crowd.upstreams.push_back(crowd.wire.accept());
            crowd.wire.turn_until([&] { return crowd.asked() >= crowd.clients.size(); });
            for (Peer& one : crowd.upstreams)
                one.send(kAnswer);
            crowd.all_are_answered();
            CHECK(crowd.wire.bugs.empty());
        }
    }
}

TEST_CASE("an early answer that is put off leaves the content alone that still comes") {
    for (const bool content_first : {false, true}) {
        CAPTURE(content_first);
        Crowd crowd(6);
        crowd.all_are_answered();
        for (Peer& client : crowd.clients)
            client.send(kPost);
        crowd.wire.turn_until([&] { return crowd.asked() == crowd.upstreams.size(); });
        // In one turn: all the answers, and content that nobody waits for.
        for (std::size_t i = 0; i < crowd.clients.size(); ++i) {
            if (content_first) crowd.clients[i].send("01234");
            crowd.upstreams[i].send(kAnswer);
            if (!content_first) crowd.clients[i].send("01234");
        }
        crowd.all_are_answered();
        for (Peer& client : crowd.clients)
            client.send("56789");
        crowd.wire.turn();
        CHECK(crowd.wire.bugs.empty());
        CHECK(crowd.wire.lines().find("upstream") == std::string::npos);
    }
}

TEST_CASE("what an upstream says before a request is written to it is not its answer") {
    for (const bool closes : {false, true}) {
        CAPTURE(closes);
        Crowd crowd(6);
        crowd.all_are_answered();
        crowd.ask();
        // All in one turn with the requests, whose writes are put off.
        for (Peer& upstream : crowd.upstreams) {
            upstream.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
            if (closes) upstream.close();
        }
        const std::vector<Peer> before = std::exchange(crowd.upstreams, {});
        for (std::size_t i = 0; i < crowd.clients.size(); ++i)
            crowd.upstreams.push_back(crowd.wire.accept());
        crowd.answer();
        crowd.all_are_answered();
        CHECK(crowd.wire.bugs.empty());
    }
}

TEST_CASE("a worker may end with writes put off") {
    Crowd crowd(6);
    crowd.all_are_answered();
    crowd.ask();
    crowd.answer();
    crowd.step();
    crowd.step();
}

TEST_CASE("each phase has its time and its own end") {
    struct Row {
        const Phase& phase;
        std::chrono::milliseconds time;
        const char* answer;  // "": the connection ends without a word
        const char* line;    // of the access log
    };

    const Row rows[] = {
        {kIdle, 1000ms, "", ""},
        {kIdleAgain, 4000ms, "", "200 open_route\n"},
        {kHead, 1000ms, "HTTP/1.1 408 ", "408 head_timeout\n"},
        {kDeciding, 60000ms, "HTTP/1.1 500 ", "500 authorizer_failure\n"},
        {kForwarded, 5000ms, "HTTP/1.1 504 ", "504 upstream_timeout\n"},
        {kUpload, 2000ms, "HTTP/1.1 408 ", "408 body_timeout\n"},
        {kDownload, 2500ms, "", "200 upstream_timeout\n"},
        {kStalled, 3000ms, "", "200 client_stalled\n"},
        {kLingering, 2000ms, "", "400 host_repeated\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.phase.name);
        Scene scene(row.phase.with_keys);
        row.phase.enter(scene);
        scene.wire.pass(row.time - 1ms);
        CHECK(scene.wire.worker->open_connections() == 1);
        scene.client.received.clear();
        // What idles is looked at more than once on its way to its end.
        for (int i = 0; i < 3; ++i)
            scene.wire.pass(row.time);
        if (*row.answer != '\0') {
            scene.wire.turn_until([&] { return scene.client.has(row.answer); });
        }
        scene.wire.pass(10000ms);  // lingering ends too
        scene.wire.turn_until([&] { return scene.gone() || *row.answer != '\0'; });
        scene.client.close();
        // Who waits for keys is held by their fetch, which has a time of its own.
        if (!row.phase.with_keys) scene.wire.gate.fetcher.fail();
        scene.wire.turn_until([&] { return scene.gone(); });
        CHECK(scene.wire.lines() == row.line);
        CHECK(scene.wire.bugs.empty());
    }
}

TEST_CASE("content has a time in all however steadily it comes") {
    Scene scene;
    scene.client.send("POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
    scene.upstream = scene.wire.accept();
    for (int second = 0; second < 8; ++second) {
        scene.client.send("x");
        scene.wire.turn();
        scene.wire.pass(1s);
        CHECK_FALSE(scene.client.has("HTTP/1.1"));
    }
    scene.wire.pass(1ms);
    scene.client.send("x");
    scene.wire.turn_until([&] { return scene.client.has("HTTP/1.1 408 "); });
    scene.wire.turn_until([&] { return scene.upstream->is_closed(); });
    CHECK(scene.upstream->reset);
}

TEST_CASE("a fault in any phase ends the connection and forwards nothing") {
    for (const Phase& phase : kPhases) {
        CAPTURE(phase.name);
        Scene scene(phase.with_keys);
        phase.enter(scene);
        if (scene.upstream) scene.upstream->received.clear();
        scene.wire.clock.faulty = true;
        // Whatever event the phase waits for: bytes of the client, of the upstream, or the keys.
        if (scene.upstream && &phase != &kIdleAgain) {
            boost::system::error_code ignored;
            scene.upstream->socket().write_some(boost::asio::buffer("x", 1), ignored);
        }
        if (!phase.with_keys) scene.wire.gate.fetcher.succeed({"k1"});
        boost::system::error_code ignored;
        scene.client.socket().write_some(boost::asio::buffer(std::string(kOpen)), ignored);
        const bool stalled = phase.name == kStalled.name;
        scene.wire.turn_until([&] {
            // A third of what waits to be sent must be taken before there is room again.
            if (stalled) scene.client.take();
            return scene.gone();
        });
        CHECK(scene.wire.bugs.size() == 1);
        CHECK_FALSE(scene.wire.is_called());
        scene.wire.turn_until([&] { return scene.client.is_closed(); });
        if (scene.upstream && std::string_view(phase.name) != kIdleAgain.name) {
            scene.wire.turn_until([&] { return scene.upstream->is_closed(); });
            CHECK(scene.upstream->received.empty());
        }
        // The worker goes on.
        scene.wire.clock.faulty = false;
        Peer next = scene.wire.connect();
        next.send("GET /open HTTP/1.1\r\n\r\n");
        scene.wire.turn_until([&] { return next.has("HTTP/1.1 400 "); });
    }
}

TEST_CASE("what escapes from anything but a session costs nobody else") {
    WireFixture wire;
    auto [client, accepted] = wire.knock();
    wire.worker->start();
    wire.worker->post([] { throw std::runtime_error("a task is broken"); });
    wire.worker->post([&wire, socket = accepted] {
        wire.worker->serve(std::move(*socket), WireFixture::kClient, 8080);
    });
    client.send("GET / HTTP/1.1\r\n\r\n");
    char byte = 0;
    REQUIRE(::recv(client.socket().native_handle(), &byte, 1, 0) == 1);
    CHECK(byte == 'H');
    wire.worker->stop();
    CHECK(wire.bugs == std::vector<std::string>{"a task is broken"});
}

TEST_CASE("draining closes what idles and finishes what is under way") {
    for (const Phase& phase : kPhases) {
        CAPTURE(phase.name);
        Scene scene(phase.with_keys);
        phase.enter(scene);
        scene.wire.worker->drain();
        scene.wire.turn();
        const std::string_view name = phase.name;
        if (name == kIdle.name || name == kIdleAgain.name) {
            CHECK(scene.gone());
            CHECK(scene.client.is_closed());
            continue;
        }
        CHECK(scene.wire.worker->open_connections() == 1);
        if (name == kHead.name) scene.client.send("st: x\r\n\r\n");
        if (name == kDeciding.name) scene.wire.gate.fetcher.succeed({"k1"});
        if (name == kHead.name || name == kDeciding.name) {
            scene.upstream = scene.wire.accept();
            scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n"); });
        }
        if (name == kUpload.name) {
            scene.client.send("whole!");
            scene.wire.turn_until([&] { return scene.upstream->has("halfwhole!"); });
        }
        if (name == kDownload.name) {
            scene.upstream->send("whole!");
            scene.wire.turn_until([&] { return scene.client.has("halfwhole!"); });
        } else if (name == kStalled.name || name == kLingering.name) {
            scene.client.close_with_reset();
            scene.wire.turn_until([&] { return scene.gone(); });
            continue;
        } else {
            scene.upstream->send(kAnswer);
            scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nok"); });
            CHECK(scene.client.has("\r\nConnection: close\r\n"));
        }
        scene.wire.turn_until([&] { return scene.client.is_closed(); });
        CHECK_FALSE(scene.client.reset);
        scene.client.close();
        scene.wire.turn_until([&] { return scene.gone(); });
    }
}

TEST_CASE("a client that leaves ends its request in every phase") {
    for (const Phase& phase : kPhases) {
        CAPTURE(phase.name);
        Scene scene(phase.with_keys);
        phase.enter(scene);
        scene.client.close_with_reset();
        if (!phase.with_keys) scene.wire.gate.fetcher.succeed({"k1"});
        // Nobody watches a client whose request is with the upstream: its answer finds out.
        const std::string_view name = phase.name;
        if (name == kDeciding.name) {
            scene.upstream = scene.wire.accept();
            scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n"); });
        }
        if (name == kDeciding.name || name == kForwarded.name) scene.upstream->send(kAnswer);
        if (name == kDownload.name) scene.upstream->send("whole!");
        scene.wire.turn_until([&] { return scene.gone(); });
        CHECK(scene.wire.bugs.empty());
    }
}

TEST_CASE("a wake that comes too late finds nobody") {
    SUBCASE("the connection was closed") {
        Scene scene(false);
        kDeciding.enter(scene);
        scene.wire.worker->abort();
        scene.wire.gate.fetcher.succeed({"k1"});
        scene.wire.turn();
        CHECK(scene.gone());
    }
    SUBCASE("the request was given up") {
        Scene scene(false);
        kDeciding.enter(scene);
        scene.wire.pass(60s);
        scene.wire.turn_until([&] { return scene.client.has("HTTP/1.1 500 "); });
        scene.client.received.clear();
        scene.client.send(kOpen);
        scene.upstream = scene.wire.accept();
        scene.wire.turn_until([&] { return scene.upstream->has("\r\n\r\n"); });
        scene.wire.gate.fetcher.succeed({"k1"});
        scene.wire.turn();
        scene.upstream->send(kAnswer);
        scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nok"); });
        CHECK(scene.wire.lines() == "500 authorizer_failure\n200 open_route\n");
    }
}

TEST_CASE("a worker that ends lets go of everything it holds") {
    for (const Phase& phase : kPhases) {
        CAPTURE(phase.name);
        Scene scene(phase.with_keys);
        phase.enter(scene);
        // One more is accepted and not yet taken over.
        Peer late = scene.wire.connect();
        while (scene.wire.gate.fetcher.pending() > 0)
            scene.wire.gate.fetcher.fail();
        scene.wire.worker.reset();
        CHECK(scene.wire.connections() == 0);
        CHECK(late.is_closed());
    }
}

TEST_CASE("a connection whose takeover is still in the queue ends with the worker") {
    WireFixture wire;
    auto [client, accepted] = wire.knock();
    Worker* worker = &*wire.worker;
    worker->post([worker, socket = std::move(accepted)] {
        worker->serve(std::move(*socket), WireFixture::kClient, 8080);
    });
    wire.worker.reset();
    CHECK(wire.connections() == 0);
    CHECK(client.is_closed());
}

TEST_CASE("an idle upstream connection with bytes that nobody asked for is not used again") {
    Scene scene;
    kIdleAgain.enter(scene);
    scene.upstream->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG");
    scene.wire.turn_until([&] { return scene.upstream->is_closed(); });
    scene.client.send(kOpen);
    Peer next = scene.wire.accept();
    scene.wire.turn_until([&] { return next.has("\r\n\r\n"); });
    next.send(kAnswer);
    scene.wire.turn_until([&] { return scene.client.has("\r\n\r\nok"); });
    CHECK_FALSE(scene.client.has("WRONG"));
}

TEST_SUITE_END();

}  // namespace session_test
