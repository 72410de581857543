#pragma once

#include "claim_path.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// A Resource of a statement with `${claims.NAME}`, `${stageArn}` and `${methodArn}` in it. What is
/// put in is literal: a `*` in a claim or in a path is a star, while a `*` that the template itself
/// has is a wildcard.
///
/// `${stageArn}` alone stands for the whole stage; before a '/' it is the stage's ARN without the
/// slash, so that
/// `${stageArn}/GET/tenants/${claims.tenant_id}/*` reads as it looks.
class ResourceTemplate {
  public:
    /// Errc::config_invalid for a placeholder that is not closed, names no claim, or stands where
    /// it could run into other text
    static Result<ResourceTemplate> make(std::string_view text);

    /// The pattern for one request, nullopt when a claim is absent or no scalar.
    std::optional<std::string> fill(const Json& claims,
                                    std::string_view stage_prefix,
                                    std::string_view method_arn) const;

    /// The pattern with a letter for each placeholder: what can be checked before there is a
    /// request.
    std::string sample() const;

    bool uses_claims() const noexcept;
    bool uses_method_arn() const noexcept;

  private:
    struct Part {
        enum class Kind { text, claim, stage, stage_root, method };
        Kind kind = Kind::text;
        std::string text;
        std::optional<ClaimPath> claim;
    };

    static Result<Part> make_part(std::string_view name, std::string_view after);

    std::vector<Part> parts_;
};

/// True when the text has one of the three placeholders.
bool has_placeholder(std::string_view text) noexcept;

}  // namespace gatehouse::authz
