#include "claim_condition.hpp"

#include "bounded_expression.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::authz {
namespace {

constexpr const char* kForms =
    "a string, number or boolean, {\"in\": […]}, {\"exists\": true|false} or {\"matches\": "
    "\"RE2\"}";

constexpr std::size_t kFoundText = 80;  // bytes of a claim in a trace

bool is_scalar(const Json& value) noexcept {
    return value.is_string() || value.is_number() || value.is_boolean();
}

}  // namespace

ClaimCondition::ClaimCondition(ClaimPath path, std::string_view claim, const Json& wanted)
    : path_(std::move(path)),
      claim_(claim),
      wanted_text_(dump_json(wanted)),
      words_(path_.top_level_name() == "scope" || path_.top_level_name() == "scp") {}

ClaimCondition::ClaimCondition(ClaimCondition&&) noexcept = default;
ClaimCondition::~ClaimCondition() = default;

Result<ClaimCondition> ClaimCondition::make(std::string_view claim, const Json& wanted) {
    auto path = ClaimPath::make(claim);
    if (!path) return std::move(path).error();
    ClaimCondition condition(std::move(*path), claim, wanted);
    if (is_scalar(wanted)) {
        condition.wanted_.push_back(wanted);
        return condition;
    }
    if (auto compiled = condition.compile(wanted); !compiled) return std::move(compiled).error();
    return condition;
}

Result<void> ClaimCondition::compile(const Json& operators) {
    // One operator each: of several it would not be plain whether all or any must hold.
    if (!operators.is_object() || operators.size() != 1) return fail(Errc::config_invalid, kForms);
    const std::string& name = operators.begin().key();
    const Json& value = operators.begin().value();
    if (name == "in" && value.is_array() && !value.empty() &&
        std::all_of(value.begin(), value.end(), is_scalar)) {
        wanted_.assign(value.begin(), value.end());
        return {};
    }
    if (name == "exists" && value.is_boolean()) {
        kind_ = value.get<bool>() ? Kind::exists : Kind::absent;
        return {};
    }
    if (name == "matches" && value.is_string()) {
        kind_ = Kind::matches;
        expression_ = make_expression(value.get_ref<const std::string&>());
        if (expression_->ok()) return {};
        return fail(Errc::config_invalid, "matches is not RE2: " + expression_->error());
    }
    return fail(Errc::config_invalid, kForms);
}

bool ClaimCondition::holds(const Json& claims) const {
    const Json* claim = path_.find(claims);
    if (kind_ == Kind::exists) return claim != nullptr;
    if (kind_ == Kind::absent) return claim == nullptr;
    if (claim == nullptr) return false;
    if (claim->is_array()) {
        return std::any_of(
            claim->begin(), claim->end(), [&](const Json& element) { return accepts(element); });
    }
    if (accepts(*claim)) return true;
    if (!words_ || !claim->is_string()) return false;
    std::string_view text = claim->get_ref<const std::string&>();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0 && accepts_text(text.substr(0, end))) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

bool ClaimCondition::accepts(const Json& value) const {
    if (value.is_string()) return accepts_text(value.get_ref<const std::string&>());
    if (kind_ == Kind::matches) {
        std::string text;
        return append_scalar(value, text) && accepts_text(text);
    }
    return std::any_of(
        wanted_.begin(), wanted_.end(), [&](const Json& wanted) { return wanted == value; });
}

bool ClaimCondition::accepts_text(std::string_view text) const {
    if (kind_ == Kind::matches) {
        return matches_whole(*expression_, text);
    }
    return std::any_of(wanted_.begin(), wanted_.end(), [&](const Json& wanted) {
        const auto* string = wanted.get_ptr<const Json::string_t*>();
        return string != nullptr && *string == text;
    });
}

std::string ClaimCondition::explain(const Json& claims) const {
    const Json* value = path_.find(claims);
    const std::string found =
        value == nullptr ? "absent" : printable(dump_json(*value), kFoundText);
    return printable(claim_) + " is " + found + ", wanted " + printable(wanted_text_);
}

}  // namespace gatehouse::authz
