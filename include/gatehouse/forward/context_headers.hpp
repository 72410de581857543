#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/core/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::forward {

/// What the prefix of the principal's header is followed by.
constexpr std::string_view kPrincipalKey = "Principal-Id";

/// An API's contextHeaders.
struct ContextHeaderOptions {
    bool enabled = true;
    std::string prefix = "X-Authorizer-";
    bool request_context = false;
};

struct ContextHeaders {
    std::string block;  ///< "X-Authorizer-userId: auth0|user123\r\n…", Principal-Id first
    std::vector<std::string> left_out;  ///< keys that get no header: no token, or folding onto
                                        ///< another (earns one warning)
};

/// Makes the header lines of a grant, once, when it is made. UTF-8 goes as its bytes; a null value
/// gets no header. Errc::context_unusable (detail: the key) for a value with a control byte or one
/// that is not UTF-8: never passed, never cleaned.
Result<ContextHeaders> make_context_headers(const authz::Grant& grant,
                                            const ContextHeaderOptions& options);

/// `requestContext.authorizer` of a grant as JSON text: context values as strings (null stays
/// null), principalId, and `claims` for the in-process authorizer.
/// @param latency  integrationLatency: how long the function took, 0 on a cache hit or in process;
/// nullopt: no such member, and `claims` is a reserved name (HTTP APIs, payload format 1.0)
std::string make_authorizer_json(
    const authz::Grant& grant,
    std::optional<std::chrono::milliseconds> latency = std::chrono::milliseconds(0));

/// The same where there are claims and nothing else: {"claims":{…}} (Cognito).
std::string make_claims_json(const authz::Grant& grant);

}  // namespace gatehouse::forward
