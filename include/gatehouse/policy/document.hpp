#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/policy/conditions.hpp"
#include "gatehouse/policy/statement_index.hpp"
#include "gatehouse/policy/wildcard.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::policy {

enum class Effect : unsigned char { allow, deny };

/// One statement, compiled. Statements whose actions can never name execute-api:Invoke stay, so
/// that indices are the author's.
struct Statement {
    Effect effect = Effect::allow;
    std::string sid;
    std::vector<std::string> actions;  ///< as written, for the trail
    bool not_action = false;
    bool covers_invoke =
        false;  ///< Action names execute-api:Invoke (or NotAction does not), any letter case
    std::vector<Wildcard> resources;
    bool not_resource = false;
    Conditions conditions;
};

/// What one document may hold beside limits::kPolicyBytes. IAM's own quotas are lower by far; these
/// bound the time of one judgement and keep indices within what a trace record stores.
constexpr std::size_t kPolicyStatements = 2000;
constexpr std::size_t kPolicyPatterns = 5000;  ///< Action and Resource patterns of all statements

/// A parsed IAM policy document. Immutable.
struct Document {
    std::vector<Statement> statements;
    std::string text;      ///< compact JSON, as explain and GET /cache print it
    StatementIndex index;  ///< of `statements`

    std::size_t heap_bytes() const noexcept;
};

/// Shared by all who were given the same policy. Never null where one is expected.
using DocumentPtr = std::shared_ptr<const Document>;

/// A policy without a statement: allows nothing.
const DocumentPtr& no_statements();

/// Compiles a policy document (IAM User Guide, "Grammar of the IAM JSON policy language"). Keys are
/// case-sensitive; unknown elements are refused, never ignored (Sid, Id and Principal are known;
/// Principal says nothing in an authorizer's policy). An empty Resource list matches nothing; a
/// missing one is malformed. A document without Version is one of 2008-10-17, which has no `${…}`.
/// Errc::policy_invalid, condition_unsupported, policy_too_large; detail begins with the JSON path
/// at fault, e.g. "/Statement/0/Effect: …"
Result<Document> parse_document(const Json& document);

}  // namespace gatehouse::policy
