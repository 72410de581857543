#include "gatehouse/config/parse.hpp"

#include "fixture.hpp"

namespace parse_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

TEST_SUITE("config/parse") {
    TEST_CASE("every shipped file loads without a problem or a warning") {
        for (const char* path : {"config/gatehouse.example.json",
                                 "config/examples/api-keys.json",
                                 "config/examples/authorizers.json",
                                 "config/examples/decision/gatehouse.json",
                                 "config/examples/minimal.json",
                                 "config/examples/scopes-and-statements.json",
                                 "config/examples/several-issuers.json",
                                 "config/examples/shared.json",
                                 "config/examples/sidecar.json"}) {
            CAPTURE(path);
            const Loaded loaded = parse(read_file(path), make_environment());
            CHECK(show(loaded.problems) == "");
            CHECK(show(loaded.warnings) == "");
            CHECK_FALSE(loaded.model.apis.empty());
        }
    }

    TEST_CASE("the example spells out the defaults") {
        const Model example =
            parse(read_file("config/gatehouse.example.json"), make_environment()).model;
        const Model defaults;
        CHECK(example.listeners.size() == 1);
        CHECK(example.listeners[0].address == defaults.listeners[0].address);
        CHECK(example.listeners[0].port == defaults.listeners[0].port);
        CHECK(example.admin.port == defaults.admin.port);
        CHECK(example.admin.token == "");
        CHECK(example.threads == defaults.threads);
        CHECK(example.limits.request_line_bytes == defaults.limits.request_line_bytes);
        CHECK(example.limits.header_bytes == defaults.limits.header_bytes);
        CHECK(example.limits.header_count == defaults.limits.header_count);
        CHECK(example.limits.body_bytes == defaults.limits.body_bytes);
        CHECK(example.limits.connections == defaults.limits.connections);
        CHECK(example.limits.connections_per_address == defaults.limits.connections_per_address);
        CHECK(example.limits.requests_per_connection == defaults.limits.requests_per_connection);
        CHECK(example.limits.upstream_header_bytes == defaults.limits.upstream_header_bytes);
        CHECK(example.limits.upstream_header_count == defaults.limits.upstream_header_count);
        CHECK(example.limits.buffered_bytes == defaults.limits.buffered_bytes);
        CHECK(example.limits.cache_entries == defaults.limits.cache_entries);
        CHECK(example.limits.cache_bytes == defaults.limits.cache_bytes);
        CHECK(example.timeouts.header == defaults.timeouts.header);
        CHECK(example.timeouts.body == defaults.timeouts.body);
        CHECK(example.timeouts.body_total == defaults.timeouts.body_total);
        CHECK(example.timeouts.keep_alive == defaults.timeouts.keep_alive);
        CHECK(example.timeouts.write == defaults.timeouts.write);
        CHECK(example.timeouts.connect == defaults.timeouts.connect);
        CHECK(example.timeouts.upstream_idle == defaults.timeouts.upstream_idle);
        CHECK(example.timeouts.drain == defaults.timeouts.drain);
        CHECK(example.access_log.format == defaults.access_log.format);
        CHECK(example.access_log.path == defaults.access_log.path);
        const JwtAuthorizer& spelled = example.apis.at(0).authorizers.at(0).jwt;
        const JwtAuthorizer silent =
            parse(read_file("config/examples/minimal.json"), make_environment())
                .model.apis.at(0)
                .authorizers.at(0)
                .jwt;
        CHECK(spelled.context.size() == 3);
        REQUIRE(silent.context.size() == 3);
        for (const ContextEntry& entry : silent.context) {
            const auto same = std::find_if(
                spelled.context.begin(), spelled.context.end(), [&](const ContextEntry& other) {
                    return other.key == entry.key && other.claim == entry.claim &&
                           other.default_value == entry.default_value && other.join == entry.join;
                });
            CHECK_MESSAGE(same != spelled.context.end(), entry.key);
        }
        CHECK(silent.resource == spelled.resource);
        CHECK(silent.providers.at(0).algorithms == spelled.providers.at(0).algorithms);
        CHECK(silent.providers.at(0).jwks.refresh == spelled.providers.at(0).jwks.refresh);
    }

    TEST_CASE("a minimal file gives the whole model") {
        const Loaded loaded = parse(read_file("config/examples/minimal.json"), make_environment());
        const Api& api = loaded.model.apis.at(0);
        CHECK(api.name == "users");
        CHECK(api.pointer == "/apis/0");
        CHECK(api.api_id == "local");
        const Authorizer& authorizer = api.authorizers.at(0);
        CHECK(authorizer.name == "jwt");
        CHECK(authorizer.pointer == "/apis/0/authorizers/jwt");
        CHECK(authorizer.type == "TOKEN");
        CHECK(authorizer.authorizer_uri == "gatehouse:jwt");
        CHECK(authorizer.result_ttl == std::chrono::seconds(300));
        CHECK(authorizer.jwt.providers.at(0).issuer == "https://issuer.example/");
        CHECK(authorizer.jwt.providers.at(0).jwks_uri == "");
        CHECK(authorizer.jwt.statements.is_null());
        const Route& route = api.routes.at(0);
        CHECK(route.pointer == "/apis/0/routes/0");
        CHECK(route.method == "ANY");
        CHECK(route.path == "/{proxy+}");
        CHECK(route.authorizer == "jwt");
        CHECK(route.integration.type == IntegrationType::http_proxy);
        CHECK(route.integration.uri == "http://127.0.0.1:3000/{proxy}");
        CHECK(route.integration.timeout == std::chrono::milliseconds(29000));
    }

    TEST_CASE("a syntax error is one problem with its line and words for people") {
        struct Row {
            const char* name;
            const char* text;
            int line;
            const char* words;
        };

        const Row rows[] = {
            {"nothing", "", 1, "nothing in it"},
            {"only a comment", "// hello\n/* there */\n", 3, "nothing in it"},
            {"trailing comma in an object",
             "{\n\"apis\": [],\n}",
             3,
             "a comma stands before the closing \"}\""},
            {"trailing comma in a list",
             "{\n\"apis\": [1,\n // more to come\n]}",
             4,
             "a comma stands before the closing \"]\""},
            {"missing comma",
             "{\n\"threads\": 1\n\"apis\": []}",
             3,
             "a comma or a colon is missing"},
            {"missing colon", "{\n\"threads\" 1}", 2, "a comma or a colon is missing"},
            {"single quotes", "{\n'apis': []}", 2, "double quotes, not single"},
            {"no quotes", "{\n\n\"apis\": hello}", 3, "text needs double quotes"},
            {"open object", "{ \"apis\": [\n1,\n", 3, "the \"[\" of line 1 is closed"},
            {"open string", "{ \"apis\": \"abc\n}", 1, "a string is not closed"},
            {"open comment", "{ /* \n\n", 3, "not valid JSON"},
            {"text behind the end", "{}\n{}", 2, "the document has ended before this"},
            {"wrong bracket", "{ \"apis\": [\n}", 2, "unexpected \"}\""},
            {"bad escape", "{\n\"a\\qb\": 1}", 2, "bad escape"},
            {"number out of range", "{\n\"threads\": 1e999}", 2, "it is too large"},
            {"number with a leading zero", "{\n\"threads\": 01}", 2, "no number as JSON"},
            {"byte order mark", "\xef\xbb\xbf{}", 1, "byte order mark"},
            {"not UTF-8", "{\n\n\"threads\xff\": 1}", 3, "not UTF-8"},
            {"NaN", "{ \"threads\": NaN }", 1, "no JSON value"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Loaded loaded = parse(row.text, make_environment());
            REQUIRE(loaded.problems.size() == 1);
            CAPTURE(loaded.problems[0].message);
            CHECK(loaded.problems[0].line == row.line);
            CHECK(loaded.problems[0].message.find(row.words) != std::string::npos);
        }
    }

    TEST_CASE("a syntax error quotes nothing that might be a secret") {
        const Loaded loaded = parse("{ \"admin\": { \"token\": hunter2 } }", make_environment());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].message.find("hunter2") == std::string::npos);
    }

    TEST_CASE("a key that stands twice names both lines") {
        const Loaded loaded =
            parse("{\n\"threads\": 1,\n\"apis\": [],\n\"threads\": 2\n}", make_environment());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].pointer == "/threads");
        CHECK(loaded.problems[0].line == 4);
        CHECK(loaded.problems[0].message.find("first one is in line 2") != std::string::npos);
    }

    TEST_CASE("nesting beyond 64 levels names the line") {
        std::string text =
            "{ \"apis\":\n" + std::string(63, '[') + "\n[\n" + std::string(64, ']') + "}";
        const Loaded loaded = parse(text, make_environment());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].line == 3);
        CHECK(loaded.problems[0].message.find("nested too deeply") != std::string::npos);
    }

    TEST_CASE("a file that is too large is refused whole") {
        const Loaded loaded = parse("{}" + std::string(4 * 1024 * 1024, ' '), make_environment());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].message.find("too large") != std::string::npos);
    }

    TEST_CASE("all problems come at once in the order of the file") {
        const Loaded loaded = parse(R"({
  "threads": -1,
  "lisseners": [],
  "apis": [ {
    "name": "a b",
    "routes": [
      { "routeKey": "FETCH /x", "authorizer": "nobody", "integration": { "type": "MOCK" } },
      { "routeKey": "GET /y", "integration": { "type": "MOCK", "uri": "http://x/" } }
    ] } ]
})",
                                    make_environment());
        const std::string problems = show(loaded.problems);
        CAPTURE(problems);
        REQUIRE(loaded.problems.size() == 7);
        const int lines[] = {2, 3, 5, 7, 7, 8, 8};
        for (std::size_t i = 0; i < 7; ++i)
            CHECK(loaded.problems[i].line == lines[i]);
        CHECK(has_problem(loaded.problems, "/lisseners", "did you mean \"listeners\"?"));
        CHECK(has_problem(
            loaded.problems, "/apis/0/routes/1", "says neither an authorizer nor \"NONE\""));
    }

    TEST_CASE("a document that is no object is one problem") {
        for (const char* text : {"[]", "1", "null", "\"text\"", "true"}) {
            CAPTURE(text);
            const Loaded loaded = parse(text, make_environment());
            REQUIRE(loaded.problems.size() == 1);
            CHECK(loaded.problems[0].message.find("must be an object") != std::string::npos);
        }
    }

    TEST_CASE("a problem prints with what is known of its place") {
        CHECK(to_string({"/apis/0", 12, "is wrong"}, "config.json") ==
              "config.json:12: /apis/0: is wrong");
        CHECK(to_string({"", 3, "is wrong"}, "config.json") == "config.json:3: is wrong");
        CHECK(to_string({"", 0, "is wrong"}, "environment") == "environment: is wrong");
        CHECK(to_string({"/a\x1b[2J\n", 1, "is wrong"}, "f") == "f:1: /a?[2J?: is wrong");
    }
}

}  // namespace parse_test
