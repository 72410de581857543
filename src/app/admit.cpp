#include "admit.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::app {
namespace {

constexpr std::string_view kHeader = "x-api-key";

void present(Request& request, std::string_view value) {
    request.facts.api_key = value;
    request.api_key = request.snapshot->usage.find_key(value);
    if (request.api_key < 0) return;
    request.facts.api_key_id = request.snapshot->usage.key(request.api_key).id;
    request.record.api_key = static_cast<std::int16_t>(request.api_key);
}

// Two keys: another reader of the request could take the other one. The service's choice is not
// documented.
bool is_repeated(const http::RequestHead& head) noexcept {
    return std::ranges::count_if(head.fields, [](const http::Field& field) {
               return equals_ignoring_case(field.name, kHeader);
           }) > 1;
}

void explain(Request& request, std::string text) {
    request.make_detail().error = std::move(text);
}

Errc check_key(Request& request, usage::Plans::Found& found) {
    const RouteUsage& usage = request.route->usage;
    if (usage.key_from_authorizer) {
        if (request.grant) present(request, request.grant->usage_identifier_key);
    } else if (is_repeated(request.head)) {
        return Errc::api_key_repeated;
    }
    if (request.facts.api_key.empty()) return Errc::api_key_missing;
    if (request.api_key < 0) return Errc::api_key_unknown;
    const usage::Key& key = request.snapshot->usage.key(request.api_key);
    if (!key.enabled) return Errc::api_key_disabled;
    found = request.snapshot->usage.find_allowance(request.api_key, usage.stage);
    return found.allowance == nullptr ? Errc::api_key_unplanned : Errc::allowed;
}

}  // namespace

void find_api_key(Request& request) {
    const RouteUsage& usage = request.route->usage;
    if (!usage.key_required || usage.key_from_authorizer) return;
    for (const http::Field& field : request.head.fields) {
        if (equals_ignoring_case(field.name, kHeader)) return present(request, field.value);
    }
}

Errc admit(Request& request, const Instant& now) {
    const RouteUsage& usage = request.route->usage;
    usage::Plans::Found found;
    if (usage.key_required) {
        const Errc key = check_key(request, found);
        if (key != Errc::allowed) return key;
    }
    const auto plan_name = [&] {
        const auto index = static_cast<std::size_t>(found.plan);
        return "usage plan " + request.snapshot->usage.plans().at(index).spec.id;
    };
    if (found.allowance != nullptr && !found.allowance->pass_throttle(usage.method, now.steady)) {
        explain(request, "throttle of " + plan_name());
        return Errc::throttled;
    }
    if (usage.bucket != nullptr && !usage.bucket->take(now.steady)) {
        explain(request,
                request.route->source->throttle ? "throttle of the route" : "throttle of the API");
        return Errc::throttled;
    }
    if (usage.account != nullptr && !usage.account->take(now.steady)) {
        explain(request, "throttle of all APIs");
        return Errc::throttled;
    }
    if (found.allowance == nullptr) return Errc::allowed;
    if (!found.allowance->pass_quota(now.wall)) {
        explain(request, "quota of " + plan_name());
        return Errc::quota_exceeded;
    }
    found.allowance->count_admitted();
    return Errc::allowed;
}

}  // namespace gatehouse::app
