#include "gatehouse/app/usage_report.hpp"

#include "gatehouse/app/snapshot.hpp"

#include <algorithm>
#include <cstdio>

namespace gatehouse::app {
namespace {

std::string iso_day(std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    char text[40];
    std::snprintf(text,
                  sizeof(text),
                  "%04d-%02u-%02uT00:00:00Z",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()));
    return text;
}

Json key_row(const usage::Plans& plans,
             const usage::Plan& plan,
             const usage::Allowance& allowance,
             WallTime now) {
    const usage::Key& key = plans.key(allowance.key());
    Json row = {{"id", key.id},
                {"name", key.name},
                {"enabled", key.enabled},
                {"admitted", allowance.admitted()},
                {"throttled", allowance.throttled()},
                {"quotaExceeded", allowance.over_quota()}};
    if (const auto use = allowance.quota_use(now)) {
        const usage::Quota& quota = *plan.spec.quota;
        row["quota"] = {{"limit", quota.limit},
                        {"period", usage::to_string(quota.period)},
                        {"used", use->used},
                        {"remaining", quota.limit - std::min(use->used, quota.limit)},
                        {"resets", iso_day(use->resets)}};
    }
    return row;
}

Json rate_json(const usage::Rate& rate) {
    return {{"rateLimit", static_cast<double>(rate.milli_per_second) / 1000},
            {"burstLimit", rate.burst}};
}

}  // namespace

Json usage_report(const Snapshot& snapshot, WallTime now) {
    Json rows = Json::array();
    const auto& sources = snapshot.model.usage_plans;
    for (std::size_t i = 0; i < snapshot.usage.plans().size(); ++i) {
        const usage::Plan& plan = snapshot.usage.plans()[i];
        Json row = {{"id", plan.spec.id},
                    {"name", plan.spec.name},
                    {"apiStages", Json::array()},
                    {"keys", Json::array()}};
        for (const config::PlanStage& stage : sources.at(i).api_stages)
            row["apiStages"].push_back({{"apiId", stage.api_id}, {"stage", stage.stage}});
        if (plan.spec.throttle) row["throttle"] = rate_json(*plan.spec.throttle);
        for (const auto& allowance : plan.allowances)
            row["keys"].push_back(key_row(snapshot.usage, plan, *allowance, now));
        rows.push_back(std::move(row));
    }
    Json report;
    report["usagePlans"] = std::move(rows);
    return report;
}

}  // namespace gatehouse::app
