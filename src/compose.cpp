#include "gatehouse/compose.hpp"

#include "compose_parts.hpp"
#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/jwt/sign.hpp"
#include "gatehouse/net/certificates.hpp"
#include "gatehouse/net/http_client.hpp"
#include "net/name_query.hpp"
#include "net/stderr_sink.hpp"

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <spdlog/version.h>

#include <ares_version.h>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <unistd.h>
#include <utility>

namespace gatehouse {
namespace {

std::optional<std::string> read_environment(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

// One line per event on stderr; stdout is the access log's.
void set_up_log(const std::string& level) {
    const auto logger =
        ::isatty(STDERR_FILENO) == 1
            ? spdlog::stderr_color_mt("gatehouse")
            : std::make_shared<spdlog::logger>("gatehouse", std::make_shared<net::StderrSink>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(logger);
}

std::string log_level_of(const cli::Call& call) {
    if (const auto* serve = std::get_if<cli::ServeOptions>(&call)) return serve->log_level;
    if (const auto* demo = std::get_if<cli::DemoOptions>(&call)) return demo->log_level;
    return "error";
}

// ---- ports

Result<cli::HttpReply> call_http(const cli::HttpCall& call) {
    net::HttpRequest request;
    request.method = call.method;
    request.url = call.url;
    request.headers = call.headers;
    request.body = call.body;
    request.timeout = call.timeout;
    Result<net::HttpAnswer> answer = net::fetch_and_wait(std::move(request));
    if (!answer) return answer.error();
    return cli::HttpReply{answer->status, std::move(answer->body)};
}

Result<std::string> sign(const cli::SigningOrder& order) {
    if (order.is_override) return authz::make_override(order.claims, order.key_text);
    const auto algorithm =
        order.algorithm.empty() ? std::nullopt : jwt::find_algorithm(order.algorithm);
    const auto key = jwt::parse_signing_key(order.key_text, algorithm, order.kid);
    if (!key) return key.error();
    return key->mint(order.claims);
}

// All faults at once, a line each.
Result<void> check_files(const config::Model& model) {
    std::string lines;
    for (const config::Problem& problem : net::check_certificates(model))
        lines += (lines.empty() ? "" : "\n") + problem.pointer + ": " + problem.message;
    if (!lines.empty()) return fail(Errc::config_invalid, std::move(lines));
    return {};
}

Result<void> compile(const config::Model& model) {
    authz::GrantCache cache;
    app::KeyStore keys;
    const auto snapshot = app::make_snapshot(model, cache, keys, false);
    if (!snapshot) return snapshot.error();
    return check_files(model);
}

std::string version_text() {
    std::string text = "gatehouse " GATEHOUSE_VERSION "\n";
#ifdef __clang__
    text += "compiler       clang " __clang_version__ "\n";
#else
    text += "compiler       GCC " __VERSION__ "\n";
#endif
    text += "Boost          " + std::to_string(BOOST_VERSION / 100000) + "." +
            std::to_string(BOOST_VERSION / 100 % 1000) + "." + std::to_string(BOOST_VERSION % 100) +
            "\n";
    text += "c-ares         " ARES_VERSION_STR "\n";
    text += "CLI11          " CLI11_VERSION "\n";
    text += std::string("OpenSSL        ") + OpenSSL_version(OPENSSL_VERSION_STRING) + "\n";
    text += "nlohmann/json  " + std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + "." +
            std::to_string(NLOHMANN_JSON_VERSION_MINOR) + "." +
            std::to_string(NLOHMANN_JSON_VERSION_PATCH) + "\n";
    text += "spdlog         " + std::to_string(SPDLOG_VER_MAJOR) + "." +
            std::to_string(SPDLOG_VER_MINOR) + "." + std::to_string(SPDLOG_VER_PATCH) + "\n";
    return text;
}

// ---- serve

int serve(cli::ServeOrder order) {
    for (const config::Problem& warning : order.warnings)
        spdlog::warn("{}", config::to_string(warning, order.name));
    const config::Limits& limits = order.model.limits;
    compose::Core core({limits.cache_entries, limits.cache_bytes});
    auto functions = std::make_unique<compose::Functions>(core);
    const auto invoker = functions->prepare(order.model);
    if (!invoker) {
        std::cerr << order.name << ": " << invoker.error().detail << '\n';
        return 2;
    }
    auto snapshot =
        app::make_snapshot(std::move(order.model), core.cache, core.keys, order.dev, *invoker);
    if (!snapshot) {
        std::cerr << order.name << ": " << snapshot.error().detail << '\n';
        return 2;
    }
    if (auto checked = check_files((*snapshot)->model); !checked) {
        std::cerr << cli::name_each_line(order.name, checked.error().detail);
        return 2;
    }
    if (!core.client_tls.configure((*snapshot)->model.upstream_tls).empty()) {
        std::cerr << order.name << ": /upstreamTls: a file changed while it was read\n";
        return 2;
    }
    net::use_name_servers((*snapshot)->model.name_servers);
    spdlog::info("gatehouse {}, configuration {}", GATEHOUSE_VERSION, order.name);
    if (order.dev) spdlog::warn("--dev is on: answers tell clients request ids and reasons");
    if ((*snapshot)->dev_override)
        spdlog::warn("devOverride is on: whoever knows its secret needs no token");
    if ((*snapshot)->model.shared) core.share(*snapshot);
    compose::log_report(**snapshot);
    compose::Running running(core,
                             *snapshot,
                             std::move(functions),
                             {std::move(order.load), order.name, order.path, order.watch},
                             {});
    if (auto started = running.start(); !started) {
        spdlog::error("{}", started.error().detail);
        return 1;
    }
    for (const std::string& url : running.urls())
        spdlog::info("listening on {}", url);
    if (const std::string url = running.decision_url(); !url.empty())
        spdlog::info(
            "decisions on {}, form {}", url, config::to_string((*snapshot)->model.decision->form));
    spdlog::info("admin on {}", running.admin_url());
    running.run();
    spdlog::info("stopped");
    return 0;
}

cli::Ports make_ports() {
    return {read_environment,
            call_http,
            sign,
            compose::judge,
            compile,
            serve,
            compose::run_demo,
            [] { return app::SystemClock().now().wall; },
            version_text(),
            std::cout,
            std::cerr};
}

}  // namespace

int run(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    auto parsed = cli::parse_arguments(arguments, read_environment);
    if (const auto* exit = std::get_if<cli::Exit>(&parsed)) {
        std::cout << exit->out;
        std::cerr << exit->err;
        return exit->status;
    }
    auto& call = std::get<cli::Call>(parsed);
    if (auto* demo = std::get_if<cli::DemoOptions>(&call)) demo->program = argv[0];
    // A terminal that goes away ends the demo; the gateway of a service manager stays.
    if (std::holds_alternative<cli::ServeOptions>(call)) std::signal(SIGHUP, SIG_IGN);
    set_up_log(log_level_of(call));
    return cli::run_call(call, make_ports());
}

}  // namespace gatehouse
