#include "fixture.hpp"
#include "gatehouse/config/report.hpp"

namespace parse_upstreams_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json document_of() {
    Json document = minimal_document();
    document["upstreams"] = parse_document(
        R"({ "users": { "targets": [ "http://10.0.0.1:8080", "https://b.example" ],
                        "balance": "leastRequests",
                        "healthCheck": { "path": "/health?deep=1", "intervalInMillis": 500,
                                         "timeoutInMillis": 100, "healthyThreshold": 4,
                                         "unhealthyThreshold": 5, "statusCodes": "200-299,304" },
                        "ejection": { "consecutiveFailures": 6, "baseTimeInMillis": 700,
                                      "maxPercent": 80 },
                        "retryBudget": { "percent": 9, "minPerSecond": 0 },
                        "maxRequests": 11, "maxConnections": 12, "maxIdleConnections": 13,
                        "tls": { "serverNameToVerify": "users.example" } } })");
    document["resolver"] = parse_document(R"({ "servers": [ "127.0.0.1:5353", "::1" ] })");
    document["apis"][0]["routes"][0]["integration"] =
        parse_document(R"({ "type": "HTTP_PROXY", "uri": "http://users/x" })");
    return document;
}

}  // namespace

TEST_SUITE("config/parse_upstreams") {
    TEST_CASE("an upstream is read and the uri that names it means it") {
        const Loaded loaded = load(document_of());
        REQUIRE(show(loaded.problems) == "");
        REQUIRE(loaded.model.upstreams.size() == 1);
        const Upstream& upstream = loaded.model.upstreams[0];
        CHECK(upstream.pointer == "/upstreams/users");
        const upstream::Rules& rules = upstream.rules;
        CHECK(rules.name == "users");
        CHECK(rules.targets ==
              std::vector<std::string>{"http://10.0.0.1:8080", "https://b.example"});
        CHECK(rules.balance == upstream::Balance::least_requests);
        REQUIRE(rules.health);
        CHECK(rules.health->path == "/health?deep=1");
        CHECK(rules.health->interval.count() == 500);
        CHECK(rules.health->timeout.count() == 100);
        CHECK(rules.health->healthy == 4);
        CHECK(rules.health->unhealthy == 5);
        CHECK(rules.health->statuses == std::vector<std::pair<int, int>>{{200, 299}, {304, 304}});
        REQUIRE(rules.ejection);
        CHECK(rules.ejection->consecutive_failures == 6);
        CHECK(rules.ejection->base_time.count() == 700);
        CHECK(rules.ejection->max_percent == 80);
        CHECK(rules.retries == upstream::RetryRule{9, 0});
        CHECK(rules.max_requests == 11);
        CHECK(rules.max_connections == 12);
        CHECK(rules.max_idle == 13);
        CHECK(rules.tls_name == "users.example");
        CHECK(loaded.model.apis[0].routes[0].integration.upstream == 0);
        CHECK(loaded.model.name_servers == std::vector<std::string>{"127.0.0.1:5353", "::1"});
        CHECK(describe_upstreams(loaded.model) ==
              "upstream users: http://10.0.0.1:8080, https://b.example; leastRequests, checked at "
              "/health?deep=*** every 500 ms, ejected after 6 failures, at most 11 requests open, "
              "12 connections to each\n");
    }

    TEST_CASE("what an upstream does not say is off or usual") {
        Json document = document_of();
        document["upstreams"]["users"] = parse_document(R"({ "targets": [ "http://a" ] })");
        document.erase("resolver");
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        const upstream::Rules& rules = loaded.model.upstreams[0].rules;
        CHECK(rules.balance == upstream::Balance::round_robin);
        CHECK_FALSE(rules.health);
        CHECK_FALSE(rules.ejection);
        CHECK(rules.retries == upstream::RetryRule{20, 10});
        CHECK(rules.max_requests == 0);
        CHECK(rules.max_connections == 0);
        CHECK(rules.max_idle == 1024);
        CHECK(rules.tls_name == "");
        CHECK(loaded.model.name_servers.empty());
        CHECK(load(minimal_document()).model.upstreams.empty());
        CHECK(describe_upstreams(loaded.model) ==
              "upstream users: http://a; roundRobin, not checked\n");
    }

    TEST_CASE("case makes no difference to a host and a stage variable may be one") {
        Json document = document_of();
        document["apis"][0]["routes"][0]["integration"]["uri"] = "http://USERS";
        CHECK(load(document).model.apis[0].routes[0].integration.upstream == 0);
        document["apis"][0]["stageVariables"] = {{"backend", "users"}};
        document["apis"][0]["routes"][0]["integration"]["uri"] =
            "http://${stageVariables.backend}/x?y=http://other/";
        const Loaded loaded = load(document);
        CHECK(show(loaded.problems) == "");
        CHECK(loaded.model.apis[0].routes[0].integration.upstream == 0);
    }

    TEST_CASE("what is wrong is named") {
        const std::string kUsers = "/upstreams/users";
        const char* const kPlace = "/upstreams/users";
        const char* const kTargets = "/upstreams/users/targets";
        const char* const kFirst = "/upstreams/users/targets/0";
        const char* const kCheck = "/upstreams/users/healthCheck";
        const char* const kPath = "/upstreams/users/healthCheck/path";
        const char* const kStatuses = "/upstreams/users/healthCheck/statusCodes";
        const char* const kEjection = "/upstreams/users/ejection";
        const char* const kBudget = "/upstreams/users/retryBudget";
        const char* const kTls = "/upstreams/users/tls";
        const char* const kServers = "/resolver/servers";
        const char* const kServer = "/resolver/servers/0";
        const char* const kUri = "/apis/0/routes/0/integration/uri";
        check_refusals(
            document_of(),
            {
                {"no object", "/upstreams", "[]", "/upstreams", "an object"},
                {"an upstream as a list", kPlace, R"([ "http://a" ])", kPlace, "an object"},
                {"no targets", kTargets, "", kPlace, "\"targets\" is missing"},
                {"none of them", kTargets, "[]", kTargets, "is empty"},
                {"a text", kTargets, R"("http://a")", kTargets, "a list of strings"},
                {"no URL", kFirst, R"("10.0.0.1:8080")", kFirst, "is no URL"},
                {"another scheme", kFirst, R"("unix:/run/x")", kFirst, "is no URL"},
                {"a path", kFirst, R"("http://a/x")", kFirst, "behind its host and port"},
                {"a slash", kFirst, R"("http://a/")", kFirst, "behind its host and port"},
                {"a query", kFirst, R"("http://a?x=secret")", kFirst, "x=***"},
                {"a password", kFirst, R"("http://u:p@a")", kFirst, "user name or password"},
                {"a placeholder", kFirst, R"("http://{a}")", kFirst, "placeholder"},
                {"a port of nothing", kFirst, R"("http://a:0")", kFirst, "port"},
                {"twice", kFirst, R"("https://B.example")", kTargets, "twice"},
                {"a balance",
                 "/upstreams/users/balance",
                 R"("leastConn")",
                 "/upstreams/users/balance",
                 "allowed: \"roundRobin\", \"leastRequests\""},
                {"checks as a path", kCheck, R"("/health")", kCheck, "an object"},
                {"no path", kPath, R"("health")", kPath, "begins with \"/\""},
                {"a fragment", kPath, R"("/a#b")", kPath, "fragment"},
                {"a placeholder in it", kPath, R"("/{a}")", kPath, "stands for nothing"},
                {"a space", kPath, R"("/a b")", kPath, "percent-encode"},
                {"dots", kPath, R"("/../a")", kPath, "dot segment"},
                {"too often",
                 "/upstreams/users/healthCheck/intervalInMillis",
                 "49",
                 "/upstreams/users/healthCheck/intervalInMillis",
                 "allowed: 50"},
                {"no time",
                 "/upstreams/users/healthCheck/timeoutInMillis",
                 "0",
                 "/upstreams/users/healthCheck/timeoutInMillis",
                 "allowed: 1"},
                {"no threshold",
                 "/upstreams/users/healthCheck/healthyThreshold",
                 "0",
                 "/upstreams/users/healthCheck/healthyThreshold",
                 "allowed: 1"},
                {"a share of one",
                 "/upstreams/users/healthCheck/unhealthyThreshold",
                 "1.5",
                 "/upstreams/users/healthCheck/unhealthyThreshold",
                 "whole number"},
                {"statuses as a list", kStatuses, "[200]", kStatuses, "a string"},
                {"a class", kStatuses, R"("2xx")", kStatuses, "no list of statuses"},
                {"the wrong way round",
                 kStatuses,
                 R"("299-200")",
                 kStatuses,
                 "no list of statuses"},
                {"an empty part", kStatuses, R"("200,")", kStatuses, "no list of statuses"},
                {"nothing", kStatuses, R"("")", kStatuses, "no list of statuses"},
                {"four digits", kStatuses, R"("2000")", kStatuses, "no list of statuses"},
                {"a high one", kStatuses, R"("600")", kStatuses, "no list of statuses"},
                {"a space in it", kStatuses, R"("200, 204")", kStatuses, "no list of statuses"},
                {"of the check",
                 "/upstreams/users/healthCheck/interval",
                 "1",
                 "/upstreams/users/healthCheck/interval",
                 "intervalInMillis"},
                {"ejection as a switch", kEjection, "true", kEjection, "an object"},
                {"no failure",
                 "/upstreams/users/ejection/consecutiveFailures",
                 "0",
                 "/upstreams/users/ejection/consecutiveFailures",
                 "allowed: 1"},
                {"more than all",
                 "/upstreams/users/ejection/maxPercent",
                 "101",
                 "/upstreams/users/ejection/maxPercent",
                 "allowed: 1 to 100"},
                {"none",
                 "/upstreams/users/ejection/maxPercent",
                 "0",
                 "/upstreams/users/ejection/maxPercent",
                 "allowed: 1 to 100"},
                {"of the ejection",
                 "/upstreams/users/ejection/maxTime",
                 "1",
                 "/upstreams/users/ejection/maxTime",
                 "unknown key"},
                {"a budget as a number", kBudget, "3", kBudget, "an object"},
                {"a budget above all",
                 "/upstreams/users/retryBudget/percent",
                 "101",
                 "/upstreams/users/retryBudget/percent",
                 "allowed: 0 to 100"},
                {"less than none",
                 "/upstreams/users/maxRequests",
                 "-1",
                 "/upstreams/users/maxRequests",
                 "allowed: 0"},
                {"connections in words",
                 "/upstreams/users/maxConnections",
                 R"("many")",
                 "/upstreams/users/maxConnections",
                 "a whole number"},
                {"an unknown key",
                 "/upstreams/users/target",
                 R"("http://a")",
                 "/upstreams/users/target",
                 "did you mean \"targets\""},
                {"a name that is none",
                 "/upstreams/users/tls/serverNameToVerify",
                 R"("*")",
                 "/upstreams/users/tls/serverNameToVerify",
                 "is no DNS name"},
                {"insecure",
                 "/upstreams/users/tls/insecureSkipVerification",
                 "true",
                 "/upstreams/users/tls/insecureSkipVerification",
                 "unknown key"},
                {"TLS as a switch", kTls, "true", kTls, "an object"},
                {"TLS without TLS", kTargets, R"([ "http://a" ])", kTls, "no target is https"},
                {"a name with a dot",
                 "/upstreams/a.b",
                 R"({ "targets": [ "http://a" ] })",
                 "/upstreams/a.b",
                 "is no name of an upstream"},
                {"https to an upstream", kUri, R"("https://users/x")", kUri, "write http://users"},
                {"nobody's",
                 kUri,
                 R"("http://user/x")",
                 kPlace,
                 "no integration's \"uri\" names it"},
                {"with a port",
                 kUri,
                 R"("http://users:80/x")",
                 kPlace,
                 "that of /apis/0/routes/0 has a port"},
                {"no servers", kServers, "", "/resolver", "\"servers\" is missing"},
                {"none of those", kServers, "[]", kServers, "is empty"},
                {"a server's name", kServer, R"("dns.example")", kServer, "is no name server"},
                {"no port", kServer, R"("127.0.0.1:")", kServer, "is no name server"},
                {"a port of no server", kServer, R"("127.0.0.1:0")", kServer, "is no name server"},
                {"too high", kServer, R"("127.0.0.1:65536")", kServer, "is no name server"},
                {"a URL", kServer, R"("udp://127.0.0.1")", kServer, "is no name server"},
                {"nothing at all", kServer, R"("")", kServer, "is no name server"},
            });
        check_acceptances(document_of(),
                          {{"an address with brackets", kServer, R"("[::1]:5353")"},
                           {"one without a port", kServer, R"("[::1]")"},
                           {"IPv6 target", kFirst, R"("http://[::1]:8080")"},
                           {"one status", kStatuses, R"("200")"},
                           {"a switch of all limits", "/upstreams/users/maxIdleConnections", "0"}});
        Json document = document_of();
        document["upstreams"]["Users"] = document["upstreams"]["users"];
        CHECK(has_problem(load(document).problems, kUsers, "case makes no difference"));
        document = document_of();
        Json many = Json::array();
        for (int i = 0; i < 257; ++i)
            many.push_back("https://a" + std::to_string(i));
        document["upstreams"]["users"]["targets"] = many;
        CHECK(has_problem(load(document).problems, kTargets, "has 257 of them; allowed: 256"));
        document = document_of();
        document["apis"][0]["routes"][0]["integration"]["tlsConfig"] = {
            {"serverNameToVerify", "a"}};
        CHECK(has_problem(load(document).problems,
                          "/apis/0/routes/0/integration/tlsConfig",
                          "names an upstream, which has \"tls\" for it"));
    }

    TEST_CASE("routes say which upstream they go by") {
        const std::vector<RouteReport> report = make_report(load(document_of()).model);
        CHECK(report.at(0).integration == "HTTP_PROXY http://users/x by upstream users");
        CHECK(describe_differences(report.at(0).differences).find("upstream (the service calls") !=
              std::string::npos);
    }
}

}  // namespace parse_upstreams_test
