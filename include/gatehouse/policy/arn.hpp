#pragma once

#include "gatehouse/core/result.hpp"

#include <string>
#include <string_view>

namespace gatehouse::policy {

/// Names one stage; what every method ARN of it begins with.
struct StageName {
    std::string region;
    std::string account_id;
    std::string api_id;
    std::string stage;
};

/// "arn:aws:execute-api:us-east-1:123456789012:local/prod/": everything of a method ARN before the
/// verb. The partition follows the region (aws-cn, aws-us-gov).
std::string make_stage_prefix(const StageName& stage);

/// The ARN that stands for the whole stage: prefix + "*" (the Resource of `"resource": "stage"`).
std::string make_stage_arn(std::string_view stage_prefix);

/// The ARN that a request is judged by. A trailing slash of the path is kept; `alternate` is the
/// other form (without it when the path has one, with it when not), against which an explicit Deny
/// is judged too. For the root path there is no other form: empty.
struct MethodArn {
    std::string_view text;
    std::string_view alternate;
};

/// Writes the method ARN for `verb` and `path` (begins with '/') into `buffer` (cleared first), no
/// allocation once it has grown. API Gateway Developer Guide, "Lambda authorizer input": the path
/// is the request's, percent-encoding kept, query never part of it. Views point into `buffer`.
/// Errc::arn_too_long when longer than limits::kMethodArnBytes, arn_invalid when the path does not
/// begin with a slash.
Result<MethodArn> make_method_arn(std::string_view stage_prefix,
                                  std::string_view verb,
                                  std::string_view path,
                                  std::string& buffer);

}  // namespace gatehouse::policy
