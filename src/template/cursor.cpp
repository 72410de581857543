#include "cursor.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::templates {
namespace {

bool is_identifier_char(char c) noexcept {
    return is_alpha(c) || is_digit(c) || c == '_' || c == '-';
}

bool starts_word(char c) noexcept {
    return is_alpha(c) || c == '_' || c == '@';
}

bool is_word_char(char c) noexcept {
    return starts_word(c) || is_digit(c);
}

std::size_t line_end(std::string_view text) noexcept {
    if (text.starts_with("\r\n")) return 2;
    return text.starts_with('\n') || text.starts_with('\r') ? 1 : 0;
}

}  // namespace

bool starts_identifier(char c) noexcept {
    return is_alpha(c) || c == '_';
}

void Cursor::advance(std::size_t count) noexcept {
    at_ = std::min(at_ + count, text_.size());
}

bool Cursor::take(char c) noexcept {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
}

bool Cursor::take(std::string_view word) noexcept {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
}

void Cursor::skip_space() noexcept {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
}

void Cursor::skip_rest_of_line() noexcept {
    const std::size_t end = std::min(text_.find_first_not_of(" \t", at_), text_.size());
    if (const std::size_t length = line_end(text_.substr(end)); length > 0) at_ = end + length;
}

std::string_view Cursor::take_identifier() noexcept {
    const std::size_t begin = at_;
    if (!starts_identifier(peek())) return {};
    while (!at_end() && is_identifier_char(peek()))
        ++at_;
    return since(begin);
}

std::string_view Cursor::take_directive_word() noexcept {
    const std::size_t begin = at_;
    const bool braces = take('{');
    const std::size_t word = at_;
    if (!starts_word(peek())) {
        at_ = begin;
        return {};
    }
    while (!at_end() && is_word_char(peek()))
        ++at_;
    const std::string_view found = since(word);
    if (braces && !take('}')) {
        at_ = begin;
        return {};
    }
    return found;
}

ast::Position Cursor::position() noexcept {
    if (at_ < known_at_) {
        known_ = start_;
        known_at_ = 0;
    }
    for (; known_at_ < at_; ++known_at_) {
        if (text_[known_at_] == '\n') {
            ++known_.line;
            known_.column = 1;
        } else {
            ++known_.column;
        }
    }
    return known_;
}

}  // namespace gatehouse::templates
