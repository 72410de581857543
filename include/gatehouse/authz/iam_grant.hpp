#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/policy/arn.hpp"

#include <string>

namespace gatehouse::authz {

/// The grant of whoever signs by an access key: the whole stage, an identity as an IAM user of the
/// API's account has it, no context. Errc: those of the policy's parts
Result<Grant> make_iam_grant(const policy::StageName& stage,
                             const std::string& access_key,
                             const std::string& principal);

}  // namespace gatehouse::authz
