#pragma once

#include "connection.hpp"
#include "options.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::bench {

/// The upstream: answers each request at its ports with one and the same, "/auth" (nginx's
/// auth_request) with 204 or 401.
class Upstream {
  public:
    Upstream(int poll, const Options& options);

    void accept(const Watched& listener);
    void on_ready(Connection& connection);

    std::uint64_t requests = 0;
    std::uint64_t errors = 0;  ///< requests that are not as they should be

  private:
    void listen(int port);
    bool read(Connection& connection);
    bool take(Connection& connection, std::string_view bytes);
    bool take_head(Connection& connection, std::string_view head);
    bool answer(Connection& connection);
    void drop(Connection& connection);

    int poll_;
    const Options& options_;
    std::string answer_;
    std::uint64_t filler_ = 0;
    std::vector<std::unique_ptr<Watched>> listeners_;
    std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace gatehouse::bench
