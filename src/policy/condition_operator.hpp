#pragma once

#include <optional>
#include <string_view>

namespace gatehouse::policy {

enum class Comparison : unsigned char {
    string_equals,
    string_equals_ignoring_case,
    string_like,
    arn_like,
    number,
    date,
    boolean,
    ip_address,
    null,
};

enum class Relation : unsigned char { equal, less, less_or_equal, greater, greater_or_equal };

/// What an operator asks of a key that has several values; all of ours have one or none.
enum class Quantifier : unsigned char { none, for_any, for_all };

/// The meaning of one operator name.
struct Operator {
    Comparison comparison = Comparison::string_equals;
    Relation relation = Relation::equal;  ///< numbers and dates only
    bool negated = false;
    bool if_exists = false;
    Quantifier quantifier = Quantifier::none;
};

/// Reads "ForAnyValue:StringLikeIfExists" and the like; nothing for a name that IAM does not have.
/// Letter case counts, as in every listing of the IAM User Guide: a misspelt operator is refused,
/// so nothing is lost by not guessing.
std::optional<Operator> find_operator(std::string_view name) noexcept;

}  // namespace gatehouse::policy
