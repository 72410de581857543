#include "validate_usage.hpp"

#include "gatehouse/config/locate.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace gatehouse::config {
namespace {

// The counters that the configuration asks for, each some 100 bytes.
constexpr std::size_t kMostCounters = 1'000'000;
constexpr std::size_t kMostKeys = 30'000;

using StageName = std::pair<std::string, std::string>;

class UsageCheck {
  public:
    UsageCheck(const Model& model, std::vector<Problem>& problems, std::vector<Problem>& warnings)
        : model_(model), problems_(problems), warnings_(warnings) {}

    void run() {
        check_keys();
        for (const UsagePlan& plan : model_.usage_plans)
            check_plan(plan);
        check_size();
        check_use();
        if (model_.dev_override)
            warning("/devOverride", "is taken with --dev only: serve refuses this file without it");
        for (const Api& api : model_.apis)
            check_api(api);
    }

  private:
    void problem(std::string pointer, std::string message) {
        problems_.push_back({std::move(pointer), 0, std::move(message)});
    }

    void warning(std::string pointer, std::string message) {
        warnings_.push_back({std::move(pointer), 0, std::move(message)});
    }

    void check_keys() {
        std::map<std::string_view, const ApiKey*> values;
        for (const ApiKey& key : model_.api_keys) {
            if (!key.id.empty()) {
                const auto [first, fresh] = keys_.emplace(key.id, &key);
                if (!fresh)
                    problem(key.pointer + "/id",
                            in_quotes(key.id) + " is the id of " + first->second->pointer + " too");
            }
            if (key.value.empty()) continue;
            const auto [first, fresh] = values.emplace(key.value, &key);
            if (!fresh)
                problem(key.pointer + "/value",
                        "is the value of " + first->second->pointer + " too");
        }
    }

    void check_plan(const UsagePlan& plan) {
        if (!plan.id.empty() && !plan_ids_.insert(plan.id).second)
            problem(plan.pointer + "/id", in_quotes(plan.id) + " is the id of another plan too");
        std::set<StageName> stages;
        for (const PlanStage& stage : plan.api_stages) {
            if (!stages.emplace(stage.api_id, stage.stage).second)
                problem(stage.pointer, "is in this plan twice");
            check_stage(plan, stage);
        }
        if (plan.api_stages.empty())
            warning(plan.pointer, "has no \"apiStages\", so its keys open nothing");
        if (plan.keys.empty()) warning(plan.pointer, "has no \"keys\", so it is nobody's");
        for (std::size_t i = 0; i < plan.keys.size(); ++i)
            check_plan_key(plan, plan.keys[i], plan.pointer + "/keys/" + std::to_string(i), stages);
    }

    void check_stage(const UsagePlan& plan, const PlanStage& stage) {
        std::vector<const Api*> apis;
        std::vector<std::string> known;
        for (const Api& api : model_.apis) {
            known.push_back(api.api_id + "/" + api.stage_name);
            if (api.api_id == stage.api_id && api.stage_name == stage.stage) apis.push_back(&api);
        }
        if (apis.empty() && !stage.api_id.empty() && !stage.stage.empty()) {
            std::ranges::sort(known);
            known.erase(std::ranges::unique(known).begin(), known.end());
            const std::vector<std::string_view> names(known.begin(), known.end());
            problem(stage.pointer,
                    "there is no API with the apiId " + in_quotes(stage.api_id) +
                        " and the stageName " + in_quotes(stage.stage) +
                        "; there is, as apiId/stage: " + list_quoted(names));
        }
        // The service's rule.
        if (!stage.throttle.empty() && !plan.throttle)
            problem(stage.pointer + "/throttle",
                    "a method has a throttle, and the plan itself has none: it needs one");
        for (const Api* api : apis) {
            if (api->protocol == Protocol::http)
                problem(stage.pointer,
                        "would be ignored: API " + in_quotes(api->name) +
                            " is an HTTP API, which has no API keys");
        }
        if (apis.empty()) return;
        for (const auto& [name, rate] : stage.throttle)
            check_method(stage, apis, name);
    }

    void check_method(const PlanStage& stage,
                      const std::vector<const Api*>& apis,
                      const std::string& name) {
        const PlanMethod wanted = split_plan_method(name);
        std::vector<std::string> known;
        for (const Api* api : apis) {
            for (const Route& route : api->routes) {
                if (route.path == wanted.path && route.method == wanted.method) {
                    if (!route.api_key_required)
                        problem(append_pointer(stage.pointer + "/throttle", name),
                                "would be ignored: " + in_quotes(route.route_key) +
                                    " does not say \"apiKeyRequired\": true");
                    return;
                }
                known.push_back(route.path + "/" + route.method);
            }
        }
        const std::vector<std::string_view> names(known.begin(), known.end());
        problem(append_pointer(stage.pointer + "/throttle", name),
                "no route is called so; a route's name here is its path and its method, such as "
                "\"/items/{id}/GET\"" +
                    suggest(name, names));
    }

    void check_plan_key(const UsagePlan& plan,
                        const std::string& id,
                        const std::string& pointer,
                        const std::set<StageName>& stages) {
        if (!keys_.contains(id)) {
            std::vector<std::string_view> names;
            names.reserve(keys_.size());
            for (const auto& [name, key] : keys_)
                names.push_back(name);
            return problem(pointer,
                           "there is no API key with the id " + in_quotes(id) + suggest(id, names));
        }
        for (const StageName& stage : stages) {
            const auto [first, fresh] = owners_.emplace(std::pair(id, stage), &plan);
            if (fresh) continue;
            if (first->second == &plan) return problem(pointer, "is in this plan twice");
            // The service's rule too: which plan counts would be anybody's guess.
            return problem(pointer,
                           in_quotes(id) + " has the stage " + in_quotes(stage.second) +
                               " of the API " + in_quotes(stage.first) + " by " +
                               first->second->pointer + " too: a key has one plan for each stage");
        }
    }

    void check_size() {
        if (model_.api_keys.size() > kMostKeys) problem("/apiKeys", "has more than 30000 keys");
        std::size_t counters = 0;
        for (const UsagePlan& plan : model_.usage_plans) {
            std::size_t each = 1;
            for (const PlanStage& stage : plan.api_stages)
                each += stage.throttle.size() + 1;
            counters += each * plan.keys.size();
        }
        if (counters > kMostCounters)
            problem("/usagePlans",
                    "would need more than a million counters: keys times methods with a throttle "
                    "of their own");
    }

    void check_use() {
        std::set<std::string_view> planned;
        for (const auto& [owner, plan] : owners_)
            planned.insert(owner.first);
        for (const auto& [id, key] : keys_) {
            if (!planned.contains(id))
                warning(key->pointer,
                        "is in no usage plan with a stage, so it is refused everywhere");
        }
        const bool asked = std::ranges::any_of(model_.apis, [](const Api& api) {
            return std::ranges::any_of(api.routes, &Route::api_key_required);
        });
        if (asked) return;
        const std::string none =
            "no route says \"apiKeyRequired\": true, so nobody is asked for a key";
        if (!model_.api_keys.empty()) warning("/apiKeys", none);
        if (!model_.usage_plans.empty()) warning("/usagePlans", none);
    }

    void check_api(const Api& api) {
        bool asked = false;
        for (const Route& route : api.routes) {
            if (!route.api_key_required) continue;
            asked = true;
            if (api.api_key_source == ApiKeySource::authorizer) check_authorizer(api, route);
        }
        if (!asked && api.api_key_source == ApiKeySource::authorizer)
            problem(api.pointer + "/apiKeySource",
                    "would be ignored: no route of this API says \"apiKeyRequired\": true");
        const bool shared = std::ranges::any_of(
            api.routes, [](const Route& route) { return !route.throttle.has_value(); });
        if (api.throttle && !shared && !api.routes.empty())
            problem(api.pointer + "/throttle",
                    "would be ignored: each route has a \"throttle\" of its own");
        if (!asked) return;
        const StageName name(api.api_id, api.stage_name);
        const bool planned = std::ranges::any_of(
            owners_, [&](const auto& owner) { return owner.first.second == name; });
        if (!planned)
            warning(api.pointer,
                    "has routes with \"apiKeyRequired\", and no usage plan with keys has its apiId "
                    "and stage: they refuse everybody");
    }

    void check_authorizer(const Api& api, const Route& route) {
        const auto found = std::ranges::find(api.authorizers, route.authorizer, &Authorizer::name);
        if (found != api.authorizers.end() && found->function >= 0) return;
        if (found == api.authorizers.end() && route.authorizer != "NONE") return;  // reported
        problem(
            route.pointer + "/apiKeyRequired",
            "would refuse everybody: \"apiKeySource\" is \"AUTHORIZER\", and only an authorizer "
            "function gives a usageIdentifierKey");
    }

    const Model& model_;
    std::vector<Problem>& problems_;
    std::vector<Problem>& warnings_;
    std::map<std::string_view, const ApiKey*> keys_;
    std::set<std::string_view> plan_ids_;
    std::map<std::pair<std::string, StageName>, const UsagePlan*> owners_;
};

}  // namespace

PlanMethod split_plan_method(std::string_view name) {
    const std::size_t slash = name.rfind('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view path = name.substr(0, slash);
    return {path.empty() ? "/" : std::string(path), std::string(name.substr(slash + 1))};
}

void validate_usage(const Model& model,
                    std::vector<Problem>& problems,
                    std::vector<Problem>& warnings) {
    UsageCheck(model, problems, warnings).run();
}

}  // namespace gatehouse::config
