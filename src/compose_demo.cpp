#include "compose_parts.hpp"
#include "gatehouse/cli/demo.hpp"
#include "gatehouse/jwt/sign.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <set>
#include <unistd.h>
#include <utility>

namespace gatehouse::compose {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr const char* kLoopback = "127.0.0.1";
constexpr int kPortsTried = 100;
constexpr std::chrono::milliseconds kReadyPoll{20};

bool is_free(std::uint16_t port) {
    asio::io_context io;
    tcp::acceptor probe(io);
    boost::system::error_code ec;
    const tcp::endpoint endpoint(asio::ip::make_address(kLoopback), port);
    probe.open(endpoint.protocol(), ec);
    if (!ec) probe.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) probe.bind(endpoint, ec);
    if (!ec) probe.listen(1, ec);
    return !ec;
}

// The first free port from `first` on; 0 when there is none.
std::uint16_t find_port(std::uint16_t first, std::set<std::uint16_t>& taken) {
    for (int port = first; port < first + kPortsTried; ++port) {
        const auto candidate = static_cast<std::uint16_t>(port);
        if (!taken.contains(candidate) && is_free(candidate)) {
            taken.insert(candidate);
            return candidate;
        }
    }
    return 0;
}

asio::awaitable<net::ServedResponse> echo(const net::ServedRequest& request) {
    net::ServedResponse response;
    response.body = cli::make_echo(request.method, request.target, request.headers, request.body);
    co_return response;
}

asio::awaitable<net::ServedResponse> answer_as_issuer(const cli::MockIssuer& issuer,
                                                      const app::Clock& clock,
                                                      const net::ServedRequest& request) {
    cli::PlainAnswer answer =
        cli::answer_issuer(issuer, request.method, request.target, request.body, clock.now().wall);
    net::ServedResponse response;
    response.status = answer.status;
    response.body = std::move(answer.body);
    co_return response;
}

int complain(const std::string& text) {
    std::cerr << "gatehouse: " << text << '\n';
    return 1;
}

Result<cli::MockIssuer> make_issuer(const std::string& algorithm) {
    auto key =
        jwt::generate_signing_key(jwt::find_algorithm(algorithm).value_or(jwt::Algorithm::es256));
    if (!key) return key.error();
    const auto shared = std::make_shared<const jwt::SigningKey>(std::move(key).value());
    cli::MockIssuer issuer;
    issuer.key_set = shared->key_set();
    issuer.algorithm = algorithm;
    issuer.mint = [shared](const Json& claims) { return shared->mint(claims); };
    return issuer;
}

bool wants_colour() {
    return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

// ---- the issuer alone

int run_issuer(const cli::DemoOptions& options, cli::MockIssuer issuer) {
    asio::io_context io(1);
    app::SystemClock clock;
    cli::Endpoint place{kLoopback, 0};
    std::set<std::uint16_t> taken;
    if (options.listen) {
        place = *options.listen;
    } else {
        place.port = find_port(cli::kIssuerPort, taken);
    }
    net::HttpServer server(io, [&](const net::ServedRequest& request) {
        return answer_as_issuer(issuer, clock, request);
    });
    const auto port = server.listen(place.address, place.port);
    if (!port) return complain("cannot listen on " + port.error().detail);
    const std::string url = make_url(place.address, *port);
    issuer.url = options.issuer.empty() ? url : options.issuer;
    std::cout << cli::make_issuer_block(issuer, url.substr(7)) << std::flush;
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
    io.run();
    return 0;
}

// ---- the whole

Result<std::shared_ptr<const app::Snapshot>> make_demo_snapshot(Core& core,
                                                                const cli::DemoPlaces& places) {
    config::Loaded loaded =
        config::parse(cli::make_demo_config(places), [](std::string_view) { return std::nullopt; });
    if (!loaded.problems.empty())
        return fail(Errc::config_invalid,
                    config::to_string(loaded.problems.front(), "the demo's configuration"));
    return app::make_snapshot(std::move(loaded.model), core.cache, core.keys, true);
}

Result<cli::DemoTokens> mint_tokens(const cli::MockIssuer& issuer, WallTime now) {
    const cli::DemoClaims claims = cli::make_demo_claims(issuer.url, now);
    auto alice = issuer.mint(claims.alice);
    auto root = issuer.mint(claims.root);
    auto expired = issuer.mint(claims.expired);
    if (!alice || !root || !expired)
        return fail(Errc::signing_key_invalid, "the demo's tokens could not be signed");
    return cli::DemoTokens{*alice, *root, *expired};
}

// The commands are printed once they work: when the keys are there.
void print_when_ready(asio::steady_timer& timer, const Running& running, const std::string& block) {
    if (running.readiness().ready) {
        std::cout << block << std::flush;
        return;
    }
    timer.expires_after(kReadyPoll);
    timer.async_wait([&](boost::system::error_code ec) {
        if (!ec) print_when_ready(timer, running, block);
    });
}

int run_all(const cli::DemoOptions& options, cli::MockIssuer issuer) {
    Core core;
    std::set<std::uint16_t> taken;
    cli::DemoPlaces places;
    places.gateway = find_port(cli::kGatewayPort, taken);
    places.admin = find_port(cli::kAdminPort, taken);
    places.issuer = find_port(cli::kIssuerPort, taken);
    places.echo = find_port(cli::kEchoPort, taken);
    places.algorithm = options.algorithm;
    if (taken.size() != 4) return complain("no free ports near 8080, 9901, 8090 and 8091");
    issuer.url = cli::loopback_url(places.issuer);

    net::HttpServer issuer_server(core.control, [&](const net::ServedRequest& request) {
        return answer_as_issuer(issuer, core.clock, request);
    });
    net::HttpServer echo_server(core.control,
                                [](const net::ServedRequest& request) { return echo(request); });
    const auto issuer_port = issuer_server.listen(kLoopback, places.issuer);
    if (!issuer_port) return complain("cannot listen on " + issuer_port.error().detail);
    const auto echo_port = echo_server.listen(kLoopback, places.echo);
    if (!echo_port) return complain("cannot listen on " + echo_port.error().detail);

    auto snapshot = make_demo_snapshot(core, places);
    if (!snapshot) return complain(snapshot.error().detail);
    const auto tokens = mint_tokens(issuer, core.clock.now().wall);
    if (!tokens) return complain(tokens.error().detail);
    const std::string block =
        cli::make_demo_block(places, *tokens, options.program, wants_colour());

    auto functions = std::make_unique<Functions>(core);
    if (auto none = functions->prepare((*snapshot)->model); !none)
        return complain(none.error().detail);
    Running running(core, *snapshot, std::move(functions), {}, [](const app::TraceRecord& record) {
        std::cout << cli::make_request_line(record) << std::flush;
    });
    if (auto started = running.start(); !started) return complain(started.error().detail);
    asio::steady_timer timer(core.control);
    print_when_ready(timer, running, block);
    running.run();
    return 0;
}

}  // namespace

int run_demo(const cli::DemoOptions& options) {
    auto issuer = make_issuer(options.algorithm);
    if (!issuer) return complain(issuer.error().detail);
    return options.only_issuer ? run_issuer(options, std::move(issuer).value())
                               : run_all(options, std::move(issuer).value());
}

}  // namespace gatehouse::compose
