#include "gatehouse/net/lambda_client.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/net/http_client.hpp"
#include "lookup.hpp"
#include "tls_context.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <cerrno>
#include <deque>
#include <exception>
#include <optional>
#include <set>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = beast::http;
using asio::ip::tcp;
using End = authz::Invocation::End;

// Shorter than the keep-alive time of what functions are emulated with (Node's is 5 s): who sends
// on a connection that the other side is just closing cannot know whether the function ran.
constexpr std::chrono::seconds kIdle{4};

app::LambdaOutcome cannot(std::string why) {
    return {End::not_invokable, {}, std::move(why)};
}

struct Connection {
    Connection(asio::io_context& io, asio::ssl::context* context) {
        if (context != nullptr) {
            tls.emplace(io, *context);
        } else {
            plain.emplace(io);
        }
    }

    beast::tcp_stream& lowest() { return tls ? tls->next_layer() : *plain; }

    // Nothing to read and not closed: anything else and it is of no use.
    bool is_quiet() {
        char byte = 0;
        const ssize_t got =
            ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    std::optional<beast::tcp_stream> plain;
    std::optional<beast::ssl_stream<beast::tcp_stream>> tls;
    SteadyTime idle_since;
};

struct Call {
    Call(asio::io_context& io, app::LambdaCall&& wanted, app::LambdaDone&& told)
        : order(std::move(wanted)), done(std::move(told)), timer(io) {}

    app::LambdaCall order;
    app::LambdaDone done;  ///< empty: told
    asio::steady_timer timer;
    std::unique_ptr<Connection> connection;

    void finish(app::LambdaOutcome outcome) {
        timer.cancel();
        if (const auto told = std::exchange(done, nullptr)) told(std::move(outcome));
    }
};

void set_if(beast_http::request<beast_http::string_body>& message,
            std::string_view name,
            const std::string& value) {
    // A client may have chosen the trace id: what is no plain text does not go into a header.
    for (const char c : value) {
        if (is_control(c) || static_cast<unsigned char>(c) >= 0x80) return;
    }
    if (!value.empty()) message.set(name, value);
}

beast_http::request<beast_http::string_body> to_message(app::LambdaCall& order, const Url& url) {
    beast_http::request<beast_http::string_body> message(beast_http::verb::post, url.target, 11);
    message.set(beast_http::field::host, url.authority);
    message.set(beast_http::field::user_agent,
                order.api_id.empty() ? "gatehouse" : "AmazonAPIGateway_" + order.api_id);
    message.set(beast_http::field::accept, "application/json");
    message.set(beast_http::field::content_type, "application/json");
    message.set("X-Amz-Invocation-Type", "RequestResponse");
    set_if(message, "x-amzn-apigateway-api-id", order.api_id);
    set_if(message, "X-Amz-Source-Arn", order.source_arn);
    set_if(message, "x-amzn-lambda-integration-tag", order.request_id);
    set_if(message, "X-Amzn-Trace-Id", order.trace_id);
    message.body() = std::move(order.payload);
    message.prepare_payload();
    return message;
}

// Two framings, or one twice: the next answer on this connection might not be ours.
bool is_clear(const beast_http::response<beast_http::string_body>& message) {
    const auto lengths = message.count(beast_http::field::content_length);
    const auto codings = message.count(beast_http::field::transfer_encoding);
    return lengths + codings <= 1 && message.result_int() >= 200;
}

struct Exchanged {
    app::LambdaOutcome outcome;
    bool reusable = false;
};

template <class Stream>
asio::awaitable<Exchanged> exchange(Stream& stream, app::LambdaCall& order, const Url& url) {
    Exchanged result;
    auto message = to_message(order, url);
    auto [write_error, written] =
        co_await beast_http::async_write(stream, message, asio::as_tuple(asio::use_awaitable));
    if (write_error) {
        result.outcome = cannot(url.authority + ": " + write_error.message());
        co_return result;
    }
    beast::flat_buffer buffer;
    buffer.reserve(limits::kHeadBuffer);
    beast_http::response_parser<beast_http::string_body> parser;
    parser.body_limit(order.most_bytes);
    parser.header_limit(static_cast<std::uint32_t>(limits::kUpstreamHeadBytes));
    auto [read_error, read] = co_await beast_http::async_read(
        stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
    if (read_error == beast_http::error::body_limit) {
        result.outcome = {
            End::too_large,
            {},
            "the answer is larger than " + std::to_string(order.most_bytes) + " bytes"};
    } else if (read_error) {
        result.outcome = cannot(url.authority + ": " + read_error.message());
    } else if (!is_clear(parser.get())) {
        result.outcome = cannot(url.authority + ": the answer is malformed");
    } else {
        result.reusable = parser.keep_alive() && buffer.size() == 0;
        const std::string function_error(parser.get()["X-Amz-Function-Error"]);
        result.outcome = read_invoke_answer(static_cast<int>(parser.get().result_int()),
                                            function_error,
                                            std::move(parser.get().body()));
    }
    co_return result;
}

}  // namespace

struct LambdaClient::State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, LambdaEndpoint&& where)
        : io(context), endpoint(std::move(where)) {}

    asio::io_context& io;
    LambdaEndpoint endpoint;
    Result<Url> url = fail(Errc::internal);
    std::vector<std::unique_ptr<Connection>> idle;  ///< last in, first out
    std::deque<std::shared_ptr<Call>> waiting;
    std::set<std::shared_ptr<Call>> under_way;
    bool stopped = false;

    std::unique_ptr<Connection> make_connection();
    void begin(std::shared_ptr<Call> call);
    void expire(const std::shared_ptr<Call>& call);
    void stop();
    std::unique_ptr<Connection> take_idle();
    void put_idle(std::unique_ptr<Connection> connection);
    void ended(const std::shared_ptr<Call>& call);

    static asio::awaitable<void> run(std::shared_ptr<State> state, std::shared_ptr<Call> call);
    static asio::awaitable<std::string> connect(const Call& call, const Url& url);
};

// Null: OpenSSL gives no context.
std::unique_ptr<Connection> LambdaClient::State::make_connection() {
    if (!url->tls) return std::make_unique<Connection>(io, nullptr);
    SslContext raw = take_client_context(endpoint.tls);
    if (!raw) return nullptr;
    asio::ssl::context context(raw.release());  // takes the reference over
    return std::make_unique<Connection>(io, &context);
}

// What went wrong, or an empty text.
asio::awaitable<std::string> LambdaClient::State::connect(const Call& call, const Url& url) {
    Connection& connection = *call.connection;
    const LookedUp looked_up = co_await look_up(url.host, url.port, call.order.timeout);
    if (looked_up.error) co_return url.authority + ": " + looked_up.error.message();
    if (!call.done) co_return "out of time";
    beast::tcp_stream& lowest = connection.lowest();
    auto [connect_error, peer] =
        co_await lowest.async_connect(looked_up.found, asio::as_tuple(asio::use_awaitable));
    if (connect_error) co_return url.authority + ": " + connect_error.message();
    boost::system::error_code ignored;
    lowest.socket().set_option(tcp::no_delay(true), ignored);
    if (!connection.tls) co_return std::string();
    connection.tls->set_verify_mode(asio::ssl::verify_peer);
    if (!expect_name(connection.tls->native_handle(), url.host)) co_return "TLS cannot be set up";
    auto [tls_error] = co_await connection.tls->async_handshake(
        asio::ssl::stream_base::client, asio::as_tuple(asio::use_awaitable));
    if (!tls_error) co_return std::string();
    const long verdict = SSL_get_verify_result(connection.tls->native_handle());
    co_return url.authority + ": " +
        (verdict != X509_V_OK ? std::string(X509_verify_cert_error_string(verdict))
                              : tls_error.message());
}

asio::awaitable<void> LambdaClient::State::run(std::shared_ptr<State> state,
                                               std::shared_ptr<Call> call) {
    const Url& url = *state->url;
    call->connection = state->take_idle();
    if (!call->connection) {
        call->connection = state->make_connection();
        std::string problem = "TLS cannot be set up";
        if (call->connection) problem = co_await connect(*call, url);
        if (!problem.empty()) call->finish(cannot(problem));
    }
    Exchanged result;
    if (call->done && call->connection->tls) {
        result = co_await exchange(*call->connection->tls, call->order, url);
    } else if (call->done) {
        result = co_await exchange(*call->connection->plain, call->order, url);
    }
    if (result.reusable && call->done) state->put_idle(std::move(call->connection));
    call->finish(std::move(result.outcome));
    state->ended(call);
}

void LambdaClient::State::begin(std::shared_ptr<Call> call) {
    under_way.insert(call);
    asio::awaitable<void> task = run(shared_from_this(), call);
    asio::co_spawn(
        io, std::move(task), [self = shared_from_this(), call](std::exception_ptr fault) {
            if (!fault) return;
            call->finish(cannot("an exception"));
            self->ended(call);
        });
}

void LambdaClient::State::ended(const std::shared_ptr<Call>& call) {
    call->connection.reset();
    under_way.erase(call);
    if (stopped || waiting.empty() || under_way.size() >= endpoint.connections) return;
    std::shared_ptr<Call> next = std::move(waiting.front());
    waiting.pop_front();
    begin(std::move(next));
}

void LambdaClient::State::expire(const std::shared_ptr<Call>& call) {
    std::erase(waiting, call);
    call->finish({End::timed_out,
                  {},
                  "no answer within " + std::to_string(call->order.timeout.count()) + " ms"});
    if (call->connection) call->connection->lowest().close();
}

std::unique_ptr<Connection> LambdaClient::State::take_idle() {
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!idle.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle.back());
        idle.pop_back();
        if (now - connection->idle_since < kIdle && connection->is_quiet()) return connection;
    }
    return nullptr;
}

void LambdaClient::State::put_idle(std::unique_ptr<Connection> connection) {
    if (stopped) return;
    connection->idle_since = std::chrono::steady_clock::now();
    idle.push_back(std::move(connection));
}

void LambdaClient::State::stop() {
    stopped = true;
    idle.clear();
    for (const auto& call : std::exchange(waiting, {}))
        call->finish(cannot("the gateway is shutting down"));
    for (const auto& call : under_way) {
        call->finish(cannot("the gateway is shutting down"));
        if (call->connection) call->connection->lowest().close();
    }
}

LambdaClient::LambdaClient(asio::io_context& io, LambdaEndpoint endpoint)
    : state_(std::make_shared<State>(io, std::move(endpoint))) {
    state_->url = parse_url(state_->endpoint.url);
}

LambdaClient::~LambdaClient() {
    state_->stop();
}

void LambdaClient::call(app::LambdaCall order, app::LambdaDone done) {
    State& state = *state_;
    const auto call = std::make_shared<Call>(state.io, std::move(order), std::move(done));
    if (!state.url) return call->finish(cannot(state.url.error().detail));
    if (state.stopped) return call->finish(cannot("the gateway is shutting down"));
    const bool must_wait = state.under_way.size() >= state.endpoint.connections;
    if (must_wait && state.waiting.size() >= state.endpoint.queue) {
        return call->finish(
            cannot("the queue of " + std::to_string(state.endpoint.queue) + " calls is full"));
    }
    call->timer.expires_after(call->order.timeout);
    call->timer.async_wait(
        [weak = state_->weak_from_this(), call](boost::system::error_code error) {
            const auto self = weak.lock();
            if (!error && self && call->done) self->expire(call);
        });
    if (must_wait) {
        state.waiting.push_back(call);
    } else {
        state.begin(call);
    }
}

void LambdaClient::stop(const std::function<void()>& stopped) {
    state_->stop();
    stopped();
}

}  // namespace gatehouse::net
