// API keys, usage plans, throttles and the --dev override.
#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/usage/key_table.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace gatehouse::config {
namespace {

constexpr std::size_t kIdBytes = 64;
constexpr std::size_t kPlanNameBytes = 1024;

std::string fault_in_id(std::string_view text) {
    if (text.size() > kIdBytes) return "is longer than 64 characters";
    return fault_in_name(text);
}

std::string fault_in_title(std::string_view text) {
    if (text.size() > kPlanNameBytes) return "is longer than 1024 characters";
    return std::ranges::any_of(text, is_control) ? "has a control character" : "";
}

// The value itself is in no message.
std::string fault_in_key_value(std::string_view text) {
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (text.size() < usage::kKeyValueLeast || text.size() > usage::kKeyValueMost) {
        return "has " + std::to_string(text.size()) +
               " characters; the value of an API key has 20 to 128";
    }
    if (!std::ranges::all_of(text, visible))
        return "has a space or another character that a header cannot carry";
    return {};
}

std::string fault_in_override_secret(std::string_view text) {
    if (text.size() >= authz::kOverrideSecretBytes) return {};
    return "has " + std::to_string(text.size()) + " bytes; a secret has at least 32";
}

// A number such as 0.5 or 100, perhaps out of the environment.
std::optional<double> to_double(const Json& value, bool is_reference) {
    if (value.is_number()) return value.get<double>();
    if (!value.is_string() || !is_reference) return std::nullopt;
    const std::string& text = value.get_ref<const std::string&>();
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

void read_rate_limit(ObjectReader& reader, usage::Rate& rate) {
    const Json* value = reader.require("rateLimit", "requests per second");
    if (value == nullptr || reader.source().unresolved.contains(value)) return;
    const auto number = to_double(*value, reader.source().references.contains(value));
    const double milli = number ? *number * 1000 : -1;
    const double whole = std::round(milli);
    // 0.3 * 1000 is not quite 300: rounding is meant to mend that, and no more.
    const bool fits = milli >= 0 && milli <= static_cast<double>(usage::kMostMilliPerSecond) &&
                      std::abs(milli - whole) < 1e-6;
    if (!fits)
        return reader.problem("rateLimit",
                              "must be a number of requests per second from 0 to 1000000, with at "
                              "most three decimals");
    rate.milli_per_second = static_cast<std::uint64_t>(whole);
}

void read_quota(ObjectReader& plan, std::optional<usage::Quota>& into) {
    const Json* value = plan.find("quota");
    if (value == nullptr) return;
    ObjectReader reader(*value, plan.at("quota"), keys::kQuota, plan.source());
    usage::Quota quota;
    reader.require("limit", "requests in a period");
    reader.read_number("limit", quota.limit, 0, std::numeric_limits<std::int32_t>::max());
    std::string period = "DAY";
    reader.require("period", "\"DAY\", \"WEEK\" or \"MONTH\"");
    constexpr std::string_view kPeriods[] = {"DAY", "WEEK", "MONTH"};
    reader.read_choice("period", period, kPeriods);
    quota.period = period == "WEEK"    ? usage::Period::week
                   : period == "MONTH" ? usage::Period::month
                                       : usage::Period::day;
    const int most = period == "WEEK" ? 6 : period == "MONTH" ? 27 : 0;
    reader.read_number("offset", quota.offset, 0, most);
    into = quota;
}

ApiKey read_api_key(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kApiKey, source);
    ApiKey key;
    key.pointer = pointer;
    reader.require("id", "what usage plans call the key");
    reader.read_checked("id", key.id, fault_in_id);
    key.name = key.id;
    reader.read_checked("name", key.name, fault_in_title);
    reader.require("value", "what clients send, e.g. \"${API_KEY}\"");
    reader.read_checked("value", key.value, fault_in_key_value);
    reader.read("enabled", key.enabled);
    return key;
}

PlanStage read_stage(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kApiStage, source);
    PlanStage stage;
    stage.pointer = pointer;
    reader.require("apiId", "the apiId of an API");
    reader.read("apiId", stage.api_id);
    reader.require("stage", "the API's stageName");
    reader.read("stage", stage.stage);
    reader.each_member("throttle",
                       [&](const std::string& method, const Json& rate, const std::string& at) {
                           if (auto read = read_rate(rate, at, source))
                               stage.throttle[method] = *read;
                       });
    return stage;
}

UsagePlan read_usage_plan(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kUsagePlan, source);
    UsagePlan plan;
    plan.pointer = pointer;
    reader.require("id", "a name for reports and metrics");
    reader.read_checked("id", plan.id, fault_in_id);
    plan.name = plan.id;
    reader.read_checked("name", plan.name, fault_in_title);
    reader.each_element("apiStages", [&](const Json& stage, const std::string& at) {
        plan.api_stages.push_back(read_stage(stage, at, source));
    });
    reader.read_list("keys", plan.keys);
    plan.throttle = read_throttle(reader);
    read_quota(reader, plan.quota);
    return plan;
}

}  // namespace

std::optional<usage::Rate> read_rate(const Json& value,
                                     const std::string& pointer,
                                     Source& source) {
    ObjectReader reader(value, pointer, keys::kThrottle, source);
    if (!value.is_object()) return std::nullopt;
    usage::Rate rate;
    read_rate_limit(reader, rate);
    reader.require("burstLimit", "requests that may come at once");
    reader.read_number("burstLimit", rate.burst, 0, static_cast<std::int64_t>(usage::kMostBurst));
    return rate;
}

std::optional<usage::Rate> read_throttle(ObjectReader& reader) {
    const Json* value = reader.find("throttle");
    if (value == nullptr) return std::nullopt;
    return read_rate(*value, reader.at("throttle"), reader.source());
}

void read_usage(ObjectReader& root, Model& model) {
    Source& source = root.source();
    root.each_element("apiKeys", [&](const Json& value, const std::string& pointer) {
        model.api_keys.push_back(read_api_key(value, pointer, source));
    });
    root.each_element("usagePlans", [&](const Json& value, const std::string& pointer) {
        model.usage_plans.push_back(read_usage_plan(value, pointer, source));
    });
    model.throttle = read_throttle(root);
    if (const Json* value = root.find("devOverride")) {
        ObjectReader reader(*value, root.at("devOverride"), keys::kDevOverride, source);
        DevOverride& into = model.dev_override.emplace();
        reader.require("secret",
                       "what overrides are signed with, e.g. \"${GATEHOUSE_OVERRIDE_SECRET}\"");
        reader.read_checked("secret", into.secret, fault_in_override_secret);
    }
}

}  // namespace gatehouse::config
