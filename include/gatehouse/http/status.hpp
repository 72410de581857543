#pragma once

#include <string_view>

namespace gatehouse::http {

/// The phrase of a status code (RFC 9110, section 15; RFC 6585), e.g. "Not Found"; for a code that
/// has none the phrase of its class.
std::string_view reason_phrase(int status) noexcept;

}  // namespace gatehouse::http
