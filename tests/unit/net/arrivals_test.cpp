#include "../../../src/net/arrivals.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <set>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace arrivals_test {

using namespace gatehouse::net;

namespace {

// A descriptor of our own, of which can be seen whether it was closed.
class Peer {
  public:
    Peer() {
        int pair[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        far_ = Accepted(pair[0]);
        near_ = pair[1];
    }

    Arrival arrive(std::uint16_t port = 1) const {
        Arrival arrival;
        arrival.accepted = Accepted(near_);
        arrival.port = port;
        return arrival;
    }

    bool closed() const {
        char byte = 0;
        return ::recv(far_.get(), &byte, 1, MSG_DONTWAIT) == 0;
    }

  private:
    Accepted far_;
    int near_ = -1;
};

}  // namespace

TEST_SUITE("net/arrivals") {
    TEST_CASE("an arrival is served as it came, once, by the loop and not before") {
        boost::asio::io_context loop;
        Arrivals arrivals;
        const Peer peer;
        std::vector<std::uint16_t> served;
        arrivals.post(loop, peer.arrive(8080), [&](Arrival& arrival) {
            served.push_back(arrival.port);
            ::close(arrival.accepted.get());
            arrival.accepted.release();
        });
        CHECK(served.empty());
        CHECK(!peer.closed());
        CHECK(loop.run() == 1);
        CHECK(served == std::vector<std::uint16_t>{8080});
        CHECK(peer.closed());
    }

    TEST_CASE("what is not taken is closed: left, failed, never served") {
        Arrivals arrivals;
        const Peer left;
        const Peer failed;
        const Peer waiting;
        {
            boost::asio::io_context loop;
            arrivals.post(loop, left.arrive(), [](Arrival&) {});
            CHECK(loop.run() == 1);
            CHECK(left.closed());

            loop.restart();
            arrivals.post(
                loop, failed.arrive(), [](Arrival&) { throw std::runtime_error("no memory"); });
            CHECK_THROWS_AS(loop.run(), std::runtime_error);
            CHECK(failed.closed());
            CHECK(arrivals.seats() == 1);

            arrivals.post(loop, waiting.arrive(), [](Arrival&) {});
        }
        CHECK(!waiting.closed());  // its loop has ended without it
        CHECK(arrivals.seats() == 1);
    }

    TEST_CASE("those whose loop has ended are closed with the arrivals") {
        const Peer peer;
        {
            Arrivals arrivals;
            boost::asio::io_context loop;
            arrivals.post(loop, peer.arrive(), [](Arrival&) {});
        }
        CHECK(peer.closed());
    }

    TEST_CASE("memory comes back, and grows to what is under way at once alone") {
        boost::asio::io_context loop;
        Arrivals arrivals;
        for (int round = 0; round < 10; ++round) {
            std::vector<std::unique_ptr<Peer>> peers;
            std::vector<std::uint16_t> served;
            std::set<const Arrival*> places;
            for (std::uint16_t port = 0; port < 5; ++port) {
                peers.push_back(std::make_unique<Peer>());
                arrivals.post(loop, peers.back()->arrive(port), [&](Arrival& arrival) {
                    served.push_back(arrival.port);
                    places.insert(&arrival);
                });
            }
            loop.restart();
            CHECK(loop.run() == 5);
            CHECK(served == std::vector<std::uint16_t>{0, 1, 2, 3, 4});
            CHECK(places.size() == 5);
            CHECK(arrivals.seats() == 5);
            for (const auto& peer : peers)
                CHECK(peer->closed());
        }
    }
}

}  // namespace arrivals_test
