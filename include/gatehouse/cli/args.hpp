#pragma once

#include "gatehouse/config/parse.hpp"
#include "gatehouse/core/json.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// What was typed, as values. Strength: option, environment, file, default.
namespace gatehouse::cli {

struct Endpoint {
    std::string address;  ///< a literal, no brackets
    std::uint16_t port = 0;

    bool operator==(const Endpoint&) const = default;
};

struct ServeOptions {
    std::string config;  ///< empty: looked for (load_config.hpp)
    std::optional<Endpoint> listen;
    std::optional<Endpoint> admin;
    std::optional<int> threads;
    std::string log_level = "info";
    bool dev = false;
    bool watch = false;
};

struct DemoOptions {
    std::string program;  ///< as it was called, for the commands that are printed
    bool only_issuer = false;
    std::optional<Endpoint> listen;  ///< of the issuer; only with only_issuer
    std::string issuer;              ///< its public URL; empty: where it listens
    std::string algorithm = "ES256";
    std::string log_level = "warn";
};

struct CheckOptions {
    std::vector<std::string> files;
};

struct TokenOptions {
    std::string key;         ///< file of a private JWK or PEM; empty: the mint endpoint is asked
    std::string issuer_url;  ///< of the mint endpoint
    std::string sub;         ///< empty: "demo-user"
    std::string iss;         ///< empty: none with a key, the issuer's own without
    std::vector<std::string> aud;
    Json claims = Json::object();  ///< --claim, the last of a name wins
    std::string kid;
    std::string algorithm;
    std::chrono::seconds expires_in{3600};  ///< may be negative: a token that has expired
    /// "Allow" or "Deny": an x-gatehouse-override in place of a token. `sub` is its principalId and
    /// `claims` its context.
    std::string override_effect;
    std::string override_arn;  ///< its methodArn; empty: all methods
    std::string config;        ///< whose devOverride.secret signs it
};

struct ExplainOptions {
    ServeOptions configuration;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string method;
    std::string path;
    std::string trace_id;  ///< set: a running gateway is asked instead
    std::string admin_url;
};

struct HealthOptions {
    std::string admin_url;
    bool live = false;  ///< whether it runs and answers, ready or not
};

struct VersionOptions {};

using Call = std::variant<ServeOptions,
                          DemoOptions,
                          CheckOptions,
                          TokenOptions,
                          ExplainOptions,
                          HealthOptions,
                          VersionOptions>;

/// Nothing is to be run: what to print and how to end (help: 0, bad usage: 2).
struct Exit {
    int status = 0;
    std::string out;
    std::string err;
};

/// @param arguments  without the program's name
std::variant<Call, Exit> parse_arguments(const std::vector<std::string>& arguments,
                                         const config::Environment& environment);

/// "127.0.0.1:8080", "[::1]:8080" or "localhost:8080"; port 0 lets the system choose.
std::optional<Endpoint> parse_endpoint(std::string_view text);

/// An admin URL from "http://127.0.0.1:9901", or from ADDR:PORT as the gateway was told it (all
/// addresses become loopback).
std::optional<std::string> parse_admin_url(std::string_view text);

/// "90s", "30m", "8h", "2d" or plain seconds; "-1h" is in the past.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// A claim's value: JSON, or the text itself when it is none.
Json parse_claim_value(std::string_view text);

/// The candidate that `word` was probably meant to be, or empty.
std::string_view find_nearest(std::string_view word,
                              const std::vector<std::string_view>& candidates);

inline constexpr std::uint16_t kIssuerPort = 8090;
inline constexpr std::uint16_t kEchoPort = 8091;
inline constexpr std::uint16_t kAdminPort = 9901;
inline constexpr std::uint16_t kGatewayPort = 8080;

}  // namespace gatehouse::cli
