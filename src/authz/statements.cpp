#include "statements.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::authz {
namespace {

Json make_document(Json statements) {
    return Json{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
}

bool has_placeholder_anywhere(const Json& value) noexcept {
    if (const auto* text = value.get_ptr<const Json::string_t*>()) return has_placeholder(*text);
    return value.is_structured() &&
           std::any_of(value.begin(), value.end(), has_placeholder_anywhere);
}

Result<std::vector<ClaimCondition>> make_conditions(const Json& when) {
    if (!when.is_object()) return fail(Errc::config_invalid, "/when: an object of claim names");
    std::vector<ClaimCondition> conditions;
    for (const auto& [claim, wanted] : when.items()) {
        auto condition = ClaimCondition::make(claim, wanted);
        if (!condition) {
            return fail(Errc::config_invalid, "/when/" + claim + ": " + condition.error().detail);
        }
        conditions.push_back(std::move(*condition));
    }
    return conditions;
}

Result<std::vector<ResourceTemplate>> make_resources(const Json& resource) {
    std::vector<ResourceTemplate> resources;
    const auto add = [&](const Json& text) -> Result<void> {
        if (!text.is_string()) return fail(Errc::config_invalid, "a string or a list of strings");
        auto made = ResourceTemplate::make(text.get_ref<const std::string&>());
        if (!made) return std::move(made).error();
        resources.push_back(std::move(*made));
        return {};
    };
    if (!resource.is_array()) {
        if (auto added = add(resource); !added) return std::move(added).error();
        return resources;
    }
    for (const Json& text : resource) {
        if (auto added = add(text); !added) return std::move(added).error();
    }
    return resources;
}

Json sample_of(const std::vector<ResourceTemplate>& resources) {
    Json patterns = Json::array();
    for (const ResourceTemplate& resource : resources)
        patterns.push_back(resource.sample());
    return patterns;
}

// All at once, since the limits are those of a whole policy.
Result<void> check_shape(Json samples) {
    const auto parsed = policy::parse_document(make_document(std::move(samples)));
    if (parsed) return {};
    std::string detail = parsed.error().detail;
    constexpr std::string_view kPath = "/Statement";
    if (detail.starts_with(kPath)) detail.erase(0, kPath.size());
    return fail(Errc::config_invalid, "/statements" + detail);
}

}  // namespace

Result<StatementSet> StatementSet::make(const Json& statements) {
    if (!statements.is_array())
        return fail(Errc::config_invalid, "/statements: a list of IAM statements");
    StatementSet set;
    Json samples = Json::array();
    for (std::size_t i = 0; i < statements.size(); ++i) {
        auto entry = make_entry(statements[i]);
        if (!entry) {
            return fail(Errc::config_invalid,
                        "/statements/" + std::to_string(i) + entry.error().detail);
        }
        set.uses_claims_ = set.uses_claims_ || std::any_of(entry->resources.begin(),
                                                           entry->resources.end(),
                                                           [](const ResourceTemplate& resource) {
                                                               return resource.uses_claims();
                                                           });
        // With samples where a token's claims will stand, so that the load finds what is wrong and
        // not the first token.
        Json& sample = samples.emplace_back(entry->body);
        if (!entry->resource_key.empty()) sample[entry->resource_key] = sample_of(entry->resources);
        set.entries_.push_back(std::move(*entry));
    }
    if (auto checked = check_shape(std::move(samples)); !checked) return std::move(checked).error();
    return set;
}

Result<StatementSet::Entry> StatementSet::make_entry(const Json& statement) {
    if (!statement.is_object())
        return fail(Errc::config_invalid, ": an IAM statement is an object");
    Entry entry;
    entry.body = statement;
    if (const Json* when = find_member(statement, "when")) {
        auto conditions = make_conditions(*when);
        if (!conditions) return std::move(conditions).error();
        entry.when = std::move(*conditions);
        entry.body.erase("when");
    }
    if (entry.body.contains("Resource") && entry.body.contains("NotResource")) {
        return fail(Errc::config_invalid, ": Resource and NotResource exclude each other");
    }
    for (const char* key : {"Resource", "NotResource"}) {
        const Json* resource = find_member(entry.body, key);
        if (resource == nullptr || !has_placeholder_anywhere(*resource)) continue;
        auto resources = make_resources(*resource);
        if (!resources)
            return fail(Errc::config_invalid,
                        "/" + std::string(key) + ": " + resources.error().detail);
        entry.resource_key = key;
        entry.resource_list = resource->is_array();
        entry.resources = std::move(*resources);
        entry.body.erase(key);
    }
    // A placeholder left in, say, a Condition would be compared as text and never match: a Deny
    // that never denies.
    if (has_placeholder_anywhere(entry.body)) {
        return fail(Errc::config_invalid,
                    ": ${claims.…}, ${stageArn} and ${methodArn} stand in Resource only");
    }
    return entry;
}

std::optional<Json> StatementSet::fill(const Entry& entry,
                                       const Json& claims,
                                       std::string_view stage_prefix,
                                       std::string_view method_arn) {
    const bool taken =
        std::all_of(entry.when.begin(), entry.when.end(), [&](const ClaimCondition& condition) {
            return condition.holds(claims);
        });
    if (!taken) return std::nullopt;
    if (entry.resource_key.empty()) return entry.body;
    Json patterns = Json::array();
    for (const ResourceTemplate& resource : entry.resources) {
        auto pattern = resource.fill(claims, stage_prefix, method_arn);
        if (!pattern) return std::nullopt;
        patterns.push_back(std::move(*pattern));
    }
    Json statement = entry.body;
    statement[entry.resource_key] =
        entry.resource_list ? std::move(patterns) : std::move(patterns[0]);
    return statement;
}

std::string StatementSet::explain_absence(const Entry& entry,
                                          std::size_t index,
                                          const Json& claims) {
    const auto sid = get_string(entry.body, "Sid");
    std::string text = sid ? printable(*sid) : "statements/" + std::to_string(index);
    text += ": ";
    for (const ClaimCondition& condition : entry.when) {
        if (!condition.holds(claims)) return text + condition.explain(claims);
    }
    return text + "a claim of its " + entry.resource_key + " is absent or no scalar";
}

// Which statements a token takes, and what was put into them: together with the stage all that a
// policy is made of. Sizes keep two texts from running into each other.
bool StatementSet::append_taken(const Entry& entry,
                                const Json& claims,
                                std::string_view stage_prefix,
                                std::string_view method_arn,
                                std::string& key) {
    const std::size_t start = key.size();
    const auto leave_out = [&] {
        key.resize(start);
        key += '-';
        return false;
    };
    for (const ClaimCondition& condition : entry.when) {
        if (!condition.holds(claims)) return leave_out();
    }
    key += '+';
    for (const ResourceTemplate& resource : entry.resources) {
        if (!resource.uses_claims() && !resource.uses_method_arn()) continue;
        const auto pattern = resource.fill(claims, stage_prefix, method_arn);
        if (!pattern) return leave_out();
        key.append(std::to_string(pattern->size())).append(1, ':').append(*pattern);
    }
    return true;
}

Result<policy::DocumentPtr> StatementSet::make_policy(const Json& claims,
                                                      std::string_view stage_prefix,
                                                      std::string_view method_arn,
                                                      std::vector<std::string>* left_out) const {
    std::string key;
    key.reserve(stage_prefix.size() + entries_.size() + 1);
    key.append(stage_prefix).append(1, '\n');
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (append_taken(entries_[i], claims, stage_prefix, method_arn, key)) continue;
        if (left_out != nullptr && left_out->size() < kMostLeftOut)
            left_out->push_back(explain_absence(entries_[i], i, claims));
    }
    return memo_->find_or_make(key, [&] { return compile(claims, stage_prefix, method_arn); });
}

Result<policy::Document> StatementSet::compile(const Json& claims,
                                               std::string_view stage_prefix,
                                               std::string_view method_arn) const {
    Json statements = Json::array();
    for (const Entry& entry : entries_) {
        if (auto statement = fill(entry, claims, stage_prefix, method_arn))
            statements.push_back(std::move(*statement));
    }
    auto document = policy::parse_document(make_document(std::move(statements)));
    // The shape was checked at load, so what is refused now is what was filled in, e.g. a claim
    // beyond the length of an ARN.
    if (!document && uses_claims_) return fail(Errc::token_claim_unusable, document.error().detail);
    return document;
}

bool StatementSet::uses_method_arn() const noexcept {
    return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
        return std::any_of(
            entry.resources.begin(), entry.resources.end(), [](const ResourceTemplate& resource) {
                return resource.uses_method_arn();
            });
    });
}

}  // namespace gatehouse::authz
