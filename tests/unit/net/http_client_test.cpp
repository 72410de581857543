#include "gatehouse/net/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace http_client_test {

using namespace gatehouse;
using namespace gatehouse::net;
using namespace std::chrono_literals;
using boost::asio::ip::tcp;

TEST_SUITE_BEGIN("net/http_client");

namespace {

// Accepts connections, reads what comes first, and answers each with the same bytes.
class Origin {
  public:
    Origin(boost::asio::io_context& io, std::string answer, bool stays)
        : acceptor_(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
          answer_(std::move(answer)),
          stays_(stays) {
        accept();
    }

    std::string url(const std::string& path = "/keys") const {
        return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
    }

    std::string request;
    int connections = 0;

  private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code ec, tcp::socket socket) {
            if (ec) return;
            ++connections;
            socket_.emplace(std::move(socket));
            socket_->async_read_some(
                boost::asio::buffer(block_), [this](boost::system::error_code, std::size_t bytes) {
                    request.assign(block_, bytes);
                    boost::asio::async_write(*socket_,
                                             boost::asio::buffer(answer_),
                                             [this](boost::system::error_code, std::size_t) {
                                                 if (!stays_) socket_.reset();
                                             });
                });
            accept();
        });
    }

    tcp::acceptor acceptor_;
    std::string answer_;
    bool stays_;
    std::optional<tcp::socket> socket_;
    char block_[8192];
};

Result<HttpAnswer> run(boost::asio::io_context& io, HttpRequest request) {
    std::optional<Result<HttpAnswer>> outcome;
    boost::asio::awaitable<Result<HttpAnswer>> task = fetch(std::move(request));
    boost::asio::co_spawn(
        io, std::move(task), [&](std::exception_ptr fault, Result<HttpAnswer> result) {
            CHECK_FALSE(fault);
            outcome = std::move(result);
        });
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!outcome) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        io.restart();
        io.run_one_for(10ms);
    }
    return *std::move(outcome);
}

std::string with_length(std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(size) + "\r\n\r\n" + std::string(size, 'a');
}

// A certificate that nobody has signed but itself.
void use_own_certificate(boost::asio::ssl::context& context) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
    REQUIRE(key);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const name = X509_get_subject_name(certificate.get());
    const auto* const common = reinterpret_cast<const unsigned char*>("127.0.0.1");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    REQUIRE(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
    REQUIRE(SSL_CTX_use_certificate(context.native_handle(), certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(context.native_handle(), key.get()) == 1);
}

}  // namespace

TEST_CASE("an answer comes back with its status and type and the request says what it is") {
    boost::asio::io_context io(1);
    Origin origin(io, with_length(5), true);
    HttpRequest request;
    request.url = origin.url("/keys?a=b");
    request.headers = {{"X-Mine", "yes"}};
    const Result<HttpAnswer> answer = run(io, request);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->content_type == "application/json");
    CHECK(answer->body == "aaaaa");
    CHECK(origin.request.find("GET /keys?a=b HTTP/1.1\r\n") == 0);
    CHECK(origin.request.find("\r\nHost: " + origin.url("").substr(7) + "\r\n") !=
          std::string::npos);
    CHECK(origin.request.find("\r\nX-Mine: yes\r\n") != std::string::npos);
    CHECK(origin.request.find("\r\nConnection: close\r\n") != std::string::npos);
}

TEST_CASE("a redirect is an answer and nobody follows it") {
    boost::asio::io_context io(1);
    Origin target(io, with_length(5), false);
    Origin origin(
        io,
        "HTTP/1.1 302 Found\r\nLocation: " + target.url() + "\r\nContent-Length: 0\r\n\r\n",
        false);
    HttpRequest request;
    request.url = origin.url();
    const Result<HttpAnswer> answer = run(io, request);
    REQUIRE(answer.has_value());
    CHECK(answer->status == 302);
    CHECK(answer->body.empty());
    CHECK(origin.connections == 1);
    CHECK(target.connections == 0);
}

TEST_CASE("an answer at the size limit passes and one byte more is refused") {
    const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    struct Row {
        std::string name;
        std::string answer;
        bool passes;
    };

    const Row rows[] = {
        {"length", with_length(100), true},
        {"length and one more", with_length(101), false},
        {"length that is a lie", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", false},
        {"chunks", chunks + "64\r\n" + std::string(100, 'a') + "\r\n0\r\n\r\n", true},
        {"chunks and one more", chunks + "65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n", false},
        {"until the end", "HTTP/1.1 200 OK\r\n\r\n" + std::string(100, 'a'), true},
        {"until the end and one more", "HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'a'), false},
        {"head without end",
         "HTTP/1.1 200 OK\r\nX-A: " + std::string(70000, 'a') + "\r\n\r\n",
         false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        boost::asio::io_context io(1);
        Origin origin(io, row.answer, false);
        HttpRequest request;
        request.url = origin.url();
        request.most_bytes = 100;
        const Result<HttpAnswer> answer = run(io, request);
        CHECK(answer.has_value() == row.passes);
        if (!answer) CHECK(answer.error().errc() == Errc::jwks_fetch_failed);
    }
}

TEST_CASE("what is no whole answer in time is an error that names the host") {
    struct Row {
        std::string name;
        std::string answer;
        bool stays;
    };

    const Row rows[] = {
        {"nothing", "", true},
        {"half a head", "HTTP/1.1 200 OK\r\nContent-", true},
        {"half the content", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true},
        {"chunks without their end",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
         true},
        {"closed at once", "", false},
        {"closed in the head", "HTTP/1.1 200 OK\r\nContent-", false},
        {"closed in the content", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false},
        {"closed between chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
         false},
        {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false},
        {"no HTTP either", "<html></html>\r\n\r\n", false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        boost::asio::io_context io(1);
        Origin origin(io, row.answer, row.stays);
        HttpRequest request;
        request.url = origin.url();
        request.timeout = 200ms;
        const auto began = std::chrono::steady_clock::now();
        const Result<HttpAnswer> answer = run(io, request);
        CHECK(std::chrono::steady_clock::now() - began < 15s);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().errc() == Errc::jwks_fetch_failed);
        CHECK(answer.error().detail.find(origin.url("").substr(7) + ": ") == 0);
    }
}

TEST_CASE("a port that refuses is an error at once") {
    // Bound and not listening, so that nobody else can take it meanwhile.
    boost::asio::io_context io(1);
    tcp::socket bound(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    const std::string authority = "127.0.0.1:" + std::to_string(bound.local_endpoint().port());
    HttpRequest request;
    request.url = "http://" + authority + "/";
    const Result<HttpAnswer> answer = fetch_and_wait(request);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().detail.find(authority + ": ") == 0);
}

TEST_CASE("a certificate that nobody vouches for ends the fetch before a byte of the request") {
    boost::asio::io_context io(1);
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    use_own_certificate(context);
    tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    std::optional<boost::asio::ssl::stream<tcp::socket>> server;
    bool shaken = false;
    std::string got(1000, '\0');
    std::size_t received = 0;
    acceptor.async_accept([&](boost::system::error_code, tcp::socket socket) {
        server.emplace(std::move(socket), context);
        server->async_handshake(
            boost::asio::ssl::stream_base::server, [&](boost::system::error_code ec) {
                shaken = !ec;
                if (ec) return;
                server->async_read_some(
                    boost::asio::buffer(got),
                    [&](boost::system::error_code, std::size_t bytes) { received = bytes; });
            });
    });
    HttpRequest request;
    request.url = "https://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/keys";
    const Result<HttpAnswer> answer = run(io, request);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().detail.find("self-signed certificate") != std::string::npos);
    io.restart();
    io.poll();
    CHECK(received == 0);
}

TEST_CASE("a URL is taken apart or refused") {
    struct Row {
        std::string url;
        bool tls;
        const char* host;
        const char* port;
        const char* target;
    };

    const Row good[] = {
        {"http://a.example", false, "a.example", "80", "/"},
        {"https://a.example/k", true, "a.example", "443", "/k"},
        {"http://a.example:8080/k?x=/y", false, "a.example", "8080", "/k?x=/y"},
        {"https://[::1]:444/", true, "::1", "444", "/"},
        {"http://[::1]", false, "::1", "80", "/"},
        {"http://a.example?x", false, "a.example", "80", "/?x"},
        {"http://a.example/k#part", false, "a.example", "80", "/k"},
    };
    for (const Row& row : good) {
        CAPTURE(row.url);
        const Result<Url> url = parse_url(row.url);
        REQUIRE(url.has_value());
        CHECK(url->tls == row.tls);
        CHECK(url->host == row.host);
        CHECK(url->port == row.port);
        CHECK(url->target == row.target);
    }
    for (const std::string bad : {"",
                                  "a.example",
                                  "//a.example",
                                  "ftp://a.example/",
                                  "HTTP",
                                  "http:/a.example",
                                  "http://",
                                  "http:///k",
                                  "http://:80/",
                                  "http://user@a.example/",
                                  "http://user:pass@a.example/",
                                  "http://[::1/"}) {
        CAPTURE(bad);
        const Result<Url> url = parse_url(bad);
        REQUIRE_FALSE(url.has_value());
        CHECK(url.error().errc() == Errc::config_invalid);
    }
}

TEST_CASE("interim answers are not the answer") {
    const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    std::string many;
    for (int i = 0; i < 9; ++i)
        many += hints;

    struct Row {
        const char* name;
        std::string answer;
        int status;  // 0: an error
    };

    const Row rows[] = {
        {"one", hints + with_length(3), 200},
        {"two kinds", "HTTP/1.1 100 Continue\r\n\r\n" + hints + with_length(3), 200},
        {"more than a few", many + with_length(3), 0},
        {"and nothing more", hints, 0},
        {"101 that nobody asked for",
         "HTTP/1.1 101 Switching Protocols\r\n\r\n" + with_length(3),
         101},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        boost::asio::io_context io;
        const Origin origin(io, row.answer, false);
        HttpRequest request;
        request.url = origin.url();
        const auto answer = run(io, request);
        REQUIRE(answer.has_value() == (row.status != 0));
        if (row.status != 0) CHECK(answer->status == row.status);
        if (row.status == 200) CHECK(answer->body == "aaa");
    }
}

TEST_SUITE_END();

}  // namespace http_client_test
