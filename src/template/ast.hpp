#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

// What the parser makes and the evaluator walks. Long rows (a + b + c…, #elseif, accesses) are
// vectors and not chains of nodes, so that depth is nesting and nothing else.
namespace gatehouse::templates::ast {

/// Place in the template, both from 1.
struct Position {
    std::size_t line = 1;
    std::size_t column = 1;
};

struct Expression;
struct Member;
struct Operand;
struct Statement;

using Block = std::vector<Statement>;

/// Where a reference starts. Only `variable` is looked up by name while rendering.
enum class Root { variable, input, util, context, stage_variables, foreach_scope };

/// One step of a reference: `.name`, `.name(arguments)` or `[argument]`.
struct Access {
    enum class Kind { property, method, index };

    Kind kind = Kind::property;
    std::string name;
    std::vector<Expression> arguments;
    Position position;
};

struct Reference {
    Root root = Root::variable;
    std::string name;
    std::vector<Access> accesses;
    bool quiet = false;  ///< `$!x`
    std::string
        literal;  ///< as written, without backslashes in front: what an undefined one prints
    Position position;
};

using Literal = std::variant<bool, std::int64_t, double, std::string>;

/// `"…$x…"`: a template in itself.
struct Interpolation {
    Block body;
};

struct ListLiteral {
    std::vector<Expression> elements;
};

struct MapLiteral {
    std::vector<Member> members;
};

/// `[from..to]`, both ends included, either direction.
struct Range {
    std::unique_ptr<Expression> from;
    std::unique_ptr<Expression> to;
};

struct Not {
    std::unique_ptr<Expression> operand;
};

enum class Operator { logical_or, logical_and, eq, ne, lt, gt, le, ge, add, sub, mul, div, mod };

/// Operands of one level of precedence, from left to right.
struct Chain {
    std::unique_ptr<Expression> first;
    std::vector<Operand> rest;
};

struct Expression {
    std::variant<Literal, Interpolation, ListLiteral, MapLiteral, Range, Not, Chain, Reference>
        node;
    Position position;
};

struct Member {
    Expression key;
    Expression value;
};

struct Operand {
    Operator meaning = Operator::add;
    Expression expression;
};

struct Text {
    std::string text;
};

/// A reference in the text, with the backslashes in front of it.
struct Output {
    Reference reference;
    std::size_t backslashes = 0;
};

struct Set {
    Reference target;
    Expression value;
};

struct Branch {
    Expression condition;
    Block body;
};

struct If {
    std::vector<Branch> branches;
    Block otherwise;
};

struct ForEach {
    std::string variable;
    Expression sequence;
    Block body;
};

/// `#define($x) … #end`: rendered anew each time that $x is.
struct Define {
    std::string variable;
    std::shared_ptr<const Block> body;
};

struct Break {};

struct Stop {};

struct Statement {
    std::variant<Text, Output, Set, If, ForEach, Define, Break, Stop> node;
    Position position;
};

struct Program {
    Block body;
};

}  // namespace gatehouse::templates::ast
