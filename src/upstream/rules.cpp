#include "gatehouse/upstream/rules.hpp"

#include <algorithm>

namespace gatehouse::upstream {

bool is_good_status(const HealthRule& rule, int status) noexcept {
    return std::ranges::any_of(rule.statuses, [status](const std::pair<int, int>& range) {
        return range.first <= status && status <= range.second;
    });
}

}  // namespace gatehouse::upstream
