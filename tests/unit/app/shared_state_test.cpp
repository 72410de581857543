#include "gatehouse/app/shared_state.hpp"

#include "gatehouse/jwt/seal.hpp"
#include "support/gateway_fixture.hpp"
#include "support/memory_redis.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace shared_state_test {

using namespace gatehouse;
using namespace std::chrono_literals;
using app::CacheUse;
using app::SharedUse;
using app::Step;
using test::Call;
using test::GatewayFixture;
using test::MemoryLink;
using test::MemoryRedis;

namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";
const std::string kToken = "Bearer a-token-that-nobody-may-read";

std::string make_config(const std::string& authorizer = {}, const std::string& top = {}) {
    return R"({ "accessLog": { "format": "off" },
        "shared": { "redis": "redis://127.0.0.1:6379", "secret": ")" +
           kSecret + R"(" },
        "functions": { "authz": { "endpoint": "http://127.0.0.1:9" } },
        "apiKeys": [ { "id": "k1", "value": "value-of-the-first-key" } ],
        "usagePlans": [ { "id": "gold", "keys": ["k1"], "apiStages": [ { "apiId": "local", "stage": "prod" } ],
                          "quota": { "limit": 5, "period": "DAY" } } ],
        "apis": [ { "name": "users",
        "authorizers": {
          "fn": { "type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:1:function:authz")" +
           authorizer + R"( },
          "opaque": { "type": "TOKEN", "authorizerUri": "gatehouse:introspection",
            "introspection": { "endpoint": "http://127.0.0.1:9/introspect", "clientId": "gate", "clientSecret": "s3cret",
                               "resource": "method" } },
          "jwt": { "type": "TOKEN", "authorizerUri": "gatehouse:jwt", "jwt": {
            "issuer": "https://issuer.example/", "audience": ["api://users"], "algorithms": ["ES256"],
            "jwksUri": "https://issuer.example/jwks.json" } } },
        "routes": [
          { "routeKey": "GET /a", "authorizer": "fn", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /b", "authorizer": "fn", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /j", "authorizer": "jwt", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /o", "authorizer": "opaque", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /o2", "authorizer": "opaque", "integration": { "type": "MOCK" } },
          { "routeKey": "GET /k", "authorizer": "NONE", "apiKeyRequired": true, "integration": { "type": "MOCK" } } ] } ])" +
           top + " }";
}

/// One of several gateways around one Redis.
struct Replica : GatewayFixture {
    explicit Replica(MemoryRedis& server,
                     const std::string& secret = kSecret,
                     const std::string& config = make_config(),
                     bool connects = true)
        : GatewayFixture(config, true, false), redis(server), link(server) {
        state = std::make_unique<app::SharedState>(
            app::SharedOptions{secret, "gatehouse:"},
            link,
            cache,
            clock,
            [this](const std::string& text) { warnings.push_back(text); });
        state->adopt(snapshot);
        authorize.share_by(*state);
        if (connects) connect();
    }

    ~Replica() { leave(); }

    void connect() {
        link.away = false;
        redis.listeners.push_back(state.get());
        why = "not told";
        state->connected([this](std::string told) { why = std::move(told); });
    }

    void leave() {
        std::erase(redis.listeners, state.get());
        state->lost();
        link.give_up();
    }

    /// A request that is judged without a call of the function.
    SharedUse found(const std::string& path = "/a", const std::string& token = kToken) {
        const int before = invoker.started + introspector.started;
        auto call = send("GET", path, token);
        if (invoker.started + introspector.started != before || call->wakes() != 1)
            return SharedUse::none;
        call->resume();
        const Json step = test::step_of(call->finish(), "cache");
        return step.value("sharedCache", "") == "hit" ? SharedUse::hit : SharedUse::bad;
    }

    /// A request whose function allows everything; what the shared cache had, by the trace.
    std::string asked(const std::string& path = "/a", const std::string& token = kToken) {
        auto call = send("GET", path, token);
        if (invoker.pending() != 1) return "not asked";
        invoker.allow(std::string(test::kStagePrefix) + "*");
        call->resume();
        return test::step_of(call->finish(), "cache").value("sharedCache", "not looked for");
    }

    void flush(const std::optional<std::string>& authorizer = {},
               const std::optional<jwt::Sha256>& identity = {}) {
        state->flush("local", "prod", authorizer, identity);
        std::optional<std::string_view> name;
        if (authorizer) name = *authorizer;
        cache.flush("local", "prod", name, identity);
    }

    MemoryRedis& redis;
    MemoryLink link;
    std::unique_ptr<app::SharedState> state;
    std::string why;
};

struct World {
    test::FakeClock clock;
    MemoryRedis redis{clock};
};

}  // namespace

TEST_SUITE("app/shared_state") {
    TEST_CASE("what one replica was told another need not ask") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        CHECK(a.why == "");
        CHECK(a.asked() == "miss");
        CHECK(b.found() == SharedUse::hit);
        CHECK(b.invoker.started == 0);
        CHECK(b.authorize.calls() == 0);
        auto hit = b.send("GET", "/b", kToken);
        CHECK(hit->cache() == CacheUse::hit);
        CHECK(hit->request().grant->find_context("tenant")->value == "acme");
        CHECK(hit->request().grant->issued_for == std::string(test::kStagePrefix) + "GET/a");
        CHECK(hit->request().grant->header_block.find("acme") != std::string::npos);
        const app::SharedFacts facts = b.state->facts();
        CHECK(facts.up);
        CHECK(facts.hits == 1);
        CHECK(facts.look_up_seconds.count == 1);
        CHECK(a.state->facts().misses == 1);
    }

    TEST_CASE("an introspection's answer is read again for the ARN that it was made for") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        auto first = a.send("GET", "/o", kToken);
        a.introspector.answer(R"({"active":true,"sub":"alice","scope":"read"})");
        CHECK(first->resume() == Step::mock);
        auto other = b.send("GET", "/o2", kToken);
        REQUIRE(other->wakes() == 1);
        CHECK(other->resume() == Step::refuse);  // "resource": "method"
        CHECK(other->reason() == Errc::implicit_deny);
        CHECK(b.introspector.started == 0);
        CHECK(b.send("GET", "/o", kToken)->cache() == CacheUse::hit);
    }

    TEST_CASE("what ends with its token ends there too") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        const auto now =
            std::chrono::floor<std::chrono::seconds>(a.clock.now().wall).time_since_epoch();
        auto first = a.send("GET", "/o", kToken);
        a.introspector.answer(R"({"active":true,"sub":"alice","exp":)" +
                              std::to_string(now.count() + 20) + "}");
        CHECK(first->resume() == Step::mock);
        CHECK(b.found("/o") == SharedUse::hit);
        CHECK(world.redis.ends.at(world.redis.only("gatehouse:e:")) ==
              std::chrono::milliseconds(now + 20s).count());
        b.clock.step(21s);  // Redis's clock is behind
        CHECK(b.send("GET", "/o", kToken)->cache() == CacheUse::miss);
        CHECK(b.introspector.started == 1);
    }

    TEST_CASE("no replica keeps an entry longer than Redis") {
        World world;
        Replica a(world.redis);
        a.asked();
        Replica b(world.redis);
        b.clock.step_wall(-1h);  // by its own clock there is an hour more
        world.redis.ends[world.redis.only("gatehouse:e:")] -= 250000;
        CHECK(b.found() == SharedUse::hit);
        const auto cached =
            b.cache.find(b.snapshot->apis[0].authorizers[0]->scope, kToken, b.clock.now().steady);
        REQUIRE(cached);
        CHECK(cached->expires == b.clock.now().steady + 50s);
    }

    TEST_CASE("Redis learns nothing") {
        World world;
        Replica a(world.redis);
        a.asked();
        a.flush("fn");
        a.flush({}, jwt::sha256(kToken));
        a.send("GET", "/k", {}, {{"x-api-key", "value-of-the-first-key"}});
        a.state->tick();
        std::string all;
        for (const auto& command : world.redis.commands) {
            for (const std::string& word : command)
                all += word + "\n";
        }
        CHECK(all.find("HSET") != std::string::npos);
        for (const char* secret : {"a-token",
                                   "acme",
                                   "user",
                                   "tenant",
                                   "prod",
                                   "local",
                                   "execute-api",
                                   "gold",
                                   kSecret.c_str()}) {
            CAPTURE(secret);
            CHECK(all.find(secret) == std::string::npos);
        }
        CHECK(all.find(jwt::to_hex(jwt::sha256(kToken))) == std::string::npos);
    }

    TEST_CASE("an entry of another hand is a miss and told once") {
        World world;
        Replica a(world.redis);
        a.asked("/a", "Bearer one");
        const std::string name = world.redis.only("gatehouse:e:");
        const std::string sealed = world.redis.values[name];
        a.asked("/a", "Bearer two");
        std::string second;
        for (const auto& [key, value] : world.redis.values) {
            if (key.starts_with("gatehouse:e:") && key != name) second = key;
        }
        std::string changed = sealed;
        changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
        const std::pair<const char*, std::string> rows[] = {
            {"another's entry", world.redis.values[second]},
            {"a bit", changed},
            {"cut", sealed.substr(0, sealed.size() - 1)},
            {"empty", ""},
            {"in the clear", R"({"v":1,"epochs":["","",""],"arn":"","reply":"{}","ends":9e18})"},
            {"another secret",
             jwt::Seal("another secret of thirty-two bytes").seal(name, "anything")},
        };
        for (const auto& [what, value] : rows) {
            CAPTURE(what);
            world.redis.values[name] = value;
            Replica b(world.redis);
            CHECK(b.asked("/a", "Bearer one") == "not ours");
            CHECK(b.state->facts().bad == 1);
            CHECK(b.asked("/a", std::string("Bearer of ") + what) == "miss");
            world.redis.values[name] = value;
            b.cache.flush("local", "prod");
            CHECK(b.asked("/a", "Bearer one") == "not ours");
            CHECK(b.warnings.size() == 1);
            // And what was put in its place is good.
            CHECK(Replica(world.redis).found("/a", "Bearer one") == SharedUse::hit);
        }
    }

    TEST_CASE("other secrets and other configurations share nothing") {
        World world;
        Replica a(world.redis);
        a.asked();
        Replica b(world.redis, "another secret of thirty-two bytes");
        CHECK(b.asked() == "miss");
        Replica c(world.redis, kSecret, make_config(R"(, "authorizerResultTtlInSeconds": 60)"));
        CHECK(c.asked() == "miss");
        Replica d(world.redis);
        CHECK(d.found() == SharedUse::hit);
    }

    TEST_CASE("refusals, TTL 0 and what is verified here are not shared") {
        World world;
        Replica a(world.redis, kSecret, make_config(R"(, "authorizerResultTtlInSeconds": 0)"));
        CHECK(a.asked() == "not looked for");
        CHECK(a.send("GET", "/j", a.bearer())->step() == Step::mock);
        Replica b(world.redis);
        auto refused = b.send("GET", "/a", kToken);
        b.invoker.end(authz::Invocation::End::failed, R"({"errorMessage":"Unauthorized"})");
        CHECK(refused->resume() == Step::refuse);
        auto inactive = b.send("GET", "/o", kToken);
        b.introspector.answer(R"({"active":false})");
        CHECK(inactive->resume() == Step::refuse);
        for (const auto& [name, value] : world.redis.values)
            CHECK_FALSE(name.starts_with("gatehouse:e:"));
    }

    TEST_CASE("a flush reaches every replica and what Redis keeps") {
        const std::string other = "Bearer another-token";

        struct Row {
            const char* name;
            std::optional<std::string> authorizer;
            std::optional<jwt::Sha256> identity;
            bool first;   ///< gone: kToken
            bool second;  ///< gone: the other token
        };

        const Row rows[] = {
            {"stage", {}, {}, true, true},
            {"authorizer", "fn", {}, true, true},
            {"another authorizer", "opaque", {}, false, false},
            {"identity", {}, jwt::sha256(kToken), true, false},
            {"identity of the authorizer", "fn", jwt::sha256(kToken), true, false},
            {"nobody's identity", {}, jwt::sha256("x"), false, false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            World world;
            Replica a(world.redis);
            Replica b(world.redis);
            a.asked("/a", kToken);
            a.asked("/a", other);
            b.found("/a", kToken);
            b.found("/a", other);
            a.flush(row.authorizer, row.identity);
            CHECK(b.state->facts().flushes == 1);
            CHECK(a.state->facts().flushes == 0);
            for (Replica* replica : {&b, &a}) {
                const auto is_cached = [&](const std::string& token) {
                    return replica->cache
                        .find(replica->snapshot->apis[0].authorizers[0]->scope,
                              token,
                              replica->clock.now().steady)
                        .has_value();
                };
                CHECK(is_cached(kToken) != row.first);
                CHECK(is_cached(other) != row.second);
            }
            Replica c(world.redis);
            CHECK((c.found("/a", kToken) == SharedUse::hit) != row.first);
            CHECK((c.found("/a", other) == SharedUse::hit) != row.second);
        }
    }

    TEST_CASE("a result that was under way when somebody flushed is kept nowhere") {
        for (const bool here : {true, false}) {
            for (const bool identity : {true, false}) {
                CAPTURE(here);
                CAPTURE(identity);
                World world;
                Replica a(world.redis);
                Replica b(world.redis);
                auto call = a.send("GET", "/a", kToken);
                REQUIRE(a.invoker.pending() == 1);
                (here ? a : b)
                    .flush({}, identity ? std::optional(jwt::sha256(kToken)) : std::nullopt);
                a.invoker.allow(std::string(test::kStagePrefix) + "*");
                CHECK(call->resume() == Step::mock);
                CHECK(a.asked() == "miss");
                CHECK(Replica(world.redis).found() == SharedUse::hit);
            }
        }
    }

    TEST_CASE("an entry that comes after the flush that killed it is dead") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        // a has not heard of the flush when its function answers.
        std::erase(world.redis.listeners, a.state.get());
        auto call = a.send("GET", "/a", kToken);
        b.flush("fn");
        a.invoker.allow(std::string(test::kStagePrefix) + "*");
        call->resume();
        CHECK(world.redis.only("gatehouse:e:") != "");
        CHECK(b.asked() == "miss");
    }

    TEST_CASE("away a request goes on at once and nothing is put") {
        World world;
        Replica a(world.redis, kSecret, make_config(), false);
        a.link.away = true;
        CHECK(a.asked() == "away");
        CHECK(a.state->facts().away == 1);
        CHECK_FALSE(a.state->facts().up);
        CHECK(a.state->warning() ==
              "shared state: redis redis.example:6379 away since 2026-11-24T04:00:00Z: gone");
        CHECK(world.redis.commands.empty());
        a.connect();
        CHECK(a.why == "");
        CHECK(a.state->warning() == "");
        CHECK(a.asked("/a", "Bearer two") == "miss");
        a.link.held = true;
        auto late = a.send("GET", "/a", "Bearer three");
        CHECK(late->step() == Step::wait);
        CHECK(a.invoker.pending() == 0);
        a.link.give_up();
        REQUIRE(a.invoker.pending() == 1);
        a.invoker.allow(std::string(test::kStagePrefix) + "*");
        CHECK(late->resume() == Step::mock);
    }

    TEST_CASE("equal misses look once") {
        World world;
        Replica a(world.redis);
        a.asked();
        Replica b(world.redis);
        b.link.held = true;
        auto first = b.send("GET", "/a", kToken);
        auto second = b.send("GET", "/b", kToken);
        CHECK(second->cache() == CacheUse::joined);
        CHECK(b.link.waiting() == 1);
        b.link.release();
        CHECK(first->resume() == Step::mock);
        CHECK(second->resume() == Step::mock);
        CHECK(b.invoker.started == 0);
    }

    TEST_CASE("a flush while Redis is away is done on return") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        a.asked();
        b.found();
        a.leave();
        a.flush("fn");
        CHECK(b.found() != SharedUse::hit);  // its own cache has it
        CHECK(b.send("GET", "/a", kToken)->cache() == CacheUse::hit);
        a.connect();
        CHECK(a.why == "");
        CHECK(b.state->facts().flushes == 1);
        CHECK(b.asked() == "miss");
    }

    TEST_CASE("a flush whose answer never came is done again") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        a.asked();
        b.found();
        a.link.held = true;
        a.flush("fn");
        a.leave();
        a.link.held = false;
        a.connect();
        CHECK(b.state->facts().flushes == 1);
        a.state->tick();
        CHECK(b.state->facts().flushes == 1);
    }

    TEST_CASE("more flushes than can be kept become flushes of whole stages") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        const std::string other = "Bearer another-token";
        a.asked("/a", kToken);
        b.found("/a", kToken);
        a.leave();
        for (std::size_t i = 0; i <= limits::kSharedFlushes + 10; ++i)
            a.state->flush("local", "prod", "fn", jwt::sha256(std::to_string(i)));
        world.redis.commands.clear();
        a.connect();
        CHECK(world.redis.published.size() < 20);
        CHECK(b.asked("/a", kToken) == "miss");
    }

    TEST_CASE("what was flushed while a replica was away is dropped on return") {
        struct Row {
            const char* name;
            std::optional<std::string> authorizer;
            std::optional<jwt::Sha256> identity;
            bool gone;
        };

        const Row rows[] = {
            {"stage", {}, {}, true},
            {"authorizer", "fn", {}, true},
            {"another authorizer", "jwt", {}, false},
            {"identity", {}, jwt::sha256("whose, nobody can say"), true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            World world;
            Replica a(world.redis);
            Replica b(world.redis);
            a.asked();
            b.found();
            b.leave();
            a.flush(row.authorizer, row.identity);
            CHECK(b.send("GET", "/a", kToken)->cache() == CacheUse::hit);
            b.connect();
            CHECK((b.send("GET", "/a", kToken)->cache() == CacheUse::hit) != row.gone);
        }
    }

    TEST_CASE("an unheard flush shows at the next look-up") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        a.asked();
        b.found();
        std::erase(world.redis.listeners, b.state.get());
        a.flush("fn");
        CHECK(b.send("GET", "/a", kToken)->cache() == CacheUse::hit);
        b.asked("/a", "Bearer two");
        CHECK(b.asked() != "not asked");
    }

    TEST_CASE("epochs that fall bring nothing back") {
        World world;
        Replica a(world.redis);
        a.asked();
        const std::map<std::string, std::string> before = world.redis.values;
        a.flush("fn");
        // Whoever can write puts everything back as it was.
        world.redis.values = before;
        CHECK(a.asked() == "miss");
        CHECK(a.state->facts().hits == 0);
        // The epoch was raised again, so that others do not find it either.
        CHECK(Replica(world.redis).asked() == "miss");
    }

    TEST_CASE("a Redis that has lost everything begins anew") {
        World world;
        Replica a(world.redis);
        a.asked();
        a.flush("fn");
        world.clock.step(1s);
        a.clock.step(1s);
        world.redis.values.clear();
        CHECK(a.asked() == "miss");  // epochs are made
        a.cache.flush("local", "prod");
        CHECK(a.asked() == "miss");  // and are news, as if somebody had flushed
        CHECK(a.asked() == "miss");
        Replica b(world.redis);
        CHECK(b.found() == SharedUse::hit);
    }

    TEST_CASE("epochs and messages that are rubbish are counted and hurt nobody") {
        World world;
        Replica a(world.redis);
        a.asked();
        for (auto& [name, value] : world.redis.values) {
            if (name.starts_with("gatehouse:f:")) value = "rubbish";
        }
        a.cache.flush("local", "prod");
        CHECK(a.asked() == "miss");
        CHECK(a.state->facts().errors > 0);
        const std::uint64_t before = a.state->facts().errors;
        const jwt::Seal seal(kSecret);
        for (const std::string& message :
             {std::string(),
              std::string("rubbish"),
              std::string(R"({"v":1,"from":"x","api":"local","stage":"prod","epochs":{}})"),
              seal.seal("another channel", R"({"v":1,"api":"local","stage":"prod","epochs":{}})"),
              seal.seal("gatehouse:flush", R"({"v":2,"api":"local","stage":"prod","epochs":{}})"),
              seal.seal("gatehouse:flush", "rubbish"),
              seal.seal("gatehouse:flush", std::string(20000, '['))}) {
            a.state->received(message);
            CHECK(a.send("GET", "/a", kToken)->cache() == CacheUse::hit);
        }
        CHECK(a.state->facts().errors == before + 7);
        CHECK(a.state->facts().flushes == 0);
        CHECK(a.warnings.size() == 1);
    }

    TEST_CASE("a Redis that takes no writes is told why it is not used") {
        World world;
        Replica a(world.redis, kSecret, make_config(), false);
        a.flush("fn");
        world.redis.refused = "INCR";
        a.connect();
        CHECK(a.why.find("READONLY") != std::string::npos);
        CHECK_FALSE(a.state->facts().up);
        world.redis.refused = "MGET";
        a.connect();
        CHECK(a.why.find("READONLY") != std::string::npos);
        world.redis.refused = "SET";
        Replica b(world.redis);
        CHECK(b.asked() == "miss");
        world.redis.refused = "";
        CHECK(b.asked("/a", "Bearer two") == "miss");  // makes the epochs
        CHECK(b.asked("/a", "Bearer three") == "miss");
        CHECK(b.asked("/a", "Bearer four") == "miss");
        CHECK(Replica(world.redis).found("/a", "Bearer four") == SharedUse::hit);
    }

    TEST_CASE("an answer that is too large is kept here alone") {
        World world;
        Replica a(world.redis);
        auto call = a.send("GET", "/a", kToken);
        a.invoker.end(
            authz::Invocation::End::returned,
            R"({"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[)"
            R"({"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]},"context":{"k":")" +
                std::string(limits::kSharedEntryBytes, 'x') + "\"}}");
        CHECK(call->resume() == Step::mock);
        for (const auto& [name, value] : world.redis.values)
            CHECK_FALSE(name.starts_with("gatehouse:e:"));
        CHECK(a.send("GET", "/a", kToken)->cache() == CacheUse::hit);
    }

    TEST_CASE("quotas hold across replicas") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        const auto spend = [](Replica& replica, int most) {
            int passed = 0;
            for (int i = 0; i < most; ++i) {
                passed += replica.send("GET", "/k", {}, {{"x-api-key", "value-of-the-first-key"}})
                              ->step() == Step::mock;
            }
            return passed;
        };
        const auto used = [](Replica& replica) {
            return replica.snapshot->usage.plans()[0]
                .allowances[0]
                ->quota_use(replica.clock.now().wall)
                ->used;
        };
        CHECK(spend(a, 2) == 2);
        a.state->tick();
        b.state->tick();
        CHECK(used(b) == 2);
        CHECK(spend(b, 2) == 2);
        b.state->tick();
        b.state->tick();  // told twice, counted once
        a.state->tick();
        CHECK(used(a) == 4);
        CHECK(spend(a, 9) == 1);
        a.state->tick();
        b.state->tick();
        CHECK(spend(b, 9) == 0);
        // Away: each by what it knows; what was counted meanwhile is added on return, once.
        for (Replica* replica : {&a, &b}) {
            replica->leave();
            replica->clock.step(24h);
        }
        CHECK(spend(a, 2) == 2);
        CHECK(spend(b, 2) == 2);
        a.connect();
        b.connect();
        a.state->tick();
        b.state->tick();
        CHECK(used(a) == 4);
        CHECK(used(b) == 4);
        CHECK(spend(b, 9) == 1);
        // A replica that begins anew finds what was used.
        b.state->tick();
        Replica c(world.redis);
        c.clock.step(24h);
        c.state->tick();
        CHECK(spend(c, 9) == 0);
    }

    TEST_CASE("a Redis that loses counts gives nothing back") {
        World world;
        Replica a(world.redis);
        Replica b(world.redis);
        const auto spend = [](Replica& replica) {
            return replica.send("GET", "/k", {}, {{"x-api-key", "value-of-the-first-key"}})
                       ->step() == Step::mock;
        };
        for (int i = 0; i < 3; ++i)
            CHECK(spend(a));
        a.state->tick();
        b.state->tick();
        world.redis.hashes.clear();
        b.state->tick();
        CHECK(spend(b));
        CHECK(spend(b));
        CHECK_FALSE(spend(b));
        for (auto& [name, hash] : world.redis.hashes)
            hash["rubbish"] = "-1";
        const std::uint64_t before = b.state->facts().errors;
        b.state->tick();
        CHECK(b.state->facts().errors == before + 1);
    }
}

}  // namespace shared_state_test
