#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "parser.hpp"

#include <algorithm>
#include <span>

namespace gatehouse::templates {
namespace {

constexpr std::string_view kDirectives[] = {
    "if", "elseif", "else", "end", "set", "foreach", "define", "break", "stop"};

// Velocity has them, the service's documents do not, and each reaches beyond one template.
constexpr std::string_view kRefused[] = {"macro", "parse", "include", "evaluate", "literal"};

bool is_among(std::string_view word, std::span<const std::string_view> words) noexcept {
    return std::ranges::find(words, word) != words.end();
}

bool begins_parenthesis(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return text.starts_with('(');
}

std::string quoted(std::string_view directive, std::string_view rest) {
    return "#" + printable(directive) + std::string(rest);
}

}  // namespace

std::string at_position(ast::Position position, std::string_view why) {
    return "line " + std::to_string(position.line) + ", column " + std::to_string(position.column) +
           ": " + std::string(why);
}

Result<ast::Block> Parser::parse() {
    Ending ending = Ending::text_end;
    ast::Block block = parse_block(ending);
    if (!failed_ && ending != Ending::text_end)
        refuse_here("#end, #else or #elseif without an #if, #foreach or #define before it");
    if (failed_) return fail(Errc::config_invalid, why_);
    return block;
}

void Parser::refuse(ast::Position position, std::string_view why) {
    if (failed_) return;
    failed_ = true;
    why_ = at_position(position, why);
}

bool Parser::enter() {
    if (++depth_ > limits::kTemplateDepth)
        refuse_here("nested more than " + std::to_string(limits::kTemplateDepth) + " deep");
    return !failed_;
}

void Parser::add(ast::Block& block, ast::Position position, decltype(ast::Statement::node) node) {
    block.push_back({std::move(node), position});
}

void Parser::add_text(ast::Block& block, std::string_view text) {
    if (text.empty()) return;
    if (!block.empty()) {
        if (auto* last = std::get_if<ast::Text>(&block.back().node); last != nullptr) {
            last->text += text;
            return;
        }
    }
    block.push_back({ast::Text{std::string(text)}, {}});
}

ast::Block Parser::parse_block(Ending& ending) {
    ast::Block block;
    ending = Ending::text_end;
    while (!failed_ && !cursor_.at_end()) {
        if (parse_set(block)) continue;
        const char c = cursor_.peek();
        if (c == '#') {
            if (parse_hash(block, ending)) return block;
        } else if (c == '\\') {
            parse_backslashes(block);
        } else if (c == '$') {
            parse_dollar(0, block);
        } else {
            const std::string_view rest = cursor_.rest();
            const std::size_t end = std::min(rest.find_first_of("$#\\"), rest.size());
            add_text(block, rest.substr(0, end));
            cursor_.advance(end);
        }
    }
    return block;
}

void Parser::parse_dollar(std::size_t backslashes, ast::Block& block) {
    if (!at_reference()) {
        cursor_.advance(1);
        add_text(block, std::string(backslashes, '\\') + "$");
        return;
    }
    const ast::Position position = cursor_.position();
    add(block, position, ast::Output{parse_reference(), backslashes});
}

// `\$x` prints `$x` when x is defined, which only rendering knows. `\#if` prints `#if`, here and
// now. An even number escapes itself. Before anything else backslashes are text.
void Parser::parse_backslashes(ast::Block& block) {
    const std::string_view rest = cursor_.rest();
    const std::size_t count = std::min(rest.find_first_not_of('\\'), rest.size());
    cursor_.advance(count);
    if (cursor_.peek() == '$') return parse_dollar(count, block);
    const std::size_t hash = cursor_.offset();
    if (cursor_.take('#')) {
        const bool directive = is_among(cursor_.take_directive_word(), kDirectives);
        const std::string_view word = cursor_.since(hash);
        if (directive) add_text(block, rest.substr(0, count / 2));
        if (directive && count % 2 != 0) return add_text(block, word);
        cursor_.seek(hash);
        if (directive) return;
    }
    add_text(block, rest.substr(0, count));
}

// True when the block ends here.
bool Parser::parse_hash(ast::Block& block, Ending& ending) {
    const ast::Position position = cursor_.position();
    const std::string_view rest = cursor_.rest();
    if (rest.starts_with("##")) {
        cursor_.advance(std::min(rest.find_first_of("\r\n"), rest.size()));
        cursor_.skip_rest_of_line();
        return false;
    }
    if (rest.starts_with("#*") || rest.starts_with("#[[")) {
        const bool comment = rest[1] == '*';
        const std::size_t end = rest.find(comment ? "*#" : "]]#", comment ? 2 : 3);
        if (end == std::string_view::npos) {
            refuse(position, comment ? "#* has no *#" : "#[[ has no ]]#");
            return false;
        }
        if (!comment) add_text(block, rest.substr(3, end - 3));
        cursor_.advance(end + (comment ? 2 : 3));
        return false;
    }
    const std::size_t begin = cursor_.offset();
    cursor_.advance(1);
    const std::string_view word = cursor_.take_directive_word();
    if (word.empty()) {
        add_text(block, "#");
        return false;
    }
    return parse_word(word, cursor_.since(begin), position, block, ending);
}

bool Parser::parse_word(std::string_view word,
                        std::string_view written,
                        ast::Position position,
                        ast::Block& block,
                        Ending& ending) {
    if (word == "end" || word == "else") {
        cursor_.skip_rest_of_line();
        ending = word == "end" ? Ending::end : Ending::otherwise;
        return true;
    }
    if (word == "elseif") {
        ending = Ending::else_if;
        return true;
    }
    if (word == "if") {
        parse_if(block);
    } else if (word == "foreach") {
        parse_foreach(block);
    } else if (word == "define") {
        parse_define(block);
    } else if (word == "stop" || word == "break") {
        if (in_string_) refuse(position, quoted(word, " is not supported in a string"));
        if (begins_parenthesis(cursor_.rest()))
            refuse(position, quoted(word, " with an argument is not supported"));
        if (word == "stop") {
            add(block, position, ast::Stop{});
        } else if (loops_ == 0) {
            refuse(position, "#break outside a #foreach is not supported");
        } else {
            add(block, position, ast::Break{});
        }
    } else if (word == "set") {
        refuse(position, "#set needs ( … ) behind it");
    } else if (is_among(word, kRefused) || word.starts_with('@')) {
        refuse(position, quoted(word, " is not supported"));
    } else if (begins_parenthesis(cursor_.rest())) {
        refuse(position, quoted(word, "(…) is no directive, and macros are not supported"));
    } else {
        add_text(block, written);
    }
    return false;
}

}  // namespace gatehouse::templates
