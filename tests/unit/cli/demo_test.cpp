#include "gatehouse/cli/demo.hpp"

#include "gatehouse/config/parse.hpp"
#include "gatehouse/config/report.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>
#include <string>

namespace demo_test {

using namespace gatehouse;
using namespace gatehouse::cli;

TEST_SUITE_BEGIN("cli/demo");

namespace {

const WallTime kNow{std::chrono::milliseconds(1800000000500)};

MockIssuer make_issuer(std::string url = "http://127.0.0.1:8090") {
    MockIssuer issuer;
    issuer.url = std::move(url);
    issuer.key_set = R"({"keys":[]})";
    issuer.algorithm = "ES256";
    issuer.mint = [](const Json& claims) {
        return Result<std::string>(dump_json(claims));
    };  // a token that can be looked into
    return issuer;
}

Json parse(const std::string& text) {
    CAPTURE(text);
    auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

Json minted(const PlainAnswer& answer) {
    REQUIRE(answer.status == 200);
    return parse(parse(answer.body)["token"].get<std::string>());
}

DemoPlaces places() {
    return {8080, 9901, 8090, 8091, "ES256"};
}

}  // namespace

TEST_CASE(
    "the demo's configuration loads without a problem or a warning and guards all but one route") {
    const config::Loaded loaded =
        config::parse(make_demo_config(places()), [](std::string_view) { return std::nullopt; });
    for (const config::Problem& problem : loaded.problems)
        FAIL_CHECK(config::to_string(problem, "demo"));
    for (const config::Problem& warning : loaded.warnings)
        FAIL_CHECK(config::to_string(warning, "demo"));
    REQUIRE(loaded.problems.empty());
    CHECK(loaded.model.access_log.format == "off");
    int open = 0;
    for (const config::RouteReport& route : config::make_report(loaded.model))
        open += route.authorizer == "NONE" ? 1 : 0;
    CHECK(open == 1);
}

TEST_CASE("the block's commands are one line each and stand alone") {
    const DemoTokens tokens{"alice.token.x", "root.token.x", "expired.token.x"};
    std::istringstream block(make_demo_block(places(), tokens, "build/release/gatehouse", false));
    int commands = 0;
    std::string all;
    for (std::string line; std::getline(block, line);) {
        all += line + "\n";
        if (!line.starts_with("curl ")) {
            CHECK(line.size() <= 100);
            CHECK(line.find('\033') == std::string::npos);
            continue;
        }
        ++commands;
        CAPTURE(line);
        CHECK(std::count(line.begin(), line.end(), '\'') % 2 == 0);
        CHECK(line.find('$') == std::string::npos);
        CHECK(line.find("http://127.0.0.1:8080/") != std::string::npos);
    }
    CHECK(commands == 10);
    for (const std::string part : {"200",
                                   "401",
                                   "403",
                                   "expired.token.x",
                                   "look for: ",
                                   "\"hit\"",
                                   "build/release/gatehouse token --sub",
                                   "explain --trace ID"}) {
        CAPTURE(part);
        CHECK(all.find(part) != std::string::npos);
    }
    DemoPlaces moved = places();
    moved.admin = 9902;
    moved.issuer = 8092;
    const std::string text = make_demo_block(moved, tokens, "gatehouse", true);
    CHECK(text.find("explain --admin http://127.0.0.1:9902 --trace ID") != std::string::npos);
    CHECK(text.find("token --issuer http://127.0.0.1:8092 --sub") != std::string::npos);
    CHECK(text.find("\033[1m") != std::string::npos);
}

TEST_CASE("the demo's tokens are good for eight hours and one is an hour too old") {
    const DemoClaims claims = make_demo_claims("http://i", kNow);
    CHECK(claims.alice["exp"] == 1800000000 + 8 * 3600);
    CHECK(claims.alice["iat"] == 1800000000);
    CHECK(claims.alice["aud"] == "api://demo");
    CHECK(claims.alice["roles"] == Json::array({"user"}));
    CHECK(claims.root["roles"] == Json::array({"admin", "user"}));
    CHECK(claims.expired["exp"] == 1800000000 - 3600);
    CHECK(claims.expired["iat"] < claims.expired["exp"]);
    CHECK(claims.expired["sub"] == "alice");
}

TEST_CASE("the issuer publishes discovery and keys below its own URL") {
    struct Row {
        std::string url;
        std::string base;
        std::string path;
    };

    const Row rows[] = {
        {"http://127.0.0.1:8090", "http://127.0.0.1:8090", ""},
        {"http://issuer:8090/", "http://issuer:8090", ""},
        {"http://issuer:8090/realms/x", "http://issuer:8090/realms/x", "/realms/x"},
        {"https://issuer.example/realms/x/", "https://issuer.example/realms/x", "/realms/x"}};
    for (const Row& row : rows) {
        CAPTURE(row.url);
        const MockIssuer issuer = make_issuer(row.url);
        const std::string path(row.path);
        const PlainAnswer discovery =
            answer_issuer(issuer, "GET", path + "/.well-known/openid-configuration", "", kNow);
        CHECK(discovery.status == 200);
        CHECK(parse(discovery.body)["issuer"] == row.url);
        CHECK(parse(discovery.body)["jwks_uri"] == row.base + "/jwks.json");
        CHECK(answer_issuer(issuer, "GET", path + "/jwks.json", "", kNow).body ==
              "{\"keys\":[]}\n");
        CHECK(answer_issuer(issuer, "GET", path + "/.well-known/jwks.json?x", "", kNow).status ==
              200);
        CHECK(minted(answer_issuer(issuer, "POST", path + "/mint", "", kNow))["iss"] == row.url);
    }
}

TEST_CASE("the mint puts what was asked for over its own claims") {
    const MockIssuer issuer = make_issuer();
    const Json plain = minted(answer_issuer(issuer, "POST", "/mint", "{}", kNow));
    CHECK(plain == Json({{"iss", issuer.url},
                         {"aud", "api://demo"},
                         {"sub", "demo-user"},
                         {"iat", 1800000000},
                         {"exp", 1800003600}}));
    const Json full =
        minted(answer_issuer(issuer,
                             "POST",
                             "/mint",
                             R"({"sub":"bob","claims":{"aud":["x"],"n":1},"expiresIn":60})",
                             kNow));
    CHECK(full["sub"] == "bob");
    CHECK(full["aud"] == Json::array({"x"}));
    CHECK(full["n"] == 1);
    CHECK(full["exp"] == 1800000060);
    CHECK(minted(answer_issuer(issuer, "POST", "/mint", R"({"expiresIn":"8h"})", kNow))["exp"] ==
          1800000000 + 8 * 3600);
    CHECK(minted(answer_issuer(issuer, "POST", "/mint", R"({"expiresIn":-60})", kNow))["exp"] ==
          1800000000 - 60);
    const Json queried = minted(answer_issuer(
        issuer, "GET", "/mint?sub=a%20b&roles=%5B%22x%22%5D&scope=a+b&expiresIn=2d&", "", kNow));
    CHECK(queried["sub"] == "a b");
    CHECK(queried["roles"] == Json::array({"x"}));
    CHECK(queried["scope"] == "a b");
    CHECK(queried["exp"] == 1800000000 + 2 * 86400);
}

TEST_CASE("what the issuer does not understand is refused") {
    struct Row {
        std::string method;
        std::string target;
        std::string body;
        int status;
    };

    const Row rows[] = {{"GET", "/", "", 404},
                        {"GET", "/mintx", "", 404},
                        {"GET", "/.well-known/other", "", 404},
                        {"DELETE", "/mint", "", 405},
                        {"POST", "/jwks.json", "", 405},
                        {"POST", "/.well-known/openid-configuration", "", 405},
                        {"POST", "/mint", "{", 400},
                        {"POST", "/mint", "[]", 400},
                        {"POST", "/mint", R"({"sub":1})", 400},
                        {"POST", "/mint", R"({"claims":[]})", 400},
                        {"POST", "/mint", R"({"expiresIn":"soon"})", 400},
                        {"POST", "/mint", R"({"expiresIn":1e30})", 400},
                        {"POST", "/mint", R"({"expiresIn":9223372036854775807})", 400},
                        {"POST", "/mint", R"({"role":"x"})", 400},
                        {"POST", "/mint", R"({"sub":"a","sub":"b"})", 400},
                        {"GET", "/mint?expiresIn=x", "", 400}};
    for (const Row& row : rows) {
        CAPTURE(row.target);
        CAPTURE(row.body);
        const PlainAnswer answer =
            answer_issuer(make_issuer(), row.method, row.target, row.body, kNow);
        CHECK(answer.status == row.status);
        CHECK(parse(answer.body)["message"].is_string());
    }
    MockIssuer broken = make_issuer();
    broken.mint = [](const Json&) { return Result<std::string>(fail(Errc::signing_key_invalid)); };
    CHECK(answer_issuer(broken, "POST", "/mint", "", kNow).status == 500);
}

TEST_CASE("the echo shows the request as it arrived") {
    const std::string text = make_echo("POST",
                                       "/a/b?c=d&e",
                                       {{"Host", "h"}, {"X-B", "1"}, {"X-A", "2"}, {"X-B", "3"}},
                                       "hel\xfflo");
    const Json echo = parse(text);
    CHECK(echo["method"] == "POST");
    CHECK(echo["path"] == "/a/b");
    CHECK(echo["query"] == "c=d&e");
    CHECK(echo["headers"]["X-B"] == Json::array({"1", "3"}));
    CHECK(echo["body"] == "hel\xef\xbf\xbdlo");
    CHECK(text.find("\"Host\"") < text.find("\"X-B\""));
    CHECK(text.find("\"X-B\"") < text.find("\"X-A\""));
    CHECK(text.ends_with("}\n"));
}

TEST_CASE("a finished request is one short line without controls") {
    app::TraceRecord record;
    const char line[] = "GET /items";
    std::memcpy(record.method_path, line, sizeof(line) - 1);
    record.path_bytes = sizeof(line) - 1;
    record.status = 403;
    record.reason = static_cast<std::uint16_t>(Errc::explicit_deny);
    record.cache = app::CacheUse::hit;
    record.total_us = 1250;
    const std::string text = make_request_line(record);
    CHECK(text.find("403  GET /items ") != std::string::npos);
    CHECK(text.find("explicit_deny, cache hit, 1.25 ms\n") != std::string::npos);
    record.method_path[5] = '\033';
    CHECK(make_request_line(record).find('\033') == std::string::npos);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_SUITE_END();

}  // namespace demo_test
