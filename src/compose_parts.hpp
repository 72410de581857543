#pragma once

#include "gatehouse/admin/admin_api.hpp"
#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/cli/args.hpp"
#include "gatehouse/cli/commands.hpp"
#include "gatehouse/functions/function_host.hpp"
#include "gatehouse/net/http_server.hpp"
#include "gatehouse/net/introspection_client.hpp"
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
    net::IntrospectionClient introspector;
};

/// What calls the model's functions, on the core's control loop, and the authorizers of the core by
/// it; null when there are none. Not started. Errc::config_invalid for an endpoint that is no URL.
Result<std::unique_ptr<functions::FunctionHost>> make_function_host(Core& core,
                                                                    const config::Model& model);

/// A gateway with its admin API, from listening to drained. Belongs to the control thread.
class Running {
  public:
    /// @param functions  null: none
    Running(Core& core,
            std::shared_ptr<const app::Snapshot> snapshot,
            std::unique_ptr<functions::FunctionHost> functions,
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
    void end();

    Core& core_;
    std::shared_ptr<const app::Snapshot> snapshot_;
    net::Server server_;
    admin::AdminApi admin_api_;
    net::HttpServer admin_;
    std::uint16_t admin_port_ = 0;
    // Below the server: what it tells last goes to workers that still exist.
    std::unique_ptr<functions::FunctionHost> functions_;
    boost::asio::signal_set signals_;
};

/// "http://[::1]:8080"
std::string make_url(const std::string& address, std::uint16_t port);

int run_demo(const cli::DemoOptions& options);

/// Judges one request with a cache of its own; fetches the keys that it takes.
Result<cli::Judgement> judge(cli::JudgeOrder order);

}  // namespace gatehouse::compose
