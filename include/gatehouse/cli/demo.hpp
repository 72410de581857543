#pragma once

#include "gatehouse/app/trace.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What `gatehouse demo` is made of, without its sockets: the API's configuration, the issuer's and
// the upstream's answers, and the text on the screen.
namespace gatehouse::cli {

inline constexpr std::string_view kDemoAudience = "api://demo";

/// Where the parts of a demo listen, all on loopback.
struct DemoPlaces {
    std::uint16_t gateway = 0;
    std::uint16_t admin = 0;
    std::uint16_t issuer = 0;
    std::uint16_t echo = 0;
    std::string algorithm;
};

/// The configuration file of the demo's API, as text.
std::string make_demo_config(const DemoPlaces& places);

/// "http://127.0.0.1:8090"
std::string loopback_url(std::uint16_t port);

/// A mock OpenID provider: discovery, key set, and a mint that asks nobody for a password. For
/// trying things out, never for production.
struct MockIssuer {
    std::string url;      ///< iss of its tokens, byte for byte; its calls are below it
    std::string key_set;  ///< JWKS text
    std::string algorithm;
    std::function<Result<std::string>(const Json& claims)> mint;
};

struct PlainAnswer {
    int status = 200;
    std::string body;  ///< JSON
};

/// GET /.well-known/openid-configuration, GET /jwks.json (and /.well-known/jwks.json), POST /mint
/// {"sub","claims","expiresIn"} and GET /mint?sub=…&expiresIn=…&NAME=VALUE, each below the path of
/// the issuer's URL.
PlainAnswer answer_issuer(const MockIssuer& issuer,
                          std::string_view method,
                          std::string_view target,
                          std::string_view body,
                          WallTime now);

/// The upstream's answer: the request as it arrived.
std::string make_echo(std::string_view method,
                      std::string_view target,
                      const std::vector<std::pair<std::string, std::string>>& headers,
                      std::string_view body);

/// Fresh tokens for the printed commands.
struct DemoTokens {
    std::string alice;    ///< role user, scope items:read
    std::string root;     ///< role admin, scopes items:read items:write
    std::string expired;  ///< alice, an hour ago
};

/// Claims of those tokens, to be minted by the issuer.
struct DemoClaims {
    Json alice;
    Json root;
    Json expired;
};

DemoClaims make_demo_claims(const std::string& issuer, WallTime now);

/// The block of commands. One command a line, each of which works as it stands in any shell.
/// @param program  as it was called
/// @param colour   for a terminal
std::string make_demo_block(const DemoPlaces& places,
                            const DemoTokens& tokens,
                            const std::string& program,
                            bool colour);

/// What `demo --only issuer` prints.
std::string make_issuer_block(const MockIssuer& issuer, const std::string& address);

/// One line per request: time, method and path, status, reason, cache, milliseconds.
std::string make_request_line(const app::TraceRecord& record);

}  // namespace gatehouse::cli
