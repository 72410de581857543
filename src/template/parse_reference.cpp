#include "check.hpp"
#include "gatehouse/core/ascii.hpp"
#include "parser.hpp"

namespace gatehouse::templates {
namespace {

ast::Root root_of(std::string_view name) noexcept {
    if (name == "input") return ast::Root::input;
    if (name == "util") return ast::Root::util;
    if (name == "context") return ast::Root::context;
    if (name == "stageVariables") return ast::Root::stage_variables;
    if (name == "foreach") return ast::Root::foreach_scope;
    return ast::Root::variable;
}

}  // namespace

// `$x`, `$!x`, `${x}`, `$!{x}`: anything else behind a `$` makes it text.
bool Parser::at_reference() const noexcept {
    if (cursor_.peek() != '$') return false;
    std::size_t at = 1;
    if (cursor_.peek(at) == '!') ++at;
    if (cursor_.peek(at) == '{') ++at;
    return starts_identifier(cursor_.peek(at));
}

ast::Reference Parser::parse_reference() {
    ast::Reference reference;
    reference.position = cursor_.position();
    const std::size_t begin = cursor_.offset();
    cursor_.take('$');
    reference.quiet = cursor_.take('!');
    const bool formal = cursor_.take('{');
    reference.name = cursor_.take_identifier();
    reference.root = root_of(reference.name);
    parse_accesses(reference);
    if (formal && !failed_ && !cursor_.take('}')) {
        refuse_here(cursor_.peek() == '|'
                        ? "an alternate value (${x|'y'}) is not supported"
                        : "${" + reference.name + " needs a } here, found " + found_here());
    }
    reference.literal = cursor_.since(begin);
    if (!failed_) {
        if (const std::string why = check_reference(reference); !why.empty())
            refuse(reference.position, why);
    }
    return reference;
}

void Parser::parse_accesses(ast::Reference& reference) {
    while (!failed_) {
        ast::Access access;
        access.position = cursor_.position();
        if (cursor_.peek() == '[') {
            cursor_.advance(1);
            access.kind = ast::Access::Kind::index;
            access.arguments.push_back(parse_index());
            if (!failed_ && !cursor_.take(']'))
                refuse_here("an index needs a ] here, found " + found_here());
        } else if (cursor_.peek() == '.' && is_alpha(cursor_.peek(1))) {
            cursor_.advance(1);
            access.name = cursor_.take_identifier();
            if (cursor_.take('(')) {
                access.kind = ast::Access::Kind::method;
                parse_arguments(access.arguments);
            }
        } else {
            return;
        }
        reference.accesses.push_back(std::move(access));
    }
}

void Parser::parse_arguments(std::vector<ast::Expression>& arguments) {
    if (!enter()) return;
    cursor_.skip_space();
    if (!cursor_.take(')')) {
        do {
            arguments.push_back(parse_parameter());
        } while (!failed_ && cursor_.take(','));
        if (!failed_ && !cursor_.take(')')) {
            refuse_here("an argument is a value or a $reference: expected , or ), found " +
                        found_here());
        }
    }
    leave();
}

}  // namespace gatehouse::templates
