#pragma once

#include "gatehouse/admin/admin_api.hpp"
#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/cli/args.hpp"
#include "gatehouse/cli/commands.hpp"
#include "gatehouse/net/http_server.hpp"
#include "gatehouse/net/jwks_fetcher.hpp"
#include "gatehouse/net/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

// The parts that serve, demo and explain are put together from.
namespace gatehouse::compose {

/// What every judging gateway shares, with its control loop. Members go in reverse: what stands
/// below uses what stands above.
struct Core {
    Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    app::SystemClock clock;
    authz::GrantCache cache;
    app::KeyStore keys;
    app::Authorize authorize;
    boost::asio::io_context control{1};
    net::JwksFetcher fetcher;
};

/// A gateway with its admin API, from listening to drained. Belongs to the control thread.
class Running {
  public:
    Running(Core& core,
            std::shared_ptr<const app::Snapshot> snapshot,
            std::function<void(const app::TraceRecord&)> on_request);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    /// Binds everything, or says which address it could not have.
    Result<void> start();

    /// Runs until a signal has drained it; a second signal ends it at once.
    void run();

    app::Readiness readiness() const { return server_.readiness(); }

    /// "http://127.0.0.1:8080" of each listener, with the port that the system chose for 0.
    std::vector<std::string> urls() const;
    std::string admin_url() const;

  private:
    void await_signal();

    Core& core_;
    std::shared_ptr<const app::Snapshot> snapshot_;
    net::Server server_;
    admin::AdminApi admin_api_;
    net::HttpServer admin_;
    std::uint16_t admin_port_ = 0;
    boost::asio::signal_set signals_;
};

/// "http://[::1]:8080"
std::string make_url(const std::string& address, std::uint16_t port);

int run_demo(const cli::DemoOptions& options);

/// Judges one request with a cache of its own; fetches the keys that it takes.
Result<cli::Judgement> judge(cli::JudgeOrder order);

}  // namespace gatehouse::compose
