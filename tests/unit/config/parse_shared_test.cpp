#include "fixture.hpp"
#include "gatehouse/config/parse.hpp"

namespace parse_shared_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;
using namespace std::chrono_literals;

namespace {

const std::string kSecret = "0123456789abcdef0123456789abcdef";

Loaded load_shared(const std::string& shared, const Environment& environment = make_environment()) {
    return parse(R"({ "shared": )" + shared + R"(, "apis": [ { "name": "a", "routes": [
        { "routeKey": "GET /a", "authorizer": "NONE", "integration": { "type": "MOCK" } } ] } ] })",
                 environment);
}

Loaded load_url(const std::string& url) {
    return load_shared(R"({ "redis": ")" + url + R"(", "secret": ")" + kSecret + "\" }");
}

}  // namespace

TEST_SUITE("config/parse_shared") {
    TEST_CASE("the smallest one has the defaults") {
        const Loaded loaded = load_url("redis://127.0.0.1");
        REQUIRE(show(loaded.problems) == "");
        CHECK(show(loaded.warnings) == "");
        REQUIRE(loaded.model.shared);
        Shared want;
        want.secret = kSecret;
        CHECK(*loaded.model.shared == want);
        CHECK(want.port == 6379);
        CHECK(want.prefix == "gatehouse:");
        CHECK(want.timeout == 100ms);
        CHECK_FALSE(Model().shared);
    }

    TEST_CASE("a URL is taken apart") {
        struct Row {
            const char* url;
            const char* host;
            std::uint16_t port;
            const char* user;
            const char* password;
            int database;
        };

        const Row rows[] = {
            {"redis://localhost", "localhost", 6379, "", "", 0},
            {"redis://localhost/", "localhost", 6379, "", "", 0},
            {"redis://10.0.0.1:7000/15", "10.0.0.1", 7000, "", "", 15},
            {"redis://[::1]", "::1", 6379, "", "", 0},
            {"redis://[fd00::7]:7000/2", "fd00::7", 7000, "", "", 2},
            {"redis://:p@localhost", "localhost", 6379, "", "p", 0},
            {"redis://gate:p%40%3a%2f%25@localhost:1", "localhost", 1, "gate", "p@:/%", 0},
            {"redis://gate:a@b:c@localhost", "localhost", 6379, "gate", "a@b:c", 0},
        };
        for (const Row& row : rows) {
            CAPTURE(row.url);
            const Loaded loaded = load_url(row.url);
            CHECK(show(loaded.problems) == "");
            REQUIRE(loaded.model.shared);
            CHECK(loaded.model.shared->host == row.host);
            CHECK(loaded.model.shared->port == row.port);
            CHECK(loaded.model.shared->user == row.user);
            CHECK(loaded.model.shared->password == row.password);
            CHECK(loaded.model.shared->database == row.database);
        }
    }

    TEST_CASE("other URLs are refused and never shown") {
        struct Row {
            const char* url;
            const char* want;
        };

        const Row rows[] = {
            {"", "redis://"},
            {"redis://", "redis://"},
            {"redis:///0", "redis://"},
            {"redis:127.0.0.1", "redis://"},
            {"REDIS://127.0.0.1", "redis://"},
            {"http://127.0.0.1:6379", "redis://"},
            {"127.0.0.1:6379", "redis://"},
            {"redis-sentinel://127.0.0.1", "redis://"},
            {"rediss://u:hushhush@127.0.0.1", "TLS"},
            {"rediss://127.0.0.1", "tunnel"},
            {"unix:/run/redis.sock", "Unix socket"},
            {"/run/redis.sock", "Unix socket"},
            {"redis+unix:///run/redis.sock", "Unix socket"},
            {"redis-socket:///run/redis.sock", "Unix socket"},
            {"redis://127.0.0.1?db=1", "query"},
            {"redis://u:hushhush@127.0.0.1/0?ssl=true", "query"},
            {"redis://127.0.0.1#0", "query"},
            {"redis://127.0.0.1:0", "port"},
            {"redis://127.0.0.1:65536", "port"},
            {"redis://127.0.0.1:", "port"},
            {"redis://a b", "host"},
            {"redis://[::1", "bracket"},
            {"redis://[127.0.0.1]", "IPv6"},
            {"redis://127.0.0.1/x", "database"},
            {"redis://127.0.0.1/-1", "database"},
            {"redis://127.0.0.1/65536", "database"},
            {"redis://127.0.0.1/0/1", "database"},
            {"redis://127.0.0.1/00000000000000000000001", "database"},
            {"redis://hushhush@127.0.0.1", "without a password"},
            {"redis://u:@127.0.0.1", "empty password"},
            {"redis://u:hushhush%4@127.0.0.1", "%25"},
            {"redis://u:hushhush%xx@127.0.0.1", "%25"},
            {"redis://u%:hushhush@127.0.0.1", "%25"},
            {"redis://u:hushhush@", "redis://"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.url);
            const std::string shown = show(load_url(row.url).problems);
            CHECK(shown.find("/shared/redis") != std::string::npos);
            CHECK(shown.find(row.want) != std::string::npos);
            CHECK(shown.find("hushhush") == std::string::npos);
        }
    }

    TEST_CASE("what else is wrong is refused") {
        struct Row {
            const char* shared;
            const char* want;
        };

        const Row rows[] = {
            {"[]", "/shared"},
            {"\"redis://127.0.0.1\"", "/shared"},
            {"{}", "\"redis\" is missing"},
            {"{}", "\"secret\" is missing"},
            {R"({ "redis": "redis://a" })", "\"secret\" is missing"},
            {R"({ "redis": "redis://a", "secret": "hushhush hushhush hushhush hush" })",
             "31 bytes"},
            {R"({ "redis": "redis://a", "secret": "" })", "0 bytes"},
            {R"({ "redis": "redis://a", "secret": 7 })", "/shared/secret"},
            {R"({ "redis": 7, "secret": "" })", "/shared/redis"},
            {R"({ "prefix": "" })", "/shared/prefix"},
            {R"({ "prefix": "a b" })", "/shared/prefix"},
            {R"({ "prefix": "ä" })", "/shared/prefix"},
            {R"({ "prefix": "*" })", "/shared/prefix"},
            {R"({ "timeoutInMillis": 4 })", "/shared/timeoutInMillis"},
            {R"({ "timeoutInMillis": 5001 })", "/shared/timeoutInMillis"},
            {R"({ "timeoutInMillis": "100" })", "/shared/timeoutInMillis"},
            {R"({ "url": "redis://a" })", "unknown key"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.shared);
            const std::string shown = show(load_shared(row.shared).problems);
            CHECK(shown.find(row.want) != std::string::npos);
            CHECK(shown.find("hushhush") == std::string::npos);
        }
    }

    TEST_CASE("a password that leaves the machine earns a warning without it") {
        for (const char* url : {"redis://:hushhush@10.0.0.1", "redis://u:hushhush@redis.example"}) {
            const std::string shown = show(load_url(url).warnings);
            CHECK(shown.find("/shared/redis") != std::string::npos);
            CHECK(shown.find("hushhush") == std::string::npos);
        }
        for (const char* url : {"redis://:p@127.0.0.1",
                                "redis://:p@localhost",
                                "redis://:p@[::1]",
                                "redis://10.0.0.1"})
            CHECK(show(load_url(url).warnings) == "");
    }

    TEST_CASE("both may come from the environment") {
        const auto variables =
            make_environment({{"URL", "redis://:p@localhost/3"}, {"KEY", kSecret}});
        const Loaded loaded =
            load_shared(R"({ "redis": "${URL}", "secret": "${KEY}" })", variables);
        CHECK(show(loaded.problems) == "");
        CHECK(loaded.model.shared->database == 3);
        const Loaded wrong = load_shared(
            R"({ "redis": "${URL}", "secret": "${KEY}" })",
            make_environment({{"URL", "rediss://:hushhush@localhost"}, {"KEY", "hushhush"}}));
        CHECK(show(wrong.problems).find("hushhush") == std::string::npos);
        CHECK(wrong.problems.size() == 2);
    }
}

}  // namespace parse_shared_test
