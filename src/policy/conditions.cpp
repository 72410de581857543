#include "gatehouse/policy/conditions.hpp"

#include "condition_key.hpp"
#include "condition_operator.hpp"
#include "condition_value.hpp"
#include "gatehouse/core/ascii.hpp"
#include "heap.hpp"
#include "json_path.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace gatehouse::policy {
namespace {

using Value = std::variant<std::string, Wildcard, ArnPattern, double, WallTime, bool, IpRange>;

// One operator over one key.
struct Test {
    Operator op;
    Key key = Key::absent;
    std::string operator_name;
    std::string key_name;
    std::vector<Value> values;
};

template <class T>
Result<Value> take(std::optional<T> value, const char* wanted) {
    if (!value) return fail(Errc::policy_invalid, wanted);
    return Value(std::move(*value));
}

template <class T>
Result<Value> take(Result<T> value) {
    if (!value) return std::move(value).error();
    return Value(std::move(*value));
}

Result<Value> compile_value(Comparison comparison, std::string_view text) {
    switch (comparison) {
        case Comparison::string_equals:
        case Comparison::string_equals_ignoring_case:
            return take(resolve_specials(text));
        case Comparison::string_like:
            return take(Wildcard::make(text));
        case Comparison::arn_like:
            return take(ArnPattern::make(text));
        case Comparison::number:
            return take(parse_number(text), "not a number");
        case Comparison::date:
            return take(parse_date(text), "not an ISO 8601 date with a zone, nor epoch seconds");
        case Comparison::boolean:
        case Comparison::null:
            return take(parse_bool(text), "neither true nor false");
        case Comparison::ip_address:
            return take(parse_range(text), "not an IP address or CIDR range");
    }
    return fail(Errc::internal);
}

// IAM takes numbers and booleans with or without quotes.
Result<std::string> scalar_text(const Json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>();
    if (value.is_number() || value.is_boolean()) return dump_json(value);
    return fail(Errc::policy_invalid, "not a string, number or boolean");
}

Result<Value> make_value(Comparison comparison, const Json& value) {
    auto text = scalar_text(value);
    if (!text) return std::move(text).error();
    return compile_value(comparison, *text);
}

// `path`: of the key, to which the place at fault is added.
Result<std::vector<Value>> make_values(Comparison comparison, const Json& json, std::string path) {
    std::vector<Value> values;
    const bool list = json.is_array();
    // No value at all would make a positive operator never hold and a negated one always: neither
    // can be what the author of a Deny, or of an Allow, meant.
    if (list && json.empty()) return fail(Errc::policy_invalid, path + ": no value");
    const std::size_t count = list ? json.size() : 1;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto value = make_value(comparison, list ? json[i] : json);
        if (!value) {
            if (list) path += step(i);
            return Error{value.error().code, path + ": " + value.error().detail};
        }
        values.push_back(std::move(*value));
    }
    return values;
}

template <class T>
bool in_relation(Relation relation, const T& found, const T& wanted) noexcept {
    switch (relation) {
        case Relation::equal:
            return found == wanted;
        case Relation::less:
            return found < wanted;
        case Relation::less_or_equal:
            return found <= wanted;
        case Relation::greater:
            return found > wanted;
        case Relation::greater_or_equal:
            return found >= wanted;
    }
    return false;
}

template <class T, class Predicate>
bool any_value(const Test& test, Predicate predicate) {
    return std::any_of(test.values.begin(), test.values.end(), [&](const Value& value) {
        const T* typed = std::get_if<T>(&value);
        return typed != nullptr && predicate(*typed);
    });
}

bool any_text(const Test& test, std::string_view found) {
    switch (test.op.comparison) {
        case Comparison::string_equals:
            return any_value<std::string>(test, [&](const auto& value) { return value == found; });
        case Comparison::string_equals_ignoring_case:
            // ASCII only, as header values are.
            return any_value<std::string>(
                test, [&](const auto& value) { return equals_ignoring_case(value, found); });
        case Comparison::string_like:
            return any_value<Wildcard>(test,
                                       [&](const auto& value) { return value.matches(found); });
        default:
            return any_value<ArnPattern>(test,
                                         [&](const auto& value) { return value.matches(found); });
    }
}

// Whether the key, which is present, stands in the operator's positive relation to any value.
bool any_matches(const Test& test, const ConditionContext& context) {
    switch (test.op.comparison) {
        case Comparison::number: {
            const auto found = static_cast<double>(epoch_seconds(context));
            return any_value<double>(
                test, [&](double wanted) { return in_relation(test.op.relation, found, wanted); });
        }
        case Comparison::date: {
            const WallTime found = time_of(test.key, context);
            return any_value<WallTime>(test, [&](WallTime wanted) {
                return in_relation(test.op.relation, found, wanted);
            });
        }
        case Comparison::boolean:
            return any_value<bool>(test,
                                   [&](bool wanted) { return wanted == context.secure_transport; });
        case Comparison::ip_address: {
            const auto found = peer_address(context);
            return found && any_value<IpRange>(
                                test, [&](const IpRange& range) { return range.contains(*found); });
        }
        default: {
            TextBuffer buffer;
            return any_text(test, text_of(test.key, context, buffer));
        }
    }
}

// IAM User Guide, "IAM JSON policy elements: Condition operators" (IfExists, Null) and "Set
// operators for multivalued context keys": over an absent key ForAllValues holds and ForAnyValue
// does not, negated or not. A key with one value is judged by either as without them.
bool holds(const Test& test, const ConditionContext& context) {
    const bool present = is_present(test.key, context);
    if (test.op.comparison == Comparison::null) {
        return any_value<bool>(test, [&](bool absent) { return absent != present; });
    }
    if (!present) {
        if (test.op.if_exists) return true;
        if (test.op.quantifier != Quantifier::none)
            return test.op.quantifier == Quantifier::for_all;
        return test.op.negated;
    }
    return any_matches(test, context) != test.op.negated;
}

std::string describe(const Test& test, const ConditionContext& context) {
    std::string text = test.operator_name + " " + printable(test.key_name) + ": ";
    if (!is_present(test.key, context)) return text + "the key is absent";
    TextBuffer buffer;
    return text + "found \"" + printable(text_of(test.key, context, buffer)) + "\"";
}

std::size_t heap_of(const Value& value) noexcept {
    if (const auto* text = std::get_if<std::string>(&value)) return policy::heap_of(*text);
    if (const auto* pattern = std::get_if<Wildcard>(&value)) return pattern->heap_bytes();
    if (const auto* arn = std::get_if<ArnPattern>(&value)) return arn->heap_bytes();
    return 0;
}

Result<Test> make_test(const std::string& operator_name,
                       const Operator& op,
                       const std::string& key,
                       const Json& values) {
    const std::string path = step(operator_name) + step(key);
    Test test{op, find_key(key), operator_name, key, {}};
    if (!comparable(test.key, op.comparison)) {
        return fail(Errc::condition_unsupported,
                    path + ": " + operator_name + " cannot judge this key");
    }
    auto compiled = make_values(op.comparison, values, path);
    if (!compiled) return std::move(compiled).error();
    test.values = std::move(*compiled);
    return test;
}

}  // namespace

struct Conditions::Impl {
    std::vector<Test> tests;
};

Conditions::Conditions() = default;
Conditions::Conditions(Conditions&&) noexcept = default;
Conditions& Conditions::operator=(Conditions&&) noexcept = default;
Conditions::~Conditions() = default;

Result<Conditions> Conditions::make(const Json& block) {
    if (!block.is_object()) return fail(Errc::policy_invalid, ": not an object");
    auto impl = std::make_unique<Impl>();
    for (const auto& [name, keys] : block.items()) {
        const auto op = find_operator(name);
        if (!op) return fail(Errc::condition_unsupported, step(name) + ": unknown operator");
        if (!keys.is_object() || keys.empty()) {
            return fail(Errc::policy_invalid, step(name) + ": not an object of condition keys");
        }
        std::set<std::string> seen;
        for (const auto& [key, values] : keys.items()) {
            if (!seen.insert(to_lower(key)).second) {
                return fail(Errc::policy_invalid,
                            step(name) + step(key) + ": the key is there twice, letter case aside");
            }
            auto test = make_test(name, *op, key, values);
            if (!test) return std::move(test).error();
            impl->tests.push_back(std::move(*test));
        }
    }
    Conditions made;
    if (!impl->tests.empty()) made.impl_ = std::move(impl);
    return made;
}

bool Conditions::empty() const noexcept {
    return impl_ == nullptr;
}

bool Conditions::hold(const ConditionContext& context, std::string* failed) const {
    if (impl_ == nullptr) return true;
    for (const Test& test : impl_->tests) {
        if (holds(test, context)) continue;
        if (failed != nullptr) *failed = describe(test, context);
        return false;
    }
    return true;
}

std::size_t Conditions::heap_bytes() const noexcept {
    if (impl_ == nullptr) return 0;
    std::size_t bytes = sizeof(Impl) + impl_->tests.capacity() * sizeof(Test);
    for (const Test& test : impl_->tests) {
        bytes += policy::heap_of(test.operator_name) + policy::heap_of(test.key_name);
        bytes += test.values.capacity() * sizeof(Value);
        for (const Value& value : test.values)
            bytes += heap_of(value);
    }
    return bytes;
}

}  // namespace gatehouse::policy
