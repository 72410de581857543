#include "gatehouse/config/compare.hpp"

#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace gatehouse::config {
namespace {

using Members = std::map<std::string, const Json*>;

Members members_of(const Json* object) {
    Members members;
    if (object == nullptr || !object->is_object()) return members;
    for (const auto& [name, value] : object->items())
        members.emplace(name, &value);
    return members;
}

// By the text that each element has under `name`.
Members elements_of(const Json* list, std::string_view name) {
    Members elements;
    if (list == nullptr || !list->is_array()) return elements;
    for (const Json& element : *list) {
        const auto text = get_string(element, name);
        elements.emplace(text ? std::string(*text) : std::string(), &element);
    }
    return elements;
}

using Visit = std::function<void(const std::string& name, const Json& before, const Json& after)>;

void compare_members(const Members& before,
                     const Members& after,
                     const std::string& prefix,
                     Difference& into,
                     const Visit& visit = {}) {
    for (const auto& [name, value] : before) {
        const auto found = after.find(name);
        if (found == after.end()) {
            into.removed.push_back(prefix + name);
        } else if (*found->second != *value) {
            into.changed.push_back(prefix + name);
            if (visit) visit(name, *value, *found->second);
        }
    }
    for (const auto& [name, value] : after) {
        if (!before.contains(name)) into.added.push_back(prefix + name);
    }
}

// What is compared part by part stands in lists of its own.
Members without(Members members, std::initializer_list<const char*> names) {
    for (const char* name : names)
        members.erase(name);
    return members;
}

Json policy_of(const Json& authorizer) {
    Json policy = Json::object();
    for (const std::string_view settings : {"jwt", "introspection"}) {
        const Json* found = find_member(authorizer, settings);
        for (const std::string_view name : {"statements", "resource"}) {
            const Json* value = found == nullptr ? nullptr : find_member(*found, name);
            if (value != nullptr) policy[std::string(name)] = *value;
        }
    }
    return policy;
}

void compare_apis(const std::string& name, const Json& before, const Json& after, Changes& into) {
    const std::string prefix = name + ": ";
    compare_members(elements_of(find_member(before, "routes"), "routeKey"),
                    elements_of(find_member(after, "routes"), "routeKey"),
                    prefix,
                    into.routes);
    compare_members(members_of(find_member(before, "authorizers")),
                    members_of(find_member(after, "authorizers")),
                    prefix,
                    into.authorizers,
                    [&](const std::string& authorizer, const Json& old, const Json& now) {
                        if (policy_of(old) != policy_of(now))
                            into.policies.changed.push_back(prefix + authorizer);
                    });
    compare_members(without(members_of(&before), {"routes", "authorizers"}),
                    without(members_of(&after), {"routes", "authorizers"}),
                    prefix,
                    into.settings);
}

using Part = std::pair<const char*, const Difference*>;

std::vector<Part> parts_of(const Changes& changes) {
    return {{"apis", &changes.apis},
            {"routes", &changes.routes},
            {"authorizers", &changes.authorizers},
            {"policies", &changes.policies},
            {"functions", &changes.functions},
            {"upstreams", &changes.upstreams},
            {"settings", &changes.settings}};
}

void append_names(std::string& text, char sign, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (!text.ends_with(": ")) text += ", ";
        text += sign + name;
    }
}

}  // namespace

bool Changes::empty() const noexcept {
    return apis.empty() && routes.empty() && authorizers.empty() && policies.empty() &&
           functions.empty() && upstreams.empty() && settings.empty();
}

Changes compare(const Json& before, const Json& after) {
    Changes changes;
    const auto apis_of = [](const Json& document) {
        return elements_of(find_member(document, "apis"), "name");
    };
    Difference apis;
    compare_members(apis_of(before),
                    apis_of(after),
                    "",
                    apis,
                    [&](const std::string& name, const Json& old, const Json& now) {
                        compare_apis(name, old, now, changes);
                    });
    changes.apis = {std::move(apis.added), std::move(apis.removed), {}};
    compare_members(members_of(find_member(before, "functions")),
                    members_of(find_member(after, "functions")),
                    "",
                    changes.functions);
    compare_members(members_of(find_member(before, "upstreams")),
                    members_of(find_member(after, "upstreams")),
                    "",
                    changes.upstreams);
    compare_members(without(members_of(&before), {"apis", "functions", "upstreams", "$schema"}),
                    without(members_of(&after), {"apis", "functions", "upstreams", "$schema"}),
                    "",
                    changes.settings);
    return changes;
}

Json to_json(const Changes& changes) {
    Json json = Json::object();
    for (const auto& [name, part] : parts_of(changes)) {
        if (part->empty()) continue;
        Json& into = json[name] = Json::object();
        if (!part->added.empty()) into["added"] = part->added;
        if (!part->removed.empty()) into["removed"] = part->removed;
        if (!part->changed.empty()) into["changed"] = part->changed;
    }
    return json;
}

std::string to_text(const Changes& changes) {
    std::string text;
    for (const auto& [name, part] : parts_of(changes)) {
        if (part->empty()) continue;
        text += (text.empty() ? "" : "; ") + std::string(name) + ": ";
        append_names(text, '+', part->added);
        append_names(text, '-', part->removed);
        append_names(text, '~', part->changed);
    }
    return text.empty() ? "nothing" : text;
}

std::vector<std::string> find_fixed_changes(const Model& before, const Model& after) {
    std::vector<std::string> changed;
    if (before.listeners != after.listeners) changed.emplace_back("listeners");
    if (before.admin.address != after.admin.address || before.admin.port != after.admin.port)
        changed.emplace_back("admin");
    if (before.threads != after.threads) changed.emplace_back("threads");
    if (before.upstream_tls != after.upstream_tls) changed.emplace_back("upstreamTls");
    if (before.name_servers != after.name_servers) changed.emplace_back("resolver");
    const bool cache = before.limits.cache_entries == after.limits.cache_entries &&
                       before.limits.cache_bytes == after.limits.cache_bytes;
    if (!cache) changed.emplace_back("limits: cacheEntries and cacheBytes");
    // INVARIANT: what its listener takes is read by the form of every configuration that follows.
    if (before.decision != after.decision) changed.emplace_back("decision");
    if (before.shared != after.shared) changed.emplace_back("shared");
    return changed;
}

}  // namespace gatehouse::config
