#pragma once

#include "claims_context.hpp"
#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "policy_memo.hpp"
#include "statements.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// How claims become context and policy, compiled: what the in-process authorizers have in common.
class ClaimGrants {
  public:
    /// Errc::config_invalid, detail begins with a JSON pointer below the authorizer's block
    static Result<ClaimGrants> make(const ClaimRules& rules);

    /// The context of one token, entered in the trail. Errc::token_claim_unusable
    Result<std::vector<ContextItem>> context(const Json& claims, jwt::CheckTrail* trail) const;

    /// The policy of one token. Errc: those of StatementSet::make_policy
    Result<policy::DocumentPtr> policy(const Json& claims,
                                       const AuthorizerEvent& event,
                                       std::vector<std::string>& left_out) const;

    /// True when one token's policy can differ per method.
    bool narrower_than_stage() const noexcept;

  private:
    ContextMap context_;
    bool method_resource_ = false;
    std::optional<StatementSet> statements_;
    std::unique_ptr<PolicyMemo> whole_stage_ = std::make_unique<PolicyMemo>();
};

/// {"Version":…,"Statement":[{Allow, execute-api:Invoke, pattern}]}
Result<policy::Document> make_allow(std::string_view pattern);

/// The rules' part of an authorizer's fingerprint.
void describe(const ClaimRules& rules, Json& into);

/// The credential of an identity value, entered in the trail: Bearer and one token, or where it may
/// be, the token alone.
std::optional<std::string_view> find_token(const AuthorizerEvent& event, jwt::CheckTrail* trail);

}  // namespace gatehouse::authz
