#include "gatehouse/app/authorize.hpp"

#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace authorize_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

using ResultPtr = std::shared_ptr<const AuthorizeResult>;

// Asks the authorizer itself, past the gateway and its look into the cache.
struct AuthorizeFixture : test::GatewayFixture {
    using GatewayFixture::GatewayFixture;

    ResultPtr ask(const std::string& identity) {
        bool joined = false;
        const CompiledApi& api = snapshot->apis[0];
        const std::string arn = std::string(test::kStagePrefix) + "GET/a";
        const AuthorizeCall call{
            snapshot, &api, api.authorizers[0].get(), identity, identity, arn, nullptr, &joined};
        ResultPtr result = authorize.authorize(call, clock.now(), [this] {
            if (before_waiting) std::exchange(before_waiting, nullptr)();
            return Wake([this](ResultPtr late) { woken.push_back(std::move(late)); });
        });
        if (joined) ++joins;
        return result;
    }

    bool is_cached(const std::string& identity) {
        return cache.find(snapshot->apis[0].authorizers[0]->scope, identity, clock.now().steady)
            .has_value();
    }

    std::vector<ResultPtr> woken;
    std::function<void()>
        before_waiting;  // runs when a call has found no key, before it waits for one
    int joins = 0;
};

}  // namespace

TEST_SUITE("app/authorize") {
    TEST_CASE("with the key at hand the answer comes at once and is cached") {
        AuthorizeFixture f;
        const std::string token = f.bearer({{"tenant_id", "t1"}});
        const ResultPtr result = f.ask(token);
        REQUIRE(result);
        CHECK(result->error == Errc::none);
        REQUIRE(result->grant);
        CHECK(result->kid == "k1");
        CHECK(result->key_age_s == 0);
        CHECK(result->grant->principal_id == "user-1");
        CHECK(result->grant->issued_for == std::string(test::kStagePrefix) + "GET/a");
        CHECK(result->grant->header_block.find("X-Authorizer-tenantId: t1\r\n") !=
              std::string::npos);
        CHECK(result->grant->authorizer_json.empty());
        CHECK(result->grant->identity_digest != 0);
        CHECK(f.is_cached(token));
        CHECK(f.authorize.calls() == 1);
        CHECK(f.woken.empty());
    }

    TEST_CASE("the request context is ready where a header shows it") {
        test::ConfigText config;
        config.api = R"(, "contextHeaders": { "requestContext": true })";
        AuthorizeFixture f(config);
        const ResultPtr result = f.ask(f.bearer());
        REQUIRE(result->grant);
        CHECK(Json::parse(result->grant->authorizer_json)["userId"] == "user-1");
    }

    TEST_CASE("checks of reading and of verifying stand in one trail in order") {
        AuthorizeFixture f;
        const ResultPtr result = f.ask(f.bearer());
        std::vector<std::string> names;
        for (const jwt::Check check : result->checks)
            names.emplace_back(check.name);
        REQUIRE(names.size() > 4);
        CHECK(names.front() == "scheme");
        const auto at = [&](const char* name) {
            return std::find(names.begin(), names.end(), name) - names.begin();
        };
        CHECK(at("issuer") < at("signature"));
        CHECK(at("signature") < at("audience"));
        CHECK(static_cast<std::size_t>(at("audience")) < names.size());
    }

    TEST_CASE("what cannot change is remembered as a refusal and what can is not") {
        AuthorizeFixture f;
        const std::string good = f.bearer();

        struct Row {
            const char* name;
            std::string identity;
            Errc reason;
            bool remembered;
        };

        std::string broken = good;
        broken[broken.rfind('.') + 10] = broken[broken.rfind('.') + 10] == 'A' ? 'B' : 'A';
        const Row rows[] = {
            {"not bearer", "Basic abc", Errc::token_not_bearer, true},
            {"no JWS", "Bearer abc", Errc::token_malformed, true},
            {"too large", "Bearer " + std::string(16385, 'a'), Errc::token_too_large, true},
            {"changed signature", broken, Errc::token_signature_invalid, true},
            {"expired", f.bearer({{"exp", 1795492799}}), Errc::token_expired, false},
            {"exp is now", f.bearer({{"exp", 1795492800}}), Errc::token_expired, false},
            {"not yet valid", f.bearer({{"nbf", 1795492801}}), Errc::token_not_yet_valid, false},
            {"from the future",
             f.bearer({{"iat", 1795492801}}),
             Errc::token_issued_in_future,
             false},
            {"another audience",
             f.bearer({{"aud", "api://other"}}),
             Errc::token_audience_refused,
             false},
            {"another issuer",
             f.bearer({{"iss", "https://issuer.example"}}),
             Errc::token_issuer_unknown,
             false},
            {"no subject", f.bearer({{"sub", nullptr}}), Errc::token_subject_missing, false},
            {"unknown key", f.bearer({}, "k2"), Errc::token_key_unknown, false},
            {"a claim that is an object",
             f.bearer({{"tenant_id", {{"a", 1}}}}),
             Errc::token_claim_unusable,
             false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const ResultPtr result = f.ask(row.identity);
            REQUIRE(result);
            CHECK(reason_id(result->error) == reason_id(row.reason));
            CHECK(result->grant == nullptr);
            CHECK(f.is_cached(row.identity) == row.remembered);
        }
        CHECK(f.ask(good)->grant != nullptr);
    }

    TEST_CASE("a refusal is remembered for at most five seconds and never beyond the TTL") {
        for (const int ttl : {1, 300}) {
            CAPTURE(ttl);
            test::ConfigText config;
            config.authorizer = R"(, "authorizerResultTtlInSeconds": )" + std::to_string(ttl);
            AuthorizeFixture f(config);
            f.ask("Bearer x");
            f.clock.step(std::chrono::seconds(std::min(ttl, 5)) - 1ms);
            CHECK(f.is_cached("Bearer x"));
            f.clock.step(1ms);
            CHECK_FALSE(f.is_cached("Bearer x"));
        }
    }

    TEST_CASE("an entry ends at the earlier of TTL and exp") {
        struct Row {
            const char* name;
            int ttl;
            std::int64_t lifetime;
            bool limit;
            int cached_for;
        };

        const Row rows[] = {
            {"TTL first", 60, 600, true, 60},
            {"exp first", 300, 10, true, 10},
            {"exp does not count", 300, 10, false, 300},
            // More nanoseconds than the steady clock has numbers for.
            {"exp in the year 3000", 300, 30'708'187'200, true, 300},
            {"exp in the year 9999", 300, 251'606'807'999, true, 300},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::ConfigText config;
            config.authorizer = R"(, "authorizerResultTtlInSeconds": )" + std::to_string(row.ttl) +
                                R"(, "limitToExpiration": )" + (row.limit ? "true" : "false");
            AuthorizeFixture f(config);
            const std::string token = f.bearer({{"exp", 1795492800 + row.lifetime}});
            REQUIRE(f.ask(token)->grant);
            f.clock.step(std::chrono::seconds(row.cached_for) - 1ms);
            CHECK(f.is_cached(token));
            f.clock.step(1ms);
            CHECK_FALSE(f.is_cached(token));
        }
    }

    TEST_CASE("the skew accepts an expired token and never caches it") {
        test::ConfigText config;
        config.jwt = R"(, "clockSkewInSeconds": 60)";
        AuthorizeFixture f(config);
        const std::string token = f.bearer({{"exp", 1795492799}});
        CHECK(f.ask(token)->grant);
        CHECK_FALSE(f.is_cached(token));
    }

    TEST_CASE("TTL 0 stores nothing and joins nobody") {
        test::ConfigText config;
        config.authorizer = R"(, "authorizerResultTtlInSeconds": 0)";
        AuthorizeFixture f(config, false);
        const std::string token = f.bearer();
        CHECK_FALSE(f.ask(token));
        CHECK_FALSE(f.ask(token));
        CHECK(f.joins == 0);
        f.fetcher.succeed({"k1"});
        CHECK(f.woken.size() == 2);
        CHECK(f.authorize.calls() == 2);
        CHECK(f.ask("Bearer x")->error == Errc::token_malformed);
        CHECK_FALSE(f.is_cached(token));
        CHECK_FALSE(f.is_cached("Bearer x"));
    }

    TEST_CASE("equal misses join and all get the same result") {
        AuthorizeFixture f({}, false);
        const std::string token = f.bearer();
        for (int i = 0; i < 100; ++i)
            CHECK_FALSE(f.ask(token));
        CHECK(f.joins == 99);
        CHECK(f.fetcher.started() == 1);
        f.fetcher.succeed({"k1"});
        REQUIRE(f.woken.size() == 100);
        for (const ResultPtr& result : f.woken)
            CHECK(result == f.woken.front());
        CHECK(f.woken.front()->grant);
        CHECK(f.authorize.calls() == 1);
        CHECK(f.is_cached(token));
    }

    TEST_CASE("different tokens wait for one fetch and are verified each for itself") {
        AuthorizeFixture f({}, false);
        f.ask(f.bearer());
        f.ask(f.bearer({{"sub", "user-2"}}));
        CHECK(f.joins == 0);
        CHECK(f.fetcher.started() == 1);
        f.fetcher.succeed({"k1"});
        REQUIRE(f.woken.size() == 2);
        CHECK(f.woken[0]->grant->principal_id == "user-1");
        CHECK(f.woken[1]->grant->principal_id == "user-2");
    }

    TEST_CASE("who asks after the call ended is answered by its entry and makes no second call") {
        AuthorizeFixture f;
        const std::string token = f.bearer();
        const ResultPtr first = f.ask(token);
        const ResultPtr second = f.ask(token);
        CHECK(second->grant == first->grant);
        CHECK(f.authorize.calls() == 1);
        f.clock.step_wall(
            601s);  // the entry stands by the steady clock, its token has expired by the wall clock
        CHECK(f.ask(token)->error == Errc::token_expired);
        CHECK(f.authorize.calls() == 2);
    }

    TEST_CASE("keys that stay away are told as such and never cached") {
        AuthorizeFixture f({}, false);
        const std::string token = f.bearer();
        CHECK_FALSE(f.ask(token));
        f.fetcher.fail();
        REQUIRE(f.woken.size() == 1);
        CHECK(f.woken[0]->error == Errc::keys_unavailable);
        CHECK_FALSE(f.is_cached(token));
        // Within the cooldown nobody waits: the answer comes at once.
        const ResultPtr second = f.ask(token);
        REQUIRE(second);
        CHECK(second->error == Errc::keys_unavailable);
        CHECK(f.authorize.calls() == 0);
    }

    TEST_CASE("a fetch that ends between the look for a key and the wait for one is used") {
        struct Row {
            const char* name;
            bool keys_at_start;
            const char* kid;
        };

        for (const Row& row : {Row{"the first fetch", false, "k1"}, Row{"a new key", true, "k2"}}) {
            CAPTURE(row.name);
            AuthorizeFixture f({}, row.keys_at_start);
            f.clock.step(301s);
            f.keys.tick(f.clock.now().steady);
            f.before_waiting = [&] { f.fetcher.succeed({row.kid}); };
            const ResultPtr result = f.ask(f.bearer({}, row.kid));
            REQUIRE(result);
            CHECK(reason_id(result->error) == reason_id(Errc::none));
            CHECK(f.woken.empty());
            // A fetch that brings nothing refuses as before.
            AuthorizeFixture other({}, row.keys_at_start);
            other.clock.step(301s);
            other.keys.tick(other.clock.now().steady);
            other.before_waiting = [&] { other.fetcher.fail(); };
            const ResultPtr refused = other.ask(other.bearer({}, row.kid));
            REQUIRE(refused);
            CHECK(reason_id(refused->error) ==
                  reason_id(row.keys_at_start ? Errc::token_key_unknown : Errc::keys_unavailable));
        }
    }

    TEST_CASE("an unknown kid names the key set and when it may be fetched again") {
        AuthorizeFixture f;
        f.clock.step(3s);
        const ResultPtr result = f.ask(f.bearer({}, "k2"));
        REQUIRE(result);
        CHECK(result->error == Errc::token_key_unknown);
        CHECK(result->kid == "k2");
        CHECK(result->key_age_s == 3);
        CHECK(result->detail.find("keys of https://issuer.example/jwks.json; next fetch for an "
                                  "unknown key in 7000 ms") != std::string::npos);
    }

    TEST_CASE("a kid that no key can have is never asked for twice per cooldown") {
        AuthorizeFixture f;
        f.clock.step(11s);
        CHECK_FALSE(f.ask(f.bearer({}, "k2")));
        f.fetcher.succeed({"k1"});
        REQUIRE(f.woken.size() == 1);
        CHECK(f.woken[0]->error == Errc::token_key_unknown);
        CHECK(f.ask(f.bearer({}, "k3"))->error == Errc::token_key_unknown);
        CHECK(f.fetcher.started() == 2);
    }

    TEST_CASE("a call that a flush overtakes answers and is not stored") {
        AuthorizeFixture f({}, false);
        const std::string token = f.bearer();
        CHECK_FALSE(f.ask(token));
        f.cache.flush("local", "prod");
        f.fetcher.succeed({"k1"});
        REQUIRE(f.woken.size() == 1);
        CHECK(f.woken[0]->grant);
        CHECK_FALSE(f.is_cached(token));
    }

    TEST_CASE("a result without principal is refused where one is required") {
        // gatehouse:jwt gives none without a sub, and a token without one is refused before.
        test::ConfigText config;
        config.authorizer = R"(, "requirePrincipalId": true)";
        AuthorizeFixture f(config);
        CHECK(f.ask(f.bearer())->grant);
        CHECK(f.ask(f.bearer({{"sub", ""}}))->error == Errc::token_subject_missing);
    }

    TEST_CASE("a context value that no header can hold is refused with its key") {
        AuthorizeFixture f;
        const ResultPtr result = f.ask(f.bearer({{"tenant_id", "a\r\nX-Evil: 1"}}));
        CHECK(result->error == Errc::context_unusable);
        CHECK(result->detail.find("tenantId") != std::string::npos);
        CHECK_FALSE(result->grant);
    }

    TEST_CASE("context keys that get no header are named once") {
        test::ConfigText config;
        config.jwt =
            R"(, "context": { "good": { "claim": "sub" }, "bad key": { "claim": "sub" } })";
        AuthorizeFixture f(config);
        CHECK(f.ask(f.bearer())->grant);
        CHECK(f.ask(f.bearer({{"sub", "user-2"}}))->grant);
        REQUIRE(f.warnings.size() == 1);
        CHECK(f.warnings[0].find("bad key") != std::string::npos);
        CHECK(f.warnings[0].find("good") == std::string::npos);
    }

    TEST_CASE("the trap is named for an ANY route too since another method of it is refused") {
        test::ConfigText config;
        config.jwt = R"(, "resource": "method")";
        config.routes =
            R"({ "routeKey": "ANY /a", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a" } })";
        AuthorizeFixture f(config);
        CHECK(f.ask(f.bearer())->grant);
        REQUIRE(f.warnings.size() == 1);
        CHECK(f.warnings[0].find("\"ANY /a\"") != std::string::npos);
    }

    TEST_CASE("one route that one policy covers earns no warning") {
        test::ConfigText config;
        config.jwt = R"(, "resource": "method")";
        config.routes =
            R"({ "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a" } },
                           { "routeKey": "GET /open", "authorizer": "NONE", "integration": { "type": "MOCK" } })";
        AuthorizeFixture f(config);
        CHECK(f.ask(f.bearer())->grant);
        CHECK(f.warnings.empty());
    }

    TEST_CASE("two issuers that publish one kid do not take each other's tokens") {
        test::ConfigText config;
        const std::string text = config.text();
        const std::string one =
            R"("issuer": "https://issuer.example/", "audience": ["api://users"], "algorithms": ["ES256"],
                    "jwksUri": "https://issuer.example/jwks.json")";
        REQUIRE(text.find(one) != std::string::npos);
        std::string two = text;
        two.replace(two.find(one),
                    one.size(),
                    R"("providers": [ { )" + one +
                        R"( }, { "issuer": "https://other.example/", "audience": ["api://users"],
                    "algorithms": ["ES256"], "jwksUri": "https://other.example/jwks.json" } ])");
        AuthorizeFixture f(two, false, false);
        // Both sets name a key "k1"; they are different keys.
        const jwt::SigningKey other =
            jwt::generate_signing_key(jwt::Algorithm::es256, "k1").value();
        f.keys.tick(f.clock.now().steady);
        REQUIRE(f.fetcher.pending() == 2);
        f.keys.fetched(0, test::key_set_of({"k1"}), "", f.clock.now().steady);
        f.keys.fetched(1, jwt::parse_key_set(other.key_set()), "", f.clock.now().steady);
        Json claims = f.claims();
        CHECK(f.ask("Bearer " + test::key_named("k1").mint(claims).value())->grant);
        CHECK(f.ask("Bearer " + other.mint(claims).value())->error ==
              Errc::token_signature_invalid);
        claims["iss"] = "https://other.example/";
        CHECK(f.ask("Bearer " + other.mint(claims).value())->grant);
        CHECK(f.ask("Bearer " + test::key_named("k1").mint(claims).value())->error ==
              Errc::token_signature_invalid);
    }

    TEST_CASE("threads with tokens of their own get policies of their own") {
        // More policies than are remembered, so that the memory begins anew meanwhile.
        constexpr int kThreads = 4;
        constexpr int kTokens = 60;
        test::ConfigText config;
        config.jwt =
            R"(, "statements": [{ "Effect": "Allow", "Action": "*", "Resource": "${stageArn}/GET/${claims.sub}" }])";
        AuthorizeFixture f(config);
        const CompiledApi& api = f.snapshot->apis[0];
        const std::string arn = std::string(test::kStagePrefix) + "GET/a";
        std::vector<std::string> tokens;
        for (int i = 0; i < kThreads * kTokens; ++i)
            tokens.push_back(f.bearer({{"sub", "user-" + std::to_string(i)}}));
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                for (int k = 0; k < kTokens; ++k) {
                    const int number = k * kThreads + i;
                    const std::string& token = tokens[static_cast<std::size_t>(number)];
                    const AuthorizeCall call{f.snapshot,
                                             &api,
                                             api.authorizers[0].get(),
                                             token,
                                             token,
                                             arn,
                                             nullptr,
                                             nullptr};
                    const auto result = f.authorize.authorize(
                        call, f.clock.now(), [&] { return Wake([](const ResultPtr&) {}); });
                    const std::string own = "/GET/user-" + std::to_string(number) + '"';
                    const bool right = result && result->grant != nullptr &&
                                       result->grant->policy->text.find(own) != std::string::npos;
                    wrong += right ? 0 : 1;
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(wrong == 0);
    }

    TEST_CASE("threads that ask at once cause one verification") {
        constexpr int kThreads = 4;
        for (int round = 0; round < 20; ++round) {
            AuthorizeFixture f;
            const std::string token = f.bearer();
            const CompiledApi& api = f.snapshot->apis[0];
            const std::string arn = std::string(test::kStagePrefix) + "GET/a";
            std::atomic<int> answers{0};
            std::atomic<bool> go{false};
            std::vector<std::thread> threads;
            for (int i = 0; i < kThreads; ++i) {
                threads.emplace_back([&] {
                    while (!go)
                        std::this_thread::yield();
                    const AuthorizeCall call{f.snapshot,
                                             &api,
                                             api.authorizers[0].get(),
                                             token,
                                             token,
                                             arn,
                                             nullptr,
                                             nullptr};
                    const auto result = f.authorize.authorize(call, f.clock.now(), [&] {
                        return Wake([&](const ResultPtr& late) {
                            answers += late->grant != nullptr ? 1 : 0;
                        });
                    });
                    if (result && result->grant) ++answers;
                });
            }
            go = true;
            for (std::thread& thread : threads)
                thread.join();
            CHECK(answers == kThreads);
            CHECK(f.authorize.calls() == 1);
        }
    }
}

TEST_SUITE("app/authorize still_holds") {
    TEST_CASE("a cached grant is held to exp and nbf by the wall clock") {
        const WallTime now{1000s};

        struct Row {
            const char* name;
            bool limit;
            int skew;
            std::optional<WallTime> expires;
            std::optional<WallTime> not_before;
            bool wanted;
        };

        const Row rows[] = {
            {"neither claim", true, 0, {}, {}, true},
            {"exp later", true, 0, now + 1ms, {}, true},
            {"exp now", true, 0, now, {}, false},
            {"exp before", true, 0, now - 1s, {}, false},
            {"the skew adds nothing to exp", true, 300, now, {}, false},
            {"nbf before", true, 0, {}, now - 1ms, true},
            {"nbf now", true, 0, {}, now, true},
            {"nbf later", true, 0, {}, now + 1ms, false},
            {"nbf later within the skew", true, 10, {}, now + 10s, true},
            {"nbf later than the skew", true, 10, {}, now + 10001ms, false},
            {"limitToExpiration off", false, 0, now - 1s, now + 1s, true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            config::Authorizer options;
            options.limit_to_expiration = row.limit;
            options.jwt.clock_skew = std::chrono::seconds(row.skew);
            authz::Grant grant;
            grant.expires = row.expires;
            grant.not_before = row.not_before;
            CHECK(still_holds(options, grant, now) == row.wanted);
        }
    }
}

}  // namespace authorize_test
