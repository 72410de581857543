#pragma once

#include "gatehouse/core/memo.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/policy/document.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace gatehouse::authz {

/// Policies that were compiled, by all that they are made of: most tokens of one authorizer get one
/// of a few. Errors are not remembered.
class PolicyMemo {
  public:
    static constexpr std::size_t kMostEntries = 128;
    static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

    /// @param make  gives Result<policy::Document>
    template <class Make>
    Result<policy::DocumentPtr> find_or_make(std::string_view key, Make make) {
        if (auto found = memo_.find(key)) return found;
        Result<policy::Document> document = make();
        if (!document) return std::move(document).error();
        policy::DocumentPtr made = std::make_shared<const policy::Document>(std::move(*document));
        memo_.keep(key, made, sizeof(*made) + made->heap_bytes());
        return made;
    }

  private:
    Memo<policy::Document> memo_{kMostEntries, kMostBytes};
};

}  // namespace gatehouse::authz
