#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/inspector.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"
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

/// Parts of a gateway that the server joins; all outlive it.
struct ServerParts {
    std::shared_ptr<const app::Snapshot> snapshot;
    authz::GrantCache& cache;
    app::KeyStore& keys;
    app::Authorize& authorize;
    app::LambdaInvoker* invoker;  ///< null: no functions
    const app::Clock& clock;
    std::string version;
    /// Called with each finished request's trace on the control thread (the demo's one line per
    /// request); may be empty.
    std::function<void(const app::TraceRecord&)> on_request;
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

    /// Readiness turns false, listeners close, idle connections close, requests in flight end;
    /// then, or after drainInMillis, `done` is called. A second call ends at once.
    void drain(std::function<void()> done);

    bool draining() const noexcept;

    app::Readiness readiness() const override;
    std::shared_ptr<const app::Snapshot> snapshot() const override;
    std::vector<app::KeySourceStatus> key_sources() const override;
    boost::asio::awaitable<std::string> metrics() override;
    boost::asio::awaitable<Json> traces(app::TraceFilter filter) override;
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
