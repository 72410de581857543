#pragma once

#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::net {

class ClientTls;

struct HttpRequest {
    std::string method = "GET";
    std::string url;  ///< http:// or https://
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::milliseconds timeout{2000};  ///< for all of it
    std::size_t most_bytes = limits::kJwksBytes;
    const ClientTls* tls = nullptr;  ///< null: the system's authorities
    std::string tls_name{};          ///< in SNI and in the certificate; empty: the URL's host
};

struct HttpAnswer {
    int status = 0;
    std::string content_type;
    std::string body;
};

/// One request over a connection of its own, for the control thread and the command line: key sets,
/// discovery, the admin API. https verifies the certificate and the host name. Redirects are not
/// followed: a 3xx is an answer like any other. The error's code is Errc::jwks_fetch_failed or the
/// system's; detail: what was tried and what went wrong, e.g. "127.0.0.1:1: Connection refused".
/// Runs on the executor of the calling coroutine.
boost::asio::awaitable<Result<HttpAnswer>> fetch(HttpRequest request);

/// The same, blocking, on an event loop of its own.
Result<HttpAnswer> fetch_and_wait(HttpRequest request);

struct Url {
    bool tls = false;
    std::string host;  ///< no brackets
    std::string port;
    std::string authority;  ///< as it goes into the Host field
    std::string target;     ///< path and query, begins with '/'
};

/// Splits an http or https URL. Errc::config_invalid
Result<Url> parse_url(std::string_view url);

}  // namespace gatehouse::net
