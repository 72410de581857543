#include "gatehouse/cli/commands.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace commands_test {

using namespace gatehouse;
using namespace gatehouse::cli;
namespace fs = std::filesystem;

TEST_SUITE_BEGIN("cli/commands");

namespace {

const char* const kGood =
    R"({"apis":[{"name":"a","authorizers":{"jwt":{"type":"TOKEN","authorizerUri":"gatehouse:jwt",
    "jwt":{"issuer":"https://issuer.example/","audience":["x"],"jwksUri":"file:jwks.json"}}},
    "routes":[{"routeKey":"GET /items","authorizer":"jwt","integration":{"type":"HTTP_PROXY","uri":"http://127.0.0.1:1/items"}}]}]})";
const char* const kBad = "{\n \"apis\": [],\n \"treads\": 2 }";

// A folder of its own as working directory, and ports that remember what they were asked for.
struct Fixture {
    fs::path before = fs::current_path();
    fs::path folder;
    std::map<std::string, std::string, std::less<>> variables;
    std::ostringstream out;
    std::ostringstream err;
    std::vector<HttpCall> calls;
    Result<HttpReply> reply = HttpReply{200, "{}"};
    std::optional<SigningOrder> signing;
    std::optional<ServeOrder> served;
    std::optional<JudgeOrder> judged;
    Judgement judgement{{{"verdict", "allow"}}, 0, "GET http://u/", ""};
    Result<void> compiled;

    Fixture() {
        std::string name = (fs::temp_directory_path() / "gatehouse-cli-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder = fs::canonical(name);
        fs::current_path(folder);
    }

    ~Fixture() {
        fs::current_path(before);
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }

    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    void write(const std::string& name, std::string_view text) {
        fs::create_directories((folder / name).parent_path());
        std::ofstream(folder / name) << text;
    }

    int run(const Call& call) {
        const Ports ports{[this](std::string_view name) -> std::optional<std::string> {
                              const auto it = variables.find(name);
                              if (it == variables.end()) return std::nullopt;
                              return it->second;
                          },
                          [this](const HttpCall& http) {
                              calls.push_back(http);
                              return reply;
                          },
                          [this](const SigningOrder& order) -> Result<std::string> {
                              signing = order;
                              if (order.key_text != "good key")
                                  return fail(Errc::signing_key_invalid, "no key at all");
                              return std::string("a.b.c");
                          },
                          [this](JudgeOrder order) -> Result<Judgement> {
                              judged = std::move(order);
                              return judgement;
                          },
                          [this](const config::Model&) { return compiled; },
                          [this](ServeOrder order) {
                              served = std::move(order);
                              return 0;
                          },
                          [](const DemoOptions&) { return 0; },
                          [] { return WallTime(std::chrono::milliseconds(1800000000000)); },
                          "gatehouse 1\n",
                          out,
                          err};
        out.str("");
        err.str("");
        return run_call(call, ports);
    }
};

ServeOptions with_config(std::string path) {
    ServeOptions options;
    options.config = std::move(path);
    return options;
}

bool has(const std::ostringstream& stream, std::string_view part) {
    CAPTURE(stream.str());
    return stream.str().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "serve without a file says what to do and ends with 2") {
    CHECK(run(ServeOptions{}) == 2);
    CHECK(has(err, "config/gatehouse.json"));
    CHECK(has(err, "UPSTREAM_URL"));
    CHECK_FALSE(served.has_value());
}

TEST_CASE_FIXTURE(Fixture,
                  "serve finds its file or its environment but never chooses between them") {
    write("config/gatehouse.json", kGood);
    CHECK(run(ServeOptions{}) == 0);
    REQUIRE(served.has_value());
    CHECK(served->name == "config/gatehouse.json");
    served.reset();
    variables = {{"UPSTREAM_URL", "http://127.0.0.1:3000"},
                 {"EXPECTED_ISSUER", "https://issuer.example/"},
                 {"EXPECTED_AUDIENCE", "x"}};
    CHECK(run(ServeOptions{}) == 2);
    CHECK(has(err, "ambiguous"));
    CHECK_FALSE(served.has_value());
    write("other.json", kGood);
    CHECK(run(with_config("other.json")) == 0);  // named: no question
    served.reset();
    fs::remove(folder / "config/gatehouse.json");
    CHECK(run(ServeOptions{}) == 0);
    REQUIRE(served.has_value());
    CHECK(served->name == "environment");
    variables.erase("EXPECTED_ISSUER");
    CHECK(run(ServeOptions{}) == 2);
    CHECK(has(err, "EXPECTED_ISSUER"));
}

TEST_CASE_FIXTURE(Fixture,
                  "a configuration that cannot be read or loaded ends with 2 and names the place") {
    struct Row {
        std::string name;
        std::string file;
        std::string message;
    };

    write("bad.json", kBad);
    write("empty.json", "");
    const Row rows[] = {{"absent", "absent.json", "absent.json: "},
                        {"a folder", ".", "directory"},
                        {"without end", "/dev/zero", "/dev/zero: is larger than 4 MB"},
                        {"unknown key", "bad.json", "bad.json:3: /treads: "},
                        {"empty", "empty.json", "empty.json:"}};
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(run(with_config(row.file)) == 2);
        CHECK(has(err, row.message));
        CHECK_FALSE(served.has_value());
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "a key file stands beside its configuration wherever the program was started") {
    write("deep/gatehouse.json", kGood);
    CHECK(run(with_config("deep/gatehouse.json")) == 0);
    REQUIRE(served.has_value());
    CHECK(served->model.apis[0].authorizers[0].jwt.providers[0].jwks_uri ==
          "file:" + (folder / "deep/jwks.json").string());
}

TEST_CASE_FIXTURE(Fixture, "options replace what the file says and are held to the same rules") {
    write("a.json", kGood);
    ServeOptions options = with_config("a.json");
    options.listen = Endpoint{"0.0.0.0", 81};
    options.admin = Endpoint{"::1", 82};
    options.threads = 3;
    options.dev = true;
    CHECK(run(options) == 0);
    REQUIRE(served.has_value());
    REQUIRE(served->model.listeners.size() == 1);
    CHECK(served->model.listeners[0].address == "0.0.0.0");
    CHECK(served->model.listeners[0].port == 81);
    CHECK(served->model.admin.address == "::1");
    CHECK(served->model.admin.port == 82);
    CHECK(served->model.threads == 3);
    CHECK(served->dev);
    served.reset();
    options.admin = Endpoint{"0.0.0.0", 82};
    CHECK(run(options) == 2);
    CHECK(has(err, "token"));
    CHECK_FALSE(served.has_value());
}

TEST_CASE_FIXTURE(Fixture, "check reports each good file and every problem of the bad ones") {
    write("good.json", kGood);
    write("bad.json", kBad);
    CHECK(run(CheckOptions{{"good.json"}}) == 0);
    CHECK(has(out, "/items"));
    CHECK(has(out, "jwt"));
    CHECK(run(CheckOptions{{"bad.json", "good.json"}}) == 2);
    CHECK(has(err, "bad.json:3: /treads: "));
    CHECK(has(out, "good.json:\n"));
    compiled = fail(Errc::config_invalid, "/apis/0: no");
    CHECK(run(CheckOptions{{"good.json"}}) == 2);
    CHECK(has(err, "good.json: /apis/0: no"));
    CHECK(out.str().empty());
}

TEST_CASE_FIXTURE(Fixture, "a token is signed with the key file that is named") {
    write("key.pem", "good key");
    TokenOptions options;
    options.key = "key.pem";
    options.iss = "https://i/";
    options.aud = {"a", "b"};
    options.kid = "k";
    options.claims = {{"sub", "carol"}, {"n", 1}};
    CHECK(run(options) == 0);
    CHECK(out.str() == "a.b.c\n");
    CHECK(err.str().empty());
    REQUIRE(signing.has_value());
    CHECK(signing->kid == "k");
    CHECK(signing->claims == Json({{"iss", "https://i/"},
                                   {"aud", {"a", "b"}},
                                   {"sub", "carol"},
                                   {"n", 1},
                                   {"iat", 1800000000},
                                   {"exp", 1800003600}}));
    CHECK(calls.empty());
    write("key.pem", "rubbish");
    CHECK(run(options) == 2);
    CHECK(has(err, "no key at all"));
    options.key = "absent.pem";
    CHECK(run(options) == 2);
    CHECK(out.str().empty());
}

TEST_CASE_FIXTURE(Fixture, "a token without a key comes from the demo's mint") {
    TokenOptions options;
    options.issuer_url = "http://127.0.0.1:8090";
    options.sub = "bob";
    options.aud = {"x"};
    options.claims = {{"roles", {"admin", "user"}}};
    options.expires_in = std::chrono::hours(8);
    reply = HttpReply{200, R"({"token":"x.y.z"})"};
    CHECK(run(options) == 0);
    CHECK(out.str() == "x.y.z\n");
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].method == "POST");
    CHECK(calls[0].url == "http://127.0.0.1:8090/mint");
    const auto body = parse_json(calls[0].body);
    REQUIRE(body.has_value());
    CHECK(*body == Json({{"sub", "bob"},
                         {"claims", {{"aud", "x"}, {"roles", {"admin", "user"}}}},
                         {"expiresIn", 28800}}));
    for (const std::string text : {"", "{}", R"({"token":7})", "not json"}) {
        CAPTURE(text);
        reply = HttpReply{200, text};
        CHECK(run(options) == 1);
        CHECK(out.str().empty());
    }
    reply = HttpReply{500, R"({"token":"x.y.z"})"};
    CHECK(run(options) == 1);
    reply = fail(Errc::jwks_fetch_failed, "connection refused");
    CHECK(run(options) == 1);
    CHECK(has(err, "gatehouse demo"));
}

TEST_CASE_FIXTURE(Fixture, "explain ends with 0 when allowed and 3 when refused") {
    write("a.json", kGood);
    ExplainOptions options;
    options.configuration.config = "a.json";
    options.method = "GET";
    options.path = "/items";
    options.headers = {{"Authorization", "Bearer x"}};
    CHECK(run(options) == 0);
    CHECK(has(out, "upstream: GET http://u/"));
    REQUIRE(judged.has_value());
    CHECK(judged->path == "/items");
    CHECK(judged->headers == options.headers);
    judgement = {{{"verdict", "refuse"}, {"reason", "token_expired"}},
                 401,
                 "",
                 R"({"message":"Unauthorized"})"};
    CHECK(run(options) == 3);
    CHECK(has(out, "token_expired"));
    CHECK(has(out, "The client would get: 401"));
    CHECK(has(out, "{\"message\":\"Unauthorized\"}"));
    judgement.trace = Json::object();  // no verdict at all is no allow
    CHECK(run(options) == 3);
    options.configuration.config = "absent.json";
    CHECK(run(options) == 2);
}

TEST_CASE_FIXTURE(Fixture, "explain asks a running gateway for a trace") {
    ExplainOptions options;
    options.trace_id = "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0";
    options.admin_url = "http://127.0.0.1:9901";
    variables["GATEHOUSE_ADMIN_TOKEN"] = "secret";
    reply = HttpReply{200, R"({"verdict":"allow","reason":"allowed","steps":[]})"};
    CHECK(run(options) == 0);
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].url == "http://127.0.0.1:9901/traces/7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0");
    CHECK(calls[0].headers ==
          std::vector<std::pair<std::string, std::string>>{{"Authorization", "Bearer secret"}});
    reply = HttpReply{200, R"({"verdict":"refuse"})"};
    CHECK(run(options) == 3);
    reply = HttpReply{404, R"({"message":"no trace of that request"})"};
    CHECK(run(options) == 1);
    CHECK(has(err, "no trace of that request"));
    reply = HttpReply{200, "rubbish"};
    CHECK(run(options) == 1);
    reply = fail(Errc::jwks_fetch_failed, "connection refused");
    CHECK(run(options) == 1);
    CHECK_FALSE(has(err, "secret"));
    calls.clear();
    for (const std::string id : {"../report", "a/b", "x?y", "1 2"}) {
        CAPTURE(id);
        options.trace_id = id;
        CHECK(run(options) == 2);
    }
    CHECK(calls.empty());
}

TEST_CASE_FIXTURE(Fixture, "health is 0 only when the gateway says it is ready") {
    const HealthOptions options{"http://127.0.0.1:9901"};
    CHECK(run(options) == 0);
    CHECK(calls.at(0).url == "http://127.0.0.1:9901/health/ready");
    reply = HttpReply{503, R"({"ready":false,"reasons":["draining","no keys"]})"};
    CHECK(run(options) == 1);
    CHECK(has(err, "draining; no keys"));
    for (const int status : {404, 500, 302, 401}) {
        reply = HttpReply{status, "?"};
        CHECK(run(options) == 1);
    }
    reply = fail(Errc::jwks_fetch_failed, "connection refused");
    CHECK(run(options) == 1);
    CHECK(has(err, "connection refused"));
}

TEST_CASE_FIXTURE(Fixture, "health asks for life alone where it is told to") {
    HealthOptions options{"http://127.0.0.1:9901"};
    options.live = true;
    CHECK(run(options) == 0);
    CHECK(calls.at(0).url == "http://127.0.0.1:9901/health/live");
    for (const int status : {404, 500, 503}) {
        reply = HttpReply{status, "?"};
        CHECK(run(options) == 1);
    }
    CHECK(has(err, "not live: status 503"));
    reply = fail(Errc::jwks_fetch_failed, "connection refused");
    CHECK(run(options) == 1);
    CHECK(has(err, "not running at"));
}

TEST_CASE_FIXTURE(Fixture, "version prints what it was built from") {
    CHECK(run(VersionOptions{}) == 0);
    CHECK(out.str() == "gatehouse 1\n");
}

TEST_CASE("overrides are for development alone") {
    Fixture f;
    std::string text = kGood;
    text.insert(1, R"("devOverride":{"secret":"0123456789abcdef0123456789abcdef"},)");
    f.write("dev.json", text);
    ServeOptions options;
    options.config = "dev.json";
    CHECK(f.run(options) == 2);
    CHECK_FALSE(f.served);
    CHECK(f.err.str().find("dev.json: /devOverride: ") != std::string::npos);
    CHECK(f.err.str().find("--dev") != std::string::npos);
    CHECK(f.err.str().find("0123") == std::string::npos);
    options.dev = true;
    CHECK(f.run(options) == 0);
    REQUIRE(f.served);
    CHECK(f.served->dev);
}

TEST_CASE("overrides are minted with the secret of the environment or of a file") {
    Fixture f;
    TokenOptions options;
    options.override_effect = "Deny";
    options.sub = "alice";
    options.claims = {{"tenant", "acme"}};
    options.override_arn = "arn:aws:execute-api:*:*:*/*/GET/a";
    options.expires_in = std::chrono::minutes(5);
    CHECK(f.run(options) == 2);
    CHECK(f.err.str().find("GATEHOUSE_OVERRIDE_SECRET") != std::string::npos);
    f.variables["GATEHOUSE_OVERRIDE_SECRET"] = "good key";
    CHECK(f.run(options) == 0);
    REQUIRE(f.signing);
    CHECK(f.signing->is_override);
    CHECK(f.signing->claims == Json({{"effect", "Deny"},
                                     {"exp", 1800000300},
                                     {"principalId", "alice"},
                                     {"context", {{"tenant", "acme"}}},
                                     {"methodArn", "arn:aws:execute-api:*:*:*/*/GET/a"}}));
    CHECK(f.out.str() == "a.b.c\n");
    f.write("none.json", kGood);
    options.config = "none.json";
    CHECK(f.run(options) == 2);
    CHECK(f.err.str().find("has no devOverride") != std::string::npos);
    std::string text = kGood;
    text.insert(1, R"("devOverride":{"secret":"0123456789abcdef0123456789abcdef"},)");
    f.write("dev.json", text);
    options.config = "dev.json";
    CHECK(f.run(options) == 2);  // the fixture's signer takes another key
    CHECK(f.signing->key_text == "0123456789abcdef0123456789abcdef");
    CHECK(f.err.str().find("0123456789") == std::string::npos);
}

TEST_SUITE_END();

}  // namespace commands_test
