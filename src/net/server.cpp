#include "gatehouse/net/server.hpp"

#include "access_log.hpp"
#include "arrivals.hpp"
#include "gatehouse/app/metrics.hpp"
#include "gatehouse/app/upstream_report.hpp"
#include "gatehouse/app/usage_report.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/net/client_tls.hpp"
#include "health_checks.hpp"
#include "process_facts.hpp"
#include "read_wait.hpp"
#include "server_tls.hpp"
#include "tls_context.hpp"
#include "worker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <sys/socket.h>
#include <utility>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kControlTick{100};
constexpr std::chrono::milliseconds kDrainTick{20};
constexpr std::chrono::seconds kCertificateTick{1};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int kAcceptBatch = 32;

// Reading the certificate authorities takes some 50 ms: not at a start that needs none.
bool calls_upstreams_by_tls(const app::Snapshot& snapshot) {
    for (const auto& upstream : snapshot.upstreams) {
        for (const auto& target : upstream->targets()) {
            if (target->endpoint().tls) return true;
        }
    }
    return std::ranges::any_of(snapshot.apis, [](const app::CompiledApi& api) {
        return std::ranges::any_of(api.routes, [](const app::CompiledRoute& route) {
            return route.forward && route.forward->endpoint().tls;
        });
    });
}

// In one line, for the log.
std::string join(const std::vector<config::Problem>& problems) {
    std::string lines;
    for (const config::Problem& problem : problems)
        lines += (lines.empty() ? "" : "; ") + problem.pointer + ": " + problem.message;
    return lines;
}

asio::awaitable<app::Metrics> collect_metrics(Worker& worker) {
    app::Metrics copy = worker.gateway().metrics();
    copy.target_idle = worker.pool().idle_by_target();
    co_return copy;
}

asio::awaitable<std::vector<app::KeptTrace>> collect_traces(Worker& worker,
                                                            const app::TraceFilter& filter) {
    co_return worker.gateway().journal().find(filter);
}

// On the worker's thread, which alone may touch its sockets (Worker::io_).
void hand_over(Worker& worker, Arrival& arrival) {
    Socket socket(worker.io());
    boost::system::error_code ec;
    socket.assign(arrival.peer.protocol(), arrival.accepted.get(), ec);
    if (ec) {
        worker.shared().connections.fetch_sub(1, std::memory_order_relaxed);
        spdlog::warn("cannot watch a connection: {}", ec.message());
        return;
    }
    arrival.accepted.release();
    own_descriptor(socket);
    worker.serve(
        std::move(socket), arrival.peer, arrival.port, arrival.decision, arrival.tls.get());
}

// Runs behind whatever the worker was handed before.
asio::awaitable<void> pass_through(Worker& /*worker*/) {
    co_return;
}

}  // namespace

struct Server::Impl {
    // One bound address. Accepts on the first worker's loop and deals sockets round-robin
    // (SO_REUSEPORT gave the busier of two threads 1.37 times its share).
    struct Listener {
        Listener(Impl& owner, asio::io_context& io) : impl(owner), acceptor(io), pause(io) {}

        Impl& impl;
        tcp::acceptor acceptor;
        asio::steady_timer pause;
        tcp::endpoint peer;  ///< of the connection that was accepted last
        std::uint16_t port = 0;
        bool decision = false;     ///< for other proxies
        bool any_address = false;  ///< it is bound to no address of its own
        // Shared with connections on their way to a worker, which may outlive the listener.
        std::shared_ptr<ServerTls> tls;

        Result<void> bind(const config::Listener& listener);
        void accept();
        /// Takes one who waits in the backlog. Error would_block: nobody does.
        boost::system::error_code accept_one();
        void take(Accepted accepted, Worker& worker);
        void close();
    };

    Impl(asio::io_context& control_io, ServerParts server_parts)
        : control(control_io),
          parts(std::move(server_parts)),
          client_tls(parts.client_tls != nullptr ? *parts.client_tls : own_client_tls),
          shared{
              parts.cache,
              parts.authorize,
              parts.clock,
              &client_tls,
              [this](std::string lines) { return write_access_log(std::move(lines)); },
              [](const std::string& text) { spdlog::error("a request ended by a bug: {}", text); }},
          health_checks(control_io, client_tls),
          timer(control_io),
          started(parts.clock.now().steady) {
        if (calls_upstreams_by_tls(*parts.snapshot))
            const SslContext warm(client_tls.take_context());
    }

    std::string write_access_log(std::string lines) {
        asio::post(control, [this, text = std::move(lines)]() mutable {
            log_buffers.give_back(access_log.write(std::move(text)));
        });
        return log_buffers.take();
    }

    Result<void> make_workers();
    void tick();
    void check_drained();
    void close_listeners();
    void end();
    void look_at_certificates(SteadyTime now);
    Result<void> load(const Listener& listener, SteadyTime now) const;

    asio::io_context& control;
    ServerParts parts;
    ClientTls own_client_tls;  ///< where none was given
    ClientTls& client_tls;
    AccessLogFile access_log;
    LogBuffers log_buffers;
    WorkerShared shared;
    HealthChecks health_checks;
    Arrivals arrivals;  // older than the workers, whose loops may end with some on their way
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::uint16_t> ports;
    std::uint16_t decision_port = 0;
    asio::steady_timer timer;
    SteadyTime started;
    SteadyTime closes{};  // the listeners, when draining
    SteadyTime drain_ends{};
    SteadyTime certificates_looked_at{};
    std::function<void()> drained;
    std::size_t next_worker = 0;
    bool draining = false;
    bool closed = false;
    bool ended = false;
};

Result<void> Server::Impl::Listener::bind(const config::Listener& listener) {
    boost::system::error_code ec;
    const tcp::endpoint endpoint(asio::ip::make_address(listener.address, ec), listener.port);
    if (!ec) acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
    if (!ec) acceptor.non_blocking(true, ec);
    if (ec)
        return Error{ec,
                     "cannot listen on " + listener.address + ":" + std::to_string(listener.port) +
                         ": " + ec.message()};
    port = acceptor.local_endpoint().port();
    tune(acceptor.native_handle(), endpoint.address());
    any_address = endpoint.address().is_unspecified();
    return {};
}

// Asio's own accept would call the kernel once more for each connection, to make it non-blocking,
// and once more to learn that nobody else waits. By batches, so that those who are served get their
// turn.
void Server::Impl::Listener::accept() {
    acceptor.async_wait(tcp::acceptor::wait_read, [this](boost::system::error_code ec) {
        if (ec == asio::error::operation_aborted) return;
        for (int i = 0; i < kAcceptBatch && !ec; ++i)
            ec = accept_one();
        if (ec && ec != asio::error::would_block) {
            // Out of descriptors or memory: wait for some to come back instead of spinning.
            spdlog::warn("cannot accept a connection: {}", ec.message());
            pause.expires_after(kAcceptPause);
            pause.async_wait([this](boost::system::error_code stopped) {
                if (!stopped) accept();
            });
            return;
        }
        if (acceptor.is_open()) accept();
    });
}

boost::system::error_code Server::Impl::Listener::accept_one() {
    peer.resize(peer.capacity());
    auto size = static_cast<socklen_t>(peer.size());
    const int accepted =
        ::accept4(acceptor.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted == -1) {
        // One that has left again is not the last who waits.
        const bool left = errno == ECONNABORTED || errno == EPROTO || errno == EINTR;
        if (left) return {};
        return {errno, boost::system::system_category()};
    }
    peer.resize(size);
    take(Accepted(accepted), *impl.workers[impl.next_worker++ % impl.workers.size()]);
    return {};
}

void Server::Impl::Listener::take(Accepted accepted, Worker& worker) {
    // Its listener was tuned for an address that is not this one's.
    if (any_address && peer.address().is_loopback()) tune(accepted.get(), peer.address());
    // On the first worker's thread, as the snapshot that is asked.
    const std::size_t most = impl.workers.front()->snapshot().model.limits.connections;
    if (impl.shared.connections.fetch_add(1, std::memory_order_relaxed) >= most) {
        impl.shared.connections.fetch_sub(1, std::memory_order_relaxed);
        ++impl.workers.front()->gateway().metrics().connections_refused;
        if (!tls) refuse_connection(accepted.get());  // else it would be no TLS
        return;
    }
    Arrival arrival{std::move(accepted), peer, port, decision, tls};
    if (&worker == impl.workers.front().get()) {
        hand_over(worker, arrival);
        return;
    }
    impl.arrivals.post(worker.io(), std::move(arrival), [&worker](Arrival& arrived) {
        hand_over(worker, arrived);
    });
}

// Who has connected already is served: what waits in the backlog would be reset.
void Server::Impl::Listener::close() {
    boost::system::error_code ec;
    for (int i = 0; i < asio::socket_base::max_listen_connections && !ec; ++i)
        ec = accept_one();
    acceptor.close(ec);
    pause.cancel();
}

Result<void> Server::Impl::make_workers() {
    const int configured = parts.snapshot->model.threads;
    const int count = configured > 0 ? configured : usable_cpus();
    for (int i = 0; i < count; ++i) {
        workers.push_back(
            std::make_unique<Worker>(shared, parts.snapshot, static_cast<std::size_t>(i)));
        if (parts.on_request) {
            workers.back()->gateway().observe([this](const app::TraceRecord& record) {
                asio::post(control, [this, record] { parts.on_request(record); });
            });
        }
    }
    return {};
}

// The old certificates stay where the new ones are not right: half of a pair was replaced, say.
Result<void> Server::Impl::load(const Listener& listener, SteadyTime now) const {
    std::string faults = join(listener.tls->load(now));
    if (!faults.empty()) return fail(Errc::config_invalid, std::move(faults));
    return {};
}

void Server::Impl::look_at_certificates(SteadyTime now) {
    if (now - certificates_looked_at < kCertificateTick) return;
    certificates_looked_at = now;
    if (client_tls.is_stale()) {
        if (const std::string faults = join(client_tls.load()); !faults.empty()) {
            spdlog::error("upstreamTls is not replaced: {}", faults);
        } else {
            spdlog::info("upstreamTls loaded again");
        }
    }
    for (const auto& listener : listeners) {
        if (!listener->tls || !listener->tls->is_stale(now)) continue;
        if (auto loaded = load(*listener, now); !loaded) {
            spdlog::error("certificates of port {} are not replaced: {}",
                          listener->port,
                          loaded.error().detail);
        } else {
            spdlog::info("certificates of port {} loaded again", listener->port);
        }
    }
}

void Server::Impl::tick() {
    parts.keys.tick(parts.clock.now().steady);
    look_at_certificates(parts.clock.now().steady);
    health_checks.tick(parts.clock.now().steady);
    access_log.write({});  // what had to wait
    timer.expires_after(draining ? kDrainTick : kControlTick);
    timer.async_wait([this](boost::system::error_code ec) {
        if (ec || ended) return;
        if (draining) {
            check_drained();
        } else {
            tick();
        }
    });
}

// Whoever routes to us reads readiness, or an answer's Connection: close, before the door shuts.
void Server::Impl::close_listeners() {
    closed = true;
    workers.front()->post([this] {
        for (const auto& listener : listeners)
            listener->close();
    });
    for (const auto& worker : workers)
        worker->post([&worker = *worker] { worker.drain(); });
}

void Server::Impl::check_drained() {
    const SteadyTime now = parts.clock.now().steady;
    if (now < closes) {
        tick();
        return;
    }
    if (!closed) {
        close_listeners();
        tick();
        return;
    }
    std::size_t open = 0;
    for (const auto& worker : workers)
        open += worker->open_connections();
    if (open > 0 && now < drain_ends) {
        tick();
        return;
    }
    if (open > 0) spdlog::warn("{} connections cut off at the drain limit", open);
    end();
}

void Server::Impl::end() {
    if (ended) return;
    ended = true;
    timer.cancel();
    health_checks.stop();
    for (const auto& worker : workers)
        worker->stop();
    // Behind what the workers have handed over, which waits its turn on this thread.
    asio::post(control, [this] {
        for (const auto& worker : workers)
            access_log.write(worker->gateway().take_access_log());
        access_log.finish();
        if (drained) drained();
    });
}

Server::Server(asio::io_context& control, ServerParts parts)
    : impl_(std::make_unique<Impl>(control, std::move(parts))) {}

Server::~Server() {
    for (const auto& worker : impl_->workers)
        worker->stop();
    impl_->listeners.clear();
}

Result<void> Server::start() {
    const config::Model& model = impl_->parts.snapshot->model;
    if (model.access_log.format != "off") {
        if (auto opened = impl_->access_log.open(model.access_log.path); !opened) return opened;
    }
    if (auto made = impl_->make_workers(); !made) return made;
    for (const config::Listener& configured : model.listeners) {
        auto listener = std::make_unique<Impl::Listener>(*impl_, impl_->workers.front()->io());
        if (configured.tls) {
            listener->tls = std::make_shared<ServerTls>(*configured.tls);
            if (auto loaded = impl_->load(*listener, impl_->parts.clock.now().steady); !loaded)
                return loaded;
        }
        if (auto bound = listener->bind(configured); !bound) return bound;
        impl_->ports.push_back(listener->port);
        impl_->listeners.push_back(std::move(listener));
    }
    if (model.decision) {
        auto listener = std::make_unique<Impl::Listener>(*impl_, impl_->workers.front()->io());
        listener->decision = true;
        const auto bound = listener->bind({model.decision->address, model.decision->port});
        if (!bound) return bound;
        impl_->decision_port = listener->port;
        impl_->listeners.push_back(std::move(listener));
    }
    for (const auto& listener : impl_->listeners)
        listener->accept();
    for (const auto& worker : impl_->workers)
        worker->start();
    impl_->health_checks.adopt(*impl_->parts.snapshot);
    impl_->tick();
    return {};
}

const std::vector<std::uint16_t>& Server::ports() const noexcept {
    return impl_->ports;
}

std::uint16_t Server::decision_port() const noexcept {
    return impl_->decision_port;
}

Result<void> Server::reload_certificates() {
    std::string faults = join(impl_->client_tls.load());
    for (const auto& listener : impl_->listeners) {
        if (!listener->tls) continue;
        auto loaded = impl_->load(*listener, impl_->parts.clock.now().steady);
        if (!loaded) faults += (faults.empty() ? "" : "; ") + loaded.error().detail;
    }
    if (!faults.empty()) return fail(Errc::config_invalid, std::move(faults));
    return {};
}

void Server::drain(std::function<void()> done) {
    if (impl_->draining) {
        impl_->end();
        return;
    }
    impl_->draining = true;
    impl_->drained = std::move(done);
    const config::Timeouts& timeouts = impl_->parts.snapshot->model.timeouts;
    const SteadyTime now = impl_->parts.clock.now().steady;
    impl_->closes = now + timeouts.drain_delay;
    impl_->drain_ends = impl_->closes + timeouts.drain;
    for (const auto& worker : impl_->workers)
        worker->post([&worker = *worker] { worker.take_leave(); });
    impl_->timer.cancel();
    impl_->check_drained();
}

bool Server::draining() const noexcept {
    return impl_->draining;
}

Result<void> Server::adopt(std::shared_ptr<const app::Snapshot> snapshot) {
    const config::AccessLog& before = impl_->parts.snapshot->model.access_log;
    const config::AccessLog& after = snapshot->model.access_log;
    const bool opens =
        after.format != "off" && (before.format == "off" || before.path != after.path);
    if (opens) {
        if (auto opened = impl_->access_log.open(after.path, true); !opened) return opened;
    }
    if (calls_upstreams_by_tls(*snapshot)) const SslContext warm(impl_->client_tls.take_context());
    for (const auto& worker : impl_->workers)
        worker->post([&worker = *worker, snapshot] { worker.adopt(snapshot); });
    impl_->health_checks.adopt(*snapshot);
    impl_->parts.snapshot = std::move(snapshot);
    return {};
}

asio::awaitable<void> Server::settled() {
    for (const auto& worker : impl_->workers) {
        asio::awaitable<void> visit = pass_through(*worker);
        co_await asio::co_spawn(worker->io(), std::move(visit), asio::use_awaitable);
    }
}

void Server::reopen_access_log() {
    const std::string& path = impl_->parts.snapshot->model.access_log.path;
    const Result<bool> reopened = impl_->access_log.reopen();
    if (!reopened) {
        spdlog::error("{}; the old file stays open", reopened.error().detail);
    } else if (*reopened) {
        spdlog::info("access log {} opened anew", path);
    } else {
        spdlog::info("no access log to open anew: it is off, or goes to stdout");
    }
}

app::Readiness Server::readiness() const {
    app::Readiness readiness;
    if (impl_->draining) readiness.reasons.emplace_back("draining");
    for (const app::KeySourceStatus& source : key_sources()) {
        const std::string why = source.last_error.empty() ? "" : ": " + source.last_error;
        if (!source.usable)
            readiness.reasons.push_back("no usable keys of issuer " + source.issuer + why);
        if (source.usable && source.stale)
            readiness.warnings.push_back("the keys of issuer " + source.issuer + " are old" + why);
    }
    for (std::string& line :
         app::describe_missing_targets(*impl_->parts.snapshot, impl_->parts.clock.now().steady))
        readiness.warnings.push_back(std::move(line));
    // Away, it is no reason: requests go on by this replica's own cache.
    if (impl_->parts.shared != nullptr) {
        if (std::string away = impl_->parts.shared->warning(); !away.empty())
            readiness.warnings.push_back(std::move(away));
    }
    readiness.ready = readiness.reasons.empty();
    return readiness;
}

std::shared_ptr<const app::Snapshot> Server::snapshot() const {
    return impl_->parts.snapshot;
}

std::vector<app::KeySourceStatus> Server::key_sources() const {
    auto sources = impl_->parts.keys.status(impl_->parts.clock.now().steady);
    std::erase_if(sources, [](const app::KeySourceStatus& source) { return !source.in_use; });
    return sources;
}

asio::awaitable<std::string> Server::metrics() {
    app::Metrics sum;
    for (const auto& worker : impl_->workers) {
        asio::awaitable<app::Metrics> visit = collect_metrics(*worker);
        const app::Metrics one =
            co_await asio::co_spawn(worker->io(), std::move(visit), asio::use_awaitable);
        sum.add(one);
    }
    sum.access_log_dropped += impl_->access_log.lost();
    app::ProcessFacts facts;
    facts.key_sources = key_sources();
    facts.cache = impl_->parts.cache.stats();
    facts.uptime_seconds =
        std::chrono::duration<double>(impl_->parts.clock.now().steady - impl_->started).count();
    facts.ready = readiness().ready;
    facts.version = impl_->parts.version;
    facts.authorizer_calls = impl_->parts.authorize.calls();
    facts.buffered_bytes = impl_->shared.buffered.load(std::memory_order_relaxed);
    facts.now = impl_->parts.clock.now().steady;
    if (impl_->parts.shared != nullptr) facts.shared = impl_->parts.shared->facts();
    facts.usage = read_process_usage();
    co_return app::to_prometheus(sum, facts, *impl_->parts.snapshot);
}

asio::awaitable<Json> Server::traces(app::TraceFilter filter) {
    std::vector<app::KeptTrace> found;
    for (const auto& worker : impl_->workers) {
        asio::awaitable<std::vector<app::KeptTrace>> visit = collect_traces(*worker, filter);
        std::vector<app::KeptTrace> some =
            co_await asio::co_spawn(worker->io(), std::move(visit), asio::use_awaitable);
        std::move(some.begin(), some.end(), std::back_inserter(found));
    }
    std::stable_sort(
        found.begin(), found.end(), [](const app::KeptTrace& a, const app::KeptTrace& b) {
            return a.record.wall_ms > b.record.wall_ms;
        });
    if (found.size() > filter.limit) found.resize(filter.limit);
    Json list = Json::array();
    for (const app::KeptTrace& trace : found)
        list.push_back(app::to_json(trace));
    co_return list;
}

Json Server::upstreams() const {
    return app::upstream_report(*impl_->parts.snapshot, impl_->parts.clock.now().steady);
}

Json Server::usage() const {
    return app::usage_report(*impl_->parts.snapshot, impl_->parts.clock.now().wall);
}

Json Server::cache_entries(std::size_t most) const {
    const SteadyTime now = impl_->parts.clock.now().steady;
    const auto seconds = [](SteadyTime::duration span) {  // to the millisecond
        return static_cast<double>(std::chrono::round<std::chrono::milliseconds>(span).count()) /
               1000;
    };
    Json rows = Json::array();
    for (const authz::CacheEntryView& entry : impl_->parts.cache.list(now, most)) {
        Json row = {{"apiId", entry.api_id},
                    {"stage", entry.stage},
                    {"authorizer", entry.authorizer},
                    {"identity", jwt::to_hex(entry.identity)},
                    {"ageInSeconds", seconds(now - entry.stored)},
                    {"remainingInSeconds", seconds(entry.expires - now)}};
        if (entry.grant) {
            row["principalId"] = entry.grant->principal_id;
            row["issuedFor"] = entry.grant->issued_for;
            auto policy = parse_json(entry.grant->policy->text);
            row["policy"] = policy ? std::move(policy).value() : Json(entry.grant->policy->text);
        } else {
            row["refused"] = reason_id(entry.negative);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::optional<std::size_t> Server::flush(std::string_view api_id,
                                         std::string_view stage,
                                         std::optional<std::string> authorizer,
                                         std::optional<jwt::Sha256> identity) {
    const auto& apis = impl_->parts.snapshot->model.apis;
    const bool known = std::any_of(apis.begin(), apis.end(), [&](const config::Api& api) {
        if (api.api_id != api_id || api.stage_name != stage) return false;
        return !authorizer || std::any_of(api.authorizers.begin(),
                                          api.authorizers.end(),
                                          [&](const config::Authorizer& candidate) {
                                              return candidate.name == *authorizer;
                                          });
    });
    if (!known) return std::nullopt;
    std::optional<std::string_view> name;
    if (authorizer) name = *authorizer;
    // Ordered before it is done here: a look-up that begins behind this replica's flush must not
    // find what the shared cache is about to forget.
    if (impl_->parts.shared != nullptr)
        impl_->parts.shared->flush(api_id, stage, authorizer, identity);
    return impl_->parts.cache.flush(api_id, stage, name, identity);
}

}  // namespace gatehouse::net
