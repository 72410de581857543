#pragma once

#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/upstream/upstream.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <vector>

namespace gatehouse::net {

class ClientTls;

/// Watches the upstreams of the configuration that runs: asks their targets how they are, one
/// question at a time for each, and tells the log what changes. Belongs to the control thread.
class HealthChecks {
  public:
    /// All outlive it.
    HealthChecks(boost::asio::io_context& control, const ClientTls& tls);
    ~HealthChecks();
    HealthChecks(const HealthChecks&) = delete;
    HealthChecks& operator=(const HealthChecks&) = delete;

    /// From now on the upstreams of this configuration: checks of those that were there before go
    /// on, those of others end.
    void adopt(const app::Snapshot& snapshot);

    /// Ten times a second: retry budgets, and the log's lines about ejections.
    void tick(SteadyTime now);

    void stop();

  private:
    struct Check;

    struct Watched {
        std::shared_ptr<upstream::Upstream> upstream;
        std::vector<std::shared_ptr<Check>> checks;
    };

    Watched begin(const std::shared_ptr<upstream::Upstream>& upstream);
    static void end(Watched& watched);

    boost::asio::io_context& control_;
    const ClientTls& tls_;
    std::vector<Watched> watched_;
};

}  // namespace gatehouse::net
