#include "gatehouse/app/gateway.hpp"

#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gateway_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

// Every kind of route that a request can meet.
test::ConfigText usual_config() {
    test::ConfigText config;
    config.authorizer = R"(, "identityValidationExpression": "^Bearer [-0-9A-Za-z._~+/]+=*$")";
    config.routes +=
        R"(, { "routeKey": "POST /s", "authorizer": "jwt", "authorizationScopes": ["write", "admin"],
               "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/s" } },
             { "routeKey": "ANY /files/{proxy+}", "authorizer": "jwt",
               "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/{proxy}" } },
             { "routeKey": "GET /mock", "authorizer": "jwt", "integration": { "type": "MOCK" } },
             { "routeKey": "GET /open", "authorizer": "NONE", "integration": { "type": "MOCK",
               "responseTemplates": { "application/json": "{\"ok\":true}" } } })";
    return config;
}

test::ConfigText with_ttl(int seconds) {
    test::ConfigText config;
    config.authorizer = R"(, "authorizerResultTtlInSeconds": )" + std::to_string(seconds);
    return config;
}

test::ConfigText narrow_config() {
    test::ConfigText config;
    config.jwt = R"(, "resource": "method")";
    return config;
}

std::string header_of(const authz::RenderedResponse& response, std::string_view name) {
    const std::string line = std::string(name) + ": ";
    const std::size_t at = response.headers.find(line);
    if (at == std::string::npos) return "none";
    const std::size_t value = at + line.size();
    return response.headers.substr(value, response.headers.find('\r', value) - value);
}

constexpr std::string_view kImplicit =
    R"({"Message":"User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"})";
constexpr std::string_view kExplicit =
    R"({"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"})";

}  // namespace

TEST_SUITE("app/gateway") {
    // Each row has faults of later steps too: the first step names the refusal.
    TEST_CASE("the first step that fails settles the request") {
        struct Answer {
            int status;
            std::string_view body;
            std::string_view error_type;
        };

        const Answer bad = {400, R"({"message":"Bad Request"})", "BadRequestException"};
        const Answer unrouted = {403,
                                 R"({"message":"Missing Authentication Token"})",
                                 "MissingAuthenticationTokenException"};
        const Answer unsigned_request = {
            403,
            R"({"message":"Invalid key=value pair (missing equal-sign) in Authorization header )"
            R"((hashed with SHA-256 and encoded with Base64): )"
            R"('TJEi8nT5R7/CHd/PuSAQ2LPn0AUzC0+zJFtXEpti2GE='."})",
            "IncompleteSignatureException"};
        const Answer too_long = {
            414, R"({"message":"Request URI too long"})", "BadRequestException"};
        const Answer unauthorized = {401, R"({"message":"Unauthorized"})", "UnauthorizedException"};

        struct Row {
            std::string_view name;
            std::string method;
            std::string target;
            test::Headers headers;
            std::string_view reason;
            Answer answer;
        };

        const test::Headers none;
        const test::Headers basic = {{"Authorization", "Basic abc"}};
        const test::Headers empty = {{"Authorization", ""}};
        const test::Headers twice = {{"Authorization", "Bearer x"}, {"authorization", "Bearer x"}};
        const test::Headers two_words = {{"Authorization", "Bearer x y"}};
        const std::string long_path = "/files/" + std::string(1600, 'a');
        const Row rows[] = {
            {"empty segment", "GET", "/none//x", none, "target_empty_segment", bad},
            {"dot segment", "GET", "/a/../b", none, "target_dot_segment", bad},
            {"encoded dots", "GET", "/files/%2e%2E/a", none, "target_dot_segment", bad},
            {"dots behind %2F", "GET", "/files/a%2F..%2fb", none, "target_dot_segment", bad},
            {"backslash", "GET", "/a%5Cb", none, "target_backslash", bad},
            {"control", "GET", "/a%00", none, "target_control", bad},
            {"percent", "GET", "/a%zz", none, "target_percent", bad},
            {"UTF-8", "GET", "/a%C0%AF", none, "target_utf8", bad},
            {"open route", "GET", "/open/.", none, "target_dot_segment", bad},
            {"asterisk", "OPTIONS", "*", none, "route_unmatched", unrouted},
            {"unknown path", "GET", "/none", none, "route_unmatched", unrouted},
            {"unknown method", "POST", "/a", none, "route_unmatched", unrouted},
            {"HEAD is not GET", "HEAD", "/a", none, "route_unmatched", unrouted},
            {"parent of a greedy path", "GET", "/files", none, "route_unmatched", unrouted},
            {"another letter case", "GET", "/A", none, "route_unmatched", unrouted},
            {"with a credential", "GET", "/none", basic, "route_unmatched", unsigned_request},
            {"path parameter", "GET", "/files/a;b", none, "target_path_parameter", bad},
            {"double encoding", "GET", "/files/a%252Fb", none, "target_path_parameter", bad},
            {"long ARN", "GET", long_path, none, "arn_too_long", too_long},
            {"no token", "GET", "/a", none, "identity_missing", unauthorized},
            {"no token for a mock", "GET", "/mock", none, "identity_missing", unauthorized},
            {"no token but a query", "GET", "/a?token=x", none, "identity_missing", unauthorized},
            {"empty token", "GET", "/a", empty, "identity_empty", unauthorized},
            {"two tokens", "GET", "/a", twice, "identity_repeated", unauthorized},
            {"another scheme", "GET", "/a", basic, "identity_mismatch", unauthorized},
            {"more than a token", "GET", "/a", two_words, "identity_mismatch", unauthorized},
        };
        test::GatewayFixture f(usual_config());
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto call = f.send(row.method, row.target, {}, row.headers);
            CHECK(call->step() == Step::refuse);
            CHECK(reason_id(call->reason()) == row.reason);
            CHECK(call->cache() == CacheUse::none);
            CHECK(call->answer().status == row.answer.status);
            CHECK(call->answer().body == row.answer.body);
            CHECK(header_of(call->answer(), "x-amzn-ErrorType") == row.answer.error_type);
            CHECK(header_of(call->answer(), "Content-Type") == "application/json");
            CHECK(header_of(call->answer(), "x-amzn-RequestId") == call->request().ids.request());
            CHECK(header_of(call->answer(), "x-amz-apigw-id") == call->request().ids.extended());
            CHECK(header_of(call->answer(), "WWW-Authenticate") == "none");
        }
        CHECK(f.authorize.calls() == 0);
        CHECK(f.cache.stats().entries == 0);
    }

    TEST_CASE("an API that nobody serves is refused before its routes are looked at") {
        test::ConfigText config;
        config.api = R"(, "domainNames": ["other.example.com"])";
        test::GatewayFixture f(config);
        const auto call = f.send("GET", "/a", f.bearer());
        CHECK(call->reason() == Errc::api_unmatched);
        CHECK(call->answer().status == 403);
        CHECK(call->answer().body == R"({"message":"Forbidden"})");
    }

    TEST_CASE("an open route asks nobody and a mock behind an authorizer asks first") {
        test::GatewayFixture f(usual_config());
        const auto open = f.send("GET", "/open", "Basic abc");
        CHECK(open->step() == Step::mock);
        CHECK(open->reason() == Errc::open_route);
        CHECK_FALSE(bool(open->request().record.identity_found));
        CHECK(f.authorize.calls() == 0);
        const auto mock = f.send("GET", "/mock", f.bearer());
        CHECK(mock->step() == Step::mock);
        CHECK(mock->reason() == Errc::allowed);
        CHECK(f.authorize.calls() == 1);
    }

    TEST_CASE("one token costs one call however many methods it is used for") {
        test::GatewayFixture f(usual_config());
        const std::string token = f.bearer({{"tenant_id", "acme"}});
        const auto miss = f.send("GET", "/a", token);
        CHECK(miss->step() == Step::forward);
        CHECK(miss->cache() == CacheUse::miss);
        f.clock.step(2s);
        const auto hit = f.send("GET", "/b", token);
        CHECK(hit->step() == Step::forward);
        CHECK(hit->cache() == CacheUse::hit);
        CHECK(hit->request().record.cache_age_ms == 2000);
        CHECK(hit->request().record.cache_left_ms == 298000);
        // C6: what the upstream is told is the same on a hit.
        CHECK(hit->request().grant == miss->request().grant);
        CHECK(hit->request().facts.grant == hit->request().grant.get());
        CHECK(f.authorize.calls() == 1);
        CHECK(f.send("GET", "/a", f.bearer({{"sub", "user-2"}}))->cache() == CacheUse::miss);
        CHECK(f.authorize.calls() == 2);
    }

    TEST_CASE("the time to live counts from insertion and does not slide") {
        test::GatewayFixture f(with_ttl(60));
        const std::string token = f.bearer();
        f.send("GET", "/a", token);
        f.clock.step(59999ms);
        CHECK(f.send("GET", "/a", token)->cache() == CacheUse::hit);
        f.clock.step(1ms);
        CHECK(f.send("GET", "/a", token)->cache() == CacheUse::miss);
    }

    TEST_CASE("with a time to live of 0 every request is a call") {
        test::GatewayFixture f(with_ttl(0));
        const std::string token = f.bearer();
        for (int i = 1; i <= 3; ++i) {
            const auto call = f.send("GET", "/a", token);
            CHECK(call->step() == Step::forward);
            CHECK(call->cache() == CacheUse::off);
            CHECK(f.authorize.calls() == static_cast<std::uint64_t>(i));
        }
        CHECK(f.cache.stats().entries == 0);
    }

    TEST_CASE("a hit is judged anew by its own ARN and the trap is told once") {
        test::GatewayFixture f(narrow_config());
        const std::string token = f.bearer();
        const auto first = f.send("GET", "/a", token);
        CHECK(first->step() == Step::forward);
        const auto second = f.send("GET", "/b", token);
        CHECK(second->step() == Step::refuse);
        CHECK(second->cache() == CacheUse::hit);
        CHECK(second->reason() == Errc::implicit_deny);
        CHECK(second->answer().status == 403);
        CHECK(second->answer().body == kImplicit);
        CHECK(f.send("GET", "/a", token)->step() == Step::forward);
        // The cache keeps what was made for /a: a slash more is another ARN.
        CHECK(f.send("GET", "/a/", token)->reason() == Errc::implicit_deny);
        CHECK(f.authorize.calls() == 1);

        f.send("GET", "/b", f.bearer({{"sub", "user-2"}}));
        REQUIRE(f.warnings.size() == 1);
        CHECK(f.warnings[0].find("\"GET /b\"") != std::string::npos);
        const Json trace = second->finish();
        CHECK(trace["hint"].get<std::string>().starts_with(
            "the cached policy was made for " + std::string(test::kStagePrefix) + "GET/a "));
        CHECK(test::step_of(trace, "cache")["result"] == "hit");
        CHECK(test::step_of(trace, "cache")["issuedFor"] ==
              std::string(test::kStagePrefix) + "GET/a");
        CHECK(test::step_of(trace, "policy")["methodArn"] ==
              std::string(test::kStagePrefix) + "GET/b");
    }

    TEST_CASE("a narrow policy that is not cached is no trap") {
        test::ConfigText config = narrow_config();
        config.authorizer = R"(, "authorizerResultTtlInSeconds": 0)";
        test::GatewayFixture f(config);
        const std::string token = f.bearer();
        CHECK(f.send("GET", "/a", token)->step() == Step::forward);
        CHECK(f.send("GET", "/b", token)->step() == Step::forward);
        CHECK(f.warnings.empty());
    }

    TEST_CASE("an explicit deny is told apart and a scope does not help against it") {
        test::ConfigText config;
        config.jwt =
            R"(, "statements": [ { "Sid": "all", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}" },
                                 { "Sid": "notB", "Effect": "Deny", "Action": "*", "Resource": "${stageArn}/GET/b" } ])";
        config.routes =
            R"({ "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "MOCK" } },
               { "routeKey": "GET /b", "authorizer": "jwt", "authorizationScopes": ["x"], "integration": { "type": "MOCK" } })";
        test::GatewayFixture f(config);
        const std::string token = f.bearer({{"scope", "x"}});
        CHECK(f.send("GET", "/a", token)->step() == Step::mock);
        for (const char* target : {"/b", "/b/"}) {
            CAPTURE(target);
            const auto denied = f.send("GET", target, token);
            CHECK(denied->reason() == Errc::explicit_deny);
            CHECK(denied->answer().body == kExplicit);
            CHECK(denied->request().record.statement == 1);
        }
    }

    TEST_CASE("scopes are judged on every request cached or not") {
        struct Row {
            std::string_view name;
            Json claims;
            bool allowed;
        };

        const Row rows[] = {
            {"no scope", Json::object(), false},
            {"another", {{"scope", "read"}}, false},
            {"a longer word", {{"scope", "writer read"}}, false},
            {"another letter case", {{"scope", "Write"}}, false},
            {"empty", {{"scope", ""}}, false},
            {"a list element with a space", {{"scp", {"read write"}}}, false},
            {"a number", {{"scope", 1}}, false},
            {"one of the words", {{"scope", "read write"}}, true},
            {"the other", {{"scope", "admin"}}, true},
            {"scp as a list", {{"scp", {"read", "write"}}}, true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::GatewayFixture f(usual_config());
            const std::string token = f.bearer(row.claims);
            CHECK(f.send("GET", "/a", token)->step() == Step::forward);
            const auto hit = f.send("POST", "/s", token);
            CHECK(hit->cache() == CacheUse::hit);
            CHECK(hit->step() == (row.allowed ? Step::forward : Step::refuse));
            if (row.allowed) continue;
            CHECK(hit->reason() == Errc::scope_missing);
            CHECK(hit->answer().status == 403);
            CHECK(hit->answer().body == kImplicit);
            CHECK(header_of(hit->answer(), "x-amzn-ErrorType") == "AccessDeniedException");
        }
    }

    TEST_CASE("a remembered refusal is answered without a call and only for a while") {
        test::GatewayFixture f(usual_config());
        const std::string broken = "Bearer abc";
        const auto first = f.send("GET", "/a", broken);
        CHECK(first->cache() == CacheUse::miss);
        CHECK(first->answer().status == 401);
        const auto second = f.send("GET", "/b", broken);
        CHECK(second->cache() == CacheUse::negative_hit);
        CHECK(second->reason() == first->reason());
        CHECK(second->answer().body == first->answer().body);
        CHECK(f.gateway.metrics().cache_negative_hits == 1);
        f.clock.step(5s);
        CHECK(f.send("GET", "/a", broken)->cache() == CacheUse::miss);
    }

    TEST_CASE("a hit is held to exp by the wall clock") {
        test::GatewayFixture f;
        const std::string token = f.bearer();
        CHECK(f.send("GET", "/a", token)->step() == Step::forward);
        f.clock.step_wall(600s);  // set by somebody: the entry's own end is still far
        const auto late = f.send("GET", "/a", token);
        CHECK(late->reason() == Errc::token_expired);
        CHECK(late->cache() == CacheUse::miss);
        CHECK(late->answer().status == 401);
    }

    TEST_CASE("without keys a request waits and goes on with what the fetch gave") {
        test::GatewayFixture f(usual_config(), false);
        const std::string token = f.bearer();
        const auto leader = f.send("GET", "/a", token);
        const auto joined = f.send("POST", "/s", token);
        const auto other = f.send("GET", "/a", f.bearer({{"exp", 1795492800}}));
        for (const auto* call : {&leader, &joined, &other}) {
            CHECK((*call)->step() == Step::wait);
            CHECK((*call)->wakes() == 0);
        }
        CHECK(leader->cache() == CacheUse::miss);
        CHECK(joined->cache() == CacheUse::joined);
        CHECK(f.fetcher.started() == 1);
        f.clock.step(40ms);
        f.fetcher.succeed({"k1"});
        CHECK(leader->resume() == Step::forward);
        // Joined to the call, judged for itself.
        CHECK(joined->resume() == Step::refuse);
        CHECK(joined->reason() == Errc::scope_missing);
        CHECK(other->resume() == Step::refuse);
        CHECK(other->reason() == Errc::token_expired);
        CHECK(leader->request().record.authorizer_us == 40000);
        CHECK(f.authorize.calls() == 2);
        CHECK(f.send("GET", "/b", token)->cache() == CacheUse::hit);
    }

    TEST_CASE("keys that stay away are 503 and not 401") {
        test::GatewayFixture f(usual_config(), false);
        const auto call = f.send("GET", "/a", f.bearer());
        CHECK(call->step() == Step::wait);
        f.fetcher.fail();
        CHECK(call->resume() == Step::refuse);
        CHECK(call->reason() == Errc::keys_unavailable);
        CHECK(call->answer().status == 503);
        CHECK(call->answer().body == R"({"message":"Service Unavailable"})");
        CHECK(call->request().record.response == authz::ResponseType::authorizer_failure);
        CHECK(f.cache.stats().entries == 0);
    }

    TEST_CASE("the method is overridden before everything else and only where that is configured") {
        struct Row {
            std::string_view name;
            bool configured;
            test::Headers headers;
            std::string_view want;
        };

        const Row rows[] = {
            {"not configured", false, {{"X-HTTP-Method-Override", "GET"}}, "route_unmatched"},
            {"configured", true, {{"X-HTTP-Method-Override", "GET"}}, "identity_missing"},
            {"any letter case of the name",
             true,
             {{"x-http-method-override", "GET"}},
             "identity_missing"},
            {"no method", true, {{"X-HTTP-Method-Override", "G E T"}}, "route_unmatched"},
            {"empty", true, {{"X-HTTP-Method-Override", ""}}, "route_unmatched"},
            {"unknown", true, {{"X-HTTP-Method-Override", "get"}}, "route_unmatched"},
            {"without it", true, {}, "route_unmatched"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::ConfigText config;
            if (row.configured) config.api = R"(, "methodOverride": true)";
            test::GatewayFixture f(config);
            CHECK(reason_id(f.send("POST", "/a", {}, row.headers)->reason()) == row.want);
        }
    }

    TEST_CASE("an encoded slash is data or refused but never a separator") {
        for (const bool refuse : {false, true}) {
            CAPTURE(refuse);
            test::ConfigText config = usual_config();
            if (refuse) config.api = R"(, "encodedSlash": "refuse")";
            test::GatewayFixture f(config);
            const auto call = f.send("GET", "/files/a%2fb", f.bearer());
            if (refuse) {
                CHECK(call->reason() == Errc::target_encoded_slash);
                CHECK(call->answer().status == 400);
                continue;
            }
            CHECK(call->step() == Step::forward);
            CHECK(call->request().arn.text == std::string(test::kStagePrefix) + "GET/files/a%2Fb");
            CHECK(f.send("GET", "/a%2f", f.bearer())->reason() == Errc::route_unmatched);
        }
    }

    TEST_CASE("a request ends by the configuration that it began with") {
        test::GatewayFixture f;
        const std::string token = f.bearer();
        auto before = f.send("GET", "/a", token);
        REQUIRE(before->step() == Step::forward);
        std::string text = test::ConfigText().text();
        text.replace(text.find("GET /a"), 6, "GET /z");
        const auto next =
            app::make_snapshot(test::parse_config(text), f.cache, f.keys, false, &f.invoker)
                .value();
        f.gateway.adopt(next);
        CHECK(f.gateway.snapshot() == next);
        // The new one knows the new route, and the policy that is cached for its authorizer.
        CHECK(f.send("GET", "/a", token)->reason() == Errc::route_unmatched);
        auto after = f.send("GET", "/z", token);
        CHECK(after->step() == Step::forward);
        CHECK(after->cache() == CacheUse::hit);
        after->finish();
        const Json trace = before->finish();
        CHECK(test::step_of(trace, "route")["route"] == "GET /a");
        const std::string page = app::to_prometheus(f.gateway.metrics(), {}, *next);
        CHECK(page.find(R"(route="GET /z",status="200")") != std::string::npos);
        CHECK(page.find(R"(route="GET /a")") == std::string::npos);
        CHECK(page.find(R"(route="none",status="200")") != std::string::npos);
    }
}

}  // namespace gateway_test
