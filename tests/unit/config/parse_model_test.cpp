#include "fixture.hpp"

namespace parse_model_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

TEST_SUITE("config/parse_model") {
    TEST_CASE("listeners and admin are checked one by one") {
        check_refusals(
            full_document(),
            {
                {"no listener", "/listeners", "[]", "/listeners", "at least one"},
                {"port beyond 16 bits",
                 "/listeners/0/port",
                 "65536",
                 "/listeners/0/port",
                 "allowed: 0 to 65535"},
                {"negative port",
                 "/listeners/0/port",
                 "-1",
                 "/listeners/0/port",
                 "allowed: 0 to 65535"},
                {"a name for an address",
                 "/listeners/0/address",
                 "\"localhost\"",
                 "/listeners/0/address",
                 "did you mean \"127.0.0.1\"?"},
                {"star",
                 "/listeners/0/address",
                 "\"*\"",
                 "/listeners/0/address",
                 "did you mean \"0.0.0.0\"?"},
                {"address with port",
                 "/listeners/0/address",
                 "\"127.0.0.1:80\"",
                 "/listeners/0/address",
                 "no IP address"},
                {"address in brackets",
                 "/listeners/0/address",
                 "\"[::1]\"",
                 "/listeners/0/address",
                 "without port and brackets"},
                {"empty address",
                 "/listeners/0/address",
                 "\"\"",
                 "/listeners/0/address",
                 "no IP address"},
                {"octet too large",
                 "/listeners/0/address",
                 "\"127.0.0.256\"",
                 "/listeners/0/address",
                 "no IP address"},
                {"zone",
                 "/listeners/0/address",
                 "\"fe80::1%eth0\"",
                 "/listeners/0/address",
                 "no IP address"},
                {"NUL behind an address",
                 "/listeners/0/address",
                 "\"127.0.0.1\\u0000\"",
                 "/listeners/0/address",
                 "no IP address"},
                {"admin address", "/admin/address", "\"here\"", "/admin/address", "no IP address"},
                {"token with a space",
                 "/admin/token",
                 "\"two words\"",
                 "/admin/token",
                 "cannot carry"},
                {"token with a line end",
                 "/admin/token",
                 "\"a\\nb\"",
                 "/admin/token",
                 "cannot carry"},
                {"token that was to be a reference",
                 "/admin/token",
                 "\"${admin_token}\"",
                 "/admin/token",
                 "no environment reference"},
                {"no api", "/apis", "[]", "/apis", "at least one"},
            });
        check_acceptances(full_document(),
                          {
                              {"any port", "/listeners/0/port", "0"},
                              {"IPv6", "/listeners/0/address", "\"::1\""},
                              {"every address", "/listeners/0/address", "\"0.0.0.0\""},
                              {"several listeners",
                               "/listeners",
                               "[{}, {\"port\": 8081}, {\"address\": \"::1\"}]"},
                              {"token", "/admin/token", "\"abc.DEF-123_~+/==\""},
                          });
    }

    TEST_CASE("a problem with the admin token never shows it") {
        Json document = full_document();
        document["admin"]["token"] = "hunter2 hunter2";
        const Loaded loaded = load(document);
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].message.find("hunter2") == std::string::npos);
    }

    TEST_CASE("an access log format is one of three words or a sound template") {
        check_refusals(
            full_document(),
            {
                {"near word",
                 "/accessLog/format",
                 "\"jsno\"",
                 "/accessLog/format",
                 "did you mean \"json\"?"},
                {"far word",
                 "/accessLog/format",
                 "\"combined\"",
                 "/accessLog/format",
                 "allowed: \"json\", \"clf\", \"off\""},
                {"empty", "/accessLog/format", "\"\"", "/accessLog/format", "allowed: \"json\""},
                {"no id",
                 "/accessLog/format",
                 "\"$context.status\"",
                 "/accessLog/format",
                 "must contain $context.requestId"},
                {"unknown variable",
                 "/accessLog/format",
                 "\"$context.requestId $context.statsu\"",
                 "/accessLog/format",
                 "did you mean \"status\"?"},
                {"variable that goes on",
                 "/accessLog/format",
                 "\"$context.requestIdx\"",
                 "/accessLog/format",
                 "no $context variable \"requestIdx\""},
                {"hyphen joins names",
                 "/accessLog/format",
                 "\"$context.requestId-$context.status\"",
                 "/accessLog/format",
                 "${context.NAME}"},
                {"stage variable",
                 "/accessLog/format",
                 "\"$context.requestId $stageVariables.x\"",
                 "/accessLog/format",
                 "begins no $context variable"},
                {"request header",
                 "/accessLog/format",
                 "\"$context.requestId $method.request.header.Authorization\"",
                 "/accessLog/format",
                 "begins no $context variable"},
                {"price",
                 "/accessLog/format",
                 "\"$context.requestId $5\"",
                 "/accessLog/format",
                 "begins no $context variable"},
                {"nothing behind context",
                 "/accessLog/format",
                 "\"$context.requestId $context.\"",
                 "/accessLog/format",
                 "begins no $context variable"},
                {"two lines",
                 "/accessLog/format",
                 "\"$context.requestId\\n$context.status\"",
                 "/accessLog/format",
                 "single line"},
                {"empty path", "/accessLog/path", "\"\"", "/accessLog/path", "\"-\" for stdout"},
                {"path with NUL",
                 "/accessLog/path",
                 "\"a\\u0000b\"",
                 "/accessLog/path",
                 "control character"},
                {"off with a path",
                 "/accessLog/format",
                 "\"off\"",
                 "/accessLog/path",
                 "would be ignored"},
            });
        check_acceptances(
            full_document(),
            {
                {"common log format", "/accessLog/format", "\"clf\""},
                {"off alone", "/accessLog", "{\"format\": \"off\"}"},
                {"template",
                 "/accessLog/format",
                 "\"$context.identity.sourceIp [$context.requestTime] $context.status "
                 "$context.requestId.\""},
                {"braces",
                 "/accessLog/format",
                 "\"${context.extendedRequestId}-${context.status}\""},
                {"authorizer context",
                 "/accessLog/format",
                 "\"$context.requestId $context.authorizer.userId $context.authorizer.latency\""},
                {"own variables",
                 "/accessLog/format",
                 "\"$context.requestId $context.gatehouse.cache $context.gatehouse.reason\""},
                {"the caller's trace",
                 "/accessLog/format",
                 "\"$context.requestId $context.gatehouse.traceparent\""},
                {"file", "/accessLog/path", "\"/var/log/gatehouse.log\""},
            });
    }

    TEST_CASE("a log template longer than 3 KB is refused") {
        Json document = full_document();
        const std::string id = "$context.requestId";
        document["accessLog"]["format"] = id + std::string(3072 - id.size(), 'x');
        CHECK(load(document).problems.size() ==
              1);  // the name runs on: the padding must not be part of it
        document["accessLog"]["format"] = id + " " + std::string(3072 - id.size() - 1, 'x');
        CHECK(show(load(document).problems) == "");
        document["accessLog"]["format"] = id + " " + std::string(3072 - id.size(), 'x');
        CHECK(has_problem(load(document).problems, "/accessLog/format", "longer than 3 KB"));
    }

    TEST_CASE("section 20: an access log may name every variable that the service has") {
        for (const char* name : {"accountId",
                                 "apiId",
                                 "authorizer.principalId",
                                 "authorizer.key",
                                 "authorizer.claims.sub",
                                 "awsEndpointRequestId",
                                 "customDomain.basePathMatched",
                                 "deploymentId",
                                 "domainName",
                                 "domainPrefix",
                                 "error.message",
                                 "error.messageString",
                                 "error.responseType",
                                 "error.validationErrorString",
                                 "extendedRequestId",
                                 "httpMethod",
                                 "identity.accountId",
                                 "identity.apiKey",
                                 "identity.apiKeyId",
                                 "identity.caller",
                                 "identity.cognitoAuthenticationProvider",
                                 "identity.cognitoAuthenticationType",
                                 "identity.cognitoIdentityId",
                                 "identity.cognitoIdentityPoolId",
                                 "identity.principalOrgId",
                                 "identity.sourceIp",
                                 "identity.clientCert.clientCertPem",
                                 "identity.clientCert.subjectDN",
                                 "identity.clientCert.issuerDN",
                                 "identity.clientCert.serialNumber",
                                 "identity.clientCert.validity.notBefore",
                                 "identity.clientCert.validity.notAfter",
                                 "identity.user",
                                 "identity.userAgent",
                                 "identity.userArn",
                                 "identity.vpcId",
                                 "identity.vpceId",
                                 "isCanaryRequest",
                                 "path",
                                 "protocol",
                                 "requestId",
                                 "requestTime",
                                 "requestTimeEpoch",
                                 "resourceId",
                                 "resourcePath",
                                 "stage",
                                 "wafResponseCode",
                                 "webaclArn",
                                 "authorize.error",
                                 "authorize.latency",
                                 "authorize.status",
                                 "authorizer.error",
                                 "authorizer.integrationLatency",
                                 "authorizer.integrationStatus",
                                 "authorizer.latency",
                                 "authorizer.requestId",
                                 "authorizer.status",
                                 "authenticate.error",
                                 "authenticate.latency",
                                 "authenticate.status",
                                 "integration.error",
                                 "integration.integrationStatus",
                                 "integration.latency",
                                 "integration.requestId",
                                 "integration.status",
                                 "integrationErrorMessage",
                                 "integrationLatency",
                                 "integrationStatus",
                                 "responseLatency",
                                 "responseLength",
                                 "status",
                                 "waf.error",
                                 "waf.latency",
                                 "waf.status",
                                 "xrayTraceId",
                                 "awsEndpointRequestId2",
                                 "dataProcessed",
                                 "routeKey"}) {
            CAPTURE(name);
            Json document = minimal_document();
            document["accessLog"] = {
                {"format", "$context.requestId $context." + std::string(name)}};
            CHECK(show(load(document).problems) == "");
        }
        for (const char* name :
             {"requestHeader.Authorization", "nothing", "identity", "claims.sub"}) {
            CAPTURE(name);
            Json document = minimal_document();
            document["accessLog"] = {
                {"format", "$context.requestId $context." + std::string(name)}};
            CHECK(load(document).problems.size() == 1);
        }
    }
}

}  // namespace parse_model_test
