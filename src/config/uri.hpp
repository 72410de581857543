#pragma once

#include <string>
#include <string_view>

namespace gatehouse::config {

/// An integration's uri: http or https, host, optional port, path and query with {name}
/// placeholders, references to stage variables already filled in. Returns what is wrong, or
/// nothing.
std::string fault_in_integration_uri(std::string_view uri);

/// A target of an upstream: http or https, host, optional port, and nothing behind them.
std::string fault_in_target_url(std::string_view uri);

/// A path with its query, of a health check.
std::string fault_in_check_path(std::string_view text);

/// Host and port of a URL without a fault; the port is empty where the URL has none.
struct HostAndPort {
    std::string_view host;
    std::string_view port;
};

HostAndPort host_of(std::string_view uri);

/// A URL that keys are fetched from: http, https, or file: beside the configuration file.
std::string fault_in_jwks_uri(std::string_view uri);

/// A URL that discovery can start from: http or https, no query.
std::string fault_in_issuer_url(std::string_view uri);

/// True for http:// to another machine: what is fetched there can be replaced on the way.
bool is_plain_remote(std::string_view uri);

}  // namespace gatehouse::config
