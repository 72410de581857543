#include "gatehouse/admin/admin_api.hpp"

#include "gatehouse/config/report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace admin_api_test {

using namespace gatehouse;
using admin::Access;
using admin::AdminApi;
using admin::Request;
using admin::Response;

TEST_SUITE_BEGIN("admin/admin_api");

namespace {

constexpr const char* kId = "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0";

struct Flush {
    std::string api_id;
    std::string stage;
    std::optional<std::string> authorizer;
    std::optional<jwt::Sha256> identity;
};

// Knows one API "local", stage "prod", authorizer "jwt", and remembers what it was asked for.
class FakeInspector final : public app::Inspector {
  public:
    app::Readiness ready{true, {}};
    std::vector<Flush> flushes;
    std::optional<app::TraceFilter> filter;
    bool has_trace = true;
    std::size_t cache_rows = 0;

    app::Readiness readiness() const override { return ready; }

    std::shared_ptr<const app::Snapshot> snapshot() const override {
        auto snapshot = std::make_shared<app::Snapshot>();
        config::Api api;
        api.name = "users";
        snapshot->model.apis.push_back(api);
        snapshot->report.push_back(
            {"users", "GET", "/items", "jwt", "TOKEN gatehouse:jwt", "MOCK 200", {}});
        return snapshot;
    }

    std::vector<app::KeySourceStatus> key_sources() const override {
        app::KeySourceStatus source;
        source.issuer = "https://issuer.example/";
        source.last_error = "connection refused";
        source.age = std::chrono::seconds(7);
        return {source};
    }

    boost::asio::awaitable<std::string> metrics() override { co_return "gatehouse_up 1\n"; }

    boost::asio::awaitable<Json> traces(app::TraceFilter wanted) override {
        filter = wanted;
        Json list = Json::array();
        if (has_trace) list.push_back({{"requestId", kId}});
        co_return list;
    }

    Json upstreams() const override { return Json::array({{{"name", "behind"}}}); }

    Json usage() const override { return {{"usagePlans", Json::array()}}; }

    Json cache_entries(std::size_t most) const override {
        const_cast<FakeInspector*>(this)->cache_rows = most;
        return Json::array({{{"authorizer", "jwt"}}});
    }

    std::optional<std::size_t> flush(std::string_view api_id,
                                     std::string_view stage,
                                     std::optional<std::string> authorizer,
                                     std::optional<jwt::Sha256> identity) override {
        if (api_id != "local" || stage != "prod" || (authorizer && *authorizer != "jwt"))
            return std::nullopt;
        flushes.push_back({std::string(api_id), std::string(stage), authorizer, identity});
        return 1;
    }
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// Remembers what it was asked to load.
class FakeReloader final : public app::Reloader {
  public:
    app::Reloaded outcome{true, {}, {{"changes", Json::object()}}};
    std::vector<std::optional<std::string>> loaded;

    boost::asio::awaitable<app::Reloaded> reload(std::optional<std::string> text) override {
        loaded.push_back(std::move(text));
        co_return outcome;
    }
};

struct Fixture {
    FakeInspector inspector;
    FakeReloader reloader;
    Access access{"127.0.0.1", ""};
    std::string body;

    Response ask(std::string method,
                 std::string target,
                 Headers headers = {},
                 std::string host = "127.0.0.1:9901") {
        AdminApi api(inspector, reloader, access);
        Request request;
        request.body = body;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = std::move(headers);
        if (!host.empty())
            request.headers.insert(request.headers.begin(), {"Host", std::move(host)});
        boost::asio::io_context io(1);
        std::optional<Response> answer;
        boost::asio::awaitable<Response> task = api.handle(std::move(request));
        boost::asio::co_spawn(
            io, std::move(task), [&](std::exception_ptr fault, Response response) {
                REQUIRE_FALSE(fault);
                answer = std::move(response);
            });
        io.run();
        REQUIRE(answer.has_value());
        return *std::move(answer);
    }

    Json json(const Response& response) {
        CAPTURE(response.body);
        auto parsed = parse_json(response.body);
        REQUIRE(parsed.has_value());
        return *parsed;
    }
};

const std::string* find_header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return &value;
    }
    return nullptr;
}

constexpr const char* kFlush = "/restapis/local/stages/prod/cache/authorizers";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "every call answers with its own kind of content") {
    struct Row {
        std::string name;
        std::string target;
        int status;
        std::string type;
        std::string text;
    };

    const Row rows[] = {
        {"live", "/health/live", 200, "application/json", "live"},
        {"ready", "/health/ready", 200, "application/json", "ready"},
        {"metrics",
         "/metrics",
         200,
         "text/plain; version=0.0.4; charset=utf-8",
         "gatehouse_up 1\n"},
        {"report", "/report", 200, "application/json", "\"/items\""},
        {"report has the key sources", "/report", 200, "application/json", "connection refused"},
        {"report has the upstreams", "/report", 200, "application/json", "\"behind\""},
        {"cache", "/cache", 200, "application/json", "entries"},
        {"traces", "/traces", 200, "application/json", "traces"},
        {"one trace", "/traces/7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0", 200, "application/json", kId},
        {"one trace in capitals",
         "/traces/7C2AF7DB-31F3-42B5-8A6D-9FFC74E3B9E0",
         200,
         "application/json",
         kId},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Response response = ask("GET", row.target);
        CHECK(response.status == row.status);
        CHECK(response.content_type == row.type);
        CHECK(response.body.find(row.text) != std::string::npos);
        CHECK(ask("HEAD", row.target).status == row.status);
        CHECK(find_header(response, "Access-Control-Allow-Origin") == nullptr);
        CHECK(*find_header(response, "Cache-Control") == "no-store");
    }
}

TEST_CASE_FIXTURE(Fixture, "readiness is 503 with its reasons while liveness stays 200") {
    inspector.ready = {false, {"draining", "no usable keys"}};
    const Response response = ask("GET", "/health/ready");
    CHECK(response.status == 503);
    CHECK(json(response)["reasons"] == Json({"draining", "no usable keys"}));
    CHECK(ask("GET", "/health/live").status == 200);
}

TEST_CASE_FIXTURE(Fixture, "unknown calls and wrong methods are refused as JSON") {
    struct Row {
        std::string method;
        std::string target;
        int status;
    };

    const Row rows[] = {{"GET", "/", 404},
                        {"GET", "/nothing", 404},
                        {"GET", "/health", 404},
                        {"GET", "/health/", 404},
                        {"GET", "/health/live/x", 404},
                        {"GET", "/report/", 404},
                        {"GET", "/traces/", 404},
                        {"GET", "/traces/nonsense", 404},
                        {"OPTIONS", "*", 404},
                        {"DELETE", "/restapis/local/stages/prod/cache", 404},
                        {"DELETE", "/restapis/local/stages/prod/cache/data", 404},
                        {"DELETE", "/restapis/local/stages/prod/cache/authorizers/jwt/x", 404},
                        {"DELETE", "/v2/restapis/local/stages/prod/cache/authorizers", 404},
                        {"DELETE", "/v2/apis", 404},
                        {"DELETE", "/v2", 404},
                        {"DELETE", "/apis/local/stages/prod/cache/authorizers", 404},
                        {"GET", "/../report", 400},
                        {"GET", "/%2e%2e/report", 400},
                        {"GET", "//report", 400},
                        {"GET", "/report%00", 400},
                        {"POST", "/report", 405},
                        {"PUT", "/metrics", 405},
                        {"DELETE", "/cache", 405},
                        {"DELETE", "/traces", 405},
                        {"POST", "/health/live", 405},
                        {"GET", kFlush, 405},
                        {"POST", kFlush, 405},
                        {"get", "/report", 405}};
    for (const Row& row : rows) {
        CAPTURE(row.method);
        CAPTURE(row.target);
        const Response response = ask(row.method, row.target);
        CHECK(response.status == row.status);
        CHECK(response.content_type == "application/json");
        CHECK(json(response)["message"].is_string());
        CHECK((find_header(response, "Allow") != nullptr) == (row.status == 405));
    }
    CHECK(inspector.flushes.empty());
}

TEST_CASE_FIXTURE(Fixture, "only the configured address and loopback names are taken as Host") {
    struct Row {
        std::string host;
        std::string configured;
        bool trusted;
    };

    const Row rows[] = {{"127.0.0.1:9901", "127.0.0.1", true},
                        {"127.0.0.1", "127.0.0.1", true},
                        {"127.8.9.1:1", "127.0.0.1", true},
                        {"localhost", "127.0.0.1", true},
                        {"LOCALHOST:9901", "127.0.0.1", true},
                        {"localhost.:9901", "127.0.0.1", true},
                        {"gate.localhost:80", "127.0.0.1", true},
                        {"[::1]:9901", "127.0.0.1", true},
                        {"10.1.2.3:9901", "10.1.2.3", true},
                        {"[fd00::1]:9901", "fd00::1", true},
                        {"10.0.0.7:9901", "0.0.0.0", true},
                        {"gatehouse:9901", "0.0.0.0", true},
                        {"[fd00::1]", "::", true},
                        {"", "127.0.0.1", false},
                        {":9901", "127.0.0.1", false},
                        {"evil.example", "127.0.0.1", false},
                        {"evil.example:9901", "0.0.0.0", false},
                        {"gatehouse:9901", "127.0.0.1", false},
                        {"10.0.0.7", "127.0.0.1", false},
                        {"192.168.1.1:9901", "127.0.0.1", false},
                        {"127.0.0.1.evil.example", "127.0.0.1", false},
                        {"127.0.0.1.evil.example:9901", "0.0.0.0", false},
                        {"localhost.evil.example", "127.0.0.1", false},
                        {"evillocalhost", "127.0.0.1", false},
                        {"127.evil", "127.0.0.1", false},
                        {"127.0.0.1:x", "127.0.0.1", false},
                        {"127.0.0.1:9901:1", "127.0.0.1", false},
                        {"[::1", "127.0.0.1", false},
                        {"[::1]x", "127.0.0.1", false},
                        {"[::2]", "127.0.0.1", false}};
    for (const Row& row : rows) {
        CAPTURE(row.host);
        access.address = row.configured;
        const Headers host = {{"Host", row.host}};
        CHECK(ask("GET", "/report", host, "").status == (row.trusted ? 200 : 403));
        CHECK(ask("DELETE", kFlush, host, "").status == (row.trusted ? 202 : 403));
        CHECK(ask("GET", "/nothing", host, "").status == (row.trusted ? 404 : 403));
        CHECK(ask("GET", "/health/ready", host, "").status == 200);
    }
    CHECK(ask("GET", "/report", {{"Host", "localhost"}}, "localhost").status == 403);
    CHECK(ask("GET", "/report", {}, "").status == 403);
}

TEST_CASE_FIXTURE(Fixture, "pages of other sites are refused") {
    struct Row {
        std::string field;
        std::string value;
        bool passes;
    };

    const Row rows[] = {{"Sec-Fetch-Site", "none", true},
                        {"Sec-Fetch-Site", "same-origin", true},
                        {"Origin", "http://127.0.0.1:9901", true},
                        {"Origin", "https://127.0.0.1:9901", true},
                        {"Sec-Fetch-Site", "cross-site", false},
                        {"sec-fetch-site", "same-site", false},
                        {"Sec-Fetch-Site", "", false},
                        {"Origin", "null", false},
                        {"Origin", "", false},
                        {"Origin", "https://evil.example", false},
                        {"Origin", "http://evil.example:9901", false},
                        {"Origin", "http://127.0.0.1:1", false},
                        {"Origin", "http://127.0.0.1", false},
                        {"Origin", "http://127.0.0.1:9901.evil.example", false}};
    for (const Row& row : rows) {
        CAPTURE(row.field);
        CAPTURE(row.value);
        const Headers headers = {{row.field, row.value}};
        CHECK(ask("GET", "/report", headers).status == (row.passes ? 200 : 403));
        CHECK(ask("DELETE", kFlush, headers).status == (row.passes ? 202 : 403));
    }
    CHECK(ask("GET",
              "/report",
              {{"Origin", "http://127.0.0.1:9901"}, {"Origin", "https://evil.example"}})
              .status == 403);
}

TEST_CASE_FIXTURE(Fixture, "with a token everything but health wants it as a Bearer credential") {
    access.token = "correct-horse";

    struct Row {
        std::string name;
        Headers headers;
        bool passes;
    };

    const Row rows[] = {
        {"right", {{"Authorization", "Bearer correct-horse"}}, true},
        {"scheme in any case", {{"authorization", "bEARER correct-horse"}}, true},
        {"none", {}, false},
        {"wrong", {{"Authorization", "Bearer wrong"}}, false},
        {"shorter", {{"Authorization", "Bearer correct-hors"}}, false},
        {"longer", {{"Authorization", "Bearer correct-horse2"}}, false},
        {"other case", {{"Authorization", "Bearer Correct-horse"}}, false},
        {"empty", {{"Authorization", "Bearer "}}, false},
        {"bare", {{"Authorization", "correct-horse"}}, false},
        {"another scheme", {{"Authorization", "Basic correct-horse"}}, false},
        {"signed", {{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}}, false},
        {"twice",
         {{"Authorization", "Bearer correct-horse"}, {"Authorization", "Bearer correct-horse"}},
         false},
        {"another field", {{"X-Token", "correct-horse"}}, false},
        {"a cookie", {{"Cookie", "token=correct-horse"}}, false}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        for (const std::string target : {"/report",
                                         "/metrics",
                                         "/cache",
                                         "/traces",
                                         "/traces/7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0"}) {
            CHECK(ask("GET", target, row.headers).status == (row.passes ? 200 : 401));
        }
        CHECK(ask("GET", "/nothing", row.headers).status == (row.passes ? 404 : 401));
        CHECK(ask("DELETE", kFlush, row.headers).status == (row.passes ? 202 : 401));
        CHECK(ask("GET", "/health/live", row.headers).status == 200);
        CHECK(ask("GET", "/health/ready", row.headers).status == 200);
    }
    const Response refused = ask("GET", "/report?token=correct-horse");
    CHECK(refused.status == 401);
    CHECK(refused.body.find("correct") == std::string::npos);
    CHECK(find_header(refused, "WWW-Authenticate") != nullptr);
}

TEST_CASE_FIXTURE(Fixture,
                  "section 22: a flush names what it drops and answers 202 without content") {
    const Headers signed_call = {{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}};
    const Response response = ask("DELETE", kFlush, signed_call);
    CHECK(response.status == 202);
    CHECK(response.body.empty());
    CHECK(response.content_type.empty());
    const std::string digest(64, 'A');
    CHECK(ask("DELETE", std::string(kFlush) + "/jwt").status == 202);
    CHECK(ask("DELETE", std::string(kFlush) + "/j%77t?identity=" + digest).status == 202);
    REQUIRE(inspector.flushes.size() == 3);
    CHECK_FALSE(inspector.flushes[0].authorizer.has_value());
    CHECK_FALSE(inspector.flushes[0].identity.has_value());
    CHECK(inspector.flushes[1].authorizer == "jwt");
    REQUIRE(inspector.flushes[2].identity.has_value());
    CHECK(inspector.flushes[2].identity->at(31) == 0xaa);
}

TEST_CASE_FIXTURE(
    Fixture, "section 22: a flush in the words of API Gateway V2 answers 204 without content") {
    const Response response = ask("DELETE", "/v2/apis/local/stages/prod/cache/authorizers");
    CHECK(response.status == 204);
    CHECK(response.body.empty());
    CHECK(response.content_type.empty());
    CHECK(ask("GET", "/v2/apis/local/stages/prod/cache/authorizers").status == 405);
    CHECK(ask("DELETE", "/v2/apis/local/stages/prod/cache/authorizers/jwt").status == 204);
    REQUIRE(inspector.flushes.size() == 2);
    CHECK_FALSE(inspector.flushes[0].authorizer.has_value());
    CHECK(inspector.flushes[1].authorizer == "jwt");
}

TEST_CASE_FIXTURE(Fixture, "a flush of what is not there answers as the service does") {
    struct Row {
        std::string name;
        std::string target;
        int status;
        std::string message;
    };

    const Row rows[] = {
        {"api",
         "/restapis/other/stages/prod/cache/authorizers",
         404,
         "Invalid API identifier specified 123456789012:other"},
        {"stage",
         "/restapis/local/stages/other/cache/authorizers",
         404,
         "Invalid stage identifier specified"},
        {"authorizer",
         "/restapis/local/stages/prod/cache/authorizers/other",
         404,
         "Invalid authorizer name specified"},
        {"stage, in the words of V2",
         "/v2/apis/local/stages/other/cache/authorizers",
         404,
         "Invalid stage identifier specified"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Response response = ask("DELETE", row.target);
        CHECK(response.status == row.status);
        CHECK(json(response)["message"] == row.message);
        REQUIRE(find_header(response, "x-amzn-ErrorType") != nullptr);
        CHECK(*find_header(response, "x-amzn-ErrorType") == "NotFoundException");
    }
    for (const std::string query : {"?identity=", "?identity=abc", "?identity=zz", "?all=1"}) {
        CAPTURE(query);
        CHECK(ask("DELETE", std::string(kFlush) + query).status == 400);
    }
    CHECK(ask("DELETE", std::string(kFlush) + "?identity=" + std::string(63, 'a') + "g").status ==
          400);
    CHECK(inspector.flushes.empty());
}

TEST_CASE_FIXTURE(Fixture, "traces are filtered by what the query says") {
    CHECK(ask("GET",
              "/traces?status=403&reason=explicit_deny&route=ANY%20/files/%7Bproxy+%7D&limit=3")
              .status == 200);
    REQUIRE(inspector.filter.has_value());
    CHECK(inspector.filter->status == 403);
    CHECK(inspector.filter->reason == "explicit_deny");
    CHECK(inspector.filter->route == "ANY /files/{proxy+}");
    CHECK(inspector.filter->limit == 3);
    for (const std::string query : {"?status=abc",
                                    "?status=99",
                                    "?status=600",
                                    "?status=",
                                    "?limit=-1",
                                    "?limit=x",
                                    "?limit=0",
                                    "?limit=1%20",
                                    "?limit=99999999999999999999",
                                    "?limit=10001",
                                    "?statuss=200"}) {
        CAPTURE(query);
        CHECK(ask("GET", std::string("/traces") + query).status == 400);
    }
    for (const std::string query : {"?limit=0", "?limit=x", "?limits=1"}) {
        CAPTURE(query);
        CHECK(ask("GET", std::string("/cache") + query).status == 400);
    }
    CHECK(ask("GET", "/cache?limit=7").status == 200);
    CHECK(inspector.cache_rows == 7);
}

TEST_CASE_FIXTURE(Fixture, "a trace that is gone is 404") {
    inspector.has_trace = false;
    CHECK(ask("GET", std::string("/traces/") + kId).status == 404);
    CHECK(inspector.filter->request_id == app::parse_request_id(kId));
    CHECK(json(ask("GET", "/traces"))["traces"].empty());
}

TEST_CASE_FIXTURE(Fixture, "a reload tells what changed or why not") {
    CHECK(ask("POST", "/reload").status == 200);
    REQUIRE(reloader.loaded.size() == 1);
    CHECK_FALSE(reloader.loaded[0].has_value());
    reloader.outcome = {false, "a.json:3: /apis: is empty\na.json:4: /x: unknown key\n", {}};
    const Response refused = ask("POST", "/reload");
    CHECK(refused.status == 422);
    CHECK(json(refused)["problems"] ==
          Json({"a.json:3: /apis: is empty", "a.json:4: /x: unknown key"}));
    CHECK(ask("GET", "/reload").status == 405);
    CHECK(reloader.loaded.size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a configuration is taken from whoever has the token and nobody else") {
    body = "{}";
    CHECK(ask("PUT", "/configuration").status == 403);
    access.token = "secret";
    CHECK(ask("PUT", "/configuration").status == 401);
    CHECK(ask("PUT", "/configuration", {{"Authorization", "Bearer wrong"}}).status == 401);
    CHECK(ask("POST", "/reload").status == 401);
    CHECK(ask("POST", "/configuration", {{"Authorization", "Bearer secret"}}).status == 405);
    CHECK(ask("PUT",
              "/configuration",
              {{"Authorization", "Bearer secret"}, {"Origin", "http://evil.example"}})
              .status == 403);
    CHECK(reloader.loaded.empty());
    CHECK(ask("PUT", "/configuration", {{"Authorization", "Bearer secret"}}).status == 200);
    REQUIRE(reloader.loaded.size() == 1);
    CHECK(reloader.loaded[0] == "{}");
}

TEST_SUITE_END();

}  // namespace admin_api_test
