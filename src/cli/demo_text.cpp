#include "gatehouse/cli/args.hpp"
#include "gatehouse/cli/demo.hpp"
#include "gatehouse/core/ascii.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace gatehouse::cli {
namespace {

constexpr std::string_view kRule =
    "----------------------------------------------------------------------------------------------"
    "------\n";

// Text with a terminal's colours, or without.
class Paint {
  public:
    explicit Paint(bool on) : on_(on) {}

    std::string bold(const std::string& text) const { return wrap("\033[1m", text); }

    std::string good(const std::string& text) const { return wrap("\033[1;32m", text); }

    std::string bad(const std::string& text) const { return wrap("\033[1;31m", text); }

    std::string dim(const std::string& text) const { return wrap("\033[2m", text); }

  private:
    std::string wrap(const char* code, const std::string& text) const {
        return on_ ? code + text + "\033[0m" : text;
    }

    bool on_;
};

struct Command {
    int status;
    std::string title;
    std::string line;  ///< one line of sh
    std::vector<std::string> look;
};

std::string with_token(const std::string& token) {
    return " -H 'Authorization: Bearer " + token + "'";
}

std::vector<Command> make_commands(const DemoPlaces& places, const DemoTokens& tokens) {
    const std::string url = loopback_url(places.gateway);
    const std::string admin = loopback_url(places.admin);
    return {
        {200,
         "A valid token: the request goes on, with who it is",
         "curl -i " + url + "/items/7" + with_token(tokens.alice),
         {"what the upstream got: X-Authorizer-userId: alice, X-Authorizer-tenantId: acme, ..."}},
        {401,
         "No token",
         "curl -i " + url + "/items/7",
         {"{\"message\":\"Unauthorized\"} and x-gatehouse-trace: ...; reason=identity_missing"}},
        {401,
         "A token that has expired",
         "curl -i " + url + "/items/7" + with_token(tokens.expired),
         {"reason=token_expired"}},
        {403,
         "Refused by the policy: alice is no admin",
         "curl -i " + url + "/admin/report" + with_token(tokens.alice),
         {"\"... because no identity-based policy allows ...\" and reason=implicit_deny"}},
        {200,
         "The same route for an admin",
         "curl -i " + url + "/admin/report" + with_token(tokens.root),
         {"X-Authorizer-roles: admin,user"}},
        {403,
         "Refused by an explicit Deny: nobody deletes, not even an admin",
         "curl -i -X DELETE " + url + "/admin/report" + with_token(tokens.root),
         {"\"... with an explicit deny ...\" and reason=explicit_deny"}},
        {403,
         "A scope is missing: POST /items wants items:write",
         "curl -i -X POST " + url + "/items" + with_token(tokens.alice) + " -d '{}'",
         {"reason=scope_missing"}},
        {200,
         "A cache hit: twice the same token, then the last decision, explained",
         "curl -s -o /dev/null -o /dev/null " + url + "/items " + url + "/items" +
             with_token(tokens.alice) + " && curl -s '" + admin + "/traces?limit=1'",
         {"\"step\": \"cache\" has \"result\": \"hit\", its age, and what is left of its 300 s"}},
        {200,
         "The request context that apps behind the AWS Lambda Web Adapter read",
         "curl -i " + url + "/context/any/path" + with_token(tokens.alice),
         {"x-amzn-request-context, with authorizer.claims in it"}},
        {200,
         "An open route",
         "curl -i " + url + "/health",
         {"{\"ok\":true}, without a token: the route says \"authorizer\": \"NONE\""}},
    };
}

std::string port_option(const char* option, std::uint16_t port, std::uint16_t usual) {
    return port == usual ? "" : " " + std::string(option) + " " + loopback_url(port);
}

std::string clock_time(std::int64_t wall_ms) {
    const std::time_t seconds = static_cast<std::time_t>(wall_ms / 1000);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 16> text{};
    return std::string(text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &parts));
}

}  // namespace

std::string make_demo_block(const DemoPlaces& places,
                            const DemoTokens& tokens,
                            const std::string& program,
                            bool colour) {
    const Paint paint(colour);
    std::string text =
        "\n" + paint.bold("Gatehouse demo") + "   gateway " + loopback_url(places.gateway) +
        "   admin " + loopback_url(places.admin) + "\n                 issuer  " +
        loopback_url(places.issuer) + "   echo  " + loopback_url(places.echo) + "\n\n" +
        "Each command works as it stands, in another terminal. Its tokens are good for 8 hours.\n" +
        std::string(kRule);
    int number = 0;
    for (const Command& command : make_commands(places, tokens)) {
        const std::string status = std::to_string(command.status);
        text += "\n" + std::to_string(++number) + ". " +
                (command.status < 400 ? paint.good(status) : paint.bad(status)) + "  " +
                paint.bold(command.title) + "\n\n" + command.line + "\n\n";
        for (const std::string& look : command.look)
            text += "   look for: " + look + "\n";
    }
    text += "\n" + std::string(kRule) + "\n";
    const std::string admin = port_option("--admin", places.admin, kAdminPort);
    const std::string issuer = port_option("--issuer", places.issuer, kIssuerPort);
    text += "A token of your own:\n  " + program + " token" + issuer +
            " --sub bob --claim roles='[\"admin\"]'\n";
    text += "Why a request ended (ID: x-amzn-RequestId of its answer):\n  " + program + " explain" +
            admin + " --trace ID\n";
    text += "More to look at: /report, /cache, /metrics, /traces?status=403, as in\n  curl -s " +
            loopback_url(places.admin) + "/report\n\n";
    text += paint.dim("Ctrl-C ends it. One line per request follows.") + "\n";
    return text;
}

std::string make_issuer_block(const MockIssuer& issuer, const std::string& address) {
    const std::string base =
        issuer.url.ends_with('/') ? issuer.url.substr(0, issuer.url.size() - 1) : issuer.url;
    std::string text = "\nMock issuer, listening on http://" + address + ", with a new " +
                       issuer.algorithm + " key\n\n";
    text += "  issuer      " + issuer.url + "\n";
    text += "  discovery   " + base + "/.well-known/openid-configuration\n";
    text += "  key set     " + base + "/jwks.json\n";
    text += "  mint        " + base + "/mint   (for everybody who asks: never in production)\n\n";
    text += "curl -s -X POST " + base +
            "/mint -d "
            "'{\"sub\":\"alice\",\"claims\":{\"aud\":\"api://my-api\"},\"expiresIn\":28800}'\n";
    text += "curl -s '" + base + "/mint?sub=alice&aud=api://my-api&expiresIn=8h'\n\n";
    return text;
}

std::string make_request_line(const app::TraceRecord& record) {
    const std::string_view line(record.method_path, record.path_bytes);
    const auto reason = static_cast<Errc>(record.reason);
    std::array<char, 32> time{};
    std::snprintf(time.data(), time.size(), "%.2f ms", static_cast<double>(record.total_us) / 1000);
    std::string text =
        clock_time(record.wall_ms) + "  " + std::to_string(record.status) + "  " + printable(line);
    if (record.path_cut) text += "...";
    text.resize(std::max<std::size_t>(text.size(), 50), ' ');
    text.append("  ").append(reason_id(reason));
    if (record.cache != app::CacheUse::none)
        text.append(", cache ").append(to_string(record.cache));
    return text.append(", ").append(time.data()).append("\n");
}

}  // namespace gatehouse::cli
