#include "gatehouse/cli/commands.hpp"

#include "gatehouse/cli/trace_text.hpp"
#include "gatehouse/config/report.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <fstream>

namespace gatehouse::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;
constexpr int kRefused = 3;
constexpr std::size_t kMostKeyBytes = 1024 * 1024;
constexpr std::string_view kDefaultSubject = "demo-user";

int complain(const Ports& ports, int status, std::string_view text) {
    ports.err << "gatehouse: " << text << '\n';
    return status;
}

void print_warnings(const Found& found, std::ostream& err) {
    for (const config::Problem& warning : found.warnings)
        err << "warning: " << config::to_string(warning, found.name) << '\n';
}

}  // namespace

std::string name_each_line(std::string_view file, std::string_view lines) {
    std::string text;
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        text.append(file).append(": ").append(lines.substr(0, end)).append("\n");
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    return text;
}

namespace {

// ---- serve, check

// What serve runs with: at the start, and at each reload.
Found load_to_serve(const ServeOptions& options,
                    const config::Environment& environment,
                    const std::optional<std::string>& text) {
    Found found = load_configuration(options, environment, text);
    if (!found.model || !found.model->dev_override || options.dev) return found;
    // Not left out in silence: whoever wrote it believes that it works.
    const config::Problem problem{
        "/devOverride",
        0,
        "lets whoever knows the secret in without a token, which is for development: start with "
        "--dev, or take it out"};
    found.errors = config::to_string(problem, found.name) + "\n";
    found.model.reset();
    return found;
}

int run(const ServeOptions& options, const Ports& ports) {
    Found found = load_to_serve(options, ports.environment, std::nullopt);
    if (!found.model) {
        ports.err << found.errors;
        return kBadUsage;
    }
    const auto load = [options,
                       environment = ports.environment](const std::optional<std::string>& text) {
        return load_to_serve(options, environment, text);
    };
    return ports.serve({std::move(*found.model),
                        found.name,
                        found.path,
                        found.warnings,
                        options.log_level,
                        options.dev,
                        options.watch,
                        load});
}

int run(const DemoOptions& options, const Ports& ports) {
    return ports.demo(options);
}

bool check_file(const std::string& file, bool several, const Ports& ports) {
    Found found = load_file(file, ports.environment);
    if (found.model) {
        // Regular expressions, policies and mappings are compiled as serve would.
        if (const Result<void> compiled = ports.compile(*found.model); !compiled) {
            found.errors = name_each_line(file, compiled.error().detail);
            found.model.reset();
        }
    }
    ports.err << found.errors;
    print_warnings(found, ports.err);
    if (!found.model) return false;
    if (several) ports.out << file << ":\n";
    ports.out << config::to_text(config::make_report(*found.model))
              << config::describe_upstreams(*found.model)
              << config::describe_decision(*found.model);
    return true;
}

int run(const CheckOptions& options, const Ports& ports) {
    bool good = true;
    for (const std::string& file : options.files)
        good = check_file(file, options.files.size() > 1, ports) && good;
    return good ? kDone : kBadUsage;
}

// ---- token

int sign_token(const TokenOptions& options, const Ports& ports) {
    std::ifstream file(options.key, std::ios::binary);
    if (!file) return complain(ports, kBadUsage, "cannot read the key file " + options.key);
    SigningOrder order;
    order.key_text.resize(kMostKeyBytes + 1);
    file.read(order.key_text.data(), static_cast<std::streamsize>(order.key_text.size()));
    order.key_text.resize(static_cast<std::size_t>(file.gcount()));
    if (order.key_text.size() > kMostKeyBytes)
        return complain(ports, kBadUsage, options.key + " is too large for a key: more than 1 MB");
    order.algorithm = options.algorithm;
    order.kid = options.kid;
    order.claims = make_claims(
        {options.iss, options.aud, options.sub, options.claims, options.expires_in}, ports.now());
    const Result<std::string> token = ports.sign(order);
    if (!token) return complain(ports, kBadUsage, options.key + ": " + token.error().detail);
    ports.out << *token << '\n';
    return kDone;
}

int ask_for_token(const TokenOptions& options, const Ports& ports) {
    Json order = {{"claims", options.claims}, {"expiresIn", options.expires_in.count()}};
    if (!options.sub.empty()) order["sub"] = options.sub;
    if (!options.iss.empty() && !options.claims.contains("iss"))
        order["claims"]["iss"] = options.iss;
    if (!options.aud.empty() && !options.claims.contains("aud")) {
        order["claims"]["aud"] =
            options.aud.size() == 1 ? Json(options.aud.front()) : Json(options.aud);
    }
    HttpCall call;
    call.method = "POST";
    call.url = options.issuer_url + "/mint";
    call.headers = {{"Content-Type", "application/json"}};
    call.body = dump_json(order);
    const Result<HttpReply> reply = ports.http(call);
    if (!reply) {
        return complain(
            ports,
            kFailed,
            "no issuer at " + options.issuer_url + " (" + reply.error().detail +
                "): start \"gatehouse demo\", name another with --issuer, or sign with --key FILE");
    }
    const Result<Json> answer = parse_json(reply->body);
    const Json* token = answer ? find_member(*answer, "token") : nullptr;
    if (reply->status != 200 || token == nullptr || !token->is_string()) {
        return complain(ports,
                        kFailed,
                        call.url + " answered " + std::to_string(reply->status) + ": " +
                            printable(reply->body, 300));
    }
    ports.out << token->get<std::string>() << '\n';
    return kDone;
}

// Where the secret is: never on the command line, which others can see.
std::string find_secret(const TokenOptions& options, const Ports& ports) {
    constexpr std::string_view kVariable = "GATEHOUSE_OVERRIDE_SECRET";
    if (options.config.empty()) {
        std::string secret = ports.environment(kVariable).value_or("");
        if (secret.empty())
            ports.err << "gatehouse: --override needs a secret: name the configuration with -c, or "
                         "set "
                      << kVariable << '\n';
        return secret;
    }
    const Found found = load_file(options.config, ports.environment);
    ports.err << found.errors;
    if (!found.model) return {};
    if (!found.model->dev_override) ports.err << options.config << ": has no devOverride\n";
    return found.model->dev_override ? found.model->dev_override->secret : std::string();
}

int mint_override(const TokenOptions& options, const Ports& ports) {
    SigningOrder order;
    order.is_override = true;
    order.key_text = find_secret(options, ports);
    if (order.key_text.empty()) return kBadUsage;
    const auto now = std::chrono::floor<std::chrono::seconds>(ports.now()).time_since_epoch();
    order.claims = {{"effect", options.override_effect},
                    {"exp", (now + options.expires_in).count()}};
    if (!options.sub.empty()) order.claims["principalId"] = options.sub;
    if (!options.claims.empty()) order.claims["context"] = options.claims;
    if (!options.override_arn.empty()) order.claims["methodArn"] = options.override_arn;
    const Result<std::string> value = ports.sign(order);
    if (!value) return complain(ports, kBadUsage, value.error().detail);
    ports.out << *value << '\n';
    return kDone;
}

int run(const TokenOptions& options, const Ports& ports) {
    if (!options.override_effect.empty()) return mint_override(options, ports);
    return options.key.empty() ? ask_for_token(options, ports) : sign_token(options, ports);
}

// ---- explain, health

int status_of(const Json& trace) {
    const Json* verdict = find_member(trace, "verdict");
    return verdict != nullptr && *verdict == "allow" ? kDone : kRefused;
}

HttpCall admin_call(const std::string& url, const Ports& ports) {
    HttpCall call;
    call.url = url;
    if (const auto token = ports.environment("GATEHOUSE_ADMIN_TOKEN"); token && !token->empty()) {
        call.headers.emplace_back("Authorization", "Bearer " + *token);
    }
    return call;
}

std::string message_of(const HttpReply& reply) {
    const Result<Json> body = parse_json(reply.body);
    const Json* message = body ? find_member(*body, "message") : nullptr;
    return message != nullptr && message->is_string() ? message->get<std::string>()
                                                      : printable(reply.body, 300);
}

int explain_trace(const ExplainOptions& options, const Ports& ports) {
    for (const char c : options.trace_id) {
        if (!is_unreserved(c) && c != '=')
            return complain(ports,
                            kBadUsage,
                            "--trace wants the x-amzn-RequestId, or apigw-requestid, of an answer");
    }
    const Result<HttpReply> reply =
        ports.http(admin_call(options.admin_url + "/traces/" + options.trace_id, ports));
    if (!reply)
        return complain(
            ports, kFailed, "no admin API at " + options.admin_url + ": " + reply.error().detail);
    const Result<Json> trace = parse_json(reply->body);
    if (reply->status != 200 || !trace || !trace->is_object()) {
        return complain(ports,
                        kFailed,
                        options.admin_url + " answered " + std::to_string(reply->status) + ": " +
                            message_of(*reply));
    }
    ports.out << trace_to_text(*trace);
    return status_of(*trace);
}

void print_answer(const Judgement& judgement, std::ostream& out) {
    if (judgement.status == 0) {
        out << "\nThe request would go to the upstream: " << judgement.upstream << '\n';
        return;
    }
    out << "\nThe client would get: " << judgement.status << '\n';
    if (!judgement.body.empty()) out << "  " << judgement.body << '\n';
}

int run(const ExplainOptions& options, const Ports& ports) {
    if (!options.trace_id.empty()) return explain_trace(options, ports);
    Found found = load_configuration(options.configuration, ports.environment);
    ports.err << found.errors;
    print_warnings(found, ports.err);
    if (!found.model) return kBadUsage;
    const Result<Judgement> judgement =
        ports.judge({std::move(*found.model), options.method, options.path, options.headers});
    if (!judgement) return complain(ports, kBadUsage, judgement.error().detail);
    ports.out << trace_to_text(judgement->trace);
    if (judgement->without_content)
        ports.out
            << "\nThis route looks at the content; explain takes none, and judged the request "
               "as one without.\n";
    print_answer(*judgement, ports.out);
    return status_of(judgement->trace);
}

int run(const HealthOptions& options, const Ports& ports) {
    const std::string path = options.live ? "/health/live" : "/health/ready";
    const Result<HttpReply> reply =
        ports.http({"GET", options.admin_url + path, {}, {}, std::chrono::milliseconds(2500)});
    if (!reply)
        return complain(
            ports, kFailed, "not running at " + options.admin_url + ": " + reply.error().detail);
    if (reply->status == 200) return kDone;
    const Result<Json> body = parse_json(reply->body);
    const Json* reasons = body ? find_member(*body, "reasons") : nullptr;
    std::string text;
    if (reasons != nullptr && reasons->is_array()) {
        for (const Json& reason : *reasons)
            text += (text.empty() ? "" : "; ") +
                    (reason.is_string() ? reason.get<std::string>() : dump_json(reason));
    }
    return complain(ports,
                    kFailed,
                    std::string(options.live ? "not live: " : "not ready: ") +
                        (text.empty() ? "status " + std::to_string(reply->status) : text));
}

int run(const VersionOptions&, const Ports& ports) {
    ports.out << ports.versions;
    return kDone;
}

}  // namespace

int run_call(const Call& call, const Ports& ports) {
    return std::visit([&](const auto& options) { return run(options, ports); }, call);
}

Json make_claims(const ClaimOrder& order, WallTime now) {
    using std::chrono::seconds;
    const std::int64_t expires =
        (std::chrono::floor<seconds>(now).time_since_epoch() + order.expires_in).count();
    const std::int64_t issued =
        order.expires_in > seconds(0) ? expires - order.expires_in.count() : expires - 3600;
    Json claims = Json::object();
    if (!order.iss.empty()) claims["iss"] = order.iss;
    if (order.aud.size() == 1) claims["aud"] = order.aud.front();
    if (order.aud.size() > 1) claims["aud"] = order.aud;
    claims["sub"] = order.sub.empty() ? std::string(kDefaultSubject) : order.sub;
    claims["iat"] = issued;
    claims["exp"] = expires;
    claims.update(order.claims);
    return claims;
}

}  // namespace gatehouse::cli
