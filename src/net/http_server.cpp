#include "gatehouse/net/http_server.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/net/loopback_peer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <exception>
#include <set>
#include <unistd.h>
#include <vector>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = beast::http;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kReadTime{10000};
constexpr std::size_t kReadBuffer = 16384;
constexpr std::size_t kMostConnections = 1000;

ServedRequest to_served(const beast_http::request<beast_http::string_body>& message) {
    ServedRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message)
        request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    request.body = message.body();
    return request;
}

// What Beast lets pass and the data port refuses (security rules, "Admin API": the same parser). A
// trailer that Beast has put among the fields is seen as one of them.
Errc check_message(const beast_http::request<beast_http::string_body>& message) {
    std::vector<gatehouse::http::Field> fields;
    for (const auto& field : message) {
        const std::string_view name = field.name_string();
        fields.push_back({name, field.value(), gatehouse::http::find_field_id(name)});
    }
    gatehouse::http::RequestHead head;
    head.method = message.method_string();
    head.target = message.target();
    head.version = message.version() == 11 ? gatehouse::http::Version::http_1_1
                                           : gatehouse::http::Version::http_1_0;
    head.fields = fields;
    return gatehouse::http::check_request(head);
}

// Root may do what it likes anyway; a socket that nobody holds any more counts as root's too.
bool is_own(const tcp::socket& socket) {
    boost::system::error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    const tcp::endpoint ours = error ? tcp::endpoint() : socket.local_endpoint(error);
    const auto owner = find_loopback_owner(peer.port(), ours.port());
    return !error && owner && (*owner == 0 || *owner == ::geteuid());
}

beast_http::response<beast_http::string_body> to_message(ServedResponse&& served,
                                                         unsigned version,
                                                         bool keep_alive,
                                                         bool head) {
    beast_http::response<beast_http::string_body> message;
    message.version(version);
    message.result(static_cast<unsigned>(served.status));
    message.set(beast_http::field::server, "gatehouse");
    if (!served.content_type.empty())
        message.set(beast_http::field::content_type, served.content_type);
    for (const auto& [name, value] : served.headers)
        message.insert(name, value);
    message.keep_alive(keep_alive);
    message.content_length(served.body.size());
    if (!head) message.body() = std::move(served.body);
    return message;
}

}  // namespace

const std::string* ServedRequest::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return &value;
    }
    return nullptr;
}

struct HttpServer::State {
    State(asio::io_context& context, Handler on_request, ServerLimits most)
        : io(context), handler(std::move(on_request)), limits(std::move(most)), acceptor(context) {}

    asio::io_context& io;
    Handler handler;
    ServerLimits limits;
    tcp::acceptor acceptor;
    std::set<beast::tcp_stream*> open;

    // A connection's place in `open`, however its coroutine ends.
    class Registered {
      public:
        Registered(std::set<beast::tcp_stream*>& streams, beast::tcp_stream& stream)
            : streams_(streams), place_(streams.insert(&stream).first) {}

        ~Registered() { streams_.erase(place_); }

        Registered(const Registered&) = delete;
        Registered& operator=(const Registered&) = delete;

      private:
        std::set<beast::tcp_stream*>& streams_;
        std::set<beast::tcp_stream*>::iterator place_;
    };

    static asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket);
    asio::awaitable<ServedResponse> answer(ServedRequest request);
};

// A handler's exception is a bug: 500, never silence.
asio::awaitable<ServedResponse> HttpServer::State::answer(ServedRequest request) {
    ServedResponse failed;
    failed.status = 500;
    failed.body = R"({"message":"Internal Server Error"})";
    try {
        ServedResponse response = co_await handler(request);
        co_return response;
    } catch (const std::exception&) {
    }
    co_return failed;
}

asio::awaitable<void> HttpServer::State::serve(std::shared_ptr<State> state, tcp::socket socket) {
    beast::tcp_stream stream(std::move(socket));
    const Registered registered(state->open, stream);
    beast::flat_buffer buffer;
    buffer.reserve(kReadBuffer);
    bool more = true;
    bool first = true;
    while (more) {
        beast_http::request_parser<beast_http::string_body> parser;
        parser.body_limit(state->limits.body_bytes);
        parser.header_limit(static_cast<std::uint32_t>(gatehouse::limits::kHeaderBytes));
        stream.expires_after(first ? kReadTime : state->limits.idle);
        auto [read_error, read_bytes] =
            co_await beast_http::async_read(stream, buffer, parser, asio::as_tuple(asio::deferred));
        first = false;
        const bool peer_gone = read_error == beast_http::error::end_of_stream ||
                               read_error == beast::error::timeout ||
                               (read_error && !parser.got_some());
        if (peer_gone || !state->acceptor.is_open()) break;
        const beast_http::request<beast_http::string_body>& message = parser.get();
        ServedResponse response;
        const Errc refused = read_error ? Errc::request_malformed : check_message(message);
        if (refused != Errc::none) {
            response.status = read_error == beast_http::error::body_limit ? 413
                              : read_error == beast_http::error::header_limit
                                  ? 431
                                  : gatehouse::http::status_of_read_error(refused);
            response.body = R"({"message":"Bad Request"})";
            more = false;
            if (response.status == 413 && state->limits.on_too_large)
                state->limits.on_too_large(to_served(message));
        } else {
            ServedRequest request = to_served(message);
            stream.expires_never();
            response = co_await state->answer(std::move(request));
            more = message.keep_alive() && state->acceptor.is_open();
        }
        auto out =
            to_message(std::move(response), 11, more, message.method() == beast_http::verb::head);
        stream.expires_after(kReadTime);
        auto [write_error, written] =
            co_await beast_http::async_write(stream, out, asio::as_tuple(asio::deferred));
        if (write_error) break;
    }
    beast::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

HttpServer::HttpServer(asio::io_context& io, Handler handler, ServerLimits limits)
    : state_(std::make_shared<State>(io, std::move(handler), std::move(limits))) {}

HttpServer::~HttpServer() {
    stop();
}

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port) {
    boost::system::error_code ec;
    const auto ip = asio::ip::make_address(address, ec);
    const tcp::endpoint endpoint(ip, port);
    tcp::acceptor& acceptor = state_->acceptor;
    if (!ec) acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
    if (ec) return Error{ec, address + ":" + std::to_string(port) + ": " + ec.message()};
    const std::uint16_t bound = acceptor.local_endpoint().port();
    asio::awaitable<void> loop = accept_loop(state_);
    asio::co_spawn(state_->io, std::move(loop), asio::detached);
    return bound;
}

asio::awaitable<void> HttpServer::accept_loop(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->io);
    while (state->acceptor.is_open()) {
        auto [error, socket] =
            co_await state->acceptor.async_accept(asio::as_tuple(asio::deferred));
        if (error == asio::error::operation_aborted || !state->acceptor.is_open()) break;
        if (error) {
            pause.expires_after(
                std::chrono::milliseconds(100));  // out of descriptors: no busy loop
            co_await pause.async_wait(asio::as_tuple(asio::deferred));
            continue;
        }
        if (state->open.size() >= kMostConnections) continue;  // the socket closes here
        if (state->limits.own_user_only && !is_own(socket)) continue;
        asio::awaitable<void> session = State::serve(state, std::move(socket));
        asio::co_spawn(state->io, std::move(session), asio::detached);
    }
}

void HttpServer::stop() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
    for (beast::tcp_stream* stream : state_->open)
        stream->cancel();
}

}  // namespace gatehouse::net
