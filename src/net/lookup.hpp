#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

/// One look-up of a name (name_query.hpp), for as long as this lives. It cannot be ended, so each
/// name that is being looked up has a thread of its own, which all who ask for it meanwhile share:
/// a name server that hangs holds up neither other names nor the end of the program. There are as
/// many threads as names that the configuration has, at most.
class Lookup {
  public:
    /// Called at most once, on the executor, and not after the destructor. `ttl`: how long what was
    /// found is good.
    using Done = std::function<void(boost::system::error_code,
                                    const std::vector<boost::asio::ip::tcp::endpoint>& found,
                                    std::chrono::seconds ttl)>;

    /// To be made, and destroyed, on the executor's one thread, before its context goes.
    Lookup(const boost::asio::any_io_executor& executor,
           const std::string& host,
           const std::string& port,
           Done done);
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

  private:
    struct Waiter;
    friend void run_lookup(const std::string& key,
                           const std::string& host,
                           const std::string& port);

    std::shared_ptr<Waiter> waiter_;
};

/// What a look-up ended with: asio::error::timed_out when it was not found in time.
struct LookedUp {
    boost::system::error_code error;
    std::vector<boost::asio::ip::tcp::endpoint> found;
};

boost::asio::awaitable<LookedUp> look_up(std::string host,
                                         std::string port,
                                         std::chrono::milliseconds timeout);

}  // namespace gatehouse::net
