#include "compile_usage.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace gatehouse::app {
namespace {

using StageName = std::pair<std::string, std::string>;

/// APIs that share apiId and stage are one stage, as they are for policies and flushes.
class Stages {
  public:
    int number(const std::string& api_id, const std::string& stage) {
        const int next = static_cast<int>(numbers_.size());
        return numbers_.emplace(StageName(api_id, stage), next).first->second;
    }

  private:
    std::map<StageName, int> numbers_;
};

int method_number(std::size_t api, std::size_t route) noexcept {
    return static_cast<int>(api << 16 | route);
}

usage::Salt make_salt() {
    usage::Salt salt;
    std::random_device device;
    for (char& byte : salt)
        byte = static_cast<char>(device() & 0xff);
    return salt;
}

Error refuse(const std::string& pointer, std::string_view why) {
    return fail(Errc::config_invalid, pointer + ": " + std::string(why));
}

// Every route that the name means: "/items/{id}/GET".
Result<void> add_methods(const Snapshot& snapshot,
                         const config::PlanStage& stage,
                         usage::PlanSpec& spec) {
    for (const auto& [name, rate] : stage.throttle) {
        bool found = false;
        for (std::size_t a = 0; a < snapshot.apis.size(); ++a) {
            const config::Api& api = *snapshot.apis[a].source;
            if (api.api_id != stage.api_id || api.stage_name != stage.stage) continue;
            for (std::size_t r = 0; r < api.routes.size(); ++r) {
                const config::Route& route = api.routes[r];
                const std::string path = route.path == "/" ? "" : route.path;
                if (name != path + "/" + route.method && name != route.path + "/" + route.method)
                    continue;
                spec.methods.emplace_back(method_number(a, r), rate);
                found = true;
            }
        }
        if (!found) return refuse(stage.pointer + "/throttle", "no route of a method's name");
    }
    return {};
}

Result<usage::PlanSpec> make_spec(const Snapshot& snapshot,
                                  const config::UsagePlan& plan,
                                  Stages& stages) {
    usage::PlanSpec spec;
    spec.id = plan.id;
    spec.name = plan.name;
    spec.throttle = plan.throttle;
    spec.quota = plan.quota;
    for (const config::PlanStage& stage : plan.api_stages) {
        spec.stages.push_back(stages.number(stage.api_id, stage.stage));
        if (auto added = add_methods(snapshot, stage, spec); !added) return added.error();
    }
    const auto& keys = snapshot.model.api_keys;
    for (const std::string& id : plan.keys) {
        const auto key = std::ranges::find(keys, id, &config::ApiKey::id);
        if (key == keys.end()) return refuse(plan.pointer + "/keys", "no API key of that id");
        spec.keys.push_back(static_cast<int>(key - keys.begin()));
    }
    return spec;
}

usage::TokenBucket* add_bucket(Snapshot& snapshot, const std::optional<usage::Rate>& rate) {
    if (!rate) return nullptr;
    return snapshot.buckets.emplace_back(std::make_unique<usage::TokenBucket>(*rate)).get();
}

// A route's throttle stands in the place of its API's, as the service's method settings do.
void compile_routes(Snapshot& snapshot, Stages& stages) {
    usage::TokenBucket* account = add_bucket(snapshot, snapshot.model.throttle);
    for (std::size_t a = 0; a < snapshot.apis.size(); ++a) {
        CompiledApi& api = snapshot.apis[a];
        const int stage = stages.number(api.source->api_id, api.source->stage_name);
        usage::TokenBucket* shared = add_bucket(snapshot, api.source->throttle);
        for (std::size_t r = 0; r < api.routes.size(); ++r) {
            const config::Route& source = *api.routes[r].source;
            RouteUsage& usage = api.routes[r].usage;
            usage.key_required = source.api_key_required;
            usage.key_from_authorizer =
                api.source->api_key_source == config::ApiKeySource::authorizer;
            usage.stage = stage;
            usage.method = method_number(a, r);
            usage.bucket = source.throttle ? add_bucket(snapshot, source.throttle) : shared;
            usage.account = account;
        }
    }
}

}  // namespace

Result<void> compile_usage(Snapshot& snapshot, const Snapshot* before) {
    Stages stages;
    std::vector<usage::Key> keys;
    std::vector<std::string> values;
    for (const config::ApiKey& key : snapshot.model.api_keys) {
        keys.push_back({key.id, key.name, key.enabled});
        values.push_back(key.value);
    }
    std::vector<usage::PlanSpec> plans;
    for (const config::UsagePlan& plan : snapshot.model.usage_plans) {
        auto spec = make_spec(snapshot, plan, stages);
        if (!spec) return spec.error();
        plans.push_back(std::move(*spec));
    }
    compile_routes(snapshot, stages);
    snapshot.usage = usage::Plans(std::move(keys),
                                  values,
                                  std::move(plans),
                                  make_salt(),
                                  before == nullptr ? nullptr : &before->usage);
    return {};
}

}  // namespace gatehouse::app
