#pragma once

#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/conditions.hpp"
#include "gatehouse/policy/document.hpp"

#include <string>
#include <vector>

namespace gatehouse::policy {

enum class Outcome : unsigned char { allow, explicit_deny, implicit_deny };

struct Decision {
    Outcome outcome = Outcome::implicit_deny;
    int statement = -1;  ///< index of the statement that settled it, -1 for an implicit deny
    int resource = -1;   ///< index of the pattern in it that matched, -1 when NotResource did
};

/// Why one statement matched or did not, in words, for explain and traces.
struct StatementTrail {
    int statement = 0;
    Effect effect = Effect::allow;
    std::string sid;
    bool matched = false;
    std::string why;  ///< "Resource arn:…/GET/* matches", "no Resource matches", "Action s3:Get* is
                      ///< not execute-api:Invoke", "Condition …"
};

/// Judges one request against a parsed policy. Explicit Deny beats Allow; no match is an implicit
/// deny. Statements are read in order, but order never changes the answer.
/// @param arn    the request's ARN; a Deny is judged with `text` and with `alternate`, an Allow
/// with `text` alone
/// @param trail  when not null, gets one entry per statement (all are read then); null on the hot
/// path: no allocation without conditions
/// @return never fails, a bad policy fails at parse_document
/// @see IAM User Guide, "Policy evaluation logic"
Decision evaluate(const Document& policy,
                  const MethodArn& arn,
                  const ConditionContext& context,
                  std::vector<StatementTrail>* trail = nullptr);

}  // namespace gatehouse::policy
