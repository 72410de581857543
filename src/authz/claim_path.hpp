#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// Names a claim: a member of the claim set by its name, or by JSON Pointer (RFC 6901) when the
/// text begins with '/'.
class ClaimPath {
  public:
    /// Errc::config_invalid for an empty name or a '~' that is neither "~0" nor "~1".
    static Result<ClaimPath> make(std::string_view text);

    /// The claim, or nullptr when it is absent. null counts as absent.
    const Json* find(const Json& claims) const noexcept;

    /// The claim's own name when it is a member of the claim set itself, "" for one further in.
    std::string_view top_level_name() const noexcept;

  private:
    std::vector<std::string> steps_;
};

/// A claim as text. Integers without ".0", other numbers as the shortest text that reads back as
/// the same double.
/// @param value  a string, number or boolean; nothing is appended and false returned for anything
/// else
bool append_scalar(const Json& value, std::string& out);

}  // namespace gatehouse::authz
