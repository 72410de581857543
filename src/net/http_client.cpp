#include "gatehouse/net/http_client.hpp"

#include "gatehouse/core/ascii.hpp"
#include "lookup.hpp"
#include "tls_context.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = beast::http;
using asio::ip::tcp;

Error failed(const Url& url, std::string_view what) {
    return gatehouse::fail(Errc::jwks_fetch_failed, url.authority + ": " + std::string(what));
}

beast_http::request<beast_http::string_body> to_message(HttpRequest& request, const Url& url) {
    beast_http::request<beast_http::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(url.target);
    message.set(beast_http::field::host, url.authority);
    message.set(beast_http::field::user_agent, "gatehouse");
    message.set(beast_http::field::accept, "application/json");
    message.set(beast_http::field::connection, "close");
    for (const auto& [name, value] : request.headers)
        message.set(name, value);
    message.body() = std::move(request.body);
    message.prepare_payload();
    return message;
}

// Writes the request and reads the answer over a stream that is connected.
template <class Stream>
asio::awaitable<Result<HttpAnswer>> exchange(Stream& stream, HttpRequest& request, const Url& url) {
    auto message = to_message(request, url);
    auto [write_error, written] =
        co_await beast_http::async_write(stream, message, asio::as_tuple(asio::use_awaitable));
    if (write_error) co_return failed(url, write_error.message());
    beast::flat_buffer buffer;
    buffer.reserve(limits::kHeadBuffer);
    // RFC 9110 15.2: interim answers may come before the one that counts. 101 was not asked for.
    for (int interim = 0; interim <= limits::kInterimResponses; ++interim) {
        beast_http::response_parser<beast_http::string_body> parser;
        parser.body_limit(request.most_bytes);
        parser.header_limit(static_cast<std::uint32_t>(limits::kUpstreamHeadBytes));
        auto [read_error, read] = co_await beast_http::async_read(
            stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
        if (read_error == beast::error::timeout) co_return failed(url, "no whole answer in time");
        if (read_error == beast_http::error::body_limit)
            co_return failed(url,
                             "answer larger than " + std::to_string(request.most_bytes) + " bytes");
        if (read_error) co_return failed(url, read_error.message());
        const unsigned status = parser.get().result_int();
        if (status / 100 == 1 && status != 101) continue;
        HttpAnswer answer;
        answer.status = static_cast<int>(status);
        answer.content_type = std::string(parser.get()[beast_http::field::content_type]);
        answer.body = std::move(parser.get().body());
        co_return answer;
    }
    co_return failed(url, "too many interim answers");
}

asio::awaitable<Result<HttpAnswer>> exchange_tls(beast::tcp_stream stream,
                                                 HttpRequest& request,
                                                 const Url& url) {
    const SslContext raw = take_client_context(request.tls);
    if (!raw) co_return failed(url, "TLS cannot be set up");
    SSL_CTX_up_ref(raw.get());
    asio::ssl::context context(raw.get());  // takes the reference over
    beast::ssl_stream<beast::tcp_stream> tls(std::move(stream), context);
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (!expect_name(tls.native_handle(), request.tls_name.empty() ? url.host : request.tls_name))
        co_return failed(url, "TLS cannot be set up");
    auto [error] = co_await tls.async_handshake(asio::ssl::stream_base::client,
                                                asio::as_tuple(asio::use_awaitable));
    if (error) {
        const long verdict = SSL_get_verify_result(tls.native_handle());
        co_return failed(
            url, verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : error.message());
    }
    co_return co_await exchange(tls, request, url);
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    Url url;
    if (text.starts_with("https://")) {
        url.tls = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return gatehouse::fail(Errc::config_invalid,
                               "\"" + printable(text) + "\" is not an http or https URL");
    }
    const std::size_t end = text.find_first_of("/?#");
    url.authority = std::string(text.substr(0, end));
    std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
    url.target = rest.starts_with('/') ? std::string(rest.substr(0, rest.find('#')))
                                       : "/" + std::string(rest.substr(0, rest.find('#')));
    std::string_view host = url.authority;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t close = host.find(']');
        if (close == std::string_view::npos)
            return gatehouse::fail(Errc::config_invalid,
                                   "\"" + printable(host) + "\" is not a host");
        port = host.substr(close + 1);
        host = host.substr(1, close - 1);
    } else if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (port.starts_with(':')) port.remove_prefix(1);
    url.host = std::string(host);
    url.port = port.empty() ? (url.tls ? "443" : "80") : std::string(port);
    if (url.host.empty() || url.authority.find('@') != std::string::npos) {
        return gatehouse::fail(Errc::config_invalid,
                               "\"" + printable(url.authority) + "\" is not a host");
    }
    return url;
}

asio::awaitable<Result<HttpAnswer>> fetch(HttpRequest request) {
    Result<Url> parsed = parse_url(request.url);
    if (!parsed) co_return parsed.error();
    const Url url = *parsed;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    beast::tcp_stream stream(executor);
    // One limit for all of it: the stream's expiry is armed once and never moved.
    stream.expires_after(request.timeout);
    const LookedUp looked_up = co_await look_up(url.host, url.port, request.timeout);
    if (looked_up.error == asio::error::timed_out)
        co_return failed(url, "its name was not found in time");
    if (looked_up.error) co_return failed(url, looked_up.error.message());
    auto [connect_error, peer] =
        co_await stream.async_connect(looked_up.found, asio::as_tuple(asio::use_awaitable));
    if (connect_error == beast::error::timeout) co_return failed(url, "did not connect in time");
    if (connect_error) co_return failed(url, connect_error.message());
    if (url.tls) co_return co_await exchange_tls(std::move(stream), request, url);
    co_return co_await exchange(stream, request, url);
}

Result<HttpAnswer> fetch_and_wait(HttpRequest request) {
    asio::io_context io(1);
    std::optional<Result<HttpAnswer>> outcome;
    asio::awaitable<Result<HttpAnswer>> task = fetch(std::move(request));
    asio::co_spawn(
        io, std::move(task), [&outcome](std::exception_ptr fault, Result<HttpAnswer> result) {
            if (!fault) outcome = std::move(result);
        });
    io.run();
    if (!outcome) return gatehouse::fail(Errc::internal, "the request ended by an exception");
    return *std::move(outcome);
}

}  // namespace gatehouse::net
