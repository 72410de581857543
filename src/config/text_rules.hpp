#pragma once

#include <string>
#include <string_view>

// Rules on single values. Each fault_in_… returns nothing for a good value, else what is wrong and
// what is allowed.
namespace gatehouse::config {

/// Text from the file for a message: escaped, cut when long.
std::string in_quotes(std::string_view text);

/// Names of APIs and authorizers: [A-Za-z0-9._-]+.
std::string fault_in_name(std::string_view text);

/// A listener's address: IPv4 or IPv6, no name.
std::string fault_in_address(std::string_view text);

bool is_loopback(std::string_view address);

/// A host name or an IPv4 address as a Host field carries it, without port.
std::string fault_in_host(std::string_view text);

/// "/" or "/a/b": unencoded, no trailing slash.
std::string fault_in_base_path(std::string_view text);

std::string fault_in_header_name(std::string_view text);

/// Anything but nothing.
std::string fault_in_filled(std::string_view text);

/// Constants that become header values: no control characters.
std::string fault_in_constant(std::string_view text);

std::string fault_in_regex(std::string_view text);

std::string fault_in_media_type(std::string_view text);

/// "/a/b" with ~0 and ~1 only, or a plain top-level name (no leading slash, not empty).
std::string fault_in_claim(std::string_view text);

}  // namespace gatehouse::config
