#include "fixture.hpp"

namespace config_http_api_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json http_document() {
    return parse_document(R"({
      "functions": { "f": { "endpoint": "http://127.0.0.1:9000" } },
      "apis": [ { "name": "h", "protocolType": "HTTP", "stageVariables": { "v": "x" },
        "corsConfiguration": { "allowOrigins": ["https://App.example"], "allowMethods": ["GET"],
                               "allowHeaders": ["x-a"], "exposeHeaders": ["x-b"], "maxAge": 5 },
        "authorizers": {
          "jwt": { "type": "JWT", "identitySource": ["$request.header.Authorization"],
                   "jwtConfiguration": { "issuer": "https://i.example/", "audience": ["a"] } },
          "fn": { "type": "REQUEST", "authorizerPayloadFormatVersion": "2.0",
                  "enableSimpleResponses": true, "identitySource": ["$request.header.A", "$context.routeKey"],
                  "authorizerResultTtlInSeconds": 10,
                  "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:f" } },
        "routes": [
          { "routeKey": "GET /a/{id}", "authorizer": "jwt", "authorizationScopes": ["s"],
            "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:3000/{id}", "payloadFormatVersion": "1.0",
              "requestParameters": { "append:header.X": "$context.authorizer.claims.sub", "overwrite:path": "/x" },
              "responseParameters": { "200": { "append:header.X": "$response.header.Y" } } } },
          { "routeKey": "$default", "authorizer": "fn",
            "integration": { "type": "AWS_PROXY", "payloadFormatVersion": "2.0",
                             "uri": "arn:aws:lambda:us-east-1:123456789012:function:f" } } ] } ] })");
}

Json rest_document() {
    return parse_document(R"({ "apis": [ { "name": "r",
        "authorizers": { "jwt": { "type": "JWT", "identitySource": "method.request.header.Authorization",
          "jwtConfiguration": { "defaultAlgorithms": ["RS256", "ES256"], "issuers": [
            { "issuer": "https://i.example/", "audiences": ["a", "b"] },
            { "issuer": "https://j.example/", "audiences": ["c"], "jwksUri": "https://j.example/k" } ] } } },
        "routes": [ { "routeKey": "GET /a", "authorizer": "jwt", "authorizationScopes": ["s"],
          "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:3000/" } } ] } ] })");
}

const std::string kApi = "/apis/0";
const std::string kJwt = kApi + "/authorizers/jwt";
const std::string kFn = kApi + "/authorizers/fn";
const std::string kProxy = kApi + "/routes/0/integration";
const std::string kCall = kApi + "/routes/1/integration";

// One change below `base`; the problem is there too, unless the row names another place.
struct Row {
    std::string at;
    const char* value;
    const char* words;
    std::string pointer = {};
};

void check_rows(const Json& document, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        check_refusals(document,
                       {{row.at.c_str(),
                         row.at.c_str(),
                         row.value,
                         row.pointer.empty() ? row.at.c_str() : row.pointer.c_str(),
                         row.words}});
    }
}

}  // namespace

TEST_SUITE("config/http_api") {
    TEST_CASE("an HTTP API is read whole") {
        const Loaded loaded = load(http_document());
        REQUIRE(show(loaded.problems) == "");
        const Api& api = loaded.model.apis.at(0);
        CHECK(api.protocol == Protocol::http);
        CHECK(api.stage_name == "$default");
        REQUIRE(api.cors.has_value());
        CHECK(api.cors->allow_origins == std::vector<std::string>{"https://app.example"});
        CHECK(api.cors->max_age == 5);
        const auto by_name = [&](std::string_view name) -> const Authorizer& {
            return *std::ranges::find(api.authorizers, name, &Authorizer::name);
        };
        const Authorizer& jwt = by_name("jwt");
        CHECK(jwt.identity_source == "$request.header.Authorization");
        REQUIRE(jwt.jwt.providers.size() == 1);
        CHECK(jwt.jwt.providers[0].algorithms ==
              std::vector<std::string>{"RS256", "RS384", "RS512"});
        CHECK(jwt.jwt.context.empty());
        CHECK(jwt.function == -1);
        const Authorizer& fn = by_name("fn");
        CHECK(fn.payload_format == PayloadFormat::http_2_0);
        CHECK(fn.simple_responses);
        CHECK(fn.identity_source == "$request.header.A,$context.routeKey");
        CHECK(api.routes[0].integration.timeout == std::chrono::milliseconds(30000));
        CHECK(api.routes[1].path == "$default");
        CHECK(api.routes[1].integration.payload_format == PayloadFormat::http_2_0);
    }

    TEST_CASE("an authorizer of an HTTP API caches nothing unless it is told to") {
        Json document = http_document();
        change(document, kFn + "/authorizerResultTtlInSeconds", "");
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        for (const Authorizer& authorizer : loaded.model.apis[0].authorizers) {
            if (authorizer.name == "fn") CHECK(authorizer.result_ttl.count() == 0);
        }
    }

    TEST_CASE("what only REST APIs have is refused by name") {
        check_rows(http_document(),
                   {{kApi + "/gatewayResponses", "{}", "only REST APIs do"},
                    {kApi + "/binaryMediaTypes", "[]", "only REST APIs do"},
                    {kApi + "/headerHandling", "\"plain\"", "only REST APIs do"},
                    {kApi + "/methodOverride", "true", "only REST APIs do"},
                    {kApi + "/denyMessages", "\"2015\"", "only REST APIs do"},
                    {kApi + "/contextHeaders",
                     R"({"requestContext":true})",
                     "not supported on HTTP APIs",
                     kApi + "/contextHeaders/requestContext"},
                    {kJwt + "/type", "\"TOKEN\"", "an HTTP API has \"JWT\", \"REQUEST\""},
                    {kJwt + "/type", "\"COGNITO_USER_POOLS\"", "an HTTP API has"},
                    {kJwt + "/identityValidationExpression", "\".\"", "have none"},
                    {kProxy + "/type", "\"MOCK\"", "an HTTP API has \"HTTP_PROXY\", \"AWS_PROXY\""},
                    {kProxy + "/responseTemplates", "{}", "only REST APIs do"},
                    {kProxy + "/statusCode", "200", "only REST APIs do"}});
    }

    TEST_CASE("an HTTP API has throttles and no keys") {
        Json document = http_document();
        document["apis"][0]["throttle"] = {{"rateLimit", 5}, {"burstLimit", 2}};
        document["apis"][0]["routes"][0]["throttle"] = {{"rateLimit", 3}, {"burstLimit", 1}};
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        REQUIRE(loaded.model.apis[0].throttle.has_value());
        REQUIRE(loaded.model.apis[0].routes[0].throttle.has_value());
        check_rows(http_document(),
                   {{kApi + "/throttle", "\"x\"", "must be an object"},
                    {kApi + "/throttle", R"({"rateLimit":1})", "is missing"},
                    {kApi + "/routes/0/apiKeyRequired", "true", "only REST APIs do"},
                    {kApi + "/apiKeySource", "\"HEADER\"", "only REST APIs do"}});
        document["apis"][0]["routes"][0]["authorizer"] = "AWS_IAM";
        CHECK(has_problem(load(document).problems, kApi + "/routes/0/authorizer", "not supported"));
    }

    TEST_CASE("what only HTTP APIs have is refused by name on a REST API") {
        check_rows(
            rest_document(),
            {{kApi + "/corsConfiguration", R"({"allowOrigins":["*"]})", "a REST API has none"},
             {kApi + "/stageName", "\"$default\"", "is a stage of HTTP APIs"},
             {kApi + "/routes/0/routeKey", "\"$default\"", "is for HTTP APIs"},
             {kProxy + "/payloadFormatVersion", "\"1.0\"", "that is an HTTP API's"},
             {kProxy + "/requestParameters",
              R"({"append:header.X":"'y'"})",
              "is no destination",
              kProxy + "/requestParameters/append:header.X"},
             {kProxy + "/requestParameters",
              R"({"integration.request.header.X":"context.routeKey"})",
              "of HTTP APIs only",
              kProxy + "/requestParameters/integration.request.header.X"},
             {kJwt + "/enableSimpleResponses", "true", "that is an HTTP API's"},
             {kJwt + "/authorizerPayloadFormatVersion", "\"2.0\"", "that is an HTTP API's"}});
    }

    TEST_CASE("JWT authorizers of HTTP APIs") {
        const std::string configuration = kJwt + "/jwtConfiguration";
        check_rows(http_document(),
                   {{kJwt + "/identitySource", "", "\"identitySource\" is missing", kJwt},
                    {kJwt + "/identitySource", "\"$request.header.A\"", "must be a list"},
                    {kJwt + "/identitySource", "[]", "exactly one"},
                    {kJwt + "/identitySource",
                     R"(["$request.header.A", "$request.header.B"])",
                     "exactly one"},
                    {kJwt + "/identitySource",
                     R"(["$context.routeKey"])",
                     "a token comes from",
                     kJwt + "/identitySource/0"},
                    {kJwt + "/identitySource",
                     R"(["method.request.header.Authorization"])",
                     "a token comes from",
                     kJwt + "/identitySource/0"},
                    {kJwt + "/authorizerUri", "\"gatehouse:jwt\"", "calls nothing"},
                    {kJwt + "/jwt", "{}", "calls nothing"},
                    {kJwt + "/authorizerResultTtlInSeconds", "5", "no cache to set"},
                    {kJwt + "/limitToExpiration", "true", "no cache to set"},
                    {kJwt + "/requirePrincipalId", "true", "gives no principal"},
                    {kJwt + "/enableSimpleResponses", "true", "calls nothing"},
                    {configuration, "", "\"jwtConfiguration\" is missing", kJwt},
                    {configuration + "/issuer", "", "\"issuer\" is missing", configuration},
                    {configuration + "/issuer", "\"urn:x\"", "cannot be discovered"},
                    {configuration + "/audience", "[]", "is empty"},
                    {configuration + "/audience", "\"a\"", "must be a list"},
                    {configuration + "/issuers", "[]", "that is a REST API's"},
                    {configuration + "/defaultAlgorithms", "[\"RS256\"]", "that is a REST API's"},
                    {configuration + "/algorithms", "[\"ES256\"]", "unknown key"}});
    }

    TEST_CASE("REQUEST authorizers of HTTP APIs") {
        check_rows(
            http_document(),
            {{kFn + "/timeoutInMillis", "10001", "allowed: 50 to 10000"},
             {kFn + "/authorizerPayloadFormatVersion", "", "is missing", kFn},
             {kFn + "/authorizerPayloadFormatVersion", "\"3.0\"", "allowed: \"1.0\", \"2.0\""},
             {kFn + "/authorizerPayloadFormatVersion",
              "\"1.0\"",
              "only \"authorizerPayloadFormatVersion\": \"2.0\"",
              kFn + "/enableSimpleResponses"},
             {kFn + "/enableSimpleResponses", "\"true\"", "must be true or false"},
             {kFn + "/identitySource", "", "caches results and has no", kFn},
             {kFn + "/identitySource", "[]", "caches results and has no", kFn},
             {kFn + "/identitySource",
              R"(["$request.path.id"])",
              "is no identity source",
              kFn + "/identitySource/0"},
             {kFn + "/identitySource",
              R"(["$request.header.A,$request.header.B"])",
              "one source is one element",
              kFn + "/identitySource/0"},
             {kFn + "/identitySource", "\"$request.header.A\"", "must be a list"},
             {kFn + "/authorizerResultTtlInSeconds", "3601", "allowed: 0 to 3600"},
             {kFn + "/limitToExpiration", "true", "has no exp"},
             {kFn + "/jwtConfiguration", "{}", "has none"},
             {kFn + "/authorizerUri", "", "is missing", kFn},
             {kApi + "/routes/1/authorizationScopes", "[\"s\"]", "would be ignored"}});
    }

    TEST_CASE("integrations of HTTP APIs") {
        const std::string parameters = kProxy + "/requestParameters";
        const std::string answers = kProxy + "/responseParameters";
        const auto at = [&](const char* key) { return parameters + "/" + key; };
        check_rows(
            http_document(),
            {{kCall + "/payloadFormatVersion", "", "is missing", kCall},
             {kProxy + "/payloadFormatVersion", "\"2.0\"", "allowed: \"1.0\""},
             {kProxy + "/timeoutInMillis", "30001", "allowed: 50 to 30000"},
             {kCall + "/requestParameters", "{}", "only HTTP_PROXY maps"},
             {kCall + "/responseParameters", "{}", "says its answer's status"},
             {kProxy + "/responseParameters", "[]", "must be an object"},
             {answers, R"({"99":{}})", "no status from 200 to 599", answers + "/99"},
             {answers, R"({"200":"x"})", "must be an object", answers + "/200"},
             {answers + "/200",
              R"({"overwrite:statuscode":"204"})",
              "has no content",
              answers + "/200/overwrite:statuscode"},
             {answers + "/200",
              R"({"overwrite:statuscode":"600"})",
              "no status",
              answers + "/200/overwrite:statuscode"},
             {answers + "/200",
              R"({"overwrite:path":"/x"})",
              "is no destination",
              answers + "/200/overwrite:path"},
             {answers + "/200",
              R"({"append:querystring.a":"x"})",
              "is no destination",
              answers + "/200/append:querystring.a"},
             {answers + "/200",
              R"({"append:header.content-length":"1"})",
              "are restricted",
              answers + "/200/append:header.content-length"},
             {answers + "/200",
              R"({"append:header.access-control-allow-origin":"*"})",
              "are restricted",
              answers + "/200/append:header.access-control-allow-origin"},
             {answers + "/200",
              R"({"overwrite:header.date":"x"})",
              "written by the gateway",
              answers + "/200/overwrite:header.date"},
             {answers + "/200",
              R"({"remove:header.a":"x"})",
              "takes no value",
              answers + "/200/remove:header.a"},
             {answers + "/200",
              R"({"append:header.a":"$request.header.b"})",
              "expected $response.header.NAME",
              answers + "/200/append:header.a"},
             {answers + "/200",
              R"({"append:header.a":"$response.body.b"})",
              "are streamed",
              answers + "/200/append:header.a"},
             {answers + "/200",
              R"({"append:header.a":"$stageVariables.w"})",
              "is not set",
              answers + "/200/append:header.a"},
             {parameters,
              R"({"integration.request.header.X":"'a'"})",
              "is no destination",
              at("integration.request.header.X")},
             {parameters,
              R"({"overwrite:header.Authorization":"x"})",
              "are restricted",
              at("overwrite:header.Authorization")},
             {parameters, R"({"remove:header.X":"y"})", "takes no value", at("remove:header.X")},
             {parameters, R"({"append:header.X":"$nope"})", "expected", at("append:header.X")},
             {parameters,
              R"({"append:header.X":"$request.body.a"})",
              "bodies are streamed",
              at("append:header.X")},
             {parameters,
              R"({"append:header.X":"$stageVariables.w"})",
              "is not set",
              at("append:header.X")},
             {parameters,
              R"({"append:header.X":"a${request.path.ID}"})",
              "is no path parameter",
              at("append:header.X")},
             {parameters,
              R"({"append:header.X":"$context.authorizer.tenant"})",
              "puts no \"tenant\"",
              at("append:header.X")},
             {parameters, R"({"overwrite:path":"x"})", "begins with \"/\"", at("overwrite:path")},
             {parameters, R"({"overwrite:path":"/a/../b"})", "is no path", at("overwrite:path")},
             {parameters, R"({"overwrite:path":"/a?b=1"})", "is no path", at("overwrite:path")}});
    }

    TEST_CASE("CORS") {
        const std::string cors = kApi + "/corsConfiguration";
        check_rows(
            http_document(),
            {{cors + "/allowOrigins", "", "is missing", cors},
             {cors + "/allowOrigins",
              R"(["https://a.example/"])",
              "is no origin",
              cors + "/allowOrigins/0"},
             {cors + "/allowOrigins", R"(["a.example"])", "is no origin", cors + "/allowOrigins/0"},
             {cors + "/allowOrigins",
              R"(["https://*.example"])",
              "is no origin",
              cors + "/allowOrigins/0"},
             {cors + "/allowMethods",
              R"(["get"])",
              "did you mean \"GET\"?",
              cors + "/allowMethods/0"},
             {cors + "/allowHeaders", R"(["a b"])", "", cors + "/allowHeaders/0"},
             {cors + "/maxAge", "86401", "allowed: -1 to 86400"},
             {cors + "/allowCredentials", "1", "must be true or false"}});
        for (const char* origin : {"*", "https://*", "http://*"}) {
            CAPTURE(std::string(origin));
            Json document = http_document();
            document["apis"][0]["corsConfiguration"] = {{"allowOrigins", {origin}},
                                                        {"allowCredentials", true}};
            const Loaded loaded = load(document);
            CHECK(has_problem(loaded.problems, cors + "/allowCredentials", "no wildcard"));
        }
    }

    TEST_CASE("a guarded route that takes OPTIONS earns a warning about preflights") {
        CHECK(
            has_problem(load(http_document()).warnings, kApi + "/routes/1/routeKey", "preflights"));
        Json document = http_document();
        document["apis"][0]["routes"].push_back(
            {{"routeKey", "OPTIONS /{proxy+}"},
             {"authorizer", "NONE"},
             {"integration", {{"type", "HTTP_PROXY"}, {"uri", "http://127.0.0.1:3000/{proxy}"}}}});
        const Loaded remedied = load(document);
        CHECK(show(remedied.problems) == "");
        CHECK_FALSE(has_problem(remedied.warnings, kApi + "/routes/1/routeKey", "preflights"));
    }

    TEST_CASE("section 9.2: native JWT authorizers of REST APIs") {
        const Loaded loaded = load(rest_document());
        REQUIRE(show(loaded.problems) == "");
        const Authorizer& jwt = loaded.model.apis[0].authorizers[0];
        REQUIRE(jwt.jwt.providers.size() == 2);
        CHECK(jwt.jwt.providers[1].algorithms == std::vector<std::string>{"RS256", "ES256"});
        CHECK(jwt.jwt.providers[1].jwks_uri == "https://j.example/k");
        const std::string configuration = kJwt + "/jwtConfiguration";
        check_rows(rest_document(),
                   {{kJwt + "/identitySource",
                     "\"method.request.querystring.t\"",
                     "takes exactly one header"},
                    {kJwt + "/authorizerUri", "\"gatehouse:jwt\"", "calls nothing"},
                    {kJwt + "/authorizerResultTtlInSeconds", "0", "no such setting"},
                    {kJwt + "/identityValidationExpression", "\"a\"", "no such setting"},
                    {kJwt + "/providerARNs", "[]", "has user pools"},
                    {kJwt + "/userPools", "{}", "has user pools"},
                    {kJwt + "/timeoutInMillis", "100", "calls nothing"},
                    {kProxy + "/responseParameters", "{}", "an HTTP API's"},
                    {kJwt + "/introspection", "{}", "calls nothing"},
                    {configuration + "/defaultAlgorithms", "", "is missing", configuration},
                    {configuration + "/defaultAlgorithms",
                     "[\"HS256\"]",
                     "shared secret",
                     configuration + "/defaultAlgorithms/0"},
                    {configuration + "/issuers", "[]", "at least one is needed"},
                    {configuration + "/issuers/0/audiences", "[]", "is empty"},
                    {configuration + "/issuers/1/issuer",
                     "\"https://i.example/\"",
                     "has this issuer already"},
                    {configuration + "/issuers/0/additionalClaims", "[]", "not supported"},
                    {configuration + "/issuer", "\"x\"", "stands in an element"},
                    {configuration + "/audience", "[\"x\"]", "stands in an element"}});
    }
}

}  // namespace config_http_api_test
