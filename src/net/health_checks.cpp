#include "health_checks.hpp"

#include "gatehouse/net/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace gatehouse::net {

namespace asio = boost::asio;

// One target's. What runs for it holds it, and looks whether it is still wanted.
struct HealthChecks::Check {
    Check(asio::io_context& control,
          std::shared_ptr<upstream::Upstream> of_upstream,
          std::size_t at,
          upstream::HealthRule health,
          const ClientTls& client_tls)
        : upstream(std::move(of_upstream)),
          index(at),
          rule(std::move(health)),
          tls(client_tls),
          timer(control),
          random(static_cast<unsigned>(std::hash<std::string>()(target().url()))) {}

    upstream::Target& target() const { return *upstream->targets()[index]; }

    HttpRequest request() const {
        HttpRequest request;
        request.url = target().url() + rule.path;
        request.headers = {{"User-Agent", "gatehouse-health-check"}, {"Accept", "*/*"}};
        request.timeout = rule.timeout;
        request.tls = &tls;
        request.tls_name = target().endpoint().tls_name;
        return request;
    }

    // Spread by a tenth, so that checks of many gateways do not come together.
    std::chrono::milliseconds tenth(std::chrono::milliseconds of) {
        return std::chrono::milliseconds(
            std::uniform_int_distribution<std::chrono::milliseconds::rep>(0,
                                                                          of.count() / 10)(random));
    }

    void take(const Result<HttpAnswer>& answer);

    std::shared_ptr<upstream::Upstream> upstream;
    std::size_t index;
    upstream::HealthRule rule;
    const ClientTls& tls;
    asio::steady_timer timer;
    std::minstd_rand random;
    bool stopped = false;
};

void HealthChecks::Check::take(const Result<HttpAnswer>& answer) {
    const bool good = answer && upstream::is_good_status(rule, answer->status);
    const std::string& name = upstream->rules().name;
    switch (target().checked(rule, good)) {
        case upstream::Target::Turn::down:
            spdlog::warn("upstream {}: {} is out: {}",
                         name,
                         target().url(),
                         answer ? "its health check answered " + std::to_string(answer->status)
                                : answer.error().detail);
            break;
        case upstream::Target::Turn::up:
            spdlog::info("upstream {}: {} is back", name, target().url());
            break;
        case upstream::Target::Turn::none:
            break;
    }
}

namespace {

template <class Check>
asio::awaitable<void> run_checks(std::shared_ptr<Check> check) {
    std::chrono::milliseconds wait = check->tenth(check->rule.interval);
    for (;;) {
        check->timer.expires_after(wait);
        co_await check->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (check->stopped) co_return;
        HttpRequest request = check->request();
        asio::awaitable<Result<HttpAnswer>> task = fetch(std::move(request));
        const Result<HttpAnswer> answer = co_await std::move(task);
        if (check->stopped) co_return;
        check->take(answer);
        wait = check->rule.interval - check->tenth(check->rule.interval);
    }
}

}  // namespace

HealthChecks::HealthChecks(asio::io_context& control, const ClientTls& tls)
    : control_(control), tls_(tls) {}

HealthChecks::~HealthChecks() {
    stop();
}

void HealthChecks::adopt(const app::Snapshot& snapshot) {
    std::vector<Watched> wanted;
    for (const auto& upstream : snapshot.upstreams) {
        const auto known = std::ranges::find(watched_, upstream, &Watched::upstream);
        if (known == watched_.end()) {
            wanted.push_back(begin(upstream));
        } else {
            wanted.push_back(std::move(*known));
            watched_.erase(known);
        }
    }
    stop();
    watched_ = std::move(wanted);
}

HealthChecks::Watched HealthChecks::begin(const std::shared_ptr<upstream::Upstream>& upstream) {
    Watched watched{upstream, {}};
    const std::optional<upstream::HealthRule>& rule = upstream->rules().health;
    if (!rule) return watched;
    for (std::size_t i = 0; i < upstream->targets().size(); ++i) {
        auto check = std::make_shared<Check>(control_, upstream, i, *rule, tls_);
        watched.checks.push_back(check);
        asio::awaitable<void> task = run_checks(check);
        asio::co_spawn(control_, std::move(task), [check](const std::exception_ptr& fault) {
            if (!fault) return;
            try {
                std::rethrow_exception(fault);
            } catch (const std::exception& bug) {
                spdlog::error("checks of {} ended by a bug: {}", check->target().url(), bug.what());
            }
        });
    }
    return watched;
}

void HealthChecks::end(Watched& watched) {
    watched.upstream->retire();
    for (const auto& check : watched.checks) {
        check->stopped = true;
        check->timer.cancel();
    }
}

void HealthChecks::tick(SteadyTime now) {
    for (const Watched& watched : watched_) {
        for (const std::string& line : watched.upstream->tick(now))
            spdlog::warn("{}", line);
    }
}

void HealthChecks::stop() {
    for (Watched& watched : watched_)
        end(watched);
    watched_.clear();
}

}  // namespace gatehouse::net
