#pragma once

#include "claim_condition.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/policy/document.hpp"
#include "policy_memo.hpp"
#include "resource_template.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// The `statements` of an authorizer, compiled: IAM statements with an optional `when` and
/// placeholders in Resource. Per token they give an ordinary policy, which tokens share that are
/// given the same one.
class StatementSet {
  public:
    /// Errc::config_invalid, detail begins with a JSON pointer below `jwt`, e.g.
    /// "/statements/0/when/tenant: …"
    static Result<StatementSet> make(const Json& statements);

    /// The policy of one token: the statements whose `when` holds and whose placeholders can all be
    /// filled. With none of them it is an empty policy, an implicit deny. Errc: those of
    /// policy::parse_document when a filled Resource is refused; token_claim_unusable when claims
    /// were filled in
    /// @param left_out  when not null, gets a line for each statement that is not in the policy,
    /// with the reason, at most kMostLeftOut of them
    Result<policy::DocumentPtr> make_policy(const Json& claims,
                                            std::string_view stage_prefix,
                                            std::string_view method_arn,
                                            std::vector<std::string>* left_out = nullptr) const;

    bool uses_method_arn() const noexcept;

    static constexpr std::size_t kMostLeftOut = 16;

  private:
    struct Entry {
        Json body;  ///< the IAM statement without `when`
        std::string
            resource_key;  ///< "Resource" or "NotResource" when it has placeholders, else empty
        bool resource_list = false;
        std::vector<ResourceTemplate> resources;
        std::vector<ClaimCondition> when;
    };

    static Result<Entry> make_entry(const Json& statement);
    static bool append_taken(const Entry& entry,
                             const Json& claims,
                             std::string_view stage_prefix,
                             std::string_view method_arn,
                             std::string& key);
    Result<policy::Document> compile(const Json& claims,
                                     std::string_view stage_prefix,
                                     std::string_view method_arn) const;
    static std::optional<Json> fill(const Entry& entry,
                                    const Json& claims,
                                    std::string_view stage_prefix,
                                    std::string_view method_arn);
    static std::string explain_absence(const Entry& entry, std::size_t index, const Json& claims);

    std::vector<Entry> entries_;
    bool uses_claims_ = false;
    std::unique_ptr<PolicyMemo> memo_ = std::make_unique<PolicyMemo>();
};

}  // namespace gatehouse::authz
