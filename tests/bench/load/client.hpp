#pragma once

#include "connection.hpp"
#include "options.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::bench {

/// The clients: a number of connections to the proxy, each with one request under way at most.
class Client {
  public:
    Client(int poll, const Options& options);

    /// Sends whatever may be sent now: on every free connection, or what is due at a fixed rate.
    void send_more(std::uint64_t now);

    void on_ready(Connection& connection);

    void begin(std::uint64_t now);

    void stop() noexcept { sending_ = false; }

    std::size_t in_flight() const noexcept { return in_flight_; }

    std::uint64_t answered() const noexcept { return answered_; }

    std::size_t open() const noexcept { return connections_.size(); }

    std::vector<double> latencies;  ///< ns, of answers since begin()
    std::uint64_t errors = 0;
    std::string why;  ///< the first error

  private:
    Connection& connect();
    Connection* find_free();
    bool may_send() const noexcept;
    void send(Connection& connection, std::uint64_t began);
    void make_request(std::string& out);
    bool take(Connection& connection, std::string_view bytes);
    bool take_head(Connection& connection, std::string_view text, std::size_t end);
    void judge(Connection& connection, std::string_view head, std::uint64_t content);
    bool finish(Connection& connection);
    void drop(Connection& connection, const char* fault);
    void fail(std::string text);

    int poll_;
    const Options& options_;
    SSL_CTX* tls_ = nullptr;
    std::string request_;  ///< "{n}" still in it
    bool varies_ = false;
    std::vector<std::string> tokens_;
    std::uint64_t number_ = 0;
    std::uint64_t random_ = 88172645463325252U;
    std::size_t token_ = 0;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::deque<Connection*> free_;
    std::size_t in_flight_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    double due_ = 0;
    bool sending_ = false;
};

}  // namespace gatehouse::bench
