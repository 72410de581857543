#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::forward {

/// Header names that are the gateway's to write: clients' fields of such a name, in whatever
/// spelling (case, `_` for `-`), do not go on.
class OwnedNames {
  public:
    /// In any spelling, in any order, each as often as it comes.
    OwnedNames(const std::vector<std::string>& names, const std::vector<std::string>& prefixes);

    bool has(std::string_view name) const noexcept;

    auto operator<=>(const OwnedNames&) const = default;

  private:
    std::uint64_t sizes_ = 0;         ///< bit n: some name has n bytes (63: or more)
    std::vector<std::string> names_;  ///< folded, ascending
    std::vector<std::string> prefixes_;
};

}  // namespace gatehouse::forward
