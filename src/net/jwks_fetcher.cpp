#include "gatehouse/net/jwks_fetcher.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/conceal_url.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/net/http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <fstream>
#include <string>
#include <utility>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
using KeySetPtr = std::shared_ptr<const jwt::KeySet>;

struct Fetched {
    Result<KeySetPtr> keys = fail(Errc::internal);
    std::string location;
};

Result<std::string> read_key_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Errc::jwks_fetch_failed, "cannot open " + path);
    std::string text(limits::kJwksBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > limits::kJwksBytes)
        return fail(Errc::jwks_fetch_failed,
                    path + " is larger than " + std::to_string(limits::kJwksBytes) + " bytes");
    return text;
}

// GET, 200 wanted. A redirect is refused and told as such: keys come from where the configuration
// says.
asio::awaitable<Result<std::string>> get(std::string url,
                                         SteadyTime deadline,
                                         const app::Clock& clock,
                                         const ClientTls& tls) {
    HttpRequest request;
    request.url = url;
    request.tls = &tls;
    request.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.now().steady);
    if (request.timeout <= std::chrono::milliseconds(0))
        co_return fail(Errc::jwks_fetch_failed, http::conceal_url(url) + ": out of time");
    Result<HttpAnswer> answer = co_await fetch(std::move(request));
    if (!answer) co_return answer.error();
    if (answer->status != 200) {
        const bool redirect = answer->status / 100 == 3;
        co_return fail(Errc::jwks_fetch_failed,
                       http::conceal_url(url) + " answered " + std::to_string(answer->status) +
                           (redirect ? " (redirects are not followed)" : ""));
    }
    co_return std::move(answer->body);
}

asio::awaitable<Fetched> fetch_keys(app::KeySourceOptions options,
                                    const app::Clock& clock,
                                    const ClientTls& tls) {
    Fetched fetched;
    fetched.location = options.jwks_uri;
    const SteadyTime deadline = clock.now().steady + options.timeout;
    if (fetched.location.empty()) {
        const std::string url = jwt::discovery_url(options.issuer);
        Result<std::string> document = co_await get(url, deadline, clock, tls);
        if (!document) {
            fetched.keys = document.error();
            co_return fetched;
        }
        Result<std::string> uri = jwt::parse_discovery(*document, options.issuer);
        if (!uri) {
            fetched.keys = uri.error();
            co_return fetched;
        }
        fetched.location = *uri;
    }
    Result<std::string> text = fail(Errc::internal);
    if (fetched.location.starts_with("file:")) {
        std::string path = fetched.location.substr(5);
        if (path.starts_with("//")) path.erase(0, 2);
        // A discovery document must not make us read files.
        text = options.jwks_uri.empty()
                   ? Result<std::string>(fail(Errc::discovery_invalid, "jwks_uri is no http URL"))
                   : read_key_file(path);
    } else {
        text = co_await get(fetched.location, deadline, clock, tls);
    }
    if (!text) {
        fetched.keys = text.error();
    } else {
        fetched.keys = jwt::parse_key_set(*text);
    }
    co_return fetched;
}

void log_outcome(const app::KeySourceOptions& options,
                 const Fetched& fetched,
                 const std::string& error_before,
                 bool first) {
    if (fetched.keys) {
        if (first || !error_before.empty()) {
            spdlog::info("issuer {}: {} keys from {}",
                         options.issuer,
                         (*fetched.keys)->keys.size(),
                         http::conceal_url(fetched.location));
            for (const std::string& skipped : (*fetched.keys)->skipped)
                spdlog::warn("issuer {}: key skipped: {}", options.issuer, skipped);
        }
        return;
    }
    const std::string text = std::string(reason_text(fetched.keys.error().errc())) + ": " +
                             printable(fetched.keys.error().detail, 300);
    if (error_before.empty()) spdlog::warn("issuer {}: {}; trying again", options.issuer, text);
}

asio::awaitable<void> run(std::uint32_t source,
                          app::KeySourceOptions options,
                          app::KeyStore& keys,
                          const app::Clock& clock,
                          const ClientTls& tls) {
    Fetched fetched;
    try {
        fetched = co_await fetch_keys(options, clock, tls);
    } catch (const std::exception& fault) {
        fetched.keys = fail(Errc::internal, fault.what());
    }
    const SteadyTime now = clock.now().steady;
    std::string error_before;
    bool first = true;
    const auto rows = keys.status(now);
    if (source < rows.size()) {
        error_before = rows[source].last_error;
        first = rows[source].fetches == 0;
    }
    log_outcome(options, fetched, error_before, first);
    keys.fetched(source, std::move(fetched.keys), std::move(fetched.location), now);
}

}  // namespace

JwksFetcher::JwksFetcher(asio::io_context& control,
                         app::KeyStore& keys,
                         const app::Clock& clock,
                         const ClientTls& tls)
    : control_(control), keys_(keys), clock_(clock), tls_(tls) {}

void JwksFetcher::start(std::uint32_t source, const app::KeySourceOptions& options) {
    asio::awaitable<void> task = run(source, options, keys_, clock_, tls_);
    asio::co_spawn(control_, std::move(task), asio::detached);
}

}  // namespace gatehouse::net
