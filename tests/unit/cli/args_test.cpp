#include "gatehouse/cli/args.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace args_test {

using namespace gatehouse;
using namespace gatehouse::cli;

TEST_SUITE_BEGIN("cli/args");

namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

std::variant<Call, Exit> parse(const Words& words, const Variables& variables = {}) {
    return parse_arguments(words, [&](std::string_view name) -> std::optional<std::string> {
        const auto it = variables.find(std::string(name));
        if (it == variables.end()) return std::nullopt;
        return it->second;
    });
}

template <class Options>
Options parse_as(const Words& words, const Variables& variables = {}) {
    const auto parsed = parse(words, variables);
    if (const auto* exit = std::get_if<Exit>(&parsed)) FAIL(exit->err);
    const auto* options = std::get_if<Options>(&std::get<Call>(parsed));
    REQUIRE(options != nullptr);
    return *options;
}

Exit parse_exit(const Words& words, const Variables& variables = {}) {
    const auto parsed = parse(words, variables);
    const auto* exit = std::get_if<Exit>(&parsed);
    REQUIRE(exit != nullptr);
    return *exit;
}

std::string joined(const Words& words) {
    std::string text;
    for (const std::string& word : words)
        text += word + " ";
    return text;
}

}  // namespace

TEST_CASE("help of the program and of every call goes to stdout with status 0") {
    for (const Words& words : {Words{"--help"},
                               {"-h"},
                               {"help"},
                               {"serve", "--help"},
                               {"demo", "-h"},
                               {"check", "--help"},
                               {"token", "--help"},
                               {"explain", "--help"},
                               {"health", "--help"},
                               {"version", "--help"},
                               {"help", "serve"},
                               {"serve", "-c", "x", "--help"}}) {
        CAPTURE(joined(words));
        const Exit exit = parse_exit(words);
        CHECK(exit.status == 0);
        CHECK(exit.out.find("Usage: gatehouse") != std::string::npos);
        CHECK(exit.err.empty());
    }
}

TEST_CASE("bad usage is status 2 with a message that names the fault") {
    struct Row {
        std::string name;
        Words words;
        std::string message;
    };

    const Row rows[] = {
        {"no call", {}, "Calls:"},
        {"unknown call", {"serv"}, "did you mean \"serve\""},
        {"unknown call far from all", {"frobnicate"}, "unknown call \"frobnicate\""},
        {"option before the call", {"--config", "x"}, "unknown option"},
        {"unknown option", {"serve", "--lisen", "127.0.0.1:1"}, "did you mean \"--listen\""},
        {"unknown option with value", {"serve", "--thread=4"}, "did you mean \"--threads\""},
        {"unknown short option", {"serve", "-z"}, "unknown option \"-z\""},
        {"unexpected argument", {"serve", "gatehouse.json"}, "unexpected argument"},
        {"option without its value", {"serve", "-c"}, "--config wants a value"},
        {"port of a URL", {"health", "--admin", "http://127.0.0.1:99999"}, "--admin"},
        {"URL without a host", {"health", "--admin", "http://"}, "--admin"},
        {"address without port", {"serve", "--listen", "127.0.0.1"}, "ADDR:PORT"},
        {"port alone", {"serve", "--listen", "8080"}, "ADDR:PORT"},
        {"port too large", {"serve", "--listen", "127.0.0.1:65536"}, "ADDR:PORT"},
        {"address that is none", {"serve", "--admin", "1.2.3.256:80"}, "--admin"},
        {"empty address", {"serve", "--listen", ""}, "--listen"},
        {"name for an address", {"serve", "--listen", "example.com:80"}, "ADDR:PORT"},
        {"threads", {"serve", "--threads", "two"}, "0 to 1024"},
        {"too many threads", {"serve", "--threads", "1025"}, "0 to 1024"},
        {"negative threads", {"serve", "--threads=-1"}, "0 to 1024"},
        {"log level", {"serve", "--log-level", "loud"}, "trace, debug, info"},
        {"a flag with a value it has not", {"serve", "--dev=maybe"}, "dev"},
        {"check without files", {"check"}, "needs a configuration file"},
        {"empty file", {"serve", "-c", ""}, "--config wants a value"},
        {"empty admin", {"health", "--admin", ""}, "--admin wants a value"},
        {"empty key", {"token", "--key="}, "--key wants a value"},
        {"part of the demo", {"demo", "--only", "gateway"}, "--only"},
        {"listen without only", {"demo", "--listen", "127.0.0.1:1"}, "--only issuer"},
        {"issuer without only", {"demo", "--issuer", "http://a"}, "--only issuer"},
        {"issuer that is no URL", {"demo", "--only", "issuer", "--issuer", "issuer:8090"}, "URL"},
        {"algorithm", {"demo", "--algorithm", "HS256"}, "RS256"},
        {"claim without a name", {"token", "--claim", "=1"}, "NAME=JSON"},
        {"claim without a value", {"token", "--claim", "roles"}, "NAME=JSON"},
        {"time", {"token", "--expires-in", "soon"}, "90s"},
        {"time with two units", {"token", "--expires-in", "1h30m"}, "90s"},
        {"kid without key", {"token", "--kid", "a"}, "--key"},
        {"none", {"token", "--key", "k", "--alg", "none"}, "RS256"},
        {"override of what", {"token", "--override", "allow"}, "Allow"},
        {"override and key", {"token", "--override", "Allow", "--key", "k"}, "neither --key"},
        {"override and audience", {"token", "--override", "Allow", "--aud", "a"}, "nor --aud"},
        {"override for days", {"token", "--override", "Allow", "--expires-in", "1d"}, "an hour"},
        {"ARN without override", {"token", "--method-arn", "*"}, "go with --override"},
        {"file without override", {"token", "-c", "f"}, "go with --override"},
        {"key and issuer", {"token", "--key", "k", "--issuer", "http://a"}, "exclude"},
        {"explain without a request", {"explain", "-c", "x"}, "METHOD and PATH"},
        {"explain without a path", {"explain", "-c", "x", "GET"}, "METHOD and PATH"},
        {"explain with a word too much", {"explain", "GET", "/", "/x"}, "unexpected argument"},
        {"header without colon", {"explain", "-H", "Authorization", "GET", "/"}, "Name: value"},
        {"header without name", {"explain", "-H", ": x", "GET", "/"}, "Name: value"},
        {"trace and request", {"explain", "--trace", "x", "GET", "/"}, "neither"},
        {"admin without trace", {"explain", "--admin", "http://a:1", "GET", "/"}, "--trace"},
        {"admin that is no URL", {"health", "--admin", "nowhere"}, "--admin"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Exit exit = parse_exit(row.words);
        CAPTURE(exit.err);
        CHECK(exit.status == 2);
        CHECK(exit.out.empty());
        CHECK(exit.err.find(row.message) != std::string::npos);
    }
}

TEST_CASE("a malformed header is refused without showing what may be a credential") {
    CHECK(parse_exit({"explain", "-H", "Bearer secret-token", "GET", "/"}).err.find("secret") ==
          std::string::npos);
}

TEST_CASE("serve has its defaults and its options") {
    const auto plain = parse_as<ServeOptions>({"serve"});
    CHECK(plain.config.empty());
    CHECK_FALSE(plain.listen.has_value());
    CHECK_FALSE(plain.threads.has_value());
    CHECK(plain.log_level == "info");
    CHECK_FALSE(plain.dev);

    const auto full = parse_as<ServeOptions>({"serve",
                                              "-c",
                                              "a.json",
                                              "--listen",
                                              "0.0.0.0:80",
                                              "--admin",
                                              "[::1]:0",
                                              "--threads",
                                              "3",
                                              "--log-level=debug",
                                              "--dev"});
    CHECK(full.config == "a.json");
    CHECK(full.listen == Endpoint{"0.0.0.0", 80});
    CHECK(full.admin == Endpoint{"::1", 0});
    CHECK(full.threads == 3);
    CHECK(full.log_level == "debug");
    CHECK(full.dev);
}

TEST_CASE("an option beats its environment variable and an empty variable counts for nothing") {
    const Variables variables = {{"GATEHOUSE_CONFIG", "env.json"},
                                 {"GATEHOUSE_LISTEN", "127.0.0.1:1"},
                                 {"GATEHOUSE_ADMIN", "127.0.0.1:2"},
                                 {"GATEHOUSE_THREADS", "5"},
                                 {"GATEHOUSE_LOG_LEVEL", "error"},
                                 {"GATEHOUSE_DEV", "true"},
                                 {"GATEHOUSE_WATCH", "false"}};
    const auto from_environment = parse_as<ServeOptions>({"serve"}, variables);
    CHECK(from_environment.config == "env.json");
    CHECK(from_environment.listen == Endpoint{"127.0.0.1", 1});
    CHECK(from_environment.admin == Endpoint{"127.0.0.1", 2});
    CHECK(from_environment.threads == 5);
    CHECK(from_environment.log_level == "error");
    CHECK(from_environment.dev);

    const auto typed = parse_as<ServeOptions>(
        {"serve", "--config", "a.json", "--listen", "127.0.0.1:9", "--threads", "1", "--dev=false"},
        variables);
    CHECK(typed.config == "a.json");
    CHECK(typed.listen == Endpoint{"127.0.0.1", 9});
    CHECK(typed.threads == 1);
    CHECK_FALSE(typed.dev);

    CHECK_FALSE(parse_as<ServeOptions>({"serve"}, {{"GATEHOUSE_LISTEN", ""}, {"GATEHOUSE_DEV", ""}})
                    .listen.has_value());
}

TEST_CASE("a bad environment variable is named in the message") {
    struct Row {
        std::string variable;
        std::string value;
    };

    const Row rows[] = {{"GATEHOUSE_LISTEN", "8080"},
                        {"GATEHOUSE_DEV", "perhaps"},
                        {"GATEHOUSE_LOG_LEVEL", "loud"},
                        {"GATEHOUSE_ADMIN", "x"}};
    for (const Row& row : rows) {
        CAPTURE(row.variable);
        const Exit exit = parse_exit({"serve"}, {{row.variable, row.value}});
        CHECK(exit.status == 2);
        CHECK(exit.err.find(row.variable) != std::string::npos);
    }
    CHECK(parse_exit({"serve"}, {{"GATEHOUSE_THREADS", "x"}}).status == 2);
    CHECK(parse_exit({"serve"}, {{"GATEHOUSE_WATCH", "often"}}).status == 2);
    CHECK(parse_as<ServeOptions>({"serve"}, {{"GATEHOUSE_WATCH", "1"}}).watch);
    CHECK_FALSE(parse_as<ServeOptions>({"serve"}).watch);
    // Another call does not mind.
    CHECK(std::holds_alternative<Call>(parse({"version"}, {{"GATEHOUSE_THREADS", "x"}})));
}

TEST_CASE("explain takes repeated headers and leaves the request to itself") {
    const auto options = parse_as<ExplainOptions>({"explain",
                                                   "-c",
                                                   "a.json",
                                                   "-H",
                                                   "Authorization: Bearer x",
                                                   "-H",
                                                   "X-A:b: c",
                                                   "GET",
                                                   "/items?a=b"});
    CHECK(options.configuration.config == "a.json");
    CHECK(options.method == "GET");
    CHECK(options.path == "/items?a=b");
    REQUIRE(options.headers.size() == 2);
    CHECK(options.headers[0] == std::pair<std::string, std::string>{"Authorization", "Bearer x"});
    CHECK(options.headers[1] == std::pair<std::string, std::string>{"X-A", "b: c"});
    CHECK(parse_as<ExplainOptions>({"explain", "--trace", "abc", "--admin", "http://h:1/"})
              .admin_url == "http://h:1");
}

TEST_CASE("a claim is JSON and else text and the last of a name wins") {
    const auto options = parse_as<TokenOptions>(
        {"token",   "--sub",  "a",       "--claim", "n=1",     "--claim",         "roles=[\"x\"]",
         "--claim", "t=acme", "--claim", "e=",      "--claim", "u=http://a/?b=c", "--claim",
         "n=2",     "--aud",  "x",       "--aud",   "y",       "--expires-in",    "8h"});
    CHECK(options.claims == Json({{"n", 2},
                                  {"roles", Json::array({"x"})},
                                  {"t", "acme"},
                                  {"e", ""},
                                  {"u", "http://a/?b=c"}}));
    CHECK(options.aud == std::vector<std::string>{"x", "y"});
    CHECK(options.expires_in == std::chrono::hours(8));
    CHECK(parse_as<TokenOptions>({"token", "--expires-in=-1h"}).expires_in ==
          std::chrono::hours(-1));
    CHECK(parse_as<TokenOptions>({"token"}).issuer_url == "http://127.0.0.1:8090");
    CHECK(parse_as<TokenOptions>({"token"}, {{"GATEHOUSE_ISSUER", "http://issuer:8090/"}})
              .issuer_url == "http://issuer:8090");
}

TEST_CASE("the admin URL comes from an URL or from where the gateway was told to listen") {
    struct Row {
        std::string value;
        std::string url;
    };

    const Row rows[] = {{"http://127.0.0.1:9901", "http://127.0.0.1:9901"},
                        {"https://gate.example/", "https://gate.example"},
                        {"127.0.0.1:1", "http://127.0.0.1:1"},
                        {"0.0.0.0:9901", "http://127.0.0.1:9901"},
                        {"[::]:9901", "http://[::1]:9901"},
                        {"[fd00::1]:1", "http://[fd00::1]:1"},
                        {"localhost:3", "http://127.0.0.1:3"}};
    for (const Row& row : rows) {
        CAPTURE(row.value);
        CHECK(parse_as<HealthOptions>({"health", "--admin", row.value}).admin_url == row.url);
        CHECK(parse_as<HealthOptions>({"health"}, {{"GATEHOUSE_ADMIN", row.value}}).admin_url ==
              row.url);
    }
    CHECK(parse_as<HealthOptions>({"health"}).admin_url == "http://127.0.0.1:9901");
    CHECK_FALSE(parse_as<HealthOptions>({"health"}).live);
    CHECK(parse_as<HealthOptions>({"health", "--live"}).live);
}

TEST_CASE("durations have one number and one unit") {
    CHECK(parse_duration("90s") == std::chrono::seconds(90));
    CHECK(parse_duration("90") == std::chrono::seconds(90));
    CHECK(parse_duration("30m") == std::chrono::minutes(30));
    CHECK(parse_duration("2d") == std::chrono::hours(48));
    for (const std::string text :
         {"", "s", "h", "1x", "1.5h", " 1h", "1h ", "0x1s", "99999999999s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text).has_value());
    }
}

TEST_CASE("a bad value names the variable that it came from") {
    struct Row {
        const char* variable;
        const char* value;
    };

    for (const Row& row : {Row{"GATEHOUSE_THREADS", "many"},
                           Row{"GATEHOUSE_LISTEN", "here"},
                           Row{"GATEHOUSE_ADMIN", "9901"},
                           Row{"GATEHOUSE_LOG_LEVEL", "loud"},
                           Row{"GATEHOUSE_DEV", "perhaps"}}) {
        CAPTURE(row.variable);
        const Exit exit = parse_exit({"serve"}, {{row.variable, row.value}});
        CHECK(exit.status == 2);
        CHECK(exit.err.starts_with(std::string("gatehouse serve: ") + row.variable + ": \"" +
                                   row.value + "\" is not "));
    }
}

TEST_CASE("the issuer alone listens where the variable says, the whole demo does not") {
    const Variables image = {{"GATEHOUSE_LISTEN", "0.0.0.0:8080"}};
    CHECK(parse_as<DemoOptions>({"demo", "--only", "issuer"}, image).listen ==
          Endpoint{"0.0.0.0", 8080});
    CHECK_FALSE(parse_as<DemoOptions>({"demo"}, image).listen.has_value());
}

TEST_CASE("the demo runs whole or its issuer alone") {
    CHECK_FALSE(parse_as<DemoOptions>({"demo"}).only_issuer);
    CHECK(parse_as<DemoOptions>({"demo"}).algorithm == "ES256");
    const auto issuer = parse_as<DemoOptions>({"demo",
                                               "--only",
                                               "issuer",
                                               "--listen",
                                               "0.0.0.0:9000",
                                               "--issuer",
                                               "http://issuer:9000/",
                                               "--algorithm",
                                               "RS256"});
    CHECK(issuer.only_issuer);
    CHECK(issuer.listen == Endpoint{"0.0.0.0", 9000});
    CHECK(issuer.issuer == "http://issuer:9000/");
    CHECK(issuer.algorithm == "RS256");
}

TEST_SUITE_END();

}  // namespace args_test
