#pragma once

#include "ast.hpp"
#include "cursor.hpp"
#include "gatehouse/core/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::templates {

/// Reads one text: a template, or the inside of a string literal. Follows the grammar of Velocity
/// 1.7 (src/parser/Parser.jjt of its source), where the lexer's states decide what a character
/// means; refuses the rest. The first fault wins; after it every function returns quickly and its
/// result means nothing.
class Parser {
  public:
    explicit Parser(std::string_view text) : Parser(text, {}, 0, false) {}

    Result<ast::Block> parse();

  private:
    enum class Ending { text_end, end, otherwise, else_if };

    Parser(std::string_view text, ast::Position start, int depth, bool in_string)
        : cursor_(text, start), depth_(depth), in_string_(in_string) {}

    // parse_block.cpp: text, escapes, which directive
    ast::Block parse_block(Ending& ending);
    bool parse_hash(ast::Block& block, Ending& ending);
    bool parse_word(std::string_view word,
                    std::string_view written,
                    ast::Position position,
                    ast::Block& block,
                    Ending& ending);
    void parse_backslashes(ast::Block& block);
    void parse_dollar(std::size_t backslashes, ast::Block& block);
    void add_text(ast::Block& block, std::string_view text);
    void add(ast::Block& block, ast::Position position, decltype(ast::Statement::node) node);

    // parse_directive.cpp: those with something in brackets
    bool open_directive(std::string_view directive);
    bool close_directive(std::string_view directive);
    bool parse_set(ast::Block& block);
    void parse_if(ast::Block& block);
    void parse_foreach(ast::Block& block);
    void parse_define(ast::Block& block);
    ast::Expression parse_condition();
    ast::Block parse_nested(std::string_view directive, ast::Position opened, Ending& ending);
    std::string parse_variable(std::string_view directive);

    // parse_reference.cpp
    bool at_reference() const noexcept;
    ast::Reference parse_reference();
    void parse_accesses(ast::Reference& reference);
    void parse_arguments(std::vector<ast::Expression>& arguments);

    // parse_expression.cpp
    ast::Expression parse_expression() { return parse_level(0); }

    ast::Expression parse_level(int level);
    std::optional<ast::Operator> take_operator(int level);
    ast::Expression parse_unary();
    ast::Expression parse_primary();
    ast::Expression parse_parameter();
    ast::Expression parse_index();

    // parse_literal.cpp
    ast::Expression parse_string();
    ast::Expression parse_number();
    ast::Expression parse_list();
    ast::Expression parse_map();
    ast::Expression parse_interpolation(std::string_view content, ast::Position position);

    bool enter();

    void leave() noexcept { --depth_; }

    std::string found_here() const;
    void refuse(ast::Position position, std::string_view why);

    void refuse_here(std::string_view why) { refuse(cursor_.position(), why); }

    Cursor cursor_;
    int depth_;
    int loops_ = 0;  // #foreach blocks around, for #break
    bool in_string_;
    bool failed_ = false;
    std::string why_;
};

/// `line 3, column 5: why`.
std::string at_position(ast::Position position, std::string_view why);

}  // namespace gatehouse::templates
