#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/inspector.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/shared_state.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/core/result.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

class ClientTls;

/// Parts of a gateway that the server joins; all outlive it.
struct ServerParts {
    std::shared_ptr<const app::Snapshot> snapshot;
    authz::GrantCache& cache;
    app::KeyStore& keys;
    app::Authorize& authorize;
    const app::Clock& clock;
    std::string version;
    /// Called with each finished request's trace on the control thread (the demo's one line per
    /// request); may be empty.
    std::function<void(const app::TraceRecord&)> on_request;
    /// Of connections to upstreams, and read again with the listeners' certificates; null: the
    /// system's authorities.
    ClientTls* client_tls = nullptr;
    /// Whoever tells other replicas of flushes; null: there are none.
    app::SharedState* shared = nullptr;
};

/// The data plane as a whole: listeners, workers, and the control thread's share of them (key
/// refresh, access log, inspection, drain). Created and driven on the control thread, whose
/// io_context is handed in.
class Server final : public app::Inspector {
  public:
    Server(boost::asio::io_context& control, ServerParts parts);
    ~Server() override;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Opens the access log, binds every listener and starts the workers. The error names the
    /// address and port.
    Result<void> start();

    /// Ports in the order of the configuration's listeners (what the system chose for 0).
    const std::vector<std::uint16_t>& ports() const noexcept;

    /// Of the listener that other proxies ask; 0: there is none.
    std::uint16_t decision_port() const noexcept;

    /// Reads the certificates, keys and authorities of every TLS listener and of upstreamTls again,
    /// for connections to come. A listener whose files have a fault keeps what it has; the detail
    /// names each. The server does so by itself within a second of a file's change.
    /// Thread-safe once start() has returned.
    Result<void> reload_certificates();

    /// Readiness turns false and no connection is kept alive; after drainDelayInMillis listeners
    /// and idle connections close and requests in flight end; then, or after drainInMillis more,
    /// `done` is called. A second call ends at once.
    void drain(std::function<void()> done);

    bool draining() const noexcept;

    /// Begins requests by another configuration from now on; those that have begun end by theirs,
    /// which they hold. Listeners, threads and the admin API stay as they are. Opens another access
    /// log where the configuration names one: the error says why it could not, and then nothing has
    /// changed.
    Result<void> adopt(std::shared_ptr<const app::Snapshot> snapshot);

    /// Ends once every worker has taken what adopt() gave it.
    boost::asio::awaitable<void> settled();
    /// Opens the access log's file anew (log rotation) and says so in the log. One that cannot be
    /// opened is told there too, and the old file stays.
    void reopen_access_log();

    app::Readiness readiness() const override;
    std::shared_ptr<const app::Snapshot> snapshot() const override;
    std::vector<app::KeySourceStatus> key_sources() const override;
    boost::asio::awaitable<std::string> metrics() override;
    boost::asio::awaitable<Json> traces(app::TraceFilter filter) override;
    Json upstreams() const override;
    Json usage() const override;
    Json cache_entries(std::size_t most) const override;
    std::optional<std::size_t> flush(std::string_view api_id,
                                     std::string_view stage,
                                     std::optional<std::string> authorizer,
                                     std::optional<jwt::Sha256> identity) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// How many workers `threads: 0` means: the lesser of the CPU affinity and the container's CPU
/// limit (cgroup v2 cpu.max), rounded up.
int usable_cpus();

}  // namespace gatehouse::net
