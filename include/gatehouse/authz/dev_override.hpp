#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"

#include <chrono>
#include <string>
#include <string_view>

// For development: a header whose value, signed with a configured secret, stands in for the
// authorizer's result of one request.
namespace gatehouse::authz {

/// No upstream and no function ever sees it.
inline constexpr std::string_view kOverrideHeader = "x-gatehouse-override";

/// RFC 7518 3.2: a key of at least the size of the hash.
inline constexpr std::size_t kOverrideSecretBytes = 32;

/// An override that is good for longer is refused: it would be a password.
inline constexpr std::chrono::seconds kOverrideTimeMost{3600};

/// Reads and checks such values: a compact JWS with HS256 (RFC 7515, 7518 3.2), the one place where
/// an HMAC signs anything, with claims `effect` ("Allow" or "Deny") and `exp`, and perhaps
/// `principalId`, `context`, `usageIdentifierKey` and `methodArn` (what the effect is for,
/// wildcards included; all methods when absent) and `iat`. Immutable, shared between threads.
class DevOverride {
  public:
    explicit DevOverride(std::string secret) : secret_(std::move(secret)) {}

    /// @param method_arn  of the request: Grant::issued_for
    /// @return what an authorizer function would have given; Errc::override_invalid (detail: what
    /// is wrong, nothing of the value before its signature is good), Errc::override_expired
    Result<Grant> read(std::string_view value, std::string_view method_arn, WallTime now) const;

  private:
    std::string secret_;
};

/// A value for the header.
std::string make_override(const Json& claims, std::string_view secret);

}  // namespace gatehouse::authz
