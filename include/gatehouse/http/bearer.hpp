#pragma once

#include <optional>
#include <string_view>

namespace gatehouse::http {

/// The credential of an Authorization value of scheme Bearer (RFC 6750 2.1; scheme in any case, one
/// or more spaces, exactly one credential of b64token characters); nullopt for anything else. A
/// view into `value`.
std::optional<std::string_view> find_bearer_token(std::string_view value) noexcept;

}  // namespace gatehouse::http
