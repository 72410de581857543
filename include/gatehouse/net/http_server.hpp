#pragma once

#include "gatehouse/core/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::net {

struct ServedRequest {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;  ///< as they came, in order
    std::string body;

    /// The first field of that name (case ignored), or nullptr.
    const std::string* header(std::string_view name) const noexcept;
};

struct ServedResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// What an HttpServer takes. The defaults are those of the admin API.
struct ServerLimits {
    std::size_t body_bytes = 1024 * 1024;
    std::chrono::milliseconds idle{75000};  ///< between two requests, the reading of one included
    bool own_user_only = false;  ///< on 127.0.0.1: close connections of other users but root
    /// Told of a request that is refused by its size (413), before the answer goes out: method,
    /// target and headers, no body.
    std::function<void(const ServedRequest&)> on_too_large;
};

/// A small HTTP/1.1 server on Beast coroutines for what is not the data plane: the admin API, the
/// demo's issuer and its echo upstream. It reads with the same limits as the data plane's defaults
/// and refuses ambiguous framing with 400. One thread: that of `io`.
class HttpServer {
  public:
    using Handler = std::function<boost::asio::awaitable<ServedResponse>(const ServedRequest&)>;

    HttpServer(boost::asio::io_context& io, Handler handler, ServerLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds and begins to serve. Returns the port (the one the system chose for 0), or the reason
    /// with address and port in it.
    Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

    /// Stops accepting and closes all connections.
    void stop();

  private:
    struct State;
    boost::asio::awaitable<void> accept_loop(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace gatehouse::net
