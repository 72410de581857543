#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/jwt/sign.hpp"
#include "support/fake_clock.hpp"
#include "support/scripted_introspector.hpp"
#include "support/scripted_invoker.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A gateway without sockets: configuration text in, synthetic request heads through it, steps,
// verdicts and answers out. Key fetches stay pending until the test ends them, which makes waiting
// and joining deterministic.
namespace gatehouse::test {

constexpr std::string_view kIssuer = "https://issuer.example/";
constexpr std::string_view kAudience = "api://users";
constexpr std::string_view kJwksUri = "https://issuer.example/jwks.json";
constexpr std::string_view kStagePrefix = "arn:aws:execute-api:us-east-1:123456789012:local/prod/";

/// Keys are made once per run and name.
inline const jwt::SigningKey& key_named(const std::string& kid) {
    static std::map<std::string, jwt::SigningKey> keys;
    const auto found = keys.find(kid);
    if (found != keys.end()) return found->second;
    return keys.emplace(kid, jwt::generate_signing_key(jwt::Algorithm::es256, kid).value())
        .first->second;
}

inline std::shared_ptr<const jwt::KeySet> key_set_of(const std::vector<std::string>& kids) {
    Json set = {{"keys", Json::array()}};
    for (const std::string& kid : kids)
        set["keys"].push_back(key_named(kid).public_jwk());
    return jwt::parse_key_set(set.dump()).value();
}

/// The smallest API with `gatehouse:jwt`. Members are JSON text that begins with a comma where it
/// follows others.
struct ConfigText {
    std::string jwt;         ///< more of the authorizer's `jwt`, e.g. R"(, "resource": "method")"
    std::string authorizer;  ///< more of the authorizer
    std::string routes =
        R"({ "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a" } },
                            { "routeKey": "GET /b", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/b" } })";
    std::string api;  ///< more of the API
    std::string top = R"(, "accessLog": { "format": "off" })";

    std::string text() const {
        return R"({ "apis": [ { "name": "users", "authorizers": { "jwt": { "type": "TOKEN", "authorizerUri": "gatehouse:jwt", "jwt": {
                    "issuer": "https://issuer.example/", "audience": ["api://users"], "algorithms": ["ES256"],
                    "jwksUri": "https://issuer.example/jwks.json")" +
               jwt + " }" + authorizer + " } }, \"routes\": [" + routes + "]" + api + " } ]" + top +
               " }";
    }
};

inline config::Model parse_config(const std::string& text) {
    config::Loaded loaded = config::parse(text, [](std::string_view) { return std::nullopt; });
    std::string problems;
    for (const config::Problem& problem : loaded.problems)
        problems += config::to_string(problem, "config") + "\n";
    if (!problems.empty()) throw std::runtime_error(problems);
    return std::move(loaded.model);
}

/// The key store's fetches: pending until the test ends them, oldest first.
class ScriptedFetcher {
  public:
    ScriptedFetcher(app::KeyStore& keys, const FakeClock& clock) : keys_(keys), clock_(clock) {
        keys_.on_start_fetch([this](std::uint32_t source, const app::KeySourceOptions&) {
            pending_.push_back(source);
            ++started_;
        });
    }

    std::size_t pending() const { return pending_.size(); }

    int started() const { return started_; }

    void succeed(const std::vector<std::string>& kids) { end(key_set_of(kids)); }

    void fail() { end(gatehouse::fail(Errc::jwks_fetch_failed, "connection refused")); }

  private:
    void end(Result<std::shared_ptr<const jwt::KeySet>> keys) {
        REQUIRE_FALSE(pending_.empty());
        const std::uint32_t source = pending_.front();
        pending_.pop_front();
        keys_.fetched(source, std::move(keys), std::string(kJwksUri), clock_.now().steady);
    }

    app::KeyStore& keys_;
    const FakeClock& clock_;
    std::deque<std::uint32_t> pending_;
    int started_ = 0;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One request on its way through a gateway, as a session would drive it. Stays in place: the
/// head's views point into it.
class Call {
  public:
    Call(app::Gateway& gateway,
         const FakeClock& clock,
         std::string method,
         std::string target,
         Headers headers = {})
        : gateway_(gateway),
          clock_(clock),
          method_(std::move(method)),
          target_(std::move(target)),
          headers_(std::move(headers)) {
        headers_.emplace_back("Host", "api.example.com");
        for (const auto& [name, value] : headers_)
            fields_.push_back({name, value, http::find_field_id(name)});
        head_.method = method_;
        head_.target = target_;
        head_.fields = fields_;
        const Errc error = http::check_request(head_);
        if (error != Errc::none)
            throw std::runtime_error("the test's head is refused: " +
                                     std::string(reason_id(error)));
    }

    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    app::Step begin() {
        client_.source_ip = "192.0.2.7";
        client_.listener_port = 8080;
        step_ = gateway_.begin(request_, head_, client_, clock_.now(), [this] {
            return app::Wake([slot = woken_](std::shared_ptr<const app::AuthorizeResult> result) {
                slot->push_back(std::move(result));
            });
        });
        return step_;
    }

    /// How often the wake was told: 0 or 1 when all is right.
    std::size_t wakes() const { return woken_->size(); }

    /// Goes on with what the wake was told.
    app::Step resume() {
        REQUIRE(woken_->size() == 1);
        step_ = gateway_.resume(request_, *woken_->front(), clock_.now());
        return step_;
    }

    /// The answer to a refusal, once.
    const authz::RenderedResponse& answer() {
        REQUIRE(step_ == app::Step::refuse);
        if (!rendered_) rendered_ = gateway_.render_refusal(request_);
        return *rendered_;
    }

    /// Ends the request as a session would, an allowed one with the upstream's status, and returns
    /// its trace.
    Json finish(int upstream_status = 200) {
        if (step_ == app::Step::refuse) {
            request_.record.status = static_cast<std::uint16_t>(answer().status);
        } else {
            request_.record.status = static_cast<std::uint16_t>(upstream_status);
            if (step_ == app::Step::forward)
                request_.record.upstream_status = request_.record.status;
        }
        gateway_.finish(request_, clock_.now());
        app::TraceFilter filter;
        filter.request_id = request_.ids.bytes;
        const auto found = gateway_.journal().find(filter);
        REQUIRE(found.size() == 1);
        return app::to_json(found.front());
    }

    app::Step step() const { return step_; }

    Errc reason() const { return request_.verdict.reason; }

    app::CacheUse cache() const { return request_.record.cache; }

    app::Request& request() { return request_; }

    const http::RequestHead& head() const { return head_; }

    const app::ClientFacts& client() const { return client_; }

  private:
    app::Gateway& gateway_;
    const FakeClock& clock_;
    std::string method_;
    std::string target_;
    Headers headers_;
    std::vector<http::Field> fields_;
    http::RequestHead head_;
    app::ClientFacts client_;
    app::Request request_;
    app::Step step_ = app::Step::wait;
    std::optional<authz::RenderedResponse> rendered_;
    std::shared_ptr<std::vector<std::shared_ptr<const app::AuthorizeResult>>> woken_ =
        std::make_shared<std::vector<std::shared_ptr<const app::AuthorizeResult>>>();
};

/// A gateway of one worker, made of configuration text. With keys at hand unless told otherwise.
struct GatewayFixture {
    explicit GatewayFixture(const ConfigText& config = {}, bool with_keys = true, bool dev = false)
        : GatewayFixture(config.text(), with_keys, dev) {}

    GatewayFixture(const std::string& config, bool with_keys, bool dev)
        : fetcher(keys, clock),
          authorize(
              cache, keys, clock, [this](const std::string& text) { warnings.push_back(text); }),
          snapshot(app::make_snapshot(parse_config(config), cache, keys, dev, &invoker).value()),
          gateway(snapshot, cache, authorize) {
        authorize.introspect_by(introspector);
        if (!with_keys) return;
        keys.tick(clock.now().steady);
        while (fetcher.pending() > 0)
            fetcher.succeed({"k1"});
    }

    GatewayFixture(const GatewayFixture&) = delete;
    GatewayFixture& operator=(const GatewayFixture&) = delete;

    Json claims() const {
        const auto now =
            std::chrono::floor<std::chrono::seconds>(clock.now().wall).time_since_epoch().count();
        return {{"iss", kIssuer},
                {"aud", kAudience},
                {"sub", "user-1"},
                {"exp", now + 600},
                {"iat", now}};
    }

    /// "Bearer " and a token with the usual claims, overlaid by `changes` (null takes one away).
    std::string bearer(const Json& changes = Json::object(), const std::string& kid = "k1") const {
        Json all = claims();
        // `{}` makes a null of Json, and a null patch would take all claims away.
        if (!changes.is_null()) all.merge_patch(changes);
        return "Bearer " + key_named(kid).mint(all).value();
    }

    /// A request that is judged at once; `authorization` empty: none.
    std::unique_ptr<Call> send(const std::string& method,
                               const std::string& target,
                               const std::string& authorization = {},
                               Headers headers = {}) {
        if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
        auto call = std::make_unique<Call>(gateway, clock, method, target, std::move(headers));
        call->begin();
        return call;
    }

    FakeClock clock;
    authz::GrantCache cache;
    app::KeyStore keys;
    ScriptedFetcher fetcher;
    std::vector<std::string> warnings;
    ScriptedInvoker invoker;
    ScriptedIntrospector introspector;
    app::Authorize authorize;
    std::shared_ptr<const app::Snapshot> snapshot;
    app::Gateway gateway;
};

/// The trace's step of that name; null when it has none.
inline Json step_of(const Json& trace, std::string_view name) {
    for (const Json& step : trace["steps"]) {
        if (step["step"] == name) return step;
    }
    return nullptr;
}

}  // namespace gatehouse::test
