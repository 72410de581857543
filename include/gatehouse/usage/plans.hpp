#pragma once

#include "gatehouse/core/time.hpp"
#include "gatehouse/usage/key_table.hpp"
#include "gatehouse/usage/quota.hpp"
#include "gatehouse/usage/rate.hpp"
#include "gatehouse/usage/token_bucket.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// API keys and usage plans (API Gateway developer guide, "Usage plans and API keys for REST APIs").
// Stages and methods are numbers that the caller gives out.
namespace gatehouse::usage {

struct Key {
    std::string id;
    std::string name;
    bool enabled = true;
};

struct PlanSpec {
    std::string id;
    std::string name;
    std::vector<int> keys;                      ///< indices into the keys
    std::vector<int> stages;                    ///< that the plan is for
    std::vector<std::pair<int, Rate>> methods;  ///< with a throttle of their own
    std::optional<Rate> throttle;
    std::optional<Quota> quota;
};

/// What one key has of one plan, and how much of it is used. All stages of the plan together, as in
/// the service. Thread-safe.
class Allowance {
  public:
    /// @param before  the same key's of the same plan in the configuration before: what has not
    ///                changed is shared with it, so that requests on both count as one. May be null
    Allowance(int key, const PlanSpec& plan, const Allowance* before = nullptr);

    int key() const noexcept { return key_; }

    /// Takes from the method's throttle, or from the plan's where the method has none.
    bool pass_throttle(int method, SteadyTime now) noexcept;

    /// Takes from the quota. Asked last, since throttled calls do not count.
    bool pass_quota(WallTime now) noexcept;

    /// Of the quota; nothing where the plan has none.
    std::optional<QuotaUse> quota_use(WallTime now) const noexcept;

    /// What counts the quota, for the replicas that share it; null: none.
    QuotaCounter* quota_counter() const noexcept { return quota_.get(); }

    void count_admitted() noexcept { counts_->admitted.fetch_add(1, std::memory_order_relaxed); }

    std::uint64_t admitted() const noexcept {
        return counts_->admitted.load(std::memory_order_relaxed);
    }

    std::uint64_t throttled() const noexcept {
        return counts_->throttled.load(std::memory_order_relaxed);
    }

    std::uint64_t over_quota() const noexcept {
        return counts_->over_quota.load(std::memory_order_relaxed);
    }

  private:
    struct Counts {
        std::atomic<std::uint64_t> admitted{0};
        std::atomic<std::uint64_t> throttled{0};
        std::atomic<std::uint64_t> over_quota{0};
    };

    int key_;
    std::optional<Rate> throttle_;
    // Shared with the allowance of the next configuration.
    std::shared_ptr<TokenBucket> bucket_;                                ///< null: no throttle
    std::vector<std::pair<int, std::unique_ptr<TokenBucket>>> methods_;  ///< sorted by method
    std::shared_ptr<QuotaCounter> quota_;                                ///< null: none
    std::shared_ptr<Counts> counts_;
};

/// A usage plan with what each of its keys has of it.
struct Plan {
    PlanSpec spec;
    std::vector<std::unique_ptr<Allowance>> allowances;  ///< as spec.keys
};

/// All keys and plans of a configuration. Immutable but for the counters of the allowances, of
/// which there are as many as the configuration has keys in plans: clients can add none.
class Plans {
  public:
    Plans() = default;

    /// @param before  the plans of the configuration before, whose counts go on where plan and key
    ///                have the same ids; null: none
    Plans(std::vector<Key> keys,
          const std::vector<std::string>& values,
          std::vector<PlanSpec> plans,
          const Salt& salt,
          const Plans* before = nullptr);

    /// Index of the key with that value; -1: none. No allocation.
    int find_key(std::string_view value) const { return table_.find(value); }

    const Key& key(int index) const { return keys_.at(static_cast<std::size_t>(index)); }

    const std::vector<Key>& keys() const noexcept { return keys_; }

    const std::vector<Plan>& plans() const noexcept { return plans_; }

    /// What the key has on the stage, and of which plan (index); null: it is in no plan for it.
    struct Found {
        Allowance* allowance = nullptr;
        int plan = -1;
    };

    Found find_allowance(int key, int stage) const noexcept;

  private:
    const Allowance* find_same(std::string_view plan_id, std::string_view key_id) const noexcept;

    std::vector<Key> keys_;
    KeyTable table_;
    std::vector<Plan> plans_;

    struct Link {
        int stage;
        Found found;
    };

    std::vector<std::vector<Link>> links_;  // by key
};

}  // namespace gatehouse::usage
