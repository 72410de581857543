#include "gatehouse/config/validate.hpp"

#include "gatehouse/core/ascii.hpp"
#include "text_rules.hpp"
#include "uri.hpp"
#include "validate_api.hpp"
#include "validate_decision.hpp"
#include "validate_usage.hpp"

#include <map>
#include <set>
#include <utility>

namespace gatehouse::config {
namespace {

constexpr std::size_t kShortToken = 16;

class ModelCheck {
  public:
    ModelCheck(const Model& model, std::vector<Problem>& problems, std::vector<Problem>& warnings)
        : model_(model), problems_(problems), warnings_(warnings) {}

    void run() {
        check_listeners();
        check_admin();
        check_names();
        check_hosts();
        check_access_keys();
        check_upstreams();
        validate_decision(model_, problems_, warnings_);
        for (const Api& api : model_.apis)
            validate_api(api, problems_, warnings_);
        check_functions();
        validate_usage(model_, problems_, warnings_);
    }

  private:
    void check_listeners() {
        for (std::size_t i = 0; i < model_.listeners.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (!overlap(model_.listeners[i], model_.listeners[j])) continue;
                problems_.push_back(
                    {"/listeners/" + std::to_string(i),
                     0,
                     "has the port of /listeners/" + std::to_string(j) + " on the same address"});
                break;
            }
        }
    }

    void check_access_keys() {
        std::string used;
        for (const Api& api : model_.apis) {
            for (const Authorizer& authorizer : api.authorizers) {
                if (authorizer.type == "AWS_IAM" && used.empty()) used = authorizer.pointer;
            }
        }
        if (!used.empty() && model_.access_keys.empty()) {
            problems_.push_back({used,
                                 0,
                                 "\"AWS_IAM\" verifies signatures against \"accessKeys\", and "
                                 "there are none: no request could pass"});
        }
        if (used.empty() && !model_.access_keys.empty())
            warnings_.push_back({"/accessKeys", 0, "no route's authorizer is \"AWS_IAM\""});
    }

    // A name that no uri has is a typing error in one of the two places, and then requests go to a
    // host of that name.
    void check_upstreams() {
        std::vector<bool> used(model_.upstreams.size());
        bool whole = true;
        each_integration([&](const Integration& integration, const std::string&) {
            if (integration.upstream >= 0)
                used[static_cast<std::size_t>(integration.upstream)] = true;
            const bool calls = integration.type == IntegrationType::http_proxy ||
                               integration.type == IntegrationType::http;
            whole = whole && (!calls || !integration.uri.empty());
        });
        // A uri with a fault, which is reported, may be the one.
        for (std::size_t i = 0; whole && i < used.size(); ++i) {
            if (used[i]) continue;
            const std::string& name = model_.upstreams[i].rules.name;
            std::string text = "no integration's \"uri\" names it: http://" + name + "/… would";
            each_integration([&](const Integration& integration, const std::string& pointer) {
                if (!equals_ignoring_case(host_of(integration.uri).host, name)) return;
                text += "; that of " + pointer +
                        " has a port, and so means a host of that name: an upstream's targets have "
                        "the ports";
            });
            problems_.push_back({model_.upstreams[i].pointer, 0, std::move(text)});
        }
    }

    template <class Visit>
    void each_integration(const Visit& visit) const {
        for (const Api& api : model_.apis) {
            for (const Route& route : api.routes)
                visit(route.integration, route.pointer);
        }
    }

    void check_admin() {
        const Admin& admin = model_.admin;
        for (const Listener& listener : model_.listeners) {
            if (!overlap({admin.address, admin.port}, listener)) continue;
            problems_.push_back({"/admin/port",
                                 0,
                                 "is the port of a listener; the admin API needs one of its own"});
            break;
        }
        if (is_loopback(admin.address)) return;
        if (admin.token.empty()) {
            problems_.push_back({"/admin/address",
                                 0,
                                 "\"" + admin.address +
                                     "\" is reachable from other machines, so \"token\" must be "
                                     "set; or listen on 127.0.0.1"});
        } else if (admin.token.size() < kShortToken) {
            warnings_.push_back({"/admin/token",
                                 0,
                                 "is short for an address that other machines can reach; use 16 "
                                 "characters or more"});
        }
    }

    void check_names() {
        std::map<std::string, std::string> names;
        std::map<std::pair<std::string, std::string>, std::string> stages;
        for (const Api& api : model_.apis) {
            if (api.name.empty()) continue;
            const auto [name, fresh] = names.emplace(api.name, api.pointer);
            if (!fresh)
                problems_.push_back(
                    {api.pointer + "/name",
                     0,
                     "\"" + api.name + "\" is the name of " + name->second + " too"});
            const auto [stage, first] =
                stages.emplace(std::pair(api.api_id, api.stage_name), api.name);
            if (first || !fresh) continue;
            warnings_.push_back({api.pointer,
                                 0,
                                 "has the apiId \"" + api.api_id + "\" and the stage \"" +
                                     api.stage_name + "\" of API \"" + stage->second +
                                     "\": policies and cache flushes cannot tell the two apart"});
        }
    }

    void check_hosts() {
        std::map<std::pair<std::string, std::string>, const Api*> places;
        for (const Api& api : model_.apis) {
            std::vector<std::string> hosts = api.domain_names;
            if (hosts.empty()) hosts.emplace_back();
            for (const std::string& host : hosts) {
                const auto [place, fresh] = places.emplace(std::pair(host, api.base_path), &api);
                if (fresh) continue;
                problems_.push_back({api.pointer, 0, describe_clash(host, *place->second, api)});
                break;
            }
        }
    }

    void check_functions() {
        const std::vector<bool> used = find_used_functions(model_);
        for (std::size_t i = 0; i < used.size(); ++i) {
            if (!used[i] && model_.functions[i].listed)
                warnings_.push_back(
                    {model_.functions[i].pointer,
                     0,
                     "no route and no authorizer of a route calls this function, so "
                     "it is not started"});
        }
    }

    static std::string describe_clash(const std::string& host, const Api& other, const Api& api) {
        const std::string where =
            host.empty() ? "no \"domainNames\"" : "the domain name \"" + host + "\"";
        if (&other == &api) return "has " + where + " twice";
        return "has " + where + " and the basePath \"" + api.base_path + "\", as " + other.pointer +
               " does; requests could go to either, so give one of them another \"basePath\" or "
               "\"domainNames\"";
    }

    const Model& model_;
    std::vector<Problem>& problems_;
    std::vector<Problem>& warnings_;
};

}  // namespace

void validate(const Model& model, std::vector<Problem>& problems, std::vector<Problem>& warnings) {
    ModelCheck(model, problems, warnings).run();
}

std::vector<bool> find_used_functions(const Model& model) {
    std::vector<bool> used(model.functions.size());
    const auto mark = [&used](int function) {
        const auto index = static_cast<std::size_t>(function);
        if (function >= 0 && index < used.size()) used[index] = true;
    };
    for (const Api& api : model.apis) {
        for (const Route& route : api.routes) {
            mark(route.integration.function);
            for (const Authorizer& authorizer : api.authorizers) {
                if (authorizer.name == route.authorizer) mark(authorizer.function);
            }
        }
    }
    return used;
}

std::vector<std::string> find_placeholders(std::string_view uri) {
    std::vector<std::string> names;
    for (std::size_t open = uri.find('{'); open != std::string_view::npos; open = uri.find('{')) {
        const std::size_t close = uri.find('}', open);
        if (close == std::string_view::npos) break;
        names.emplace_back(uri.substr(open + 1, close - open - 1));
        uri.remove_prefix(close + 1);
    }
    return names;
}

}  // namespace gatehouse::config
