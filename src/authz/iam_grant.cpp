#include "gatehouse/authz/iam_grant.hpp"

#include "claim_grants.hpp"

#include <utility>

namespace gatehouse::authz {

Result<Grant> make_iam_grant(const policy::StageName& stage,
                             const std::string& access_key,
                             const std::string& principal) {
    auto policy = make_allow(policy::make_stage_arn(policy::make_stage_prefix(stage)));
    if (!policy) return std::move(policy).error();
    Grant grant;
    grant.policy = std::make_shared<policy::Document>(std::move(*policy));
    grant.principal_id = principal;
    const std::string account(stage.account_id);
    grant.iam = IamIdentity{access_key,
                            account,
                            principal,
                            principal,
                            "arn:aws:iam::" + account + ":user/" + principal};
    return grant;
}

}  // namespace gatehouse::authz
