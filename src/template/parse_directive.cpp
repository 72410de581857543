#include "check.hpp"
#include "gatehouse/core/ascii.hpp"
#include "parser.hpp"

namespace gatehouse::templates {
namespace {

std::string about(std::string_view directive, std::string_view what) {
    return "#" + std::string(directive) + " " + std::string(what);
}

// `#set` ahead, blanks in front of it included: the only directive that eats what stands before it.
std::size_t set_length(std::string_view text) noexcept {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    const std::string_view rest = text.substr(begin);
    std::size_t length = 0;
    if (rest.starts_with("#set")) length = 4;
    if (rest.starts_with("#{set}")) length = 6;
    if (length == 0) return 0;
    const std::size_t open = rest.find_first_not_of(' ', length);
    return open != std::string_view::npos && rest[open] == '(' ? begin + open : 0;
}

}  // namespace

bool Parser::open_directive(std::string_view directive) {
    cursor_.skip_space();
    if (!cursor_.take('(')) refuse_here(about(directive, "needs ( … ) behind it"));
    return !failed_;
}

bool Parser::close_directive(std::string_view directive) {
    cursor_.skip_space();
    if (!failed_ && !cursor_.take(')'))
        refuse_here(about(directive, "needs a ) here, found " + found_here()));
    cursor_.skip_rest_of_line();
    return !failed_;
}

std::string Parser::found_here() const {
    if (cursor_.at_end()) return "the end";
    return "'" + printable(cursor_.rest().substr(0, 12)) + "'";
}

bool Parser::parse_set(ast::Block& block) {
    const std::size_t length = set_length(cursor_.rest());
    if (length == 0) return false;
    cursor_.advance(length);
    const ast::Position position = cursor_.position();
    if (!open_directive("set")) return true;
    cursor_.skip_space();
    if (!at_reference()) {
        refuse_here("#set needs a $reference, found " + found_here());
        return true;
    }
    ast::Reference target = parse_reference();
    if (const std::string why = check_target(target); !why.empty()) refuse(target.position, why);
    cursor_.skip_space();
    if (!cursor_.take('=') || cursor_.peek() == '=')
        refuse_here("#set needs a = here, found " + found_here());
    ast::Expression value = parse_expression();
    close_directive("set");
    add(block, position, ast::Set{std::move(target), std::move(value)});
    return true;
}

ast::Expression Parser::parse_condition() {
    if (!open_directive("if")) return {};
    ast::Expression condition = parse_expression();
    if (!failed_) {
        if (const std::string why = check_condition(condition); !why.empty())
            refuse(condition.position, why);
    }
    close_directive("if");
    return condition;
}

ast::Block Parser::parse_nested(std::string_view directive, ast::Position opened, Ending& ending) {
    if (!enter()) return {};
    ast::Block block = parse_block(ending);
    leave();
    if (ending == Ending::text_end) refuse(opened, about(directive, "has no #end"));
    return block;
}

void Parser::parse_if(ast::Block& block) {
    const ast::Position position = cursor_.position();
    ast::If made;
    Ending ending = Ending::else_if;
    while (!failed_ && ending == Ending::else_if) {
        ast::Expression condition = parse_condition();
        ast::Block body = parse_nested("if", position, ending);
        made.branches.push_back({std::move(condition), std::move(body)});
    }
    if (ending == Ending::otherwise) {
        made.otherwise = parse_nested("if", position, ending);
        if (ending != Ending::end) refuse_here("#else or #elseif behind an #else");
    }
    add(block, position, std::move(made));
}

std::string Parser::parse_variable(std::string_view directive) {
    cursor_.skip_space();
    if (!at_reference()) {
        refuse_here(about(directive, "needs a $variable, found " + found_here()));
        return {};
    }
    ast::Reference variable = parse_reference();
    if (!variable.accesses.empty() || is_reserved(variable.name))
        refuse(variable.position, about(directive, "cannot write to " + variable.literal));
    return variable.name;
}

void Parser::parse_foreach(ast::Block& block) {
    const ast::Position position = cursor_.position();
    if (!open_directive("foreach")) return;
    ast::ForEach made;
    made.variable = parse_variable("foreach");
    cursor_.skip_space();
    if (!failed_ && !cursor_.take("in"))
        refuse_here("#foreach needs the word in here, found " + found_here());
    made.sequence = parse_parameter();
    close_directive("foreach");
    ++loops_;
    Ending ending = Ending::end;
    made.body = parse_nested("foreach", position, ending);
    --loops_;
    if (ending != Ending::end) refuse_here("#foreach has no #else");
    add(block, position, std::move(made));
}

void Parser::parse_define(ast::Block& block) {
    const ast::Position position = cursor_.position();
    if (!open_directive("define")) return;
    ast::Define made;
    made.variable = parse_variable("define");
    close_directive("define");
    const int loops = loops_;
    loops_ = 0;  // it runs where it is used: there is no loop to break
    Ending ending = Ending::end;
    made.body = std::make_shared<const ast::Block>(parse_nested("define", position, ending));
    loops_ = loops;
    if (ending != Ending::end) refuse_here("#define has no #else");
    add(block, position, std::move(made));
}

}  // namespace gatehouse::templates
