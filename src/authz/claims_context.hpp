#pragma once

#include "claim_path.hpp"
#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gatehouse::authz {

/// The `context` map of an authorizer, compiled: which claim becomes which context key.
class ContextMap {
  public:
    /// Errc::config_invalid, detail begins with a JSON pointer below `jwt`
    static Result<ContextMap> make(std::span<const ContextRule> rules);

    /// The context of one token, in the order of the rules. An absent claim without a default
    /// leaves its key out. Errc::token_claim_unusable for an object, a list in a list, or a list
    /// element that holds the join string
    Result<std::vector<ContextItem>> apply(const Json& claims) const;

  private:
    struct Rule {
        std::string key;
        ClaimPath claim;
        std::string join;
        std::optional<ContextItem> fallback;
    };

    std::vector<Rule> rules_;
};

/// The token's claims as strings: what an application behind a Cognito or JWT authorizer reads as
/// `authorizer.claims`. A list of plain values is joined with commas where that can be undone, any
/// other list and every object is JSON text, null is left out. The context's values lie on top, so
/// that both `claims.sub` and a mapped `claims.userId` exist.
Json stringify_claims(Json claims, std::span<const ContextItem> context);

/// The token's claims as a JWT authorizer of an HTTP API shows them: texts, true and false, numbers
/// as they are written, a list as "[a b]". A list that could not be read back (an element with a
/// space, say) and an object are JSON text.
Json stringify_claims_for_http(Json claims);

/// The words of `scope`, or else of `scp`, which is a list with some issuers.
std::vector<std::string> read_scopes(const Json& claims);

}  // namespace gatehouse::authz
