#include "gatehouse/core/ascii.hpp"
#include "parser.hpp"

#include <charconv>
#include <cmath>

namespace gatehouse::templates {
namespace {

std::unique_ptr<ast::Expression> to_bound(ast::Expression expression) {
    return std::make_unique<ast::Expression>(std::move(expression));
}

// The unit behind `\u` at the start of the text: four digits, and no half of a surrogate pair.
std::optional<std::uint32_t> read_unit(std::string_view text) noexcept {
    if (text.size() < 6) return std::nullopt;
    std::uint32_t unit = 0;
    const std::string_view digits = text.substr(2, 4);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16).ptr !=
        digits.data() + digits.size()) {
        return std::nullopt;
    }
    if (unit >= 0xd800 && unit <= 0xdfff) return std::nullopt;
    return unit;
}

void append_utf8(std::uint32_t unit, std::string& out) {
    if (unit < 0x80) {
        out += static_cast<char>(unit);
    } else if (unit < 0x800) {
        out += static_cast<char>(0xc0 | (unit >> 6));
        out += static_cast<char>(0x80 | (unit & 0x3f));
    } else {
        out += static_cast<char>(0xe0 | (unit >> 12));
        out += static_cast<char>(0x80 | ((unit >> 6) & 0x3f));
        out += static_cast<char>(0x80 | (unit & 0x3f));
    }
}

// \uXXXX is the only escape in a string of Velocity 1.7.
std::string unescape_unicode(std::string_view text) {
    std::string out;
    for (std::size_t at = text.find("\\u"); at != std::string_view::npos; at = text.find("\\u")) {
        out += text.substr(0, at);
        text.remove_prefix(at);
        const auto unit = read_unit(text);
        if (unit) {
            append_utf8(*unit, out);
        } else {
            out += text.substr(0, 2);
        }
        text.remove_prefix(unit ? 6 : 2);
    }
    out += text;
    return out;
}

// The lexer takes the longest match: a quote behind a backslash closes the string only when no
// other quote does.
std::size_t find_closing_quote(std::string_view text) noexcept {
    std::size_t last = std::string_view::npos;
    for (std::size_t at = text.find('"'); at != std::string_view::npos;
         at = text.find('"', at + 1)) {
        last = at;
        if (at == 0 || text[at - 1] != '\\') return at;
    }
    return last;
}

}  // namespace

ast::Expression Parser::parse_string() {
    const char quote = cursor_.peek();
    const ast::Position opened = cursor_.position();
    cursor_.advance(1);
    const ast::Position position = cursor_.position();
    const std::string_view rest = cursor_.rest();
    const std::size_t end = quote == '"' ? find_closing_quote(rest) : rest.find(quote);
    if (end == std::string_view::npos) {
        refuse(opened, "a string has no closing quote");
        return {};
    }
    const std::string_view content = rest.substr(0, end);
    cursor_.advance(end + 1);
    if (quote == '\'') return {ast::Literal(std::string(content)), opened};
    const std::string text = unescape_unicode(content);
    if (text.find_first_of("$#") == std::string::npos) return {ast::Literal(text), opened};
    return parse_interpolation(text, position);
}

ast::Expression Parser::parse_interpolation(std::string_view content, ast::Position position) {
    Parser inner(content, position, depth_, true);
    Ending ending = Ending::text_end;
    ast::Block body = inner.parse_block(ending);
    if (ending != Ending::text_end) inner.refuse_here("#end or #else without an #if in its string");
    if (inner.failed_) {
        if (!failed_) why_ = inner.why_;
        failed_ = true;
    }
    if (body.size() == 1) {
        if (auto* text = std::get_if<ast::Text>(&body.front().node); text != nullptr)
            return {ast::Literal(std::move(text->text)), position};
    }
    return {ast::Interpolation{std::move(body)}, position};
}

// Integers end before `..`, so that [1..3] is a range.
ast::Expression Parser::parse_number() {
    const std::size_t begin = cursor_.offset();
    cursor_.take('-');
    while (is_digit(cursor_.peek()))
        cursor_.advance(1);
    bool fraction = false;
    if (cursor_.peek() == '.' && cursor_.peek(1) != '.') {
        fraction = true;
        cursor_.advance(1);
        while (is_digit(cursor_.peek()))
            cursor_.advance(1);
    }
    if (const char c = ascii_lower(cursor_.peek()); c == 'e') {
        const std::size_t sign = cursor_.peek(1) == '+' || cursor_.peek(1) == '-' ? 2 : 1;
        if (is_digit(cursor_.peek(sign))) {
            fraction = true;
            cursor_.advance(sign);
            while (is_digit(cursor_.peek()))
                cursor_.advance(1);
        }
    }
    const std::string_view text = cursor_.since(begin);
    std::int64_t integer = 0;
    double real = 0;
    if (!fraction) {
        if (const auto read = std::from_chars(text.data(), text.data() + text.size(), integer);
            read.ec == std::errc() && read.ptr == text.data() + text.size()) {
            return {ast::Literal(integer), {}};
        }
    } else if (const auto read = std::from_chars(text.data(), text.data() + text.size(), real);
               read.ec == std::errc() && read.ptr == text.data() + text.size() &&
               std::isfinite(real)) {
        return {ast::Literal(real), {}};
    }
    refuse_here("not a number of 64 bits: " + printable(text.empty() ? found_here() : text));
    return {};
}

ast::Expression Parser::parse_list() {
    cursor_.advance(1);
    cursor_.skip_space();
    ast::ListLiteral list;
    if (cursor_.take(']')) return {std::move(list), {}};
    list.elements.push_back(parse_parameter());
    if (cursor_.take("..")) {
        ast::Expression to = parse_parameter();
        if (!failed_ && !cursor_.take(']'))
            refuse_here("a range needs a ] here, found " + found_here());
        ast::Range range;
        range.from = to_bound(std::move(list.elements.front()));
        range.to = to_bound(std::move(to));
        return {std::move(range), {}};
    }
    while (!failed_ && cursor_.take(','))
        list.elements.push_back(parse_parameter());
    if (!failed_ && !cursor_.take(']'))
        refuse_here("a list needs , or ] here, found " + found_here());
    return {std::move(list), {}};
}

ast::Expression Parser::parse_map() {
    cursor_.advance(1);
    cursor_.skip_space();
    ast::MapLiteral map;
    if (cursor_.take('}')) return {std::move(map), {}};
    do {
        ast::Expression key = parse_parameter();
        if (!failed_ && !cursor_.take(':'))
            refuse_here("a map needs a : here, found " + found_here());
        map.members.push_back({std::move(key), parse_parameter()});
    } while (!failed_ && cursor_.take(','));
    if (!failed_ && !cursor_.take('}'))
        refuse_here("a map needs , or } here, found " + found_here());
    return {std::move(map), {}};
}

}  // namespace gatehouse::templates
