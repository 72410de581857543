#include "gatehouse/usage/plans.hpp"

#include <algorithm>

namespace gatehouse::usage {

Allowance::Allowance(int key, const PlanSpec& plan) : key_(key) {
    if (plan.throttle) bucket_ = std::make_unique<TokenBucket>(*plan.throttle);
    for (const auto& [method, rate] : plan.methods)
        methods_.emplace_back(method, std::make_unique<TokenBucket>(rate));
    std::ranges::sort(methods_, {}, [](const auto& entry) { return entry.first; });
    if (plan.quota) quota_ = std::make_unique<QuotaCounter>(*plan.quota);
}

bool Allowance::pass_throttle(int method, SteadyTime now) noexcept {
    TokenBucket* bucket = bucket_.get();
    const auto own = std::ranges::lower_bound(
        methods_, method, {}, [](const auto& entry) { return entry.first; });
    if (own != methods_.end() && own->first == method) bucket = own->second.get();
    if (bucket == nullptr || bucket->take(now)) return true;
    throttled_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

bool Allowance::pass_quota(WallTime now) noexcept {
    if (quota_ == nullptr || quota_->take(now)) return true;
    over_quota_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

std::optional<QuotaUse> Allowance::quota_use(WallTime now) const noexcept {
    if (quota_ == nullptr) return std::nullopt;
    return quota_->use(now);
}

Plans::Plans(std::vector<Key> keys,
             const std::vector<std::string>& values,
             std::vector<PlanSpec> plans,
             const Salt& salt)
    : keys_(std::move(keys)), table_(values, salt), links_(keys_.size()) {
    for (PlanSpec& spec : plans) {
        const int index = static_cast<int>(plans_.size());
        Plan& plan = plans_.emplace_back(Plan{std::move(spec), {}});
        for (const int key : plan.spec.keys) {
            auto& allowance =
                plan.allowances.emplace_back(std::make_unique<Allowance>(key, plan.spec));
            for (const int stage : plan.spec.stages)
                links_.at(static_cast<std::size_t>(key))
                    .push_back({stage, {allowance.get(), index}});
        }
    }
}

Plans::Found Plans::find_allowance(int key, int stage) const noexcept {
    if (key < 0 || static_cast<std::size_t>(key) >= links_.size()) return {};
    const auto& links = links_[static_cast<std::size_t>(key)];
    const auto link = std::ranges::find(links, stage, &Link::stage);
    return link == links.end() ? Found{} : link->found;
}

}  // namespace gatehouse::usage
