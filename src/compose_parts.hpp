#pragma once

#include "gatehouse/admin/admin_api.hpp"
#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/reloader.hpp"
#include "gatehouse/app/shared_state.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/cli/args.hpp"
#include "gatehouse/cli/commands.hpp"
#include "gatehouse/config/compare.hpp"
#include "gatehouse/functions/function_host.hpp"
#include "gatehouse/net/client_tls.hpp"
#include "gatehouse/net/http_server.hpp"
#include "gatehouse/net/introspection_client.hpp"
#include "gatehouse/net/jwks_fetcher.hpp"
#include "gatehouse/net/redis_client.hpp"
#include "gatehouse/net/server.hpp"
#include "net/file_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The parts that serve, demo and explain are put together from.
namespace gatehouse::compose {

/// What every judging gateway shares, with its control loop. Members go in reverse: what stands
/// below uses what stands above.
struct Core {
    explicit Core(const authz::CacheBounds& cache_bounds = {});
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// Shares what is in the snapshot by its `shared`; not started. Before the first request.
    void share(const std::shared_ptr<const app::Snapshot>& snapshot);

    app::SystemClock clock;
    authz::GrantCache cache;
    app::KeyStore keys;
    app::Authorize authorize;
    boost::asio::io_context control{1};
    net::ClientTls client_tls;
    net::JwksFetcher fetcher;
    net::IntrospectionClient introspector;
    std::unique_ptr<net::RedisClient> redis;  ///< null, as `shared`: nothing is
    std::unique_ptr<app::SharedState> shared;
};

/// What calls the model's functions, on the core's control loop; null when there are none. Not
/// started. Errc::config_invalid for an endpoint that is no URL.
Result<std::unique_ptr<functions::FunctionHost>> make_function_host(Core& core,
                                                                    const config::Model& model);

/// The functions of the configuration that runs, and of those before it whose requests are not over
/// yet. A configuration with the same functions as the one before shares their processes. Control
/// thread.
class Functions {
  public:
    explicit Functions(Core& core);

    /// What will call the model's functions; null when it has none. Neither started nor in use: a
    /// configuration that is refused afterwards is followed by abandon().
    Result<app::LambdaInvoker*> prepare(const config::Model& model);

    /// The snapshot, and with it a hold on the functions that were prepared last: they run as long
    /// as anybody has this pointer, or one made of it.
    std::shared_ptr<const app::Snapshot> hold(std::shared_ptr<const app::Snapshot> snapshot) const;

    /// Starts what was prepared last, and ends what nobody holds any more.
    void start();

    void abandon();

    /// Ends all of them, then calls `stopped`.
    void stop(std::function<void()> stopped);

  private:
    struct Hosted {
        std::unique_ptr<functions::FunctionHost> host;  ///< null: a configuration without functions
        std::string made_of;
        std::shared_ptr<const int> in_use = std::make_shared<const int>(0);
        bool started = false;
        bool ending = false;
        bool ended = false;
    };

    void sweep();

    Core& core_;
    boost::asio::steady_timer timer_;
    std::vector<std::unique_ptr<Hosted>> hosts_;  ///< the last one is that of new requests
};

/// What a running gateway is made from, and made from again.
struct ReloadOptions {
    cli::Load load;    ///< empty: it cannot be reloaded
    std::string name;  ///< of the configuration, for messages
    std::string path;  ///< its file; empty: the environment
    bool watch = false;
};

/// The files whose change means another configuration, or other keys.
std::vector<std::string> find_watched_files(const std::string& configuration,
                                            const config::Model& model);

/// Puts another configuration in the place of the one that runs.
class Reload final : public app::Reloader {
  public:
    Reload(Core& core,
           net::Server& server,
           Functions& functions,
           admin::AdminApi& admin,
           ReloadOptions options);

    /// Begins to watch the files, where that is wanted.
    void start();

    void stop() { timer_.cancel(); }

    /// There is something to make the gateway from again.
    bool is_possible() const noexcept { return options_.load != nullptr; }

    /// Reloads; the log has the outcome.
    void now(const char* why);

    boost::asio::awaitable<app::Reloaded> reload(std::optional<std::string> text) override;

  private:
    void look();
    boost::asio::awaitable<void> log_reload();
    app::Reloaded replace(const std::optional<std::string>& text);
    app::Reloaded report(const cli::Found& found,
                         const config::Changes& changes,
                         const app::Snapshot& snapshot);

    Core& core_;
    net::Server& server_;
    Functions& functions_;
    admin::AdminApi& admin_;
    ReloadOptions options_;
    boost::asio::steady_timer timer_;
    net::FileWatch watch_;
    std::string changes_;  ///< of the last reload, for the log
};

/// Each route with who guards it, into the log.
void log_report(const app::Snapshot& snapshot);

/// A gateway with its admin API, from listening to drained. Belongs to the control thread.
class Running {
  public:
    /// @param functions  those of the snapshot, prepared
    Running(Core& core,
            std::shared_ptr<const app::Snapshot> snapshot,
            std::unique_ptr<Functions> functions,
            ReloadOptions reload,
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
    std::string decision_url() const;  ///< empty: no decision service

  private:
    void await_signal();
    void await_rotation();
    void end();

    Core& core_;
    net::Server server_;
    admin::AdminApi admin_api_;
    net::HttpServer admin_;
    std::uint16_t admin_port_ = 0;
    // Below the server: what it tells last goes to workers that still exist.
    std::unique_ptr<Functions> functions_;
    Reload reload_;
    boost::asio::signal_set signals_;
    boost::asio::signal_set rotation_;  ///< SIGUSR1
};

/// "http://[::1]:8080"
std::string make_url(const std::string& address, std::uint16_t port, bool tls = false);

int run_demo(const cli::DemoOptions& options);

/// Judges one request with a cache of its own; fetches the keys that it takes.
Result<cli::Judgement> judge(cli::JudgeOrder order);

}  // namespace gatehouse::compose
