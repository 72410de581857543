#pragma once

#include "gatehouse/cli/args.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The calls of the program. What needs a socket or a key comes in as a function, so that a test can
// stand in for it.
namespace gatehouse::cli {

inline constexpr std::size_t kMostConfigurationBytes = 4 * 1024 * 1024;

struct HttpCall {
    std::string method = "GET";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::milliseconds timeout{5000};
};

struct HttpReply {
    int status = 0;
    std::string body;
};

/// A token to be signed with a private key.
struct SigningOrder {
    std::string key_text;   ///< JWK or PEM
    std::string algorithm;  ///< empty: the key's own
    std::string kid;
    Json claims;
    bool is_override = false;  ///< an x-gatehouse-override, and `key_text` is its secret
};

/// A configuration that was looked for and read, or the lines that say why not.
struct Found {
    std::optional<config::Model> model;
    std::string name;
    std::string path;  ///< of the file; empty: the environment
    std::vector<config::Problem> warnings;
    std::string errors;  ///< whole lines
};

/// Finds the configuration of a running gateway again, by the same rules and options. With a text:
/// that one, as if it stood in the file.
using Load = std::function<Found(const std::optional<std::string>& text)>;

/// A configuration that loaded, with everything that is wanted of the gateway.
struct ServeOrder {
    config::Model model;
    std::string name;  ///< of the configuration, for messages
    std::string path;  ///< of its file; empty: the environment
    std::vector<config::Problem> warnings;
    std::string log_level;
    bool dev = false;
    bool watch = false;
    Load load;
};

struct JudgeOrder {
    config::Model model;
    std::string method;
    std::string path;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// What a request would meet.
struct Judgement {
    Json trace;
    int status = 0;        ///< of the gateway's own answer; 0: the request would be forwarded
    std::string upstream;  ///< "GET http://127.0.0.1:3000/items", when it would
    std::string body;
    bool without_content = false;  ///< content would count, and explain takes none
};

struct Ports {
    config::Environment environment;
    std::function<Result<HttpReply>(const HttpCall&)> http;
    std::function<Result<std::string>(const SigningOrder&)> sign;
    std::function<Result<Judgement>(JudgeOrder)> judge;
    std::function<Result<void>(const config::Model&)>
        compile;  ///< what serve does with a model before it listens
    std::function<int(ServeOrder)> serve;
    std::function<int(const DemoOptions&)> demo;
    std::function<WallTime()> now;
    std::string versions;  ///< lines of `gatehouse version`
    std::ostream& out;
    std::ostream& err;
};

/// Runs a call and returns the exit status.
int run_call(const Call& call, const Ports& ports);

/// "FILE: line" for each of `lines`, whole lines.
std::string name_each_line(std::string_view file, std::string_view lines);

/// Reads one file. A relative file: jwksUri becomes absolute: it stands beside the file.
Found load_file(const std::string& path, const config::Environment& environment);

/// Finds and reads the configuration that serve runs with, and applies what the command line
/// overrides. Without a path: config/gatehouse.json, or the environment mode when UPSTREAM_URL is
/// set; both, or neither, is an error.
/// @param text  of a configuration that stands in the file's place
Found load_configuration(const ServeOptions& options,
                         const config::Environment& environment,
                         const std::optional<std::string>& text = std::nullopt);

/// What the claims of a token are made of.
struct ClaimOrder {
    std::string iss;
    std::vector<std::string> aud;
    std::string sub;  ///< empty: "demo-user"
    Json claims = Json::object();
    std::chrono::seconds expires_in{3600};
};

/// iss, aud, sub, iat and exp, overlaid by the claims of the order.
Json make_claims(const ClaimOrder& order, WallTime now);

}  // namespace gatehouse::cli
