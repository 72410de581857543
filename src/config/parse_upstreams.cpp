#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

// `upstreams` and `resolver`. Which integration names an upstream is parse_integration's affair.
namespace gatehouse::config {
namespace {

constexpr std::int64_t kLongestMillis = 3'600'000;
constexpr std::int64_t kLeastInterval = 50;  // below it checks would be load
constexpr std::int64_t kMostCount = 1'000'000;
constexpr std::int64_t kMostThreshold = 1000;
constexpr std::size_t kNameBytes = 63;
constexpr std::size_t kMostServers = 8;
constexpr auto kBalances = std::to_array<std::string_view>({"roundRobin", "leastRequests"});

std::string fault_in_upstream_name(std::string_view text) {
    const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
    // It is the host of a URL, whose rules it must keep.
    if (!text.empty() && text.size() <= kNameBytes && std::ranges::all_of(text, fits) &&
        text.front() != '-' && text.back() != '-')
        return {};
    return in_quotes(text) +
           " is no name of an upstream; allowed: up to 63 letters, digits, \"-\" and \"_\", with "
           "no "
           "\"-\" at either end";
}

std::optional<int> read_status(std::string_view text) {
    int status = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (error != std::errc() || stop != text.data() + text.size() || text.size() != 3 ||
        status < 100 || status > 599)
        return std::nullopt;
    return status;
}

// "200-299,304", as the service's load balancers write it.
std::optional<std::vector<std::pair<int, int>>> read_statuses(std::string_view text) {
    std::vector<std::pair<int, int>> statuses;
    for (;;) {
        const std::size_t comma = text.find(',');
        const std::string_view part = text.substr(0, comma);
        const std::size_t dash = part.find('-');
        const auto from = read_status(part.substr(0, dash));
        const auto to = dash == std::string_view::npos ? from : read_status(part.substr(dash + 1));
        if (!from || !to || *from > *to) return std::nullopt;
        statuses.emplace_back(*from, *to);
        if (comma == std::string_view::npos) return statuses;
        text.remove_prefix(comma + 1);
    }
}

std::string fault_in_statuses(std::string_view text) {
    if (read_statuses(text)) return {};
    return in_quotes(text) +
           " is no list of statuses; allowed: three digits, or two of them with \"-\" between, and "
           "commas: \"200-299,304\"";
}

upstream::HealthRule read_health_check(const Json& value,
                                       const std::string& pointer,
                                       Source& source) {
    ObjectReader reader(value, pointer, keys::kHealthCheck, source);
    upstream::HealthRule rule;
    reader.read_checked("path", rule.path, fault_in_check_path);
    reader.read_duration("intervalInMillis", rule.interval, kLeastInterval, kLongestMillis);
    reader.read_duration("timeoutInMillis", rule.timeout, 1, kLongestMillis);
    reader.read_number("healthyThreshold", rule.healthy, 1, kMostThreshold);
    reader.read_number("unhealthyThreshold", rule.unhealthy, 1, kMostThreshold);
    std::string statuses;
    reader.read_checked("statusCodes", statuses, fault_in_statuses);
    if (auto read = read_statuses(statuses)) rule.statuses = std::move(*read);
    return rule;
}

upstream::EjectionRule read_ejection(const Json& value,
                                     const std::string& pointer,
                                     Source& source) {
    ObjectReader reader(value, pointer, keys::kEjection, source);
    upstream::EjectionRule rule;
    reader.read_number("consecutiveFailures", rule.consecutive_failures, 1, kMostThreshold);
    reader.read_duration("baseTimeInMillis", rule.base_time, 1, kLongestMillis);
    reader.read_number("maxPercent", rule.max_percent, 1, 100);
    return rule;
}

upstream::RetryRule read_retry_budget(const Json& value,
                                      const std::string& pointer,
                                      Source& source) {
    ObjectReader reader(value, pointer, keys::kRetryBudget, source);
    upstream::RetryRule rule;
    reader.read_number("percent", rule.percent, 0, 100);
    reader.read_number("minPerSecond", rule.min_per_second, 0, kMostCount);
    return rule;
}

void read_targets(ObjectReader& reader, upstream::Rules& rules) {
    const Json* list = reader.require("targets", "e.g. [\"http://10.0.0.1:8080\"]");
    reader.read_list("targets", rules.targets, fault_in_target_url);
    if (list == nullptr || !list->is_array()) return;
    if (list->empty()) reader.problem("targets", "is empty; at least one is needed");
    if (list->size() > limits::kUpstreamTargets)
        reader.problem("targets",
                       "has " + std::to_string(list->size()) +
                           " of them; allowed: " + std::to_string(limits::kUpstreamTargets));
    for (std::size_t i = 0; i < rules.targets.size(); ++i) {
        const auto end = rules.targets.begin() + static_cast<std::ptrdiff_t>(i);
        const bool twice = std::any_of(rules.targets.begin(), end, [&](const std::string& other) {
            return equals_ignoring_case(other, rules.targets[i]);
        });
        if (twice) reader.problem("targets", "has " + in_quotes(rules.targets[i]) + " twice");
    }
}

Upstream read_upstream(const std::string& name,
                       const Json& value,
                       const std::string& pointer,
                       Source& source) {
    ObjectReader reader(value, pointer, keys::kUpstream, source);
    Upstream upstream;
    upstream.pointer = pointer;
    upstream::Rules& rules = upstream.rules;
    rules.name = name;
    if (!value.is_object()) return upstream;
    read_targets(reader, rules);
    std::string balance(kBalances.front());
    reader.read_choice("balance", balance, kBalances);
    if (balance == "leastRequests") rules.balance = upstream::Balance::least_requests;
    if (const Json* found = reader.find("healthCheck"))
        rules.health = read_health_check(*found, reader.at("healthCheck"), source);
    if (const Json* found = reader.find("ejection"))
        rules.ejection = read_ejection(*found, reader.at("ejection"), source);
    if (const Json* found = reader.find("retryBudget"))
        rules.retries = read_retry_budget(*found, reader.at("retryBudget"), source);
    reader.read_number("maxRequests", rules.max_requests, 0, kMostCount);
    reader.read_number("maxConnections", rules.max_connections, 0, kMostCount);
    reader.read_number("maxIdleConnections", rules.max_idle, 0, kMostCount);
    if (const Json* found = reader.find("tls")) {
        ObjectReader tls(*found, reader.at("tls"), keys::kTargetTls, source);
        tls.read_checked("serverNameToVerify", rules.tls_name, fault_in_server_name);
        const bool any = std::ranges::any_of(rules.targets, [](const std::string& target) {
            return target.starts_with("https://");
        });
        if (!any && !rules.targets.empty()) reader.refuse("tls", "no target is https");
    }
    return upstream;
}

std::string fault_in_name_server(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const bool bare = colon == std::string_view::npos || text.ends_with(']') ||
                      (text.find(':') != colon && !text.starts_with('['));
    std::string_view address = bare ? text : text.substr(0, colon);
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    int port = 53;
    if (!bare) {
        const std::string_view digits = text.substr(colon + 1);
        const auto [stop, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (error != std::errc() || stop != digits.data() + digits.size()) port = 0;
    }
    if (port >= 1 && port <= 65535 && fault_in_address(address).empty()) return {};
    return in_quotes(text) +
           " is no name server; allowed: an IP address, with its port where that is not 53: "
           "\"127.0.0.1:5353\", \"[::1]:5353\"";
}

}  // namespace

void read_upstreams(ObjectReader& reader) {
    Source& source = reader.source();
    reader.each_member("upstreams",
                       [&](const std::string& name, const Json& value, const std::string& pointer) {
                           std::string fault = fault_in_upstream_name(name);
                           for (const Upstream& other : source.upstreams) {
                               if (fault.empty() && equals_ignoring_case(other.rules.name, name))
                                   fault = "is called as " + in_quotes(other.rules.name) +
                                           " is: case makes no difference to a host";
                           }
                           Upstream upstream = read_upstream(name, value, pointer, source);
                           if (!fault.empty()) return source.problem(pointer, std::move(fault));
                           source.upstreams.push_back(std::move(upstream));
                       });
}

std::vector<std::string> read_resolver(const Json& value,
                                       const std::string& pointer,
                                       Source& source) {
    ObjectReader reader(value, pointer, keys::kResolver, source);
    std::vector<std::string> servers;
    const Json* list = reader.require("servers", "e.g. [\"127.0.0.1:5353\"]");
    reader.read_list("servers", servers, fault_in_name_server);
    if (list == nullptr || !list->is_array()) return servers;
    if (list->empty()) reader.problem("servers", "is empty; at least one is needed");
    if (list->size() > kMostServers)
        reader.problem("servers", "has more than " + std::to_string(kMostServers) + " of them");
    return servers;
}

}  // namespace gatehouse::config
