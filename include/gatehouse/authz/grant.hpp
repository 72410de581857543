#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/policy/document.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// One entry of the authorizer's context. Whatever is no string keeps its kind: events show text,
/// payload 2.0 the JSON value, which the text is too. `json` (objects and lists) is 2.0's alone.
struct ContextItem {
    enum class Kind : std::uint8_t { string, number, boolean, null, json };
    std::string key;
    std::string value;  ///< as text: "1", "true", "", "[1]"
    Kind kind = Kind::string;
};

/// What a Cognito token is for.
enum class TokenUse : std::uint8_t { any, id, access };

/// Who signed a request, as `requestContext.identity` shows it.
struct IamIdentity {
    std::string access_key;
    std::string account_id;
    std::string caller;
    std::string user;
    std::string user_arn;
};

/// What an authorizer gives back, compiled: the only thing that is cached. It holds a policy, never
/// a verdict: every request is judged anew by its own ARN. Immutable once shared.
struct Grant {
    std::string principal_id;  ///< empty: none
    std::vector<ContextItem> context;
    Json claims;  ///< of a token that was verified here: as strings, for gatehouse:jwt overlaid by
                  ///< the context; null otherwise
    bool typed_claims = false;  ///< claims are JSON as the token has it (JWT authorizers of REST
                                ///< APIs)
    std::vector<std::string> scopes;  ///< words of `scope`, or `scp`
    policy::DocumentPtr policy = policy::no_statements();
    std::vector<std::string> left_out;   ///< statements that `when` or an absent claim kept out of
                                         ///< the policy, with the reason, for traces
    TokenUse token_use = TokenUse::any;  ///< COGNITO_USER_POOLS
    std::optional<IamIdentity> iam;      ///< AWS_IAM
    std::string usage_identifier_key;    ///< API key that the authorizer names; empty: none
    std::string issued_for;              ///< method ARN of the request that it was first made for
    std::optional<WallTime> expires;     ///< exp of the token
    std::optional<WallTime> not_before;  ///< nbf of the token
    std::uint32_t key_source = 0;        ///< index of the key source (app) that verified it
    std::string key_thumbprint;          ///< the key that verified it; empty: none
    std::string kid;
    std::uint32_t identity_digest =
        0;  ///< first 4 bytes of the identity's SHA-256: what stands for it in traces
    std::string
        header_block;  ///< ready "Name: value\r\n" lines of the context (forward/context_headers)
    std::string authorizer_json;  ///< `requestContext.authorizer` as JSON text, where a header
                                  ///< (contextHeaders.requestContext) shows it

    Grant() = default;
    Grant(const Grant&) = default;
    Grant(Grant&&) = default;
    Grant& operator=(const Grant&) = default;
    Grant& operator=(Grant&&) = default;
    ~Grant();

    std::size_t heap_bytes() const noexcept;

    /// The context value of that key, or nullptr.
    const ContextItem* find_context(std::string_view key) const noexcept;
};

}  // namespace gatehouse::authz
