#pragma once

#include "claim_path.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace gatehouse::authz {

/// One member of a statement's `when`: what a claim must be like for the statement to be taken. The
/// wanted value is a scalar,
/// {"in": [scalars]}, {"exists": true|false} or {"matches": "RE2"}, the last against the whole
/// text.
///
/// A scalar claim is compared as it is, a list by its elements, any of which suffices. `scope`, and
/// `scp` where it is a string, are compared whole and by their words. Types count: the number 1 is
/// not the text "1". An absent or null claim holds `exists: false` alone.
class ClaimCondition {
  public:
    ClaimCondition(ClaimCondition&&) noexcept;
    ~ClaimCondition();

    /// Errc::config_invalid, detail without a pointer
    static Result<ClaimCondition> make(std::string_view claim, const Json& wanted);

    bool holds(const Json& claims) const;

    /// What is wanted and what is there, for explain and traces: `roles is ["user"], wanted
    /// "admin"`.
    std::string explain(const Json& claims) const;

  private:
    enum class Kind { equals_any, exists, absent, matches };

    ClaimCondition(ClaimPath path, std::string_view claim, const Json& wanted);
    Result<void> compile(const Json& operators);
    bool accepts(const Json& value) const;
    bool accepts_text(std::string_view text) const;

    ClaimPath path_;
    std::string claim_;        ///< as written
    std::string wanted_text_;  ///< as JSON
    bool words_ = false;       ///< the claim is a list of words
    Kind kind_ = Kind::equals_any;
    std::vector<Json> wanted_;
    std::unique_ptr<re2::RE2> expression_;
};

}  // namespace gatehouse::authz
