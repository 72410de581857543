#include "compose_parts.hpp"
#include "gatehouse/config/compare.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

#include <sstream>
#include <utility>

namespace gatehouse::compose {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLook{500};

Json to_json(const std::vector<authz::GrantCache::Dropped>& dropped) {
    std::size_t entries = 0;
    Json authorizers = Json::array();
    for (const auto& [scope, count] : dropped) {
        entries += count;
        authorizers.push_back({{"apiId", scope.api_id},
                               {"stage", scope.stage},
                               {"authorizer", scope.authorizer},
                               {"entries", count}});
    }
    return {{"entries", entries}, {"authorizers", std::move(authorizers)}};
}

app::Reloaded refuse(std::string errors) {
    app::Reloaded refused;
    refused.errors = std::move(errors);
    return refused;
}

std::string fixed_text(const std::string& name, const std::vector<std::string>& keys) {
    std::string lines;
    for (const std::string& key : keys)
        lines += name + ": /" + key + ": differs from what runs, which takes a restart\n";
    return lines;
}

void log_lines(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        spdlog::error("not reloaded: {}", line);
}

}  // namespace

std::vector<std::string> find_watched_files(const std::string& configuration,
                                            const config::Model& model) {
    constexpr std::string_view kScheme = "file:";
    std::vector<std::string> files;
    if (!configuration.empty()) files.push_back(configuration);
    for (const config::Api& api : model.apis) {
        for (const config::Authorizer& authorizer : api.authorizers) {
            for (const config::JwtProvider& provider : authorizer.jwt.providers) {
                if (!provider.jwks_uri.starts_with(kScheme)) continue;
                std::string path = provider.jwks_uri.substr(kScheme.size());
                if (path.starts_with("//")) path.erase(0, 2);
                files.push_back(std::move(path));
            }
        }
    }
    return files;
}

Reload::Reload(Core& core,
               net::Server& server,
               Functions& functions,
               admin::AdminApi& admin,
               ReloadOptions options)
    : core_(core),
      server_(server),
      functions_(functions),
      admin_(admin),
      options_(std::move(options)),
      timer_(core.control) {}

void Reload::start() {
    if (!is_possible() || !options_.watch) return;
    watch_.watch(find_watched_files(options_.path, server_.snapshot()->model));
    look();
}

void Reload::look() {
    timer_.expires_after(kLook);
    timer_.async_wait([this](boost::system::error_code ec) {
        if (ec) return;
        if (watch_.look()) now("a file changed");
        look();
    });
}

void Reload::now(const char* why) {
    spdlog::info("{}: reloading {}", why, options_.name);
    asio::co_spawn(core_.control, log_reload(), asio::detached);
}

asio::awaitable<void> Reload::log_reload() {
    asio::awaitable<app::Reloaded> task = reload(std::nullopt);
    const app::Reloaded reloaded = co_await std::move(task);
    if (!reloaded.done) log_lines(reloaded.errors);
}

asio::awaitable<app::Reloaded> Reload::reload(std::optional<std::string> text) {
    app::Reloaded reloaded = replace(text);
    if (!reloaded.done) co_return reloaded;
    co_await server_.settled();
    // Nobody looks up by the old scopes any more.
    const auto dropped = core_.cache.retain(server_.snapshot()->cache_scopes());
    reloaded.report["dropped"] = to_json(dropped);
    spdlog::info("configuration {} reloaded; changed: {}; {} cached policies dropped",
                 options_.name,
                 changes_,
                 reloaded.report["dropped"]["entries"].get<std::size_t>());
    co_return reloaded;
}

// All that can fail comes before the first thing that changes.
app::Reloaded Reload::replace(const std::optional<std::string>& text) {
    if (!is_possible()) return refuse("nothing to reload: this gateway was not made from a file\n");
    if (server_.draining()) return refuse("the gateway is draining\n");
    watch_.mark();
    cli::Found found = options_.load(text);
    if (!found.model) return refuse(std::move(found.errors));
    const std::shared_ptr<const app::Snapshot> before = server_.snapshot();
    const auto fixed = config::find_fixed_changes(before->model, *found.model);
    if (!fixed.empty()) return refuse(fixed_text(found.name, fixed));
    const config::Changes changes = config::compare(before->model.document, found.model->document);

    auto functions = functions_.prepare(*found.model);
    if (!functions) return refuse(found.name + ": " + functions.error().detail + "\n");
    auto snapshot = app::make_snapshot(
        std::move(*found.model), core_.cache, core_.keys, before->dev, *functions, before.get());
    Result<void> adopted;
    if (snapshot) {
        adopted = server_.adopt(functions_.hold(*snapshot));
    } else {
        adopted = std::move(snapshot).error();
    }
    if (!adopted) {
        functions_.abandon();
        core_.keys.retain(before->key_sources());
        return refuse(found.name + ": " + adopted.error().detail + "\n");
    }
    // The server does so by itself, a moment later; whoever orders a reload need not wait for it.
    if (auto certificates = server_.reload_certificates(); !certificates)
        spdlog::error("certificates: {}", certificates.error().detail);
    functions_.start();
    if (core_.shared) core_.shared->adopt(*snapshot);
    core_.keys.retain((*snapshot)->key_sources());
    core_.keys.refetch();
    admin_.admit({(*snapshot)->model.admin.address, (*snapshot)->model.admin.token});
    watch_.watch(find_watched_files(options_.path, (*snapshot)->model));
    return report(found, changes, **snapshot);
}

app::Reloaded Reload::report(const cli::Found& found,
                             const config::Changes& changes,
                             const app::Snapshot& snapshot) {
    app::Reloaded reloaded;
    reloaded.done = true;
    Json warnings = Json::array();
    for (const config::Problem& warning : found.warnings) {
        warnings.push_back(config::to_string(warning, found.name));
        spdlog::warn("{}", config::to_string(warning, found.name));
    }
    // Nobody should have to guess what is open now.
    if (!changes.routes.empty() || !changes.authorizers.empty() || !changes.apis.empty())
        log_report(snapshot);
    changes_ = config::to_text(changes);
    reloaded.report = {{"configuration", found.name},
                       {"changes", config::to_json(changes)},
                       {"warnings", std::move(warnings)}};
    return reloaded;
}

}  // namespace gatehouse::compose
