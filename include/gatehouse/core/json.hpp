#pragma once

#include "gatehouse/core/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

using Json = nlohmann::json;

struct JsonLimits {
    std::size_t max_bytes = 1024 * 1024;
    int max_depth = 32;
    bool comments = false;  ///< allow // and /* */: configuration only
};

/// Parses one JSON text from outside (RFC 8259): UTF-8, no BOM, no trailing data, no duplicate
/// members, bounded depth and size. Numbers that a double cannot hold as a finite value are
/// refused, and exponents that no int holds.
/// @return the value, or Errc::json_syntax, json_too_deep, json_duplicate_key, json_too_large;
/// detail: what and at which byte
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// The member, or nullptr when `object` is no object or has no such member.
const Json* find_member(const Json& object, std::string_view name) noexcept;

/// The member as text. Errc::json_missing, json_type. The view lives as long as `object`.
Result<std::string_view> get_string(const Json& object, std::string_view name);

/// Compact text; never throws (bad UTF-8 becomes U+FFFD). `indent` -1: one line.
std::string dump_json(const Json& value, int indent = -1);

/// `text` as a JSON string with its quotes; bad UTF-8 becomes U+FFFD.
std::string quote_json(std::string_view text);

}  // namespace gatehouse
