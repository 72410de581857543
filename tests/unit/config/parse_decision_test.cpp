#include "fixture.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/config/report.hpp"

namespace parse_decision_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Loaded load_decision(const std::string& decision, const std::string& more = {}) {
    return parse(R"({ "decision": )" + decision + R"(, "apis": [ { "name": "a", "routes": [
        { "routeKey": "GET /a", "authorizer": "NONE", "integration": { "type": "MOCK" } } ] } ])" +
                     more + "}",
                 make_environment());
}

}  // namespace

TEST_SUITE("config/parse_decision") {
    TEST_CASE("the smallest decision listens on loopback") {
        const Loaded loaded = load_decision(R"({ "port": 8181, "form": "nginx" })");
        REQUIRE(show(loaded.problems) == "");
        CHECK(show(loaded.warnings) == "");
        REQUIRE(loaded.model.decision);
        CHECK(loaded.model.decision->address == "127.0.0.1");
        CHECK(loaded.model.decision->port == 8181);
        CHECK(loaded.model.decision->form == http::OriginalForm::nginx);
        CHECK(describe_decision(loaded.model) ==
              "decisions for other proxies on 127.0.0.1:8181, form nginx, asked at /decision\n");
    }

    TEST_CASE("each form is what it says") {
        CHECK(load_decision(R"({ "port": 1, "form": "forwarded" })").model.decision->form ==
              http::OriginalForm::forwarded);
        const Model envoy =
            load_decision(R"({ "address": "::1", "port": 1, "form": "envoy" })").model;
        CHECK(envoy.decision->form == http::OriginalForm::envoy);
        CHECK(describe_decision(envoy) == "decisions for other proxies on [::1]:1, form envoy\n");
        CHECK(describe_decision(Model()) == "");
    }

    TEST_CASE("what is wrong is refused") {
        struct Row {
            const char* decision;
            const char* more;
            const char* want;
        };

        const Row rows[] = {
            {"{}", "", "port"},
            {R"({ "port": 8181 })", "", "form"},
            {R"({ "form": "nginx" })", "", "port"},
            {R"({ "port": 8181, "form": "traefik" })", "", "traefik"},
            {R"({ "port": 8181, "form": "Nginx" })", "", "Nginx"},
            {R"({ "port": 8181, "form": "" })", "", "form"},
            {R"({ "port": 8181, "form": [] })", "", "form"},
            {R"({ "port": 70000, "form": "nginx" })", "", "70000"},
            {R"({ "address": "localhost", "port": 1, "form": "nginx" })", "", "localhost"},
            {R"({ "port": 8181, "form": "nginx", "secret": "x" })", "", "secret"},
            {"true", "", "/decision"},
            {"[]", "", "/decision"},
            {R"({ "port": 8080, "form": "nginx" })", "", "is the port of a listener"},
            {R"({ "address": "::", "port": 8080, "form": "nginx" })", "", "is the port of a l"},
            {R"({ "port": 9901, "form": "nginx" })", "", "is the port of the admin API"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.decision);
            const Loaded loaded = load_decision(row.decision, row.more);
            CHECK(show(loaded.problems).find(row.want) != std::string::npos);
        }
    }

    TEST_CASE("what it cannot decide and who can reach it are warnings") {
        CHECK(
            show(load_decision(R"({ "address": "0.0.0.0", "port": 1, "form": "envoy" })").warnings)
                .find("reachable from other machines") != std::string::npos);
        const Loaded loaded = parse(
            R"({ "decision": { "port": 1, "form": "envoy" },
                 "accessKeys": [ { "accessKeyId": "AKID", "secretAccessKey": "s", "principalId": "p" } ],
                 "apis": [ { "name": "a", "methodOverride": true, "routes": [
                   { "routeKey": "GET /a", "authorizer": "AWS_IAM", "integration": { "type": "MOCK" } } ] } ] })",
            make_environment());
        REQUIRE(show(loaded.problems) == "");
        CHECK(show(loaded.warnings).find("/apis/0/methodOverride") != std::string::npos);
        CHECK(show(loaded.warnings).find("/apis/0/routes/0/authorizer") != std::string::npos);
    }
}

}  // namespace parse_decision_test
