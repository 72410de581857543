#pragma once

#include "gatehouse/core/result.hpp"

#include <string>
#include <string_view>

namespace gatehouse::http {

/// A request target, normalised once: what is matched, judged, traced and forwarded is this path
/// and no other.
struct Target {
    /// Begins with '/'; what may stand in a path as it is decoded, but for %2B and %3B; hex digits
    /// upper-cased.
    std::string_view path;
    /// As it came, without '?'.
    std::string_view query;
    bool has_query = false;
    /// The path is longer than "/" and ends with '/'.
    bool trailing_slash = false;
    /// %2F somewhere (one segment on a REST API; "encodedSlash": "refuse" refuses it).
    bool encoded_slash = false;
    /// ';' (or %3B), or one of these or a separator or dot doubly encoded (%252F, %255C, %252E,
    /// %253B): refused where an authorizer guards.
    bool path_parameter = false;
    /// "*" (OPTIONS only); then path is "*", which no API and no route matches.
    bool asterisk = false;
};

/// Parses origin-form, absolute-form and "*" (RFC 9112 3.2). Views point into `raw`, or into
/// `scratch` when something had to be rewritten; `scratch` is cleared first and must outlive the
/// result. No allocation when nothing needs rewriting. A path that came out goes in unchanged.
/// Refused: dot segments and empty inner segments (plain or encoded; also those that decoding %2F
/// once would yield), "..;x", backslashes, controls and NUL, invalid percent-encoding, a path that
/// is not UTF-8 once decoded, '#', raw bytes outside URI syntax in path or query (brackets pass in
/// a query, whose percent-encoding is not looked at: it is data and goes on byte for byte). Errc:
/// target_invalid, target_percent, target_control, target_utf8, target_dot_segment,
/// target_empty_segment, target_backslash
Result<Target> parse_target(std::string_view raw, std::string& scratch);

/// The authority of an absolute-form target ("http://host:80/x" -> "host:80"), empty for other
/// forms.
std::string_view authority_of(std::string_view raw) noexcept;

}  // namespace gatehouse::http
