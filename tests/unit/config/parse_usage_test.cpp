#include "fixture.hpp"

namespace parse_usage_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

// Two keys, one plan that gives both a stage of one API.
Json document_of() {
    return parse_document(R"({
      "throttle": { "rateLimit": 10000, "burstLimit": 5000 },
      "functions": { "authz": { "endpoint": "http://127.0.0.1:9000" } },
      "apiKeys": [ { "id": "k1", "name": "One", "value": "value-of-the-first-key" },
                   { "id": "k2", "value": "value-of-the-second-key", "enabled": false } ],
      "usagePlans": [ { "id": "gold", "name": "Gold", "keys": ["k1", "k2"],
        "apiStages": [ { "apiId": "local", "stage": "prod",
                         "throttle": { "/items/{id}/GET": { "rateLimit": 0.5, "burstLimit": 1 } } } ],
        "throttle": { "rateLimit": 100, "burstLimit": 200 },
        "quota": { "limit": 1000, "period": "WEEK", "offset": 1 } } ],
      "devOverride": { "secret": "0123456789abcdef0123456789abcdef" },
      "apis": [ { "name": "a", "throttle": { "rateLimit": 50, "burstLimit": 10 },
        "authorizers": { "fn": { "type": "TOKEN", "authorizerUri": "arn:aws:lambda:eu-west-1:1:function:authz" },
                         "jwt": { "type": "TOKEN", "authorizerUri": "gatehouse:jwt",
                                  "jwt": { "issuer": "https://i.example/", "audience": ["a"] } } },
        "routes": [
          { "routeKey": "GET /items/{id}", "authorizer": "fn", "apiKeyRequired": true,
            "integration": { "type": "MOCK" } },
          { "routeKey": "GET /", "authorizer": "jwt",
            "throttle": { "rateLimit": 1, "burstLimit": 1 },
            "integration": { "type": "MOCK" } } ] } ] })");
}

}  // namespace

TEST_SUITE("config/parse_usage") {
    TEST_CASE("keys plans and throttles are read") {
        const Loaded loaded = load(document_of());
        REQUIRE(show(loaded.problems) == "");
        const Model& model = loaded.model;
        REQUIRE(model.api_keys.size() == 2);
        CHECK(model.api_keys[0].name == "One");
        CHECK(model.api_keys[0].enabled);
        CHECK(model.api_keys[1].name == "k2");
        CHECK(model.api_keys[1].value == "value-of-the-second-key");
        CHECK_FALSE(model.api_keys[1].enabled);
        REQUIRE(model.usage_plans.size() == 1);
        const UsagePlan& plan = model.usage_plans[0];
        CHECK(plan.throttle == usage::Rate{100'000, 200});
        CHECK(plan.quota == usage::Quota{1000, usage::Period::week, 1});
        CHECK(plan.keys == std::vector<std::string>{"k1", "k2"});
        REQUIRE(plan.api_stages.size() == 1);
        CHECK(plan.api_stages[0].throttle.at("/items/{id}/GET") == usage::Rate{500, 1});
        CHECK(model.throttle == usage::Rate{10'000'000, 5000});
        CHECK(model.apis[0].throttle == usage::Rate{50'000, 10});
        CHECK(model.apis[0].routes[1].throttle == usage::Rate{1000, 1});
        CHECK(model.apis[0].routes[0].api_key_required);
        CHECK_FALSE(model.apis[0].routes[1].api_key_required);
        CHECK(model.apis[0].api_key_source == ApiKeySource::header);
        REQUIRE(model.dev_override);
        CHECK(has_problem(loaded.warnings, "/devOverride", "--dev"));
    }

    TEST_CASE("what may be written too") {
        check_acceptances(document_of(),
                          {
                              {"rate with three decimals", "/throttle/rateLimit", "0.001"},
                              {"rate 0", "/throttle/rateLimit", "0"},
                              {"0.3", "/throttle/rateLimit", "0.3"},
                              {"nothing at once", "/throttle/burstLimit", "0"},
                              {"from the authorizer", "/apis/0/apiKeySource", "\"AUTHORIZER\""},
                              {"the default in words", "/apis/0/apiKeySource", "\"HEADER\""},
                              {"the root's name", "/usagePlans/0/apiStages/0/throttle", "{}"},
                              {"a day", "/usagePlans/0/quota", R"({"limit":1,"period":"DAY"})"},
                              {"the last day",
                               "/usagePlans/0/quota",
                               R"({"limit":1,"period":"MONTH","offset":27})"},
                              {"no quota", "/usagePlans/0/quota", ""},
                              {"no key", "/usagePlans/0/keys", "[]"},
                              {"no stage", "/usagePlans/0/apiStages", "[]"},
                          });
    }

    TEST_CASE("what is wrong is named") {
        const char* const kValue = R"("value-of-the-second-key")";
        check_refusals(
            document_of(),
            {
                {"short value",
                 "/apiKeys/0/value",
                 "\"nineteen-characters\"",
                 "/apiKeys/0/value",
                 "has 19 characters; the value of an API key has 20 to 128"},
                {"value with a space",
                 "/apiKeys/0/value",
                 "\"twenty characters and\"",
                 "/apiKeys/0/value",
                 "cannot carry"},
                {"no value", "/apiKeys/0/value", "", "/apiKeys/0", "\"value\" is missing"},
                {"the same value",
                 "/apiKeys/0/value",
                 kValue,
                 "/apiKeys/1/value",
                 "is the value of /apiKeys/0 too"},
                {"enabled as text",
                 "/apiKeys/0/enabled",
                 "\"yes\"",
                 "/apiKeys/0/enabled",
                 "true or false"},
                {"unknown member", "/apiKeys/0/key", "1", "/apiKeys/0/key", "unknown key"},
                {"unknown key id",
                 "/usagePlans/0/keys/1",
                 "\"k3\"",
                 "/usagePlans/0/keys/1",
                 "no API key with the id \"k3\"; did you mean"},
                {"key twice",
                 "/usagePlans/0/keys/1",
                 "\"k1\"",
                 "/usagePlans/0/keys/1",
                 "is in this plan twice"},
                {"unknown stage",
                 "/usagePlans/0/apiStages/0/stage",
                 "\"test\"",
                 "/usagePlans/0/apiStages/0",
                 "there is, as apiId/stage: \"local/prod\""},
                {"no stage",
                 "/usagePlans/0/apiStages/0/stage",
                 "",
                 "/usagePlans/0/apiStages/0",
                 "\"stage\" is missing"},
                {"unknown method",
                 "/usagePlans/0/apiStages/0/throttle",
                 R"({"/items/GET":{"rateLimit":1,"burstLimit":1}})",
                 "/usagePlans/0/apiStages/0/throttle/~1items~1GET",
                 "no route is called so"},
                {"a method that asks for no key",
                 "/usagePlans/0/apiStages/0/throttle",
                 R"({"//GET":{"rateLimit":1,"burstLimit":1}})",
                 "/usagePlans/0/apiStages/0/throttle/~1~1GET",
                 "would be ignored"},
                {"methods without a plan's throttle",
                 "/usagePlans/0/throttle",
                 "",
                 "/usagePlans/0/apiStages/0/throttle",
                 "the plan itself has none"},
                {"negative rate",
                 "/throttle/rateLimit",
                 "-1",
                 "/throttle/rateLimit",
                 "0 to 1000000"},
                {"rate too fine",
                 "/throttle/rateLimit",
                 "0.0005",
                 "/throttle/rateLimit",
                 "three decimals"},
                {"rate too high",
                 "/throttle/rateLimit",
                 "1000001",
                 "/throttle/rateLimit",
                 "0 to 1000000"},
                {"rate as text",
                 "/throttle/rateLimit",
                 "\"10\"",
                 "/throttle/rateLimit",
                 "a number"},
                {"no rate", "/throttle/rateLimit", "", "/throttle", "\"rateLimit\" is missing"},
                {"no burst", "/throttle/burstLimit", "", "/throttle", "\"burstLimit\" is missing"},
                {"burst with a fraction",
                 "/throttle/burstLimit",
                 "1.5",
                 "/throttle/burstLimit",
                 "a whole number"},
                {"throttle a number",
                 "/apis/0/throttle",
                 "10",
                 "/apis/0/throttle",
                 "must be an object"},
                {"no limit",
                 "/usagePlans/0/quota/limit",
                 "",
                 "/usagePlans/0/quota",
                 "\"limit\" is missing"},
                {"no period",
                 "/usagePlans/0/quota",
                 R"({"limit":1})",
                 "/usagePlans/0/quota",
                 "\"period\" is missing"},
                {"a year",
                 "/usagePlans/0/quota",
                 R"({"limit":1,"period":"YEAR"})",
                 "/usagePlans/0/quota/period",
                 "allowed: \"DAY\", \"WEEK\", \"MONTH\""},
                {"a day with an offset",
                 "/usagePlans/0/quota",
                 R"({"limit":1,"period":"DAY","offset":1})",
                 "/usagePlans/0/quota/offset",
                 "allowed: 0 to 0"},
                {"the eighth day",
                 "/usagePlans/0/quota/offset",
                 "7",
                 "/usagePlans/0/quota/offset",
                 "allowed: 0 to 6"},
                {"the 29th",
                 "/usagePlans/0/quota",
                 R"({"limit":1,"period":"MONTH","offset":28})",
                 "/usagePlans/0/quota/offset",
                 "allowed: 0 to 27"},
                {"another source",
                 "/apis/0/apiKeySource",
                 "\"QUERY\"",
                 "/apis/0/apiKeySource",
                 "allowed: \"HEADER\", \"AUTHORIZER\""},
                {"short secret",
                 "/devOverride/secret",
                 "\"0123456789abcdef0123456789abcde\"",
                 "/devOverride/secret",
                 "has 31 bytes"},
                {"no secret", "/devOverride/secret", "", "/devOverride", "\"secret\" is missing"},
            });
    }

    TEST_CASE("a plan for an HTTP API would be ignored") {
        Json document = document_of();
        Json http = {{"name", "h"}, {"protocolType", "HTTP"}, {"basePath", "/h"}, {"apiId", "h"}};
        http["routes"] = Json::array(
            {{{"routeKey", "GET /a"},
              {"authorizer", "NONE"},
              {"integration", {{"type", "HTTP_PROXY"}, {"uri", "http://127.0.0.1:1/"}}}}});
        document["apis"].push_back(http);
        document["usagePlans"][0]["apiStages"].push_back({{"apiId", "h"}, {"stage", "$default"}});
        CHECK(has_problem(load(document).problems, "/usagePlans/0/apiStages/1", "has no API keys"));
    }

    TEST_CASE("no message shows a value or a secret") {
        Json document = document_of();
        document["apiKeys"][0]["value"] = "short-secret";
        document["apiKeys"][1]["value"] = "a long secret with spaces in it";
        document["devOverride"]["secret"] = "tiny-secret";
        const Loaded loaded = load(document);
        const std::string text = show(loaded.problems) + show(loaded.warnings);
        CHECK(loaded.problems.size() == 3);
        for (const char* secret : {"short-secret", "long secret", "tiny-secret"})
            CHECK(text.find(secret) == std::string::npos);
    }

    TEST_CASE("keys that nobody could pass with") {
        SUBCASE("two plans for one stage") {
            Json document = document_of();
            document["usagePlans"].push_back(document["usagePlans"][0]);
            document["usagePlans"][1]["id"] = "silver";
            document["usagePlans"][1]["keys"] = {"k2"};
            const Loaded loaded = load(document);
            CHECK(loaded.problems.size() == 1);
            CHECK(has_problem(loaded.problems, "/usagePlans/1/keys/0", "one plan for each stage"));
        }
        SUBCASE("the same ids") {
            Json document = document_of();
            document["apiKeys"][1]["id"] = "k1";
            document["usagePlans"][0]["keys"] = {"k1"};
            CHECK(has_problem(load(document).problems, "/apiKeys/1/id", "/apiKeys/0 too"));
            document = document_of();
            document["usagePlans"].push_back({{"id", "gold"}});
            CHECK(has_problem(load(document).problems, "/usagePlans/1/id", "another plan too"));
        }
        SUBCASE("the source is an authorizer that gives none") {
            Json document = document_of();
            document["apis"][0]["apiKeySource"] = "AUTHORIZER";
            for (const char* authorizer : {"jwt", "NONE"}) {
                document["apis"][0]["routes"][0]["authorizer"] = authorizer;
                CAPTURE(authorizer);
                const Loaded loaded = load(document);
                CHECK(loaded.problems.size() == 1);
                CHECK(has_problem(
                    loaded.problems, "/apis/0/routes/0/apiKeyRequired", "would refuse everybody"));
            }
            document["usagePlans"] = Json::array();
            document["apis"][0]["routes"][0]["apiKeyRequired"] = false;
            CHECK(has_problem(load(document).problems, "/apis/0/apiKeySource", "would be ignored"));
        }
        SUBCASE("a throttle that no route is under") {
            Json document = document_of();
            document["apis"][0]["routes"][0]["throttle"] = {{"rateLimit", 1}, {"burstLimit", 1}};
            CHECK(has_problem(load(document).problems, "/apis/0/throttle", "would be ignored"));
        }
        SUBCASE("warnings") {
            Json document = document_of();
            document["usagePlans"] = Json::array();
            Loaded loaded = load(document);
            CHECK(show(loaded.problems) == "");
            CHECK(has_problem(loaded.warnings, "/apiKeys/0", "in no usage plan"));
            CHECK(has_problem(loaded.warnings, "/apis/0", "they refuse everybody"));
            document = document_of();
            document["usagePlans"][0]["apiStages"][0].erase("throttle");
            document["apis"][0]["routes"][0]["apiKeyRequired"] = false;
            loaded = load(document);
            CHECK(has_problem(loaded.warnings, "/apiKeys", "nobody is asked for a key"));
            CHECK(has_problem(loaded.warnings, "/usagePlans", "nobody is asked for a key"));
        }
    }

    TEST_CASE("values come from the environment") {
        Json document = document_of();
        document["apiKeys"][0]["value"] = "${KEY}";
        document["throttle"]["rateLimit"] = "${RATE}";
        const Loaded loaded =
            load(document, make_environment({{"KEY", std::string(20, 'k')}, {"RATE", "2.5"}}));
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.api_keys[0].value == std::string(20, 'k'));
        CHECK(loaded.model.throttle->milli_per_second == 2500);
        CHECK(has_problem(
            load(document, make_environment({{"KEY", std::string(20, 'k')}, {"RATE", "x"}}))
                .problems,
            "/throttle/rateLimit",
            "must be a number"));
    }
}

}  // namespace parse_usage_test
