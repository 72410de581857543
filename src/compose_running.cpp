#include "compose_parts.hpp"
#include "gatehouse/config/validate.hpp"

#include <boost/asio/awaitable.hpp>
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

}  // namespace

std::string make_url(const std::string& address, std::uint16_t port) {
    const bool ipv6 = address.find(':') != std::string::npos;
    return "http://" + (ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Core::Core()
    : authorize(cache, keys, clock, [](const std::string& text) { spdlog::warn("{}", text); }),
      fetcher(control, keys, clock),
      introspector(control, clock) {
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

Result<std::unique_ptr<functions::FunctionHost>> make_function_host(Core& core,
                                                                    const config::Model& model) {
    if (model.functions.empty()) return std::unique_ptr<functions::FunctionHost>();
    std::vector<functions::Function> all;
    const std::vector<bool> used = config::find_used_functions(model);
    for (const config::Function& source : model.functions) {
        functions::Function& function = all.emplace_back();
        function.used = used[all.size() - 1];
        function.name = source.name;
        if (source.command.empty()) {
            auto url = net::invoke_url(source.endpoint, source.called);
            if (!url) return fail(Errc::config_invalid, source.pointer + ": " + url.error().detail);
            function.where = net::LambdaEndpoint{std::move(*url)};
            continue;
        }
        functions::Command command;
        command.command = source.command;
        command.directory = source.directory;
        command.environment = source.environment;
        command.pool.concurrency = source.concurrency;
        command.pool.timeout = source.timeout;
        if (!model.apis.empty()) {
            command.region = model.apis.front().region;
            command.account_id = model.apis.front().account_id;
        }
        function.where = std::move(command);
    }
    auto host = std::make_unique<functions::FunctionHost>(core.control, core.clock, std::move(all));
    core.authorize.call_functions_by(*host);
    return host;
}

Running::Running(Core& core,
                 std::shared_ptr<const app::Snapshot> snapshot,
                 std::unique_ptr<functions::FunctionHost> functions,
                 std::function<void(const app::TraceRecord&)> on_request)
    : core_(core),
      snapshot_(std::move(snapshot)),
      server_(core.control,
              {snapshot_,
               core.cache,
               core.keys,
               core.authorize,
               functions.get(),
               core.clock,
               GATEHOUSE_VERSION,
               std::move(on_request)}),
      admin_api_(server_, {snapshot_->model.admin.address, snapshot_->model.admin.token}),
      admin_(
          core.control,
          [this](const net::ServedRequest& request) { return answer_admin(admin_api_, request); }),
      functions_(std::move(functions)),
      signals_(core.control) {}

Running::~Running() {
    // Requests that wait for keys or an endpoint hold on to their connections. No fetch will end
    // any more, so each is told so here: by now no worker's thread runs, and the workers, which
    // still exist, let go of what they hear in their destructors.
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
    await_signal();
    // The admin API first: nobody gets an answer from a gateway whose health cannot be asked.
    const config::Admin& admin = snapshot_->model.admin;
    auto port = admin_.listen(admin.address, admin.port);
    if (!port)
        return Error{port.error().code, "cannot listen on " + port.error().detail + " (admin)"};
    admin_port_ = *port;
    if (auto started = server_.start(); !started) return started;
    if (functions_) functions_->start();
    return {};
}

void Running::run() {
    core_.control.run();
}

void Running::await_signal() {
    signals_.async_wait([this](boost::system::error_code ec, int number) {
        if (ec) return;
        spdlog::info("signal {}: {}", number, server_.draining() ? "ending at once" : "draining");
        server_.drain([this] { end(); });
        await_signal();
    });
}

// Requests have ended; now the functions' processes may.
void Running::end() {
    if (!functions_) return core_.control.stop();
    functions_->stop([this] { core_.control.stop(); });
}

std::vector<std::string> Running::urls() const {
    std::vector<std::string> urls;
    const auto& listeners = snapshot_->model.listeners;
    for (std::size_t i = 0; i < server_.ports().size(); ++i)
        urls.push_back(make_url(listeners[i].address, server_.ports()[i]));
    return urls;
}

std::string Running::admin_url() const {
    return make_url(snapshot_->model.admin.address, admin_port_);
}

}  // namespace gatehouse::compose
