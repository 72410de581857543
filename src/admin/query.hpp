#pragma once

#include "gatehouse/app/inspector.hpp"
#include "gatehouse/core/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::admin {

/// Decodes %XX and nothing else: a plus is a plus, since route keys such as "ANY /{proxy+}" hold
/// one. What is no escape stays.
std::string decode_percent(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;

/// "a=b&c" as decoded pairs, in order.
Query parse_query(std::string_view text);

/// A decimal number within [least, most], or nullopt.
std::optional<std::size_t> parse_number(std::string_view text,
                                        std::size_t least,
                                        std::size_t most) noexcept;

/// The filter of GET /traces?status=&reason=&route=&limit=. The error's detail is meant for the
/// client.
Result<app::TraceFilter> parse_trace_filter(const Query& query);

/// 64 hex digits.
std::optional<jwt::Sha256> parse_digest(std::string_view text) noexcept;

}  // namespace gatehouse::admin
