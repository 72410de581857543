#include "gatehouse/core/ascii.hpp"
#include "parser.hpp"

namespace gatehouse::templates {
namespace {

struct Spelling {
    std::string_view text;
    ast::Operator meaning;
    int level;
};

// Longer spellings first. Levels from the loosest: or, and, equality, order, sum, product.
constexpr Spelling kOperators[] = {
    {"||", ast::Operator::logical_or, 0},  {"or", ast::Operator::logical_or, 0},
    {"&&", ast::Operator::logical_and, 1}, {"and", ast::Operator::logical_and, 1},
    {"==", ast::Operator::eq, 2},          {"eq", ast::Operator::eq, 2},
    {"!=", ast::Operator::ne, 2},          {"ne", ast::Operator::ne, 2},
    {"<=", ast::Operator::le, 3},          {"le", ast::Operator::le, 3},
    {">=", ast::Operator::ge, 3},          {"ge", ast::Operator::ge, 3},
    {"<", ast::Operator::lt, 3},           {"lt", ast::Operator::lt, 3},
    {">", ast::Operator::gt, 3},           {"gt", ast::Operator::gt, 3},
    {"+", ast::Operator::add, 4},          {"-", ast::Operator::sub, 4},
    {"*", ast::Operator::mul, 5},          {"/", ast::Operator::div, 5},
    {"%", ast::Operator::mod, 5},
};
constexpr int kUnaryLevel = 6;

bool continues_word(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '_' || c == '@';
}

std::unique_ptr<ast::Expression> boxed(ast::Expression expression) {
    return std::make_unique<ast::Expression>(std::move(expression));
}

}  // namespace

std::optional<ast::Operator> Parser::take_operator(int level) {
    cursor_.skip_space();
    const std::string_view rest = cursor_.rest();
    for (const Spelling& spelling : kOperators) {
        if (!rest.starts_with(spelling.text)) continue;
        const char next = cursor_.peek(spelling.text.size());
        if (is_alpha(spelling.text.front()) && continues_word(next)) continue;
        // `-1` is a number for the lexer wherever it stands: `$i -1` is an error, `$i - 1` is not.
        if (spelling.text == "-" && (is_digit(next) || next == '.')) return std::nullopt;
        if (spelling.level != level) return std::nullopt;
        cursor_.advance(spelling.text.size());
        return spelling.meaning;
    }
    return std::nullopt;
}

ast::Expression Parser::parse_level(int level) {
    if (level == kUnaryLevel) return parse_unary();
    ast::Expression first = parse_level(level + 1);
    ast::Chain chain;
    while (!failed_) {
        const auto meaning = take_operator(level);
        if (!meaning) break;
        chain.rest.push_back({*meaning, parse_level(level + 1)});
    }
    if (chain.rest.empty()) return first;
    const ast::Position position = first.position;
    chain.first = boxed(std::move(first));
    return {std::move(chain), position};
}

ast::Expression Parser::parse_unary() {
    cursor_.skip_space();
    const ast::Position position = cursor_.position();
    const std::string_view rest = cursor_.rest();
    const bool word = rest.starts_with("not") && !continues_word(cursor_.peek(3));
    if (!word && cursor_.peek() != '!') return parse_primary();
    cursor_.advance(word ? 3 : 1);
    if (!enter()) return {};
    ast::Expression operand = parse_unary();
    leave();
    ast::Not negation;
    negation.operand = boxed(std::move(operand));
    return {std::move(negation), position};
}

ast::Expression Parser::parse_primary() {
    cursor_.skip_space();
    if (cursor_.peek() != '(') return parse_parameter();
    cursor_.advance(1);
    if (!enter()) return {};
    ast::Expression inner = parse_expression();
    leave();
    cursor_.skip_space();
    if (!failed_ && !cursor_.take(')')) refuse_here("expected ), found " + found_here());
    return inner;
}

// What may be an argument, an element or a member: a value or a reference, no operators.
ast::Expression Parser::parse_parameter() {
    cursor_.skip_space();
    if (!enter()) return {};
    const ast::Position position = cursor_.position();
    const char c = cursor_.peek();
    ast::Expression made;
    if (c == '"' || c == '\'') {
        made = parse_string();
    } else if (at_reference()) {
        made.node = parse_reference();
    } else if (is_digit(c) || c == '-' || c == '.') {
        made = parse_number();
    } else if (c == '[') {
        made = parse_list();
    } else if (c == '{') {
        made = parse_map();
    } else if (cursor_.rest().starts_with("true") && !continues_word(cursor_.peek(4))) {
        cursor_.advance(4);
        made.node = ast::Literal(true);
    } else if (cursor_.rest().starts_with("false") && !continues_word(cursor_.peek(5))) {
        cursor_.advance(5);
        made.node = ast::Literal(false);
    } else if (cursor_.rest().starts_with("null") && !continues_word(cursor_.peek(4))) {
        refuse_here("null is no value of Velocity: compare with a variable that is never set");
    } else {
        refuse_here("expected a value or a $reference, found " + found_here());
    }
    leave();
    made.position = position;
    cursor_.skip_space();
    return made;
}

ast::Expression Parser::parse_index() {
    ast::Expression index = parse_parameter();
    const auto* literal = std::get_if<ast::Literal>(&index.node);
    const bool good = literal != nullptr ? !std::holds_alternative<double>(*literal)
                                         : std::holds_alternative<ast::Interpolation>(index.node) ||
                                               std::holds_alternative<ast::Reference>(index.node);
    if (!good) refuse(index.position, "an index is a string, an integer or a $reference");
    return index;
}

}  // namespace gatehouse::templates
