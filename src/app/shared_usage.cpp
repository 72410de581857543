#include "shared_usage.hpp"

#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/usage/plans.hpp"
#include "gatehouse/usage/quota.hpp"

#include <charconv>
#include <utility>

namespace gatehouse::app {
namespace {

// Behind the period's end, since clocks differ.
constexpr std::chrono::days kGrace{1};

struct Counter {
    const usage::Plan* plan = nullptr;
    const usage::Key* key = nullptr;
    usage::QuotaCounter* counter = nullptr;
};

std::vector<Counter> find_counters(const Snapshot& snapshot) {
    std::vector<Counter> counters;
    for (const usage::Plan& plan : snapshot.usage.plans()) {
        if (!plan.spec.quota) continue;
        for (const auto& allowance : plan.allowances) {
            counters.push_back(
                {&plan, &snapshot.usage.key(allowance->key()), allowance->quota_counter()});
        }
    }
    return counters;
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
    return number;
}

SharedUsage::SharedUsage(const jwt::Seal& seal, std::string prefix, std::string self)
    : seal_(seal), prefix_(std::move(prefix)), self_(std::move(self)) {}

void SharedUsage::forget() {
    told_.clear();
}

SharedUsage::Batch SharedUsage::exchange(const std::shared_ptr<const Snapshot>& snapshot,
                                         WallTime now) {
    const std::vector<Counter> counters = find_counters(*snapshot);
    std::vector<Asked> asked;
    Batch batch;
    const auto name_of = [&](const Counter& counter, std::chrono::sys_days start) {
        const usage::Quota& quota = *counter.plan->spec.quota;
        return prefix_ + "u:" +
               seal_.name({"usage",
                           counter.plan->spec.id,
                           counter.key->id,
                           usage::to_string(quota.period),
                           std::to_string(quota.limit),
                           std::to_string(quota.offset),
                           std::to_string(start.time_since_epoch().count())});
    };
    const auto ask = [&](const Counter& one, const usage::QuotaCounter::Own& own, bool tell) {
        const std::string name = name_of(one, own.start);
        if (tell) {
            const WallTime ends = usage::next_period(*one.plan->spec.quota, own.start) + kGrace;
            batch.commands.push_back({"HSET",
                                      name,
                                      self_ + "-" + std::to_string(one.counter->serial()),
                                      std::to_string(own.count)});
            batch.commands.push_back(
                {"PEXPIREAT", name, std::to_string(ends.time_since_epoch().count())});
            told_[one.counter->serial()] = {own.start, own.count};
        }
        asked.push_back({one.counter, batch.commands.size(), {own.start, own.count}});
        batch.commands.push_back({"HVALS", name});
    };
    std::vector<std::size_t> rest;
    for (std::size_t i = 0; i < counters.size(); ++i) {
        // In turn, so that the last ones get theirs where all change.
        const Counter& one = counters[(turn_ + i) % counters.size()];
        const usage::QuotaCounter::Own own = one.counter->own(now);
        const auto known = told_.find(one.counter->serial());
        const bool told = known != told_.end() && known->second.start == own.start &&
                          known->second.count == own.count;
        if (told || own.count == 0) {
            rest.push_back((turn_ + i) % counters.size());
        } else if (asked.size() < limits::kSharedCounters) {
            ask(one, own, true);
        }
    }
    for (const std::size_t i : rest) {
        if (asked.size() >= limits::kSharedCounters) break;
        ask(counters[i], counters[i].counter->own(now), false);
    }
    if (!counters.empty()) turn_ = (turn_ + asked.size()) % counters.size();
    batch.take = [snapshot, asked = std::move(asked)](const std::vector<RedisReply>& replies,
                                                      WallTime then) {
        return take(asked, replies, then);
    };
    return batch;
}

std::size_t SharedUsage::take(const std::vector<Asked>& asked,
                              const std::vector<RedisReply>& replies,
                              WallTime now) {
    std::size_t faults = 0;
    for (const Asked& one : asked) {
        const RedisReply* reply = one.reply < replies.size() ? &replies[one.reply] : nullptr;
        if (reply == nullptr || reply->kind != RedisReply::Kind::list) {
            ++faults;
            continue;
        }
        std::uint64_t sum = 0;
        for (const RedisReply& value : reply->list) {
            const auto count = parse_count(value.text);
            // Each is one replica's own, and none counts beyond a limit.
            if (count && *count <= UINT32_MAX) {
                sum += *count;
            } else {
                ++faults;
            }
        }
        if (sum > one.told.count)
            one.counter->set_others(one.told.start, sum - one.told.count, now);
    }
    return faults;
}

}  // namespace gatehouse::app
