// What a request leaves behind: answers to failures, the --dev header, traces, log lines, counts.
#include "gatehouse/app/gateway.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace gateway_trace_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

test::ConfigText logged(const std::string& format) {
    test::ConfigText config;
    config.top = R"(, "accessLog": { "format": ")" + format + R"(" })";
    return config;
}

// Any of its parts would do to find out or to forge the token, so none may be seen.
bool shows_token(const std::string& text, const std::string& authorization) {
    std::string rest = authorization.substr(authorization.find(' ') + 1);
    while (!rest.empty()) {
        const std::size_t dot = std::min(rest.find('.'), rest.size());
        const std::string part = rest.substr(0, dot);
        rest.erase(0, dot + 1);
        if (part.size() >= 12 && text.find(part.substr(part.size() - 12)) != std::string::npos)
            return true;
    }
    return false;
}

std::string first_hex_of_digest(const std::string& identity) {
    const jwt::Sha256 digest = jwt::sha256(identity);
    char text[9];
    std::snprintf(
        text, sizeof text, "%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3]);
    return text;
}

}  // namespace

TEST_SUITE("app/gateway answers") {
    TEST_CASE("what fails after an Allow has its own answer") {
        struct Row {
            Errc error;
            int status;
            std::string_view body;
            std::string_view type;
        };

        constexpr std::string_view kInternal = R"({"message": "Internal server error"})";
        constexpr std::string_view kTimeout = R"({"message": "Endpoint request timed out"})";
        constexpr std::string_view kUnavailable = R"({"message":"Service Unavailable"})";
        const Row rows[] = {
            {Errc::upstream_refused, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_unresolved, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_tls, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_reset, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_malformed, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_head_too_large, 502, kInternal, "INTEGRATION_FAILURE"},
            {Errc::upstream_connect_timeout, 504, kTimeout, "INTEGRATION_TIMEOUT"},
            {Errc::upstream_timeout, 504, kTimeout, "INTEGRATION_TIMEOUT"},
            {Errc::mapping_invalid, 500, kInternal, "API_CONFIGURATION_ERROR"},
            {Errc::context_unusable, 500, R"({"message":null})", "AUTHORIZER_CONFIGURATION_ERROR"},
            {Errc::internal, 500, kInternal, "API_CONFIGURATION_ERROR"},
            {Errc::draining, 503, kUnavailable, "DEFAULT_5XX"},
            {Errc::overloaded, 503, kUnavailable, "DEFAULT_5XX"},
            {Errc::upstream_overloaded, 503, kUnavailable, "DEFAULT_5XX"},
            {Errc::chunk_invalid, 400, R"({"message":"Bad Request"})", "DEFAULT_4XX"},
            {Errc::body_timeout, 408, R"({"message":"Request Timeout"})", "DEFAULT_4XX"},
            {Errc::body_too_large,
             413,
             "HTTP content length exceeded 10485760 bytes.",
             "REQUEST_TOO_LARGE"},
        };
        test::GatewayFixture f;
        const std::string token = f.bearer();
        for (const Row& row : rows) {
            CAPTURE(reason_id(row.error));
            const auto call = f.send("GET", "/a", token);
            REQUIRE(call->step() == Step::forward);
            const auto answer = f.gateway.render_failure(call->request(), row.error, "place");
            CHECK(answer.status == row.status);
            CHECK(answer.body == row.body);
            CHECK(answer.headers.find("place") == std::string::npos);
            const Json trace = call->finish(row.status);
            CHECK(trace["reason"] == reason_id(row.error));
            CHECK(trace["verdict"] == "refuse");
            CHECK(trace["detail"] == "place");
            CHECK(test::step_of(trace, "gatewayResponse")["type"] == row.type);
        }
    }

    TEST_CASE("content beyond the configured limit is refused by that limit's name") {
        test::ConfigText config = logged("off");
        config.top += R"(, "limits": { "bodyBytes": 7 })";
        config.api = R"(, "gatewayResponses": { "DEFAULT_4XX": { "statusCode": 499 } })";
        test::GatewayFixture f(config);
        const std::string_view want = "HTTP content length exceeded 7 bytes.";
        const auto call = f.send("GET", "/a", f.bearer());
        const auto late = f.gateway.render_failure(call->request(), Errc::body_too_large);
        CHECK(late.status == 413);  // the service's front end answers: not customisable
        CHECK(late.body == want);
        CHECK(late.headers.find("Content-Type: text/plain\r\n") != std::string::npos);
        Request unread;
        f.gateway.begin_unread(unread, {}, f.clock.now(), Errc::body_too_large);
        CHECK(f.gateway.render_refusal(unread).body == want);
    }

    TEST_CASE("a head that could not be read is answered by its fault") {
        struct Row {
            Errc error;
            int status;
        };

        const Row rows[] = {
            {Errc::request_malformed, 400},
            {Errc::field_invalid, 400},
            {Errc::host_missing, 400},
            {Errc::framing_conflict, 400},
            {Errc::head_timeout, 408},
            {Errc::target_too_long, 414},
            {Errc::expectation_failed, 417},
            {Errc::head_too_large, 431},
            {Errc::fields_too_many, 431},
            {Errc::method_unsupported, 501},
            {Errc::version_unsupported, 505},
        };
        test::GatewayFixture f;
        for (const Row& row : rows) {
            CAPTURE(reason_id(row.error));
            Request request;
            f.gateway.begin_unread(request, {}, f.clock.now(), row.error);
            const auto answer = f.gateway.render_refusal(request);
            CHECK(answer.status == row.status);
            CHECK(answer.headers.find("x-amzn-RequestId: " + std::string(request.ids.request())) !=
                  std::string::npos);
            f.gateway.finish(request, f.clock.now());
            TraceFilter filter;
            filter.request_id = request.ids.bytes;
            const auto traces = f.gateway.journal().find(filter);
            REQUIRE(traces.size() == 1);
            CHECK(traces[0].record.status == row.status);
            CHECK(bool(traces[0].record.refused));
        }
    }

    TEST_CASE("what an API configures shapes its refusals and nobody else's") {
        test::ConfigText config;
        config.jwt = R"(, "statements": [])";
        config.api =
            R"(, "denyMessages": "2015", "gatewayResponses": {
                 "ACCESS_DENIED": { "statusCode": 402, "responseParameters": {
                     "gatewayresponse.header.X-Tenant": "context.authorizer.tenantId" } },
                 "DEFAULT_4XX": { "responseParameters": {
                     "gatewayresponse.header.Access-Control-Allow-Origin": "'*'" } } })";
        test::GatewayFixture f(config);
        const auto denied = f.send("GET", "/a", f.bearer({{"tenant_id", "acme"}}));
        CHECK(denied->reason() == Errc::implicit_deny);
        CHECK(denied->answer().status == 402);
        CHECK(denied->answer().body ==
              R"({"Message":"User is not authorized to access this resource"})");
        CHECK(denied->answer().headers.find("X-Tenant: acme\r\n") != std::string::npos);
        // The specific type hides DEFAULT_4XX.
        CHECK(denied->answer().headers.find("Access-Control") == std::string::npos);
        const auto missing = f.send("GET", "/a");
        CHECK(missing->answer().status == 401);
        CHECK(missing->answer().headers.find("Access-Control-Allow-Origin: *\r\n") !=
              std::string::npos);
    }

    TEST_CASE("only with dev does an answer tell its reason") {
        for (const bool dev : {false, true}) {
            CAPTURE(dev);
            test::GatewayFixture f(test::ConfigText{}, true, dev);
            const auto refused = f.send("GET", "/a");
            const std::string line =
                "x-gatehouse-trace: " + std::string(refused->request().ids.request()) +
                "; reason=identity_missing\r\n";
            CHECK((refused->answer().headers.find(line) != std::string::npos) == dev);
            CHECK((refused->answer().headers.find("x-gatehouse") != std::string::npos) == dev);
            const auto allowed = f.send("GET", "/a", f.bearer());
            std::string headers;
            f.gateway.append_dev_header(allowed->request(), headers);
            CHECK(headers.ends_with("; reason=allowed\r\n") == dev);
            CHECK(headers.empty() != dev);
        }
    }

    TEST_CASE("ids are the client's own where the service takes them") {
        test::GatewayFixture f;
        const std::string uuid = "8db3b4dd-ecd5-436d-9eeb-a544e39d3e12";
        const auto given = f.send("GET", "/a", {}, {{"x-amzn-RequestId", uuid}});
        CHECK(given->request().ids.request() == uuid);
        const auto bad = f.send("GET", "/a", {}, {{"x-amzn-RequestId", "x"}});
        CHECK(bad->request().ids.request().size() == 36);
        const auto traced = f.send("GET", "/a", {}, {{"X-Amzn-Trace-Id", "Root=1-a-b;Self=1"}});
        CHECK(traced->request().facts.trace_id == "Root=1-a-b;Self=1");
        for (const char* other : {"", "Self=1-a-b", "root=1-a-b"}) {
            CAPTURE(other);
            const auto untraced = f.send("GET", "/a", {}, {{"X-Amzn-Trace-Id", other}});
            CHECK(untraced->request().facts.trace_id.starts_with("Root=1-6b0"));
            CHECK(untraced->request().facts.trace_id.size() == 40);
        }
    }
}

TEST_SUITE("app/gateway traces") {
    TEST_CASE("no trace and no log line shows a token or a query") {
        struct Row {
            std::string_view name;
            std::string method;
            std::string target;
            std::string authorization;
            std::string_view reason;
        };

        const std::string format =
            "$context.requestId $context.path $context.error.message $context.gatehouse.reason "
            "$context.authorizer.principalId";
        test::ConfigText config = logged(format);
        config.jwt = R"(, "resource": "method")";
        test::GatewayFixture f(config);
        const std::string good = f.bearer();
        const std::string forged = good.substr(0, good.size() - 8) + "AAAAAAAA";
        const std::string garbled = "Bearer " + good.substr(7, 40) + "." + good.substr(60, 40);
        const std::string twice = good + good.substr(7);
        const std::string secret = "?access_token=s3cretquery";
        const Row rows[] = {
            {"allowed miss", "GET", "/a" + secret, good, "allowed"},
            {"allowed hit", "GET", "/a" + secret, good, "allowed"},
            {"denied hit", "GET", "/b" + secret, good, "implicit_deny"},
            {"forged", "GET", "/a", forged, "token_signature_invalid"},
            {"forged again", "GET", "/a", forged, "token_signature_invalid"},
            {"garbled", "GET", "/a", garbled, "token_malformed"},
            {"five parts", "GET", "/a", twice, "token_malformed"},
            {"expired", "GET", "/a", f.bearer({{"exp", 1}}), "token_expired"},
            {"another issuer", "GET", "/a", f.bearer({{"iss", "x"}}), "token_issuer_unknown"},
            {"another audience", "GET", "/a", f.bearer({{"aud", "x"}}), "token_audience_refused"},
            {"unknown key", "GET", "/a", f.bearer({}, "k2"), "token_key_unknown"},
            {"not bearer", "GET", "/a", "Basic " + good.substr(7), "token_not_bearer"},
            {"unrouted", "GET", "/none" + secret, good, "route_unmatched"},
            {"bad path", "GET", "/a//b" + secret, good, "target_empty_segment"},
            {"bad query", "GET", "/a" + secret + "\\", good, "target_invalid"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto call = f.send(row.method, row.target, row.authorization);
            REQUIRE(reason_id(call->reason()) == row.reason);
            const bool judged = call->request().record.identity_found;
            const Json trace = call->finish();
            const std::string text = trace.dump();
            const std::string log = f.gateway.take_access_log();
            CAPTURE(text);
            CHECK_FALSE(shows_token(text, row.authorization));
            CHECK_FALSE(shows_token(log, row.authorization));
            CHECK(text.find("s3cret") == std::string::npos);
            CHECK(log.find("s3cret") == std::string::npos);
            CHECK(trace["path"] == row.target.substr(0, row.target.find('?')));
            if (!judged) continue;
            CHECK(test::step_of(trace, "identitySource")["identity"] ==
                  first_hex_of_digest(row.authorization));
        }
    }

    TEST_CASE("a refusal's log line has the text that the client got") {
        const std::string format =
            "$context.requestId $context.status $context.error.message "
            "$context.error.messageString $context.error.responseType";
        test::GatewayFixture f(logged(format));
        const auto line_of = [&](const std::unique_ptr<test::Call>& call) {
            call->finish();
            return f.gateway.take_access_log().substr(37);  // after the request id
        };
        CHECK(line_of(f.send("GET", "/a")) == "401 Unauthorized \"Unauthorized\" UNAUTHORIZED\n");
        CHECK(line_of(f.send("GET", "/none")) ==
              "403 Missing Authentication Token \"Missing Authentication Token\" "
              "MISSING_AUTHENTICATION_TOKEN\n");
        CHECK(line_of(f.send("GET", "/a", f.bearer())) == "200 - - -\n");
        const auto broken = f.send("GET", "/a", f.bearer());
        f.gateway.render_failure(broken->request(), Errc::context_unusable);
        CHECK(line_of(broken) == "200 - null AUTHORIZER_CONFIGURATION_ERROR\n");
    }

    TEST_CASE("each step that was taken is told in order") {
        struct Row {
            std::string_view name;
            std::string method;
            std::string target;
            std::string authorization;
            std::vector<std::string> steps;
        };

        test::ConfigText config;
        config.routes +=
            R"(, { "routeKey": "GET /s", "authorizer": "jwt", "authorizationScopes": ["x"], "integration": { "type": "MOCK" } })";
        test::GatewayFixture f(config);
        const std::string good = f.bearer();
        const std::vector<std::string> refused = {"route", "verdict", "gatewayResponse"};
        const Row rows[] = {
            {"bad target", "GET", "/./a", good, refused},
            {"unrouted", "GET", "/none", good, refused},
            {"no token",
             "GET",
             "/a",
             "",
             {"route", "identitySource", "verdict", "gatewayResponse"}},
            {"bad token",
             "GET",
             "/a",
             "Bearer x",
             {"route", "identitySource", "cache", "token", "verdict", "gatewayResponse"}},
            {"the same again",
             "GET",
             "/a",
             "Bearer x",
             {"route", "identitySource", "cache", "verdict", "gatewayResponse"}},
            {"miss",
             "GET",
             "/a",
             good,
             {"route", "identitySource", "cache", "token", "policy", "verdict", "upstream"}},
            {"hit",
             "GET",
             "/a",
             good,
             {"route", "identitySource", "cache", "policy", "verdict", "upstream"}},
            {"no scope",
             "GET",
             "/s",
             good,
             {"route",
              "identitySource",
              "cache",
              "policy",
              "scopes",
              "verdict",
              "gatewayResponse"}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Json trace = f.send(row.method, row.target, row.authorization)->finish();
            std::vector<std::string> steps;
            for (const Json& step : trace["steps"])
                steps.push_back(step["step"]);
            CHECK(steps == row.steps);
        }
    }

    TEST_CASE("the statement that settled a judgement is named on deny and on allow") {
        test::ConfigText config;
        config.jwt =
            R"(, "statements": [ { "Sid": "all", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*" },
                                 { "Sid": "notB", "Effect": "Deny", "Action": "*", "Resource": ["x", "*/GET/b"] } ])";
        test::GatewayFixture f(config);
        const Json allowed = test::step_of(f.send("GET", "/a", f.bearer())->finish(), "policy");
        CHECK(allowed["result"] == "allow");
        CHECK(allowed["statement"] == 0);
        CHECK(allowed["statements"][0]["matched"] == true);
        CHECK(allowed["statements"][1]["why"] == "no Resource matches");
        const Json denied = test::step_of(f.send("GET", "/b", f.bearer())->finish(), "policy");
        CHECK(denied["result"] == "explicit deny");
        CHECK(denied["statement"] == 1);
        CHECK(denied["resource"] == 1);
        CHECK(denied["statements"][1]["sid"] == "notB");
        CHECK(denied["statements"][1]["effect"] == "Deny");
        CHECK(denied["statements"][1]["why"] == "Resource */GET/b matches");
        CHECK(denied["policy"]["Statement"].size() == 2);
    }

    TEST_CASE("the end of a request is counted logged and observed once") {
        test::GatewayFixture f(logged("json"));
        std::vector<std::uint16_t> seen;
        f.gateway.observe([&](const TraceRecord& record) { seen.push_back(record.status); });
        f.send("GET", "/a")->finish();
        f.send("GET", "/a", f.bearer())->finish(204);
        CHECK(seen == std::vector<std::uint16_t>{401, 204});
        CHECK(f.gateway.metrics().requests.size() == 2);
        CHECK(f.gateway.metrics().cache_misses == 1);
        const std::string log = f.gateway.take_access_log();
        const std::size_t end = log.find('\n');
        REQUIRE(end != std::string::npos);
        const Json line = Json::parse(log.substr(0, end));
        CHECK(line["status"] == "401");
        CHECK(line["reason"] == "identity_missing");
        CHECK(line["principalId"] == "-");
        CHECK(Json::parse(log.substr(end + 1))["principalId"] == "user-1");
        CHECK(f.gateway.take_access_log().empty());
    }

    TEST_CASE("a client cannot break out of a log line") {
        test::GatewayFixture f(logged("json"));
        f.send("GET", "/a", {}, {{"User-Agent", "x\",\"status\":\"200"}})->finish();
        f.send("GET", "/%22%7B,%22status%22", {})->finish();
        std::string log = f.gateway.take_access_log();
        for (const char* status : {"401", "403"}) {
            const std::size_t end = log.find('\n');
            CHECK(Json::parse(log.substr(0, end))["status"] == status);
            log.erase(0, end + 1);
        }
        CHECK(log.empty());
    }
}

}  // namespace gateway_trace_test
