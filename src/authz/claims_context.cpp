#include "claims_context.hpp"

#include "gatehouse/core/json_pointer.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::authz {
namespace {

// INVARIANT: splitting the text at `join` gives the elements back. Without this a token that may
// choose one element, say a group name, could smuggle in a second: ["a,admin"] and ["a","admin"]
// would reach the upstream as one text.
bool append_list(const Json& list, const std::string& join, std::string& out) {
    bool first = true;
    for (const Json& element : list) {
        if (element.is_null()) continue;
        if (!first) out += join;
        first = false;
        const std::size_t start = out.size();
        if (!append_scalar(element, out)) return false;
        // The join string may also begin at the end of an element, so look at both together.
        const std::size_t end = out.size();
        out += join;
        if (out.find(join, start) != end) return false;
        out.resize(end);
    }
    return true;
}

std::optional<ContextItem> make_item(const std::string& key,
                                     const Json& value,
                                     const std::string& join) {
    ContextItem item{key, {}, ContextItem::Kind::string};
    if (value.is_array()) {
        if (!append_list(value, join, item.value)) return std::nullopt;
        return item;
    }
    if (!append_scalar(value, item.value)) return std::nullopt;
    if (value.is_number()) item.kind = ContextItem::Kind::number;
    if (value.is_boolean()) item.kind = ContextItem::Kind::boolean;
    return item;
}

std::string stringify(const Json& value) {
    std::string text;
    if (append_scalar(value, text)) return text;
    if (value.is_array() && append_list(value, ",", text)) return text;
    return dump_json(value);
}

// DIVERGES: the service writes lists as Go prints them, so that ["a b"] and ["a","b"] look alike
// (the details are not known). One that would is JSON text here: nobody may smuggle an element in.
bool append_go_list(const Json& list, std::string& out) {
    out += '[';
    bool first = true;
    for (const Json& element : list) {
        if (!first) out += ' ';
        first = false;
        const std::size_t start = out.size();
        if (!append_scalar(element, out) || out.size() == start ||
            out.find_first_of(" []", start) != std::string::npos)
            return false;
    }
    out += ']';
    return true;
}

std::string stringify_for_http(const Json& value) {
    std::string text;
    if (append_scalar(value, text)) return text;
    if (value.is_array() && append_go_list(value, text)) return text;
    return dump_json(value);
}

// In place: most claims are texts already. What is no object becomes an empty one.
void make_texts(Json& claims, std::string (*to_text)(const Json&)) {
    auto* members = claims.get_ptr<Json::object_t*>();
    if (members == nullptr) {
        claims = Json::object();
        return;
    }
    for (auto it = members->begin(); it != members->end();) {
        if (it->second.is_null()) {
            it = members->erase(it);
            continue;
        }
        if (!it->second.is_string()) it->second = to_text(it->second);
        ++it;
    }
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

}  // namespace

Result<ContextMap> ContextMap::make(std::span<const ContextRule> rules) {
    ContextMap map;
    for (const ContextRule& rule : rules) {
        const std::string at = "/context" + pointer_step(rule.key);
        if (rule.key.empty()) return fail(Errc::config_invalid, at + ": a context key is empty");
        auto claim = ClaimPath::make(rule.claim);
        if (!claim) return fail(Errc::config_invalid, at + "/claim: " + claim.error().detail);
        if (rule.join.empty()) return fail(Errc::config_invalid, at + "/join: must not be empty");
        std::optional<ContextItem> fallback;
        if (rule.default_value) {
            fallback = make_item(rule.key, *rule.default_value, rule.join);
            if (!fallback) {
                return fail(
                    Errc::config_invalid,
                    at + "/default: a string, number, boolean, or a list of them whose elements do "
                         "not hold the join string");
            }
        }
        map.rules_.push_back({rule.key, std::move(*claim), rule.join, std::move(fallback)});
    }
    return map;
}

Result<std::vector<ContextItem>> ContextMap::apply(const Json& claims) const {
    std::vector<ContextItem> context;
    context.reserve(rules_.size());
    for (const Rule& rule : rules_) {
        const Json* claim = rule.claim.find(claims);
        if (claim == nullptr) {
            if (rule.fallback) context.push_back(*rule.fallback);
            continue;
        }
        auto item = make_item(rule.key, *claim, rule.join);
        if (!item) {
            // The key is the operator's, the value the token's: only the first may stand in a
            // trace.
            return fail(
                Errc::token_claim_unusable,
                "context key \"" + rule.key +
                    "\": the claim is an object, or a list whose elements cannot be joined");
        }
        context.push_back(std::move(*item));
    }
    return context;
}

Json stringify_claims(Json claims, std::span<const ContextItem> context) {
    make_texts(claims, stringify);
    for (const ContextItem& item : context)
        claims[item.key] = item.value;
    return claims;
}

Json stringify_claims_for_http(Json claims) {
    make_texts(claims, stringify_for_http);
    return claims;
}

std::vector<std::string> read_scopes(const Json& claims) {
    const Json* scope = find_member(claims, "scope");
    if (scope == nullptr || !scope->is_string()) scope = find_member(claims, "scp");
    if (scope == nullptr) return {};
    if (scope->is_string()) return split_words(scope->get_ref<const std::string&>());
    std::vector<std::string> words;
    if (scope->is_array()) {
        // An element is one scope as it stands: splitting it would grant what the issuer did not
        // list.
        for (const Json& element : *scope) {
            if (element.is_string()) words.push_back(element.get<std::string>());
        }
    }
    return words;
}

}  // namespace gatehouse::authz
