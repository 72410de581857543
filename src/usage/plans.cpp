#include "gatehouse/usage/plans.hpp"

#include <algorithm>

namespace gatehouse::usage {

Allowance::Allowance(int key, const PlanSpec& plan, const Allowance* before)
    : key_(key), throttle_(plan.throttle) {
    counts_ = before != nullptr ? before->counts_ : std::make_shared<Counts>();
    if (plan.throttle) {
        const bool same = before != nullptr && before->throttle_ == plan.throttle;
        bucket_ = same ? before->bucket_ : std::make_shared<TokenBucket>(*plan.throttle);
    }
    for (const auto& [method, rate] : plan.methods)
        methods_.emplace_back(method, std::make_unique<TokenBucket>(rate));
    std::ranges::sort(methods_, {}, [](const auto& entry) { return entry.first; });
    if (plan.quota) {
        const bool same =
            before != nullptr && before->quota_ && before->quota_->quota() == plan.quota;
        quota_ = same ? before->quota_ : std::make_shared<QuotaCounter>(*plan.quota);
    }
}

bool Allowance::pass_throttle(int method, SteadyTime now) noexcept {
    TokenBucket* bucket = bucket_.get();
    const auto own = std::ranges::lower_bound(
        methods_, method, {}, [](const auto& entry) { return entry.first; });
    if (own != methods_.end() && own->first == method) bucket = own->second.get();
    if (bucket == nullptr || bucket->take(now)) return true;
    counts_->throttled.fetch_add(1, std::memory_order_relaxed);
    return false;
}

bool Allowance::pass_quota(WallTime now) noexcept {
    if (quota_ == nullptr || quota_->take(now)) return true;
    counts_->over_quota.fetch_add(1, std::memory_order_relaxed);
    return false;
}

std::optional<QuotaUse> Allowance::quota_use(WallTime now) const noexcept {
    if (quota_ == nullptr) return std::nullopt;
    return quota_->use(now);
}

Plans::Plans(std::vector<Key> keys,
             const std::vector<std::string>& values,
             std::vector<PlanSpec> plans,
             const Salt& salt,
             const Plans* before)
    : keys_(std::move(keys)), table_(values, salt), links_(keys_.size()) {
    for (PlanSpec& spec : plans) {
        const int index = static_cast<int>(plans_.size());
        Plan& plan = plans_.emplace_back(Plan{std::move(spec), {}});
        for (const int key : plan.spec.keys) {
            const Allowance* same =
                before == nullptr
                    ? nullptr
                    : before->find_same(plan.spec.id, keys_.at(static_cast<std::size_t>(key)).id);
            auto& allowance =
                plan.allowances.emplace_back(std::make_unique<Allowance>(key, plan.spec, same));
            for (const int stage : plan.spec.stages)
                links_.at(static_cast<std::size_t>(key))
                    .push_back({stage, {allowance.get(), index}});
        }
    }
}

const Allowance* Plans::find_same(std::string_view plan_id,
                                  std::string_view key_id) const noexcept {
    for (const Plan& plan : plans_) {
        if (plan.spec.id != plan_id) continue;
        for (const auto& allowance : plan.allowances) {
            if (keys_[static_cast<std::size_t>(allowance->key())].id == key_id)
                return allowance.get();
        }
    }
    return nullptr;
}

Plans::Found Plans::find_allowance(int key, int stage) const noexcept {
    if (key < 0 || static_cast<std::size_t>(key) >= links_.size()) return {};
    const auto& links = links_[static_cast<std::size_t>(key)];
    const auto link = std::ranges::find(links, stage, &Link::stage);
    return link == links.end() ? Found{} : link->found;
}

}  // namespace gatehouse::usage
