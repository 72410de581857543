#include "gatehouse/app/gateway.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

namespace decision_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace gatehouse::test;

namespace {

constexpr const char* kTop = R"(, "accessLog": { "format": "off" },
    "decision": { "port": 0, "form": "forwarded" })";

ConfigText decisions(ConfigText config = {}) {
    config.top = kTop;
    return config;
}

// A question of Traefik's or Caddy's, and what came of it.
struct Question {
    Question(GatewayFixture& f,
             const std::string& method,
             const std::string& uri,
             const std::string& authorization = {},
             Headers headers = {},
             const char* host = "api.example.com")
        : fixture(f) {
        headers.emplace_back("X-Forwarded-Method", method);
        headers.emplace_back("X-Forwarded-Uri", uri);
        headers.emplace_back("X-Forwarded-Host", host);
        headers.emplace_back("X-Forwarded-Proto", "https");
        headers.emplace_back("X-Forwarded-For", "203.0.113.9");
        headers.emplace_back("Host", "127.0.0.1:8181");
        if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
        texts = std::move(headers);
        for (const auto& [name, value] : texts)
            fields.push_back({name, value, http::find_field_id(name)});
        head.method = "GET";
        head.target = "/decision";
        head.fields = fields;
        REQUIRE(http::check_request(head) == Errc::none);
        proxy.source_ip = "127.0.0.1";
        proxy.listener_port = 8181;
        proxy.decision = true;
        step = f.gateway.begin(request, head, proxy, f.clock.now(), [] {
            return Wake([](std::shared_ptr<const AuthorizeResult>) {});
        });
    }

    // "allow X-Authorizer-userId: user-1; …" without the request id, or "401 reason".
    std::string outcome() {
        if (step == Step::answer) {
            CHECK(request.answer->status == 200);
            CHECK(request.answer->body.empty());
            std::string text = "allow";
            for (std::string_view rest = request.answer->headers; !rest.empty();) {
                const std::size_t end = rest.find("\r\n");
                const std::string_view line = rest.substr(0, end);
                if (!line.starts_with("x-amzn-RequestId: ")) text += " " + std::string(line) + ";";
                rest.remove_prefix(end + 2);
            }
            return text;
        }
        REQUIRE(step == Step::refuse);
        const authz::RenderedResponse rendered = fixture.gateway.render_refusal(request);
        return std::to_string(rendered.status) + " " +
               std::string(reason_id(request.verdict.reason));
    }

    Json trace() {
        request.record.status =
            step == Step::answer
                ? std::uint16_t{200}
                : static_cast<std::uint16_t>(fixture.gateway.render_refusal(request).status);
        fixture.gateway.finish(request, fixture.clock.now());
        const auto found = fixture.gateway.journal().find({});
        REQUIRE_FALSE(found.empty());
        return to_json(found.front());
    }

    GatewayFixture& fixture;
    Headers texts;
    std::vector<http::Field> fields;
    http::RequestHead head;
    ClientFacts proxy;
    Request request;
    Step step = Step::wait;
};

// Every name that is known, so that no proxy leaves a client's.
constexpr const char* kNobody =
    "allow X-Authorizer-Principal-Id: ; X-Authorizer-userId: ; X-Authorizer-tenantId: ; "
    "X-Authorizer-roles: ;";

constexpr const char* kContext =
    "allow X-Authorizer-Principal-Id: user-1; X-Authorizer-userId: user-1; "
    "X-Authorizer-tenantId: default; X-Authorizer-roles: user;";

std::string mock(const std::string& key, const std::string& authorizer) {
    return R"({ "routeKey": ")" + key + R"(", "authorizer": ")" + authorizer +
           R"(", "integration": { "type": "MOCK" } })";
}

}  // namespace

TEST_SUITE("app/decision") {
    TEST_CASE("the named request is judged and the context comes back") {
        GatewayFixture f(decisions());
        const std::string bearer = f.bearer();
        CHECK(Question(f, "GET", "/a?x=1", bearer).outcome() == kContext);
        Question again(f, "GET", "/a", bearer);
        CHECK(again.outcome() == kContext);
        CHECK(again.request.record.cache == CacheUse::hit);
        CHECK(again.request.facts.source_ip == "203.0.113.9");
        CHECK(again.request.facts.secure);
        CHECK(again.request.facts.listener_port == 443);
    }

    TEST_CASE("what would be refused directly is refused") {
        struct Row {
            const char* name;
            const char* method;
            const char* uri;
            bool token;
            Headers headers;
            const char* want;
        };

        const Row rows[] = {
            {"no token", "GET", "/a", false, {}, "401 identity_missing"},
            {"another method", "POST", "/a", true, {}, "403 route_unmatched"},
            {"a method in lower case", "get", "/a", true, {}, "403 route_unmatched"},
            {"no route", "GET", "/c", true, {}, "403 route_unmatched"},
            {"dot segments", "GET", "/x/../a", true, {}, "400 target_dot_segment"},
            {"encoded dot segments", "GET", "/x/%2e%2E/a", true, {}, "400 target_dot_segment"},
            {"an encoded separator", "GET", "/x/..%2fa", true, {}, "400 target_dot_segment"},
            {"empty segments", "GET", "//a", true, {}, "400 target_empty_segment"},
            {"a fragment", "GET", "/a#b", true, {}, "400 target_invalid"},
            {"a backslash", "GET", "/a\\b", true, {}, "400 target_backslash"},
            {"an absolute target", "GET", "http://x/a", true, {}, "400 target_invalid"},
            {"a path parameter", "GET", "/a;b", true, {}, "403 route_unmatched"},
            {"CONNECT", "CONNECT", "/a", true, {}, "501 method_unsupported"},
            {"the other form's names",
             "DELETE",
             "/a",
             true,
             {{"X-Original-Method", "GET"}, {"X-Original-URI", "/a"}},
             "403 route_unmatched"},
            {"an override of the method",
             "DELETE",
             "/a",
             true,
             {{"X-HTTP-Method-Override", "GET"}},
             "403 route_unmatched"},
            {"a second method",
             "DELETE",
             "/a",
             true,
             {{"x-forwarded-method", "GET"}},
             "500 decision_unreadable"},
            {"the context's own name",
             "GET",
             "/a",
             true,
             {{"X-Authorizer-userId", "admin"}},
             "400 context_forged"},
            {"the context's name space",
             "GET",
             "/a",
             true,
             {{"x-authorizer-anything", "admin"}},
             "400 context_forged"},
            {"as CGI would fold it",
             "GET",
             "/a",
             true,
             {{"X_Authorizer_userId", "admin"}},
             "400 context_forged"},
            {"the request context",
             "GET",
             "/a",
             true,
             {{"X-Amzn-Request-Context", "{}"}},
             "400 context_forged"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            GatewayFixture f(decisions());
            Question question(
                f, row.method, row.uri, row.token ? f.bearer() : std::string(), row.headers);
            CHECK(question.outcome() == row.want);
        }
    }

    TEST_CASE("a question on a normal listener is a request for its own path") {
        GatewayFixture f(decisions());
        const auto call = f.send("GET",
                                 "/decision",
                                 f.bearer(),
                                 {{"X-Forwarded-Method", "GET"}, {"X-Forwarded-Uri", "/a"}});
        CHECK(call->step() == Step::refuse);
        CHECK(call->reason() == Errc::route_unmatched);
    }

    TEST_CASE("the API is the one of the original host") {
        ConfigText config = decisions();
        config.api = R"(, "domainNames": ["api.example.com"])";
        GatewayFixture f(config);
        CHECK(Question(f, "GET", "/a", f.bearer()).outcome() == kContext);
        Question other(f, "GET", "/a", f.bearer(), {}, "other.example");
        CHECK(other.outcome() == "403 api_unmatched");
        CHECK(
            Question(f, "GET", "/a", f.bearer(), {}, "api.example.com, other.example").outcome() ==
            "400 host_invalid");
    }

    TEST_CASE("any integration will do since none is called") {
        ConfigText config = decisions();
        config.routes = mock("GET /m", "jwt") + "," + mock("GET /open", "NONE");
        GatewayFixture f(config);
        CHECK(Question(f, "GET", "/m", f.bearer()).outcome() == kContext);
        CHECK(Question(f, "GET", "/open").outcome() == kNobody);
        // Nobody's word on an open route either.
        CHECK(Question(f, "GET", "/open", {}, {{"X-Authorizer-userId", "admin"}}).outcome() ==
              "400 context_forged");
    }

    TEST_CASE("a mapped context header comes back and is the gateway's own") {
        ConfigText config = decisions();
        config.routes = R"({ "routeKey": "GET /a", "authorizer": "jwt", "integration": {
            "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/a", "requestParameters": {
              "integration.request.header.X-User": "context.authorizer.userId",
              "integration.request.header.X-Query": "method.request.querystring.q",
              "integration.request.header.X-Fixed": "'one'" } } },)" +
                        mock("GET /open", "NONE");
        GatewayFixture f(config);
        CHECK(Question(f, "GET", "/a?q=1", f.bearer()).outcome() ==
              "allow X-User: user-1;" + std::string(kContext).substr(5));
        CHECK(Question(f, "GET", "/open", {}, {{"x-user", "admin"}}).outcome() ==
              "400 context_forged");
        CHECK(Question(f, "GET", "/open", {}, {{"X-Query", "1"}}).outcome() ==
              std::string(kNobody) + " X-User: ;");
    }

    TEST_CASE("a claim that is absent has a name and no value") {
        ConfigText config = decisions();
        config.jwt = R"(, "context": { "userId": { "claim": "sub" }, "team": { "claim": "team" },
                          "no token": { "claim": "sub" } })";
        GatewayFixture f(config);
        CHECK(Question(f, "GET", "/a", f.bearer({{"team", "x"}})).outcome() ==
              "allow X-Authorizer-Principal-Id: user-1; X-Authorizer-team: x; "
              "X-Authorizer-userId: user-1;");
        CHECK(Question(f, "GET", "/a", f.bearer()).outcome() ==
              "allow X-Authorizer-Principal-Id: user-1; X-Authorizer-userId: user-1; "
              "X-Authorizer-team: ;");
    }

    TEST_CASE("what needs the request itself is refused by name") {
        ConfigText config = decisions();
        config.routes = mock("GET /signed", "AWS_IAM") + "," + mock("GET /open", "NONE");
        config.api = R"(, "methodOverride": true)";
        config.top += R"(, "accessKeys": [ { "accessKeyId": "AKIDEXAMPLE",
            "secretAccessKey": "secret-secret", "principalId": "me" } ])";
        GatewayFixture f(config);
        Question is_signed(f, "GET", "/signed");
        CHECK(is_signed.outcome() == "500 decision_unsupported");
        CHECK(is_signed.trace()["detail"] ==
              "AWS_IAM: the signature covers the content, which the proxy keeps");
        CHECK(Question(f, "GET", "/open").outcome() == kNobody);
        Question overridden(f, "GET", "/open", {}, {{"X-HTTP-Method-Override", "DELETE"}});
        CHECK(overridden.outcome() == "500 decision_unsupported");
    }

    TEST_CASE("an HTTP API answers no preflight and decodes nothing for a proxy") {
        const std::string config = R"({ "apis": [ { "name": "h", "protocolType": "HTTP",
            "corsConfiguration": { "allowOrigins": ["https://a.example"], "allowMethods": ["GET"] },
            "authorizers": { "jwt": { "type": "JWT", "identitySource": ["$request.header.Authorization"],
              "jwtConfiguration": { "issuer": "https://issuer.example/", "audience": ["api://users"],
                "jwksUri": "https://issuer.example/jwks.json" } } },
            "routes": [ { "routeKey": "GET /files/{name}", "authorizer": "jwt",
              "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/" } } ] } ])" +
                                   std::string(kTop) + "}";
        GatewayFixture f(config, true, false);
        const Headers preflight = {{"Origin", "https://a.example"},
                                   {"Access-Control-Request-Method", "GET"}};
        CHECK(Question(f, "OPTIONS", "/files/a", {}, preflight).outcome() == "404 route_unmatched");
        CHECK(Question(f, "GET", "/files/a%2Fb").outcome() == "400 target_encoded_slash");
        Question missing(f, "GET", "/files/a");
        CHECK(missing.outcome() == "401 identity_missing");
        CHECK(f.gateway.render_refusal(missing.request).headers.find("www-authenticate: Bearer") !=
              std::string::npos);
    }

    TEST_CASE("throttles count decisions as requests") {
        ConfigText config = decisions();
        config.api = R"(, "throttle": { "rateLimit": 1, "burstLimit": 2 })";
        GatewayFixture f(config);
        CHECK(Question(f, "GET", "/a", f.bearer()).outcome() == kContext);
        CHECK(Question(f, "GET", "/a").outcome() == "401 identity_missing");
        CHECK(Question(f, "GET", "/a", f.bearer()).outcome() == kContext);
        CHECK(Question(f, "GET", "/a", f.bearer()).outcome() == "429 throttled");
    }

    TEST_CASE("the trace is the original request's and says what it was") {
        GatewayFixture f(decisions());
        const Json allowed = Question(f, "GET", "/a?secret=1", f.bearer()).trace();
        CHECK(allowed["decision"] == true);
        CHECK(allowed["method"] == "GET");
        CHECK(allowed["path"] == "/a");
        CHECK(allowed["verdict"] == "allow");
        CHECK(step_of(allowed, "decision")["status"] == 200);
        const Json refused = Question(f, "DELETE", "/x/../a").trace();
        CHECK(refused["decision"] == true);
        CHECK(refused["method"] == "DELETE");
        CHECK(refused["path"] == "/x/../a");
        CHECK(refused["reason"] == "target_dot_segment");
        const Json unreadable = Question(f, "GET", "/a", {}, {{"X-Forwarded-Uri", "/b"}}).trace();
        CHECK(unreadable["decision"] == true);
        CHECK(unreadable["detail"] == "X-Forwarded-Uri is repeated");
        CHECK(f.gateway.metrics().decisions_allowed == 1);
        CHECK(f.gateway.metrics().decisions_refused == 2);
        CHECK_FALSE(f.send("GET", "/a", f.bearer())->finish().contains("decision"));
        CHECK(f.gateway.metrics().decisions_allowed == 1);
    }

    TEST_CASE("a request is not a decision because the one before it was") {
        GatewayFixture f(decisions());
        Question question(f, "GET", "/a", f.bearer());
        CHECK(question.outcome() == kContext);
        question.request.clear();
        CHECK_FALSE(question.request.decision);
        CHECK_FALSE(question.request.answer.has_value());
    }
}

}  // namespace decision_test
