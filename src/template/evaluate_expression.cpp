#include "evaluator.hpp"
#include "value_text.hpp"

#include <algorithm>
#include <cmath>

namespace gatehouse::templates {
namespace {

Value order(ast::Operator meaning, const Value& left, const Value& right) {
    // Numbers alone have an order: anything else is false, and Velocity logs it.
    if (!is_number(left) || !is_number(right)) return false;
    const auto* a = std::get_if<std::int64_t>(&left);
    const auto* b = std::get_if<std::int64_t>(&right);
    std::partial_ordering compared = to_double(left) <=> to_double(right);
    if (a != nullptr && b != nullptr) compared = *a <=> *b;
    switch (meaning) {
        case ast::Operator::lt:
            return compared < 0;
        case ast::Operator::gt:
            return compared > 0;
        case ast::Operator::le:
            return compared <= 0;
        default:
            return compared >= 0;
    }
}

Value real(ast::Operator meaning, double a, double b) {
    switch (meaning) {
        case ast::Operator::add:
            return a + b;
        case ast::Operator::sub:
            return a - b;
        case ast::Operator::mul:
            return a * b;
        case ast::Operator::div:
            return b == 0 ? Value(Null{}) : Value(a / b);
        default:
            return b == 0 ? Value(Null{}) : Value(std::fmod(a, b));
    }
}

// False when the result does not fit.
bool integer(ast::Operator meaning, std::int64_t a, std::int64_t b, std::int64_t& result) {
    switch (meaning) {
        case ast::Operator::add:
            return !__builtin_add_overflow(a, b, &result);
        case ast::Operator::sub:
            return !__builtin_sub_overflow(a, b, &result);
        case ast::Operator::mul:
            return !__builtin_mul_overflow(a, b, &result);
        default:
            if (a == INT64_MIN && b == -1) return false;
            result = meaning == ast::Operator::div ? a / b : a % b;
            return true;
    }
}

}  // namespace

Value Evaluator::evaluate(const ast::Expression& expression) {
    if (!work_.spend()) return Null{};
    return std::visit([&](const auto& node) { return evaluate(node); }, expression.node);
}

Value Evaluator::evaluate(const ast::Literal& literal) {
    if (const auto* text = std::get_if<std::string>(&literal); text != nullptr)
        return std::string_view(*text);  // lives in the tree
    if (const auto* flag = std::get_if<bool>(&literal); flag != nullptr) return *flag;
    if (const auto* number = std::get_if<double>(&literal); number != nullptr) return *number;
    return std::get<std::int64_t>(literal);
}

Value Evaluator::evaluate(const ast::Interpolation& interpolation) {
    std::string text;
    render_block(interpolation.body, text);
    return work_.keep(std::move(text));
}

Value Evaluator::evaluate(const ast::ListLiteral& literal) {
    List* list = work_.make_list();
    for (const ast::Expression& element : literal.elements) {
        if (!work_.append(*list, evaluate(element))) break;
    }
    return list;
}

// In the order of writing. (Velocity 1.7 makes a HashMap, whose order is nobody's promise.)
Value Evaluator::evaluate(const ast::MapLiteral& literal) {
    Map* map = work_.make_map();
    for (const auto& [key, value] : literal.members) {
        const std::string_view name = to_text(work_, evaluate(key));
        if (!work_.put(*map, name, evaluate(value))) break;
    }
    return map;
}

Value Evaluator::evaluate(const ast::Range& range) {
    const Value from = evaluate(*range.from);
    const Value to = evaluate(*range.to);
    const auto* first = std::get_if<std::int64_t>(&from);
    const auto* last = std::get_if<std::int64_t>(&to);
    if (first == nullptr || last == nullptr) return Null{};
    List* list = work_.make_list();
    for (std::int64_t at = *first; work_.append(*list, at) && at != *last;)
        at += *first < *last ? 1 : -1;
    return list;
}

Value Evaluator::evaluate(const ast::Not& negation) {
    return !is_true(*negation.operand);
}

Value Evaluator::evaluate(const ast::Chain& chain) {
    const ast::Operator first = chain.rest.front().meaning;
    if (first == ast::Operator::logical_or || first == ast::Operator::logical_and) {
        const bool stops = first == ast::Operator::logical_or;  // the value that settles it
        if (is_true(*chain.first) == stops) return stops;
        for (const auto& [meaning, operand] : chain.rest) {
            if (is_true(operand) == stops) return stops;
            if (!work_.ok()) break;
        }
        return !stops;
    }
    Value value = evaluate(*chain.first);
    for (const auto& [meaning, operand] : chain.rest) {
        if (!work_.ok()) return Null{};
        value = apply(meaning, value, evaluate(operand));
    }
    return value;
}

Value Evaluator::apply(ast::Operator meaning, const Value& left, const Value& right) {
    if (!work_.ok()) return Null{};
    if (meaning == ast::Operator::eq) return is_equal(left, right);
    if (meaning == ast::Operator::ne) return !is_equal(left, right);
    if (meaning >= ast::Operator::lt && meaning <= ast::Operator::ge)
        return order(meaning, left, right);
    return calculate(meaning, left, right);
}

// ASTEQNode of 1.7: numbers by worth, equal types by equals, different types by their text.
bool Evaluator::is_equal(const Value& left, const Value& right) {
    if (is_null(left) || is_null(right)) return is_null(left) && is_null(right);
    if (left.index() == right.index() || (is_number(left) && is_number(right)))
        return equal(work_, left, right);
    return to_text(work_, left) == to_text(work_, right);
}

// Null with anything is null, as is a division by zero; `+` joins when one side is text.
Value Evaluator::calculate(ast::Operator meaning, const Value& left, const Value& right) {
    if (is_null(left) || is_null(right)) return Null{};
    const bool text = std::holds_alternative<std::string_view>(left) ||
                      std::holds_alternative<std::string_view>(right);
    if (meaning == ast::Operator::add && text) {
        std::string joined(to_text(work_, left));
        joined += to_text(work_, right);
        return work_.keep(std::move(joined));
    }
    if (!is_number(left) || !is_number(right)) return Null{};
    const auto* a = std::get_if<std::int64_t>(&left);
    const auto* b = std::get_if<std::int64_t>(&right);
    if (a == nullptr || b == nullptr) return real(meaning, to_double(left), to_double(right));
    if (*b == 0 && (meaning == ast::Operator::div || meaning == ast::Operator::mod)) return Null{};
    std::int64_t result = 0;
    if (!integer(meaning, *a, *b, result)) {
        work_.fail(Errc::template_failed, "a number is beyond 64 bits");
        return Null{};
    }
    return result;
}

// Velocity 1.7: null is false, a boolean is itself, everything else is true, "" and 0 included.
// (Recorded of the service: #if holds for a missing member, which is "".)
bool Evaluator::is_true(const ast::Expression& expression) {
    const Value value = evaluate(expression);
    if (!work_.ok()) return false;
    const auto* flag = std::get_if<bool>(&value);
    return flag != nullptr ? *flag : !is_null(value);
}

}  // namespace gatehouse::templates
