#include "condition_operator.hpp"

namespace gatehouse::policy {
namespace {

struct NamedOperator {
    std::string_view name;
    Comparison comparison;
    Relation relation = Relation::equal;
    bool negated = false;
};

// IAM User Guide, "IAM JSON policy elements: Condition operators". ArnEquals and ArnLike are the
// same there. BinaryEquals is left out: no key of a request is binary.
constexpr NamedOperator kOperators[] = {
    {"StringEquals", Comparison::string_equals},
    {"StringNotEquals", Comparison::string_equals, Relation::equal, true},
    {"StringEqualsIgnoreCase", Comparison::string_equals_ignoring_case},
    {"StringNotEqualsIgnoreCase", Comparison::string_equals_ignoring_case, Relation::equal, true},
    {"StringLike", Comparison::string_like},
    {"StringNotLike", Comparison::string_like, Relation::equal, true},
    {"NumericEquals", Comparison::number},
    {"NumericNotEquals", Comparison::number, Relation::equal, true},
    {"NumericLessThan", Comparison::number, Relation::less},
    {"NumericLessThanEquals", Comparison::number, Relation::less_or_equal},
    {"NumericGreaterThan", Comparison::number, Relation::greater},
    {"NumericGreaterThanEquals", Comparison::number, Relation::greater_or_equal},
    {"DateEquals", Comparison::date},
    {"DateNotEquals", Comparison::date, Relation::equal, true},
    {"DateLessThan", Comparison::date, Relation::less},
    {"DateLessThanEquals", Comparison::date, Relation::less_or_equal},
    {"DateGreaterThan", Comparison::date, Relation::greater},
    {"DateGreaterThanEquals", Comparison::date, Relation::greater_or_equal},
    {"Bool", Comparison::boolean},
    {"IpAddress", Comparison::ip_address},
    {"NotIpAddress", Comparison::ip_address, Relation::equal, true},
    {"ArnEquals", Comparison::arn_like},
    {"ArnLike", Comparison::arn_like},
    {"ArnNotEquals", Comparison::arn_like, Relation::equal, true},
    {"ArnNotLike", Comparison::arn_like, Relation::equal, true},
    {"Null", Comparison::null},
};

bool take_prefix(std::string_view& name, std::string_view prefix) noexcept {
    if (!name.starts_with(prefix)) return false;
    name.remove_prefix(prefix.size());
    return true;
}

bool take_suffix(std::string_view& name, std::string_view suffix) noexcept {
    if (!name.ends_with(suffix)) return false;
    name.remove_suffix(suffix.size());
    return true;
}

}  // namespace

std::optional<Operator> find_operator(std::string_view name) noexcept {
    Operator found;
    if (take_prefix(name, "ForAnyValue:")) {
        found.quantifier = Quantifier::for_any;
    } else if (take_prefix(name, "ForAllValues:")) {
        found.quantifier = Quantifier::for_all;
    }
    found.if_exists = take_suffix(name, "IfExists");
    for (const NamedOperator& known : kOperators) {
        if (known.name != name) continue;
        // Null asks whether the key exists: neither word has a meaning with it.
        const bool bare = !found.if_exists && found.quantifier == Quantifier::none;
        if (known.comparison == Comparison::null && !bare) return std::nullopt;
        found.comparison = known.comparison;
        found.relation = known.relation;
        found.negated = known.negated;
        return found;
    }
    return std::nullopt;
}

}  // namespace gatehouse::policy
