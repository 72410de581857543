#include "gatehouse/app/snapshot.hpp"

#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>

namespace snapshot_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

struct Parts {
    authz::GrantCache cache;
    KeyStore keys;

    Result<std::shared_ptr<const Snapshot>> make(const config::Model& model) {
        return make_snapshot(model, cache, keys, false);
    }

    authz::CacheScope scope_of(const config::Model& model) {
        return make(model).value()->apis[0].authorizers[0]->scope;
    }
};

config::Model usual_model() {
    return test::parse_config(test::ConfigText().text());
}

}  // namespace

TEST_SUITE("app/snapshot") {
    TEST_CASE("an upstream that is as it was keeps what is known of its targets") {
        const auto text_of = [](const std::string& users, const std::string& others) {
            test::ConfigText config;
            config.routes =
                R"({ "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://users/" } },
                   { "routeKey": "GET /b", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://others/" } },
                   { "routeKey": "GET /c", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://users:80/" } })";
            config.top += R"(, "upstreams": { "users": { "targets": ["http://127.0.0.1:1"] )" +
                          users + R"( }, "others": { "targets": ["http://127.0.0.1:2"] )" + others +
                          " } }";
            return test::parse_config(config.text());
        };
        Parts parts;
        const auto make = [&](const config::Model& model, const Snapshot* before) {
            return make_snapshot(model, parts.cache, parts.keys, false, nullptr, before).value();
        };
        const auto first = make(text_of("", ""), nullptr);
        REQUIRE(first->upstreams.size() == 2);
        // By name: "others", "users".
        const auto& routes = first->apis.at(0).routes;
        CHECK(routes[0].upstream == first->upstreams[1].get());
        CHECK(routes[1].upstream == first->upstreams[0].get());
        CHECK(routes[2].upstream == nullptr);  // a port: a host of that name
        CHECK(routes[2].forward->endpoint().host == "users");
        const auto same = make(text_of("", ""), first.get());
        CHECK(same->upstreams == first->upstreams);
        CHECK(same->apis.at(0).routes[0].upstream == first->upstreams[1].get());
        const auto other = make(text_of(R"(, "maxRequests": 1)", ""), same.get());
        CHECK(other->upstreams[1] != first->upstreams[1]);
        CHECK(other->upstreams[0] == first->upstreams[0]);
        CHECK(make(text_of("", ""), nullptr)->upstreams[0] != first->upstreams[0]);
    }

    TEST_CASE("routes find their authorizer and open ones have none") {
        test::ConfigText config;
        config.routes +=
            R"(, { "routeKey": "GET /open", "authorizer": "NONE", "integration": { "type": "MOCK" } })";
        const test::GatewayFixture f(config);
        const CompiledApi& api = f.snapshot->apis.at(0);
        REQUIRE(api.routes.size() == 3);
        CHECK(api.routes[0].authorizer == 0);
        CHECK(api.routes[0].forward);
        CHECK(api.routes[2].authorizer == -1);
        CHECK_FALSE(api.routes[2].forward);
        CHECK(api.stage.stage_prefix == std::string(test::kStagePrefix));
        CHECK(api.stage.base_path.empty());
        CHECK(f.snapshot->report.size() == 3);
    }

    TEST_CASE(
        "an authorizer that cannot be resolved makes no snapshot even if the configuration let it "
        "pass") {
        for (const char* name : {"", "jwt2", "JWT", "none", "NONE "}) {
            CAPTURE(name);
            Parts parts;
            config::Model model = usual_model();
            model.apis[0].routes[1].authorizer = name;
            const auto made = parts.make(model);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK(made.error().detail.starts_with("/apis/0/routes/1/authorizer: "));
        }
    }

    TEST_CASE("parts that do not compile are refused with their place") {
        struct Row {
            const char* name;
            std::function<void(config::Model&)> spoil;
            std::string_view place;
        };

        const Row rows[] = {
            {"identity source",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].identity_source = "method.request.body.x";
             },
             "/apis/0/authorizers/jwt"},
            {"regular expression",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].identity_validation_expression = "(";
             },
             "/apis/0/authorizers/jwt"},
            {"statements",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].jwt.statements = Json::array({Json::object()});
             },
             "/apis/0/authorizers/jwt/jwt"},
            {"two equal routes",
             [](config::Model& m) { m.apis[0].routes.push_back(m.apis[0].routes[0]); },
             "/apis/0/routes"},
            {"mapping",
             [](config::Model& m) {
                 m.apis[0].routes[0].integration.request_parameters["integration.request.body"] =
                     "'x'";
             },
             "/apis/0/routes/0/integration"},
            {"gateway response",
             [](config::Model& m) { m.apis[0].gateway_responses["NO_SUCH_TYPE"] = {}; },
             "/apis/0/gatewayResponses"},
            {"two equal APIs", [](config::Model& m) { m.apis.push_back(m.apis[0]); }, "/apis"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Parts parts;
            config::Model model = usual_model();
            row.spoil(model);
            const auto made = parts.make(model);
            REQUIRE_FALSE(made.has_value());
            CAPTURE(made.error().detail);
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK(made.error().detail.starts_with(row.place));
        }
    }

    TEST_CASE("the same authorizer keeps its cache scope across reloads") {
        Parts parts;
        const config::Model model = usual_model();
        const authz::CacheScope scope = parts.scope_of(model);
        CHECK(parts.scope_of(model) == scope);
        config::Model other = model;
        other.apis[0].routes.pop_back();
        other.apis[0].authorizers[0].result_ttl = std::chrono::seconds(1);
        other.limits.body_bytes = 1;
        CHECK(parts.scope_of(other) == scope);
    }

    TEST_CASE("whatever a grant is built from gives another cache scope") {
        struct Row {
            const char* name;
            std::function<void(config::Model&)> change;
        };

        const Row rows[] = {
            {"api id", [](config::Model& m) { m.apis[0].api_id = "other"; }},
            {"stage", [](config::Model& m) { m.apis[0].stage_name = "other"; }},
            {"region", [](config::Model& m) { m.apis[0].region = "eu-west-1"; }},
            {"account", [](config::Model& m) { m.apis[0].account_id = "210987654321"; }},
            {"authorizer name",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].name = "other";
                 for (config::Route& route : m.apis[0].routes)
                     route.authorizer = "other";
             }},
            {"issuer",
             [](config::Model& m) { m.apis[0].authorizers[0].jwt.providers[0].issuer += "x"; }},
            {"audience",
             [](config::Model& m) { m.apis[0].authorizers[0].jwt.providers[0].audience = {"x"}; }},
            {"algorithms",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].jwt.providers[0].algorithms = {"RS256"};
             }},
            {"key set",
             [](config::Model& m) { m.apis[0].authorizers[0].jwt.providers[0].jwks_uri += "x"; }},
            {"skew",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].jwt.clock_skew = std::chrono::seconds(1);
             }},
            {"context", [](config::Model& m) { m.apis[0].authorizers[0].jwt.context.pop_back(); }},
            {"resource",
             [](config::Model& m) { m.apis[0].authorizers[0].jwt.resource = "method"; }},
            {"identity source",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].identity_source = "method.request.header.X-Token";
             }},
            {"identity expression",
             [](config::Model& m) {
                 m.apis[0].authorizers[0].identity_validation_expression = "x";
             }},
            {"principal",
             [](config::Model& m) { m.apis[0].authorizers[0].require_principal_id = true; }},
            {"header prefix",
             [](config::Model& m) { m.apis[0].context_headers.prefix = "X-Auth-"; }},
            {"header switch", [](config::Model& m) { m.apis[0].context_headers.enabled = false; }},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Parts parts;
            config::Model model = usual_model();
            const authz::CacheScope scope = parts.scope_of(model);
            row.change(model);
            CHECK(parts.scope_of(model) != scope);
        }
    }

    TEST_CASE("two authorizers of one issuer share the key source and no cache scope") {
        Parts parts;
        config::Model model = usual_model();
        model.apis[0].authorizers.push_back(model.apis[0].authorizers[0]);
        model.apis[0].authorizers[1].name = "second";
        const auto snapshot = parts.make(model).value();
        const auto& authorizers = snapshot->apis[0].authorizers;
        CHECK(authorizers[0]->key_sources == authorizers[1]->key_sources);
        CHECK(authorizers[0]->scope != authorizers[1]->scope);
        CHECK(parts.keys.status({}).size() == 1);
    }

    TEST_CASE("the model lives as long as the snapshot that points into it") {
        std::shared_ptr<const Snapshot> snapshot;
        {
            Parts parts;
            snapshot = parts.make(usual_model()).value();
        }
        CHECK(snapshot->apis[0].source == &snapshot->model.apis[0]);
        CHECK(snapshot->apis[0].routes[0].source->route_key == "GET /a");
    }

    TEST_CASE("a mock route has its JSON template or the first one") {
        test::ConfigText config;
        config.routes =
            R"({ "routeKey": "GET /m", "authorizer": "NONE", "integration": { "type": "MOCK",
                               "responseTemplates": { "application/xml": "<a/>", "application/json": "{}" } } },
                           { "routeKey": "GET /n", "authorizer": "NONE", "integration": { "type": "MOCK",
                               "responseTemplates": { "text/plain": "hello" } } },
                           { "routeKey": "GET /a", "authorizer": "jwt", "integration": { "type": "MOCK" } })";
        const test::GatewayFixture f(config);
        const auto& routes = f.snapshot->apis[0].routes;
        CHECK(routes[0].mock_type == "application/json");
        CHECK(routes[0].mock_body == "{}");
        CHECK(routes[1].mock_type == "text/plain");
        CHECK(routes[1].mock_body == "hello");
        CHECK(routes[2].mock_type == "application/json");
        CHECK(routes[2].mock_body.empty());
    }

    TEST_CASE("names that some route writes are nobody else's on every route") {
        const auto authorizer = [](const char* more) {
            return R"("authorizers": { "jwt": { "type": "TOKEN", "authorizerUri": "gatehouse:jwt", "jwt": {
                      "issuer": "https://issuer.example/", "audience": ["api://users"], "algorithms": ["ES256"] } } })" +
                   std::string(more);
        };
        const auto route = [](const std::string& key, const std::string& mappings) {
            return R"({ "routeKey": "GET )" + key +
                   R"(", "authorizer": "jwt", "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9",
                         "requestParameters": { )" +
                   mappings + " } } }";
        };
        const std::string header = "\"integration.request.header.";
        const std::string text =
            R"({ "apis": [ { "name": "one", "stageVariables": { "v": "1" }, )" + authorizer("") +
            R"(, "routes": [ )" +
            route("/mapped",
                  header + "X-User-Id\": \"context.authorizer.userId\", " + header +
                      "X-Ip\": \"context.identity.sourceIp\", " + header +
                      "X-Var\": \"stageVariables.v\", " + header +
                      "X-Q\": \"method.request.querystring.q\", " + header +
                      "X-Env\": \"'prod'\", " + header + "Authorization\": \"'Basic x'\", " +
                      header + "Accept\": \"'text/plain'\"") +
            ", " + route("/plain", "") + ", " +
            route("/copied", header + "X-Env\": \"method.request.header.X-Env\"") +
            R"( ] }, { "name": "two", "basePath": "/two", "contextHeaders": { "prefix": "X-Two-" }, )" +
            authorizer("") + R"(, "routes": [ )" +
            route("/mapped",
                  header + "X-Tenant\": \"context.authorizer.tenantId\", " + header +
                      "Cookie\": \"context.authorizer.roles\"") +
            ", " + route("/plain", "") + " ] } ] }";
        Parts parts;
        const auto snapshot = parts.make(test::parse_config(text)).value();

        struct Row {
            std::string_view name;
            std::size_t api;
            std::size_t route;
            const char* field;
            bool reaches;
        };

        const Row rows[] = {
            {"authorizer context", 0, 1, "X-User-Id", false},
            {"in lower case", 0, 1, "x-user-id", false},
            {"with underscores", 0, 1, "X_USER_ID", false},
            {"where the value is absent", 0, 0, "X-User-Id", false},
            {"other context", 0, 1, "X-Ip", false},
            {"stage variable", 0, 1, "X-Var", false},
            {"request value", 0, 1, "X-Q", false},
            {"constant", 0, 1, "X-Env", false},
            {"on another API", 1, 1, "X-User-Id", false},
            {"of another API", 0, 1, "X-Tenant", false},
            {"context prefix", 0, 1, "X-Authorizer-userId", false},
            {"context prefix with underscores", 0, 1, "X_Authorizer_userId", false},
            {"context prefix of another API", 0, 1, "X-Two-userId", false},
            {"context prefix on another API", 1, 1, "X-Authorizer-userId", false},
            {"request context", 0, 1, "X-Amzn_Request-Context", false},
            {"client's field with context in its API", 1, 1, "Cookie", false},
            {"client's field with context in another API", 0, 1, "Cookie", true},
            {"client's field with a constant", 0, 1, "Authorization", true},
            {"client's field with another constant", 1, 1, "Accept", true},
            {"copied because its author said so", 0, 2, "X-Env", true},
            {"copied by its very name only", 0, 2, "X_Env", false},
            {"nobody's", 0, 1, "X-Else", true},
            {"longer than a name", 0, 1, "X-User-Id2", true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const CompiledApi& api = snapshot->apis.at(row.api);
            const http::Field field{row.field, "forged", http::find_field_id(row.field)};
            http::RequestHead head;
            head.method = "GET";
            head.fields = {&field, 1};
            authz::RequestFacts facts;
            facts.head = &head;
            facts.stage = &api.stage;
            std::string out;
            REQUIRE(api.routes.at(row.route).forward->write_request_head(facts, {}, out) ==
                    Errc::none);
            CHECK((out.find("forged") != std::string::npos) == row.reaches);
        }
    }
}

}  // namespace snapshot_test
