#include "gatehouse/net/lambda_client.hpp"

#include "support/function_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace lambda_client_test {

using namespace gatehouse;
using namespace gatehouse::test;

namespace {

// tests/support/invoke_endpoint.py as a child that ends with its input.
class Endpoint {
  public:
    Endpoint() {
        int input[2];
        int output[2];
        REQUIRE(::pipe2(input, O_CLOEXEC) == 0);
        REQUIRE(::pipe2(output, O_CLOEXEC) == 0);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, input[0], 0);
        ::posix_spawn_file_actions_adddup2(&actions, output[1], 1);
        std::string program = GATEHOUSE_PYTHON;
        std::string script = source_path("tests/support/invoke_endpoint.py");
        char* arguments[] = {program.data(), script.data(), nullptr};
        REQUIRE(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environ) == 0);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(input[0]);
        ::close(output[1]);
        input_ = input[1];
        std::string line;
        char byte = 0;
        while (::read(output[0], &byte, 1) == 1 && byte != '\n')
            line.push_back(byte);
        ::close(output[0]);
        REQUIRE_FALSE(line.empty());
        url_ = "http://127.0.0.1:" + line;
    }

    ~Endpoint() {
        ::close(input_);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;

    std::string url(const std::string& function = "authz") const {
        return *net::invoke_url(url_, function);
    }

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    std::string url_;
};

struct Client {
    explicit Client(std::string url, std::size_t connections = 64, std::size_t queue = 1000) {
        client.emplace(loop.io, net::LambdaEndpoint{std::move(url), connections, queue});
    }

    void begin(const std::string& say, std::chrono::milliseconds patience = 60s) {
        app::LambdaCall call;
        call.payload = R"({"say":")" + say + R"("})";
        call.timeout = patience;
        call.request_id = "the-request-id";
        call.trace_id = "Root=1-2-3";
        call.api_id = "local";
        call.source_arn = "arn:aws:execute-api:us-east-1:123456789012:local/authorizers/authz";
        client->call(std::move(call), outcomes.next());
    }

    app::LambdaOutcome say(const std::string& what, std::chrono::milliseconds patience = 60s) {
        begin(what, patience);
        const auto entry = outcomes.entries.back();
        REQUIRE(loop.until([&] { return entry->told > 0; }));
        return *entry->outcome;
    }

    int count(const char* name) {
        const auto outcome = say("counts");
        REQUIRE(outcome.end == End::returned);
        return parse_json(outcome.payload)->at(name).get<int>();
    }

    Loop loop;
    Outcomes outcomes;
    std::optional<net::LambdaClient> client;
};

}  // namespace

TEST_SUITE("net/lambda_client") {
    TEST_CASE("a call is sent as API Gateway sends it") {
        const Endpoint endpoint;
        Client client(endpoint.url("a:b"));
        const auto outcome = client.say("echo");
        REQUIRE(outcome.end == End::returned);
        CHECK(outcome.detail.empty());
        const Json seen = *parse_json(outcome.payload);
        CHECK(seen.at("path") == "/2015-03-31/functions/a%3Ab/invocations");
        CHECK(seen.at("event") == Json{{"say", "echo"}});
        const Json& headers = seen.at("headers");
        const auto has = [&headers](const char* name, const char* value) {
            CAPTURE(name);
            CHECK(std::count(headers.begin(), headers.end(), Json::array({name, value})) == 1);
        };
        has("user-agent", "AmazonAPIGateway_local");
        has("accept", "application/json");
        has("content-type", "application/json");
        has("x-amz-invocation-type", "RequestResponse");
        has("x-amzn-apigateway-api-id", "local");
        has("x-amz-source-arn",
            "arn:aws:execute-api:us-east-1:123456789012:local/authorizers/authz");
        has("x-amzn-lambda-integration-tag", "the-request-id");
        has("x-amzn-trace-id", "Root=1-2-3");
    }

    TEST_CASE("what an endpoint can do and what becomes of it") {
        struct Row {
            const char* say;
            End end;
            const char* detail;  ///< is in it
        };

        const Row rows[] = {
            {"echo", End::returned, ""},
            {"chunked", End::returned, ""},
            {"function error", End::failed, "the function reported an error"},
            {"emulator error", End::failed, "the function reported an error"},
            {"500", End::not_invokable, "the endpoint answered 500"},
            {"404", End::not_invokable, "the endpoint answered 404"},
            {"redirect", End::not_invokable, "the endpoint answered 302"},
            {"huge", End::too_large, "larger than 6291556 bytes"},
            {"endless", End::too_large, "larger than 6291556 bytes"},
            {"endless head", End::not_invokable, "limit"},
            {"garbage", End::not_invokable, "127.0.0.1:"},
            {"cut", End::not_invokable, "partial message"},
            {"cut chunk", End::not_invokable, "partial message"},
            {"close", End::not_invokable, "end of stream"},
            {"reset", End::not_invokable, "127.0.0.1:"},
            {"two framings", End::not_invokable, "127.0.0.1:"},
            {"interim", End::not_invokable, "malformed"},
        };
        const Endpoint endpoint;
        Client client(endpoint.url());
        for (const Row& row : rows) {
            CAPTURE(row.say);
            const auto outcome = client.say(row.say);
            CAPTURE(outcome.detail);
            CHECK(outcome.end == row.end);
            CHECK(outcome.detail.find(row.detail) != std::string::npos);
            CHECK(outcome.detail.find("secret") == std::string::npos);
            const bool kept = row.end == End::returned || row.end == End::failed;
            CHECK(outcome.payload.empty() != kept);
            // Whatever came before, the next call gets its own answer.
            const auto next = client.say("echo");
            CHECK(next.end == End::returned);
            CHECK(next.payload.find("\"path\"") != std::string::npos);
        }
        CHECK(client.outcomes.each_once());
    }

    TEST_CASE("a warm endpoint costs no connect") {
        const Endpoint endpoint;
        Client client(endpoint.url());
        for (int i = 0; i < 20; ++i)
            REQUIRE(client.say("echo").end == End::returned);
        CHECK(client.count("connections") == 1);
        CHECK(client.count("calls") == 22);
    }

    TEST_CASE("a connection that is no longer good is not used and nothing is sent twice") {
        for (const char* last : {"last", "more than asked", "two framings", "cut", "huge"}) {
            CAPTURE(last);
            const Endpoint endpoint;
            Client client(endpoint.url());
            REQUIRE(client.say("echo").end == End::returned);
            client.say(last);
            CHECK(client.count("connections") == 2);
            CHECK(client.count("calls") == 4);
        }
    }

    TEST_CASE("a slow function ends by the caller's patience") {
        const Endpoint endpoint;
        Client client(endpoint.url());
        const auto outcome = client.say("wait", 200ms);
        CHECK(outcome.end == End::timed_out);
        CHECK(outcome.payload.empty());
        CHECK(outcome.detail == "no answer within 200 ms");
        CHECK(client.say("echo").end == End::returned);
        CHECK(client.outcomes.each_once());
    }

    TEST_CASE("calls beyond the connections wait and those beyond the queue are refused") {
        const Endpoint endpoint;
        Client client(endpoint.url(), 2, 3);
        client.begin("wait");
        client.begin("wait");
        client.begin("echo");
        client.begin("echo", 200ms);
        client.begin("echo");
        client.begin("echo");
        REQUIRE(client.outcomes.ended() == 1);
        CHECK(client.outcomes.at(5).end == End::not_invokable);
        CHECK(client.outcomes.at(5).detail == "the queue of 3 calls is full");
        REQUIRE(client.loop.until([&] { return client.outcomes.ended() == 2; }));
        CHECK(client.outcomes.at(3).end == End::timed_out);
        // The gate is opened by another client: this one has no connection to spare.
        Client other(endpoint.url());
        CHECK(other.say("open").end == End::returned);
        REQUIRE(client.loop.until([&] { return client.outcomes.ended() == 6; }));
        for (const std::size_t i : {0U, 1U, 2U, 4U})
            CHECK(client.outcomes.at(i).end == End::returned);
        CHECK(client.outcomes.each_once());
        CHECK(other.count("most") <= 3);
    }

    TEST_CASE("an endpoint that is not there is told as such") {
        // Bound and not listening: connects are refused, and nobody else gets the port.
        boost::asio::io_context io;
        boost::asio::ip::tcp::acceptor holder(io);
        holder.open(boost::asio::ip::tcp::v4());
        holder.bind({boost::asio::ip::address_v4::loopback(), 0});
        const std::string port = std::to_string(holder.local_endpoint().port());

        struct Row {
            std::string url;
            std::string detail;
        };

        const Row rows[] = {
            {"http://127.0.0.1:" + port + "/invocations",
             "127.0.0.1:" + port + ": Connection refused"},
            {"https://127.0.0.1:" + port + "/invocations",
             "127.0.0.1:" + port + ": Connection refused"},
            {"nonsense", "is not an http or https URL"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.url);
            Client client(row.url);
            const auto outcome = client.say("echo");
            CAPTURE(outcome.detail);
            CHECK(outcome.end == End::not_invokable);
            CHECK(outcome.detail.find(row.detail) != std::string::npos);
        }
    }

    TEST_CASE("https to a server that speaks none fails and never falls back") {
        const Endpoint endpoint;
        std::string url = endpoint.url();
        url.insert(4, "s");
        Client client(url);
        const auto outcome = client.say("echo");
        CHECK(outcome.end == End::not_invokable);
        CHECK_FALSE(outcome.detail.empty());
    }

    TEST_CASE("stopping tells all calls and closes all connections") {
        const Endpoint endpoint;
        Client client(endpoint.url(), 1);
        client.begin("wait");
        client.begin("wait");
        Client other(endpoint.url());
        REQUIRE(client.loop.until([&] { return other.count("busy") == 2; }));  // itself and one
        bool stopped = false;
        client.client->stop([&] { stopped = true; });
        CHECK(stopped);
        client.begin("echo");
        CHECK(client.outcomes.ended() == 3);
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(client.outcomes.at(i).detail == "the gateway is shutting down");
        CHECK(client.loop.until([&] { return client.loop.io.stopped(); }));
        CHECK(client.outcomes.each_once());
    }

    TEST_CASE("a client that is dropped leaves no call behind") {
        const Endpoint endpoint;
        Client client(endpoint.url(), 1);
        client.begin("wait");
        client.begin("wait");
        Client other(endpoint.url());
        REQUIRE(client.loop.until([&] { return other.count("busy") == 2; }));  // itself and one
        client.client.reset();
        CHECK(client.outcomes.ended() == 2);
        CHECK(client.loop.until([&] { return client.loop.io.stopped(); }));
        CHECK(client.outcomes.each_once());
    }
}

}  // namespace lambda_client_test
