#include "compose_parts.hpp"
#include "gatehouse/config/report.hpp"
#include "gatehouse/net/resident_memory.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

namespace gatehouse::compose {
namespace {

namespace asio = boost::asio;

// The admin API speaks plain structs; this is all that it sees of HTTP.
asio::awaitable<net::ServedResponse> answer_admin(admin::AdminApi& api,
                                                  const net::ServedRequest& served) {
    admin::Request request;
    request.method = served.method;
    request.body = served.body;
    request.target = served.target;
    request.headers = served.headers;
    asio::awaitable<admin::Response> task = api.handle(std::move(request));
    admin::Response response = co_await std::move(task);
    net::ServedResponse answer;
    answer.status = response.status;
    answer.content_type = std::move(response.content_type);
    answer.body = std::move(response.body);
    answer.headers = std::move(response.headers);
    co_return answer;
}

// A configuration may be as large as a file of one.
net::ServerLimits admin_limits() {
    net::ServerLimits limits;
    limits.body_bytes = cli::kMostConfigurationBytes;
    return limits;
}

}  // namespace

std::string make_url(const std::string& address, std::uint16_t port, bool tls) {
    const bool ipv6 = address.find(':') != std::string::npos;
    return (tls ? "https://" : "http://") + (ipv6 ? "[" + address + "]" : address) + ":" +
           std::to_string(port);
}

// Nobody should have to guess what is open.
void log_report(const app::Snapshot& snapshot) {
    for (const config::RouteReport& route : snapshot.report) {
        const std::string_view guard = route.authorizer_type == "open" ? "no check" : "enforced";
        spdlog::info("route {} {} {}: authorizer {} ({}), {}; {}; {}",
                     route.api,
                     route.method,
                     route.path,
                     route.authorizer,
                     route.authorizer_type,
                     guard,
                     route.integration,
                     config::describe_differences(route.differences));
    }
}

Core::Core(const authz::CacheBounds& cache_bounds)
    : cache(cache_bounds),
      authorize(cache, keys, clock, [](const std::string& text) { spdlog::warn("{}", text); }),
      fetcher(control, keys, clock, client_tls),
      introspector(control, clock, client_tls) {
    authorize.introspect_by(introspector);
    keys.on_start_fetch([this](std::uint32_t source, const app::KeySourceOptions& options) {
        fetcher.start(source, options);
    });
    // A key that left its set takes with it what it verified.
    keys.on_keys_changed([this](std::uint32_t source, const jwt::KeySet& set) {
        const std::size_t dropped = cache.drop_if([&](const authz::Grant& grant) {
            return !grant.key_thumbprint.empty() && grant.key_source == source &&
                   !set.has_thumbprint(grant.key_thumbprint);
        });
        if (dropped > 0)
            spdlog::info("{} cached policies dropped: the key that verified them is gone", dropped);
    });
}

Core::~Core() {
    if (redis) redis->stop();
}

void Core::share(const std::shared_ptr<const app::Snapshot>& snapshot) {
    const config::Shared& with = *snapshot->model.shared;
    net::RedisOptions options;
    options.host = with.host;
    options.port = with.port;
    options.user = with.user;
    options.password = with.password;
    options.database = with.database;
    options.channel = app::SharedState::channel(with.prefix);
    options.timeout = with.timeout;
    redis = std::make_unique<net::RedisClient>(std::move(options), clock);
    shared = std::make_unique<app::SharedState>(
        app::SharedOptions{with.secret, with.prefix},
        *redis,
        cache,
        clock,
        [](const std::string& text) { spdlog::warn("{}", text); });
    shared->adopt(snapshot);
    authorize.share_by(*shared);
}

Running::Running(Core& core,
                 std::shared_ptr<const app::Snapshot> snapshot,
                 std::unique_ptr<Functions> functions,
                 ReloadOptions reload,
                 std::function<void(const app::TraceRecord&)> on_request)
    : core_(core),
      server_(core.control,
              {functions->hold(snapshot),
               core.cache,
               core.keys,
               core.authorize,
               core.clock,
               GATEHOUSE_VERSION,
               std::move(on_request),
               &core.client_tls,
               core.shared.get()}),
      admin_api_(server_, reload_, {snapshot->model.admin.address, snapshot->model.admin.token}),
      admin_(
          core.control,
          [this](const net::ServedRequest& request) { return answer_admin(admin_api_, request); },
          admin_limits()),
      functions_(std::move(functions)),
      reload_(core, server_, *functions_, admin_api_, std::move(reload)),
      signals_(core.control),
      rotation_(core.control, SIGUSR1) {}

Running::~Running() {
    // Requests that wait for keys or an endpoint hold on to their connections. No fetch will end
    // any more, so each is told so here: by now no worker's thread runs, and the workers, which
    // still exist, let go of what they hear in their destructors.
    if (core_.redis) core_.redis->stop();
    core_.introspector.stop();
    const Instant now = core_.clock.now();
    const std::size_t sources = core_.keys.status(now.steady).size();
    for (std::uint32_t source = 0; source < sources; ++source) {
        core_.keys.fetched(source, fail(Errc::draining), {}, now.steady);
    }
}

Result<void> Running::start() {
    // Signals before anything can be seen from outside: whoever sees it listening may stop it.
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    if (reload_.is_possible()) signals_.add(SIGHUP);
    await_signal();
    await_rotation();
    // The admin API first: nobody gets an answer from a gateway whose health cannot be asked.
    const config::Admin admin = server_.snapshot()->model.admin;
    auto port = admin_.listen(admin.address, admin.port);
    if (!port)
        return Error{port.error().code, "cannot listen on " + port.error().detail + " (admin)"};
    admin_port_ = *port;
    if (auto started = server_.start(); !started) return started;
    functions_->start();
    if (core_.redis) core_.redis->start(*core_.shared);
    reload_.start();
    return {};
}

void Running::run() {
    asio::post(core_.control, net::release_unused_memory);
    core_.control.run();
}

void Running::await_signal() {
    signals_.async_wait([this](boost::system::error_code ec, int number) {
        if (ec) return;
        await_signal();
        if (number == SIGHUP) {
            reload_.now("SIGHUP");
            return;
        }
        reload_.stop();
        spdlog::info("signal {}: {}", number, server_.draining() ? "ending at once" : "draining");
        server_.drain([this] { end(); });
    });
}

// Whoever rotates logs moves the file away, then sends SIGUSR1.
void Running::await_rotation() {
    rotation_.async_wait([this](boost::system::error_code ec, int) {
        if (ec) return;
        server_.reopen_access_log();
        await_rotation();
    });
}

// Requests have ended; now the functions' processes may.
void Running::end() {
    functions_->stop([this] { core_.control.stop(); });
}

std::vector<std::string> Running::urls() const {
    std::vector<std::string> urls;
    const auto& listeners = server_.snapshot()->model.listeners;
    for (std::size_t i = 0; i < server_.ports().size(); ++i)
        urls.push_back(
            make_url(listeners[i].address, server_.ports()[i], listeners[i].tls.has_value()));
    return urls;
}

std::string Running::decision_url() const {
    const auto& decision = server_.snapshot()->model.decision;
    return decision ? make_url(decision->address, server_.decision_port()) : std::string();
}

std::string Running::admin_url() const {
    return make_url(server_.snapshot()->model.admin.address, admin_port_);
}

}  // namespace gatehouse::compose
