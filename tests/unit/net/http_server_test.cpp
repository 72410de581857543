#include "gatehouse/net/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace http_server_test {

using namespace gatehouse;
using namespace gatehouse::net;
using boost::asio::ip::tcp;

TEST_SUITE_BEGIN("net/http_server");

namespace {

boost::asio::awaitable<ServedResponse> serve(std::vector<ServedRequest>& seen,
                                             const ServedRequest& request) {
    seen.push_back(request);
    if (request.target == "/throw") throw std::runtime_error("a bug with a secret in it");
    ServedResponse response;
    if (request.target == "/status") response.status = 12345;  // no HTTP status: a bug too
    response.body = "{\"at\":\"" + request.target + "\"}";
    response.headers.emplace_back("X-Mine", "yes");
    co_return response;
}

// The server on this thread's loop; clients are plain sockets.
class Fixture {
  public:
    Fixture()
        : server(std::in_place, io, [this](const ServedRequest& request) {
              return serve(seen, request);
          }) {
        port = server->listen("127.0.0.1", 0).value();
    }

    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    tcp::socket connect() {
        tcp::socket client(clients);
        client.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
        return client;
    }

    // What comes until `mark` is there, or the end of the stream.
    std::string read(tcp::socket& client, std::string_view mark = {}) {
        std::string got;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (mark.empty() || got.find(mark) == std::string::npos) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            io.restart();
            io.run_one_for(std::chrono::milliseconds(5));
            pollfd ready{client.native_handle(), POLLIN, 0};
            if (::poll(&ready, 1, 0) <= 0) continue;
            char block[65536];
            const ssize_t bytes = ::recv(client.native_handle(), block, sizeof(block), 0);
            if (bytes <= 0) break;
            got.append(block, static_cast<std::size_t>(bytes));
        }
        return got;
    }

    std::string exchange(const std::string& bytes, std::string_view mark = {}) {
        tcp::socket client = connect();
        boost::asio::write(client, boost::asio::buffer(bytes));
        return read(client, mark);
    }

    boost::asio::io_context clients{1};
    std::vector<ServedRequest> seen;
    boost::asio::io_context io{1};
    std::optional<HttpServer> server;
    std::uint16_t port = 0;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a request reaches the handler and its answer the client") {
    const std::string got = exchange(
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\nConnection: "
        "close\r\n\r\nbody");
    CHECK(got.find("HTTP/1.1 200 OK\r\n") == 0);
    CHECK(got.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
    CHECK(got.find("\r\nX-Mine: yes\r\n") != std::string::npos);
    CHECK(got.find("\r\n\r\n{\"at\":\"/a?b=c\"}") != std::string::npos);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].method == "POST");
    CHECK(seen[0].target == "/a?b=c");
    CHECK(seen[0].body == "body");
    REQUIRE(seen[0].header("X-a") != nullptr);
    CHECK(*seen[0].header("X-a") == "1");
    CHECK(seen[0].header("X-B") == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "a connection is kept and requests on it are answered in order") {
    tcp::socket client = connect();
    const std::string two = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
    boost::asio::write(client, boost::asio::buffer(two));
    const std::string got = read(client, "/2");
    CHECK(got.find("/1") < got.find("/2"));
    CHECK(seen.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "HEAD gets the length and no content") {
    const std::string got = exchange("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(got.find("\r\nContent-Length: 11\r\n") != std::string::npos);
    CHECK(got.substr(got.size() - 4) == "\r\n\r\n");
}

TEST_CASE_FIXTURE(Fixture, "what is malformed or ambiguous is refused and the connection closed") {
    struct Row {
        std::string name;
        std::string bytes;
        const char* status;
    };

    const Row rows[] = {
        {"no HTTP", "hello\r\n\r\n", "400"},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
        {"Host twice", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"},
        {"length twice",
         "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
         "400"},
        {"length and chunks",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"chunks and length",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: "
         "5\r\n\r\n0\r\n\r\n",
         "400"},
        {"coding twice",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"other coding",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nGET /inner "
         "HTTP/1.1\r\nHost: x\r\n\r\n",
         "400"},
        {"other coding first",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"chunks in HTTP/1.0",
         "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"},
        {"bad chunk",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
         "400"},
        {"another host in the target",
         "GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
         "400"},
        {"port that is none", "GET / HTTP/1.1\r\nHost: 127.0.0.1:99999\r\n\r\n", "400"},
        {"user in the host", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n", "400"},
        {"framing in another spelling",
         "POST / HTTP/1.1\r\nHost: x\r\nContent_Length: 5\r\n\r\nhello",
         "400"},
        {"what is expected",
         "POST / HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 1\r\n\r\na",
         "417"},
        {"CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", "501"},
        {"Host in a trailer",
         "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: "
         "y\r\n\r\n",
         "400"},
        {"head too large",
         "GET / HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(20000, 'a') + "\r\n\r\n",
         "431"},
        {"content too large",
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n",
         "413"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const std::string got = exchange(row.bytes);
        CHECK(got.substr(0, 12) == std::string("HTTP/1.1 ") + row.status);
        CHECK(got.find("HTTP/1.1 ", 9) == std::string::npos);
        CHECK(seen.empty());
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "a handler's exception is a 500 that tells nothing and serving goes on") {
    const std::string got = exchange(
        "GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: "
        "close\r\n\r\n");
    CHECK(got.find("HTTP/1.1 500 ") == 0);
    CHECK(got.find("secret") == std::string::npos);
    CHECK(got.find("/next") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "stopping closes every connection and the port") {
    tcp::socket idle = connect();
    tcp::socket half = connect();
    boost::asio::write(half, boost::asio::buffer(std::string("GET / HTTP/1.1\r\nHo")));
    exchange("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    server->stop();
    CHECK(read(idle).empty());
    CHECK(read(half).empty());
    boost::system::error_code refused;
    tcp::socket late(clients);
    late.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port), refused);
    CHECK(refused);
}

TEST_CASE_FIXTURE(Fixture, "an answer that cannot be written takes only its own connection") {
    // What has left the list of open connections by an exception must not be stopped later.
    CHECK(exchange("GET /status HTTP/1.1\r\nHost: x\r\n\r\n").empty());
    exchange("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    server->stop();
    io.restart();
    io.poll();
}

TEST_CASE_FIXTURE(Fixture, "a port that is taken is named in the error") {
    HttpServer second(io, [this](const ServedRequest& request) { return serve(seen, request); });
    const auto taken = second.listen("127.0.0.1", port);
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().detail.find("127.0.0.1:" + std::to_string(port)) == 0);
    CHECK_FALSE(second.listen("not an address", 0).has_value());
}

TEST_SUITE_END();

}  // namespace http_server_test
