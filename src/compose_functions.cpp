#include "compose_parts.hpp"
#include "gatehouse/config/validate.hpp"
#include "gatehouse/core/json.hpp"

#include <chrono>
#include <utility>

namespace gatehouse::compose {
namespace {

constexpr std::chrono::seconds kSweep{1};

functions::Command make_command(const config::Model& model, const config::Function& source) {
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
    return command;
}

Result<std::vector<functions::Function>> make_functions(const config::Model& model,
                                                        const net::ClientTls& tls) {
    std::vector<functions::Function> all;
    const std::vector<bool> used = config::find_used_functions(model);
    for (const config::Function& source : model.functions) {
        functions::Function& function = all.emplace_back();
        function.used = used[all.size() - 1];
        function.name = source.name;
        if (!source.command.empty()) {
            function.where = make_command(model, source);
            continue;
        }
        auto url = net::invoke_url(source.endpoint, source.called);
        if (!url) return fail(Errc::config_invalid, source.pointer + ": " + url.error().detail);
        net::LambdaEndpoint endpoint{std::move(*url)};
        endpoint.tls = &tls;
        function.where = std::move(endpoint);
    }
    return all;
}

// All that a host is made of, so that two configurations with the same functions share one.
std::string describe(const config::Model& model) {
    const std::vector<bool> used = config::find_used_functions(model);
    Json all = Json::array();
    for (const config::Function& source : model.functions) {
        Json environment = Json::array();
        for (const auto& [name, value] : source.environment)
            environment.push_back({name, value});
        all.push_back({source.name,
                       source.endpoint,
                       source.called,
                       source.command,
                       source.directory,
                       std::move(environment),
                       source.concurrency,
                       source.timeout.count(),
                       static_cast<bool>(used[all.size()])});
    }
    if (all.empty() || model.apis.empty()) return dump_json(all);
    return dump_json({all, model.apis.front().region, model.apis.front().account_id});
}

}  // namespace

Result<std::unique_ptr<functions::FunctionHost>> make_function_host(Core& core,
                                                                    const config::Model& model) {
    if (model.functions.empty()) return std::unique_ptr<functions::FunctionHost>();
    auto all = make_functions(model, core.client_tls);
    if (!all) return std::move(all).error();
    return std::make_unique<functions::FunctionHost>(
        core.control, core.clock, std::move(all).value());
}

Functions::Functions(Core& core) : core_(core), timer_(core.control) {}

Result<app::LambdaInvoker*> Functions::prepare(const config::Model& model) {
    std::string made_of = describe(model);
    if (!hosts_.empty() && hosts_.back()->made_of == made_of) return hosts_.back()->host.get();
    auto host = make_function_host(core_, model);
    if (!host) return std::move(host).error();
    auto hosted = std::make_unique<Hosted>();
    hosted->host = std::move(host).value();
    hosted->made_of = std::move(made_of);
    hosts_.push_back(std::move(hosted));
    return hosts_.back()->host.get();
}

std::shared_ptr<const app::Snapshot> Functions::hold(
    std::shared_ptr<const app::Snapshot> snapshot) const {
    struct Held {
        std::shared_ptr<const app::Snapshot> snapshot;
        std::shared_ptr<const int> in_use;
    };

    auto held = std::make_shared<Held>(Held{std::move(snapshot), hosts_.back()->in_use});
    return {held, held->snapshot.get()};
}

void Functions::start() {
    Hosted& last = *hosts_.back();
    if (!std::exchange(last.started, true) && last.host) last.host->start();
    if (hosts_.size() > 1) sweep();
}

void Functions::abandon() {
    if (!hosts_.empty() && !hosts_.back()->started) hosts_.pop_back();
}

// Requests on an older configuration may still call its functions. When the last of them has let
// go, nobody can take hold again.
void Functions::sweep() {
    std::erase_if(hosts_, [](const auto& hosted) { return hosted->ended; });
    for (std::size_t i = 0; i + 1 < hosts_.size(); ++i) {
        Hosted& old = *hosts_[i];
        if (old.in_use.use_count() > 1 || std::exchange(old.ending, true)) continue;
        if (old.host) {
            old.host->stop([&old] { old.ended = true; });
        } else {
            old.ended = true;
        }
    }
    if (hosts_.size() < 2) return;
    timer_.expires_after(kSweep);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (!ec) sweep();
    });
}

void Functions::stop(std::function<void()> stopped) {
    timer_.cancel();
    auto left = std::make_shared<std::size_t>(1);  // one for ourselves: told once all were asked
    const auto one_less = [left, stopped = std::move(stopped)] {
        if (--*left == 0) stopped();
    };
    for (const auto& hosted : hosts_) {
        if (!hosted->host || hosted->ending) continue;
        ++*left;
        hosted->host->stop(one_less);
    }
    one_less();
}

}  // namespace gatehouse::compose
