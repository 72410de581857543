#pragma once

#include "gatehouse/core/result.hpp"

#include <string>
#include <string_view>

namespace gatehouse {

/// Decodes base64url without padding (RFC 7515, section 2). Strict: no padding, no white space, no
/// other alphabet, and the unused bits of the last character are zero, so that every value has
/// exactly one spelling.
/// @return the bytes, or Errc::base64_invalid
Result<std::string> decode_base64url(std::string_view text);

std::string encode_base64url(std::string_view bytes);

/// Standard base64 with padding (RFC 4648, section 4).
std::string encode_base64(std::string_view bytes);

/// Decodes standard base64, as strictly; padding is whole or absent. Errc::base64_invalid
Result<std::string> decode_base64(std::string_view text);

}  // namespace gatehouse
