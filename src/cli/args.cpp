#include "gatehouse/cli/args.hpp"

#include "gatehouse/core/ascii.hpp"
#include "parser.hpp"

#include <array>

namespace gatehouse::cli {
namespace {

using Parsed = std::variant<Call, Exit>;
using Words = std::vector<std::string>;

constexpr const char* kHelp =
    R"(Gatehouse: a small gateway that behaves as Amazon API Gateway does where it decides who may pass.

Usage: gatehouse CALL [options]

Calls:
  serve      run the gateway
  demo       run it with an issuer, an upstream and an API of its own, and print commands to try
  check      load configuration files and report every route, or every error
  token      mint a token with a private key, or at the demo's issuer
  explain    judge one request without forwarding it, step by step
  health     ask a running gateway whether it is ready
  version    print the version of the program and its libraries

"gatehouse CALL --help" tells a call's options.
Exit status: 0 done, 1 failure while running, 2 bad usage or configuration, 3 request refused (explain).
)";

const std::vector<std::string_view> kLogLevels = {
    "trace", "debug", "info", "warn", "error", "critical", "off"};
const std::vector<std::string_view> kAlgorithms = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

std::optional<int> parse_threads(const std::string& text) {
    const auto seconds = parse_duration(text + "s");  // a whole number
    if (!seconds || seconds->count() < 0 || seconds->count() > 1024) return std::nullopt;
    return static_cast<int>(seconds->count());
}

Parsed parse_serve(const Words& words, const config::Environment& environment) {
    Parser parser("serve",
                  "Runs the gateway. Without -c: config/gatehouse.json when it is there, else the "
                  "environment mode\n"
                  "(UPSTREAM_URL, EXPECTED_ISSUER, EXPECTED_AUDIENCE) when UPSTREAM_URL is set.",
                  environment);
    auto& config = parser.text("-c,--config", "FILE", "configuration file", "GATEHOUSE_CONFIG");
    auto& listen = parser.text("--listen",
                               "ADDR:PORT",
                               "listen here instead of on the file's listeners",
                               "GATEHOUSE_LISTEN");
    auto& admin = parser.text(
        "--admin", "ADDR:PORT", "admin API; beyond loopback only with a token", "GATEHOUSE_ADMIN");
    auto& threads = parser.text("--threads",
                                "N",
                                "worker threads; 0: as many as there are CPUs to use",
                                "GATEHOUSE_THREADS");
    auto& level = parser.text("--log-level",
                              "LEVEL",
                              "trace, debug, info, warn, error, critical or off (info)",
                              "GATEHOUSE_LOG_LEVEL");
    auto& dev = parser.flag(
        "--dev", "answers carry x-gatehouse-trace with request id and reason", "GATEHOUSE_DEV");
    auto& watch = parser.flag(
        "--watch", "reload when the file, or a key file that it names, changes", "GATEHOUSE_WATCH");
    parser.footer(
        "An option beats its environment variable (in brackets), which beats the file.\n"
        "SIGTERM and SIGINT drain: requests in flight end, then the program does; a second one "
        "ends it at once.\n"
        "SIGHUP reloads the configuration; one that is refused leaves the one before in place.");
    if (!parser.parse(words)) return parser.exit();
    ServeOptions options;
    options.config = parser.get(config);
    options.listen = parser.get_endpoint(listen);
    options.admin = parser.get_endpoint(admin);
    if (const std::string text = parser.get(threads); !text.empty()) {
        options.threads = parse_threads(text);
        if (!options.threads) parser.refuse_value(threads, text, "a number from 0 to 1024");
    }
    options.log_level = parser.get_one_of(level, "info", kLogLevels);
    options.dev = parser.get_flag(dev);
    options.watch = parser.get_flag(watch);
    if (parser.failed()) return parser.exit();
    return Call(options);
}

Parsed parse_demo(const Words& words, const config::Environment& environment) {
    Parser parser("demo",
                  "Runs the gateway with nothing outside it: an issuer that mints tokens, an "
                  "upstream that answers with the\n"
                  "request as it arrived, an API of a few routes with different rules. Prints curl "
                  "commands to try.",
                  environment);
    auto& only =
        parser.text("--only",
                    "PART",
                    "run one part alone; \"issuer\": a mock OpenID provider for other programs");
    auto& listen = parser.text("--listen",
                               "ADDR:PORT",
                               "where the issuer listens, with --only issuer (127.0.0.1:8090)",
                               "GATEHOUSE_LISTEN");
    auto& issuer =
        parser.text("--issuer", "URL", "the issuer's name, with --only issuer (where it listens)");
    auto& algorithm = parser.text("--algorithm", "ALG", "algorithm of the issuer's key (ES256)");
    auto& level = parser.text("--log-level",
                              "LEVEL",
                              "trace, debug, info, warn, error, critical or off (warn)",
                              "GATEHOUSE_LOG_LEVEL");
    parser.footer(
        "Ports that are taken are passed over: gateway 8080, admin 9901, issuer 8090, upstream "
        "8091.");
    if (!parser.parse(words)) return parser.exit();
    DemoOptions options;
    const std::string part = parser.get(only);
    if (parser.given(only) && part != "issuer")
        parser.refuse("--only: \"" + printable(part) + "\" is not issuer");
    options.only_issuer = part == "issuer";
    if (options.only_issuer) options.listen = parser.get_endpoint(listen);
    options.issuer = parser.get(issuer);
    if (!options.only_issuer && (parser.given(listen) || parser.given(issuer)))
        parser.refuse("--listen and --issuer go with --only issuer");
    if (!options.issuer.empty() && !options.issuer.starts_with("http://") &&
        !options.issuer.starts_with("https://")) {
        parser.refuse("--issuer: \"" + printable(options.issuer) +
                      "\" is not an http or https URL");
    }
    options.algorithm = parser.get_one_of(algorithm, "ES256", kAlgorithms);
    options.log_level = parser.get_one_of(level, "warn", kLogLevels);
    if (parser.failed()) return parser.exit();
    return Call(options);
}

Parsed parse_check(const Words& words, const config::Environment& environment) {
    Parser parser("check",
                  "Loads configuration files and prints one line per route: method and path, "
                  "authorizer and its type,\n"
                  "integration, and whether it is exact or differs from the service. Every error "
                  "is found, with file and line.",
                  environment);
    auto& files = parser.list("files", "FILE...", "configuration files");
    if (!parser.parse(words)) return parser.exit();
    if (files.values.empty()) parser.refuse("needs a configuration file");
    if (parser.failed()) return parser.exit();
    return Call(CheckOptions{files.values});
}

void read_claims(Parser& parser, const Words& texts, TokenOptions& options) {
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            parser.refuse("--claim: \"" + printable(text) + "\" is not NAME=JSON");
            return;
        }
        options.claims[text.substr(0, equals)] =
            parse_claim_value(std::string_view(text).substr(equals + 1));
    }
}

Parsed parse_token(const Words& words, const config::Environment& environment) {
    Parser parser("token",
                  "Mints a token and prints it: signed with a private key, or without --key by the "
                  "running demo's issuer.",
                  environment);
    auto& key = parser.text("--key", "FILE", "private key: a JWK, or PEM without a passphrase");
    auto& sub = parser.text("--sub", "SUBJECT", "the sub claim (demo-user)");
    auto& claims = parser.list(
        "--claim", "NAME=JSON", "one more claim; a value that is no JSON is text; may be repeated");
    auto& iss = parser.text("--iss", "ISSUER", "the iss claim, with --key");
    auto& aud = parser.list("--aud", "AUDIENCE", "the aud claim; may be repeated");
    auto& kid = parser.text("--kid", "ID", "key id in the token's header, with --key");
    auto& algorithm =
        parser.text("--alg", "ALG", "algorithm, with --key, where the key fits several");
    auto& expires =
        parser.text("--expires-in", "TIME", "90s, 30m, 8h, 2d (1h); --expires-in=-1h: has expired");
    auto& issuer = parser.text(
        "--issuer", "URL", "the demo's issuer (http://127.0.0.1:8090)", "GATEHOUSE_ISSUER");
    auto& effect = parser.text("--override",
                               "EFFECT",
                               "Allow or Deny: print an x-gatehouse-override for a gateway with "
                               "--dev; --sub is its principalId, --claim its context (5m, 1h at "
                               "most)");
    auto& arn = parser.text(
        "--method-arn", "ARN", "what --override is for, * and ? included; all methods otherwise");
    auto& config = parser.text("-c,--config",
                               "FILE",
                               "with --override: the configuration whose devOverride.secret signs; "
                               "else $GATEHOUSE_OVERRIDE_SECRET does");
    parser.footer(
        "Example: gatehouse token --sub alice --claim roles='[\"admin\"]' --claim tenant_id=acme");
    if (!parser.parse(words)) return parser.exit();
    TokenOptions options;
    options.key = parser.get(key);
    options.sub = parser.get(sub);
    options.iss = parser.get(iss);
    options.aud = aud.values;
    options.kid = parser.get(kid);
    options.algorithm = parser.get(algorithm);
    if (!options.algorithm.empty()) parser.get_one_of(algorithm, "", kAlgorithms);
    options.issuer_url = parser.get(issuer, "http://127.0.0.1:" + std::to_string(kIssuerPort));
    while (options.issuer_url.ends_with('/'))
        options.issuer_url.pop_back();
    read_claims(parser, claims.values, options);
    options.config = parser.get(config);
    options.override_arn = parser.get(arn);
    if (parser.given(effect))
        options.override_effect = parser.get_one_of(effect, "", {"Allow", "Deny"});
    const std::string time = parser.get(expires, parser.given(effect) ? "5m" : "1h");
    const auto duration = parse_duration(time);
    if (!duration)
        parser.refuse("--expires-in: \"" + printable(time) +
                      "\" is not a time such as 90s, 30m, 8h or 2d");
    options.expires_in = duration.value_or(options.expires_in);
    const bool for_token = !options.key.empty() || !options.iss.empty() || !options.aud.empty() ||
                           parser.given(issuer);
    if (parser.given(effect)) {
        if (for_token) parser.refuse("--override takes neither --key, --issuer, --iss nor --aud");
        if (options.expires_in > std::chrono::hours(1))
            parser.refuse("--expires-in: an override is good for an hour at most");
    } else if (parser.given(arn) || parser.given(config)) {
        parser.refuse("--method-arn and --config go with --override");
    }
    if (options.key.empty() && (!options.kid.empty() || !options.algorithm.empty())) {
        parser.refuse("--kid and --alg go with --key: the issuer has a key of its own");
    }
    if (!options.key.empty() && parser.given(issuer))
        parser.refuse("--issuer and --key exclude each other; --iss names the issuer");
    if (parser.failed()) return parser.exit();
    return Call(options);
}

void read_headers(Parser& parser, const Words& texts, ExplainOptions& options) {
    for (const std::string& text : texts) {
        const std::size_t colon = text.find(':');
        const std::string name = text.substr(0, colon);
        if (colon == std::string::npos || !is_token(name)) {
            // The text is not shown: it may be a credential.
            parser.refuse("-H wants \"Name: value\"");
            return;
        }
        options.headers.emplace_back(name, trim(std::string_view(text).substr(colon + 1)));
    }
}

Parsed parse_explain(const Words& words, const config::Environment& environment) {
    Parser parser("explain",
                  "Judges a request without forwarding it and prints the decision step by step: "
                  "with an empty cache of its own,\n"
                  "and keys fetched as the gateway would. With --trace a running gateway is asked "
                  "about a request it had.",
                  environment);
    auto& config = parser.text(
        "-c,--config", "FILE", "configuration file; else as for serve", "GATEHOUSE_CONFIG");
    auto& headers = parser.list(
        "-H,--header", "'NAME: VALUE'", "a header field of the request; may be repeated");
    auto& trace =
        parser.text("--trace",
                    "ID",
                    "x-amzn-RequestId or apigw-requestid of an answer that a running gateway gave");
    auto& admin =
        parser.text("--admin", "URL", "its admin API (http://127.0.0.1:9901)", "GATEHOUSE_ADMIN");
    auto& method = parser.text("method", "METHOD", "such as GET");
    auto& path = parser.text("path", "PATH", "as a client would send it, query included");
    parser.footer(
        "Exit status: 0 allowed, 3 refused. A gateway that has an admin token is asked with "
        "GATEHOUSE_ADMIN_TOKEN.\n"
        "Example: gatehouse explain -c gatehouse.json -H \"Authorization: Bearer $TOKEN\" GET "
        "/items/7");
    if (!parser.parse(words)) return parser.exit();
    ExplainOptions options;
    options.configuration.config = parser.get(config);
    options.trace_id = parser.get(trace);
    options.admin_url = parser.get_admin_url(admin);
    options.method = method.value;
    options.path = path.value;
    read_headers(parser, headers.values, options);
    if (parser.given(trace) &&
        (!options.method.empty() || parser.given(config) || parser.given(headers))) {
        parser.refuse("--trace takes neither a request nor a configuration");
    }
    if (!parser.given(trace) && options.path.empty())
        parser.refuse("needs METHOD and PATH, such as GET /items, or --trace ID");
    if (!parser.given(trace) && parser.given(admin)) parser.refuse("--admin goes with --trace");
    if (parser.failed()) return parser.exit();
    return Call(options);
}

Parsed parse_health(const Words& words, const config::Environment& environment) {
    Parser parser("health",
                  "Exit status 0 when the running gateway is ready, else 1 with the reason: for "
                  "container health checks.",
                  environment);
    auto& live = parser.flag("--live",
                             "0 when it runs and answers, ready or not: for liveness probes, which "
                             "restart what fails them");
    auto& admin =
        parser.text("--admin", "URL", "its admin API (http://127.0.0.1:9901)", "GATEHOUSE_ADMIN");
    if (!parser.parse(words)) return parser.exit();
    HealthOptions options{parser.get_admin_url(admin), parser.get_flag(live)};
    if (parser.failed()) return parser.exit();
    return Call(options);
}

Parsed parse_version(const Words& words, const config::Environment& environment) {
    Parser parser("version",
                  "Prints the version of the program, of its compiler and of its libraries.",
                  environment);
    if (!parser.parse(words)) return parser.exit();
    return Call(VersionOptions{});
}

struct Entry {
    std::string_view name;
    Parsed (*parse)(const Words&, const config::Environment&);
};

constexpr std::array<Entry, 7> kCalls = {{{"serve", parse_serve},
                                          {"demo", parse_demo},
                                          {"check", parse_check},
                                          {"token", parse_token},
                                          {"explain", parse_explain},
                                          {"health", parse_health},
                                          {"version", parse_version}}};

}  // namespace

Parsed parse_arguments(const Words& arguments, const config::Environment& environment) {
    if (arguments.empty()) return Exit{2, {}, kHelp};
    const std::string& name = arguments.front();
    const Words rest(arguments.begin() + 1, arguments.end());
    if (name == "--version" || name == "-V") return Call(VersionOptions{});
    if (name == "help" && !rest.empty())
        return parse_arguments({rest.front(), "--help"}, environment);
    if (name == "--help" || name == "-h" || name == "help") return Exit{0, kHelp, {}};
    std::vector<std::string_view> names;
    for (const Entry& entry : kCalls) {
        if (entry.name == name) return entry.parse(rest, environment);
        names.push_back(entry.name);
    }
    const std::string_view nearest = find_nearest(name, names);
    const std::string hint =
        nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?";
    const std::string_view kind = name.starts_with('-') ? "option" : "call";
    return Exit{2,
                {},
                "gatehouse: unknown " + std::string(kind) + " \"" + printable(name) + "\"" + hint +
                    "\nTry \"gatehouse --help\".\n"};
}

}  // namespace gatehouse::cli
