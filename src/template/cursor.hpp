#pragma once

#include "ast.hpp"

#include <cstddef>
#include <string_view>

namespace gatehouse::templates {

/// A place in the text with the few looks ahead that Velocity's grammar needs. Never reads past the
/// end: there it sees NUL, which no rule begins with.
class Cursor {
  public:
    Cursor(std::string_view text, ast::Position start)
        : text_(text), start_(start), known_(start) {}

    bool at_end() const noexcept { return at_ >= text_.size(); }

    std::size_t offset() const noexcept { return at_; }

    char peek(std::size_t ahead = 0) const noexcept {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    std::string_view rest() const noexcept { return text_.substr(at_); }

    std::string_view since(std::size_t begin) const noexcept {
        return text_.substr(begin, at_ - begin);
    }

    void advance(std::size_t count) noexcept;

    void seek(std::size_t offset) noexcept { at_ = offset; }

    bool take(char c) noexcept;
    bool take(std::string_view word) noexcept;

    /// Blanks and line ends, which mean nothing between brackets.
    void skip_space() noexcept;

    /// What a directive eats behind itself: blanks up to and with the line's end, or nothing when
    /// the line goes on.
    void skip_rest_of_line() noexcept;

    /// `$identifier`: letters, digits, `_` and `-`. Empty when there is none.
    std::string_view take_identifier() noexcept;

    /// The word of a directive without its braces: `end` of `end` and of `{end}`. Empty when there
    /// is none, and then nothing is taken.
    std::string_view take_directive_word() noexcept;

    /// Line and column of the place. Cheap when asked from front to back.
    ast::Position position() noexcept;

  private:
    std::string_view text_;
    std::size_t at_ = 0;
    ast::Position start_;
    ast::Position known_;  // of known_at_
    std::size_t known_at_ = 0;
};

bool starts_identifier(char c) noexcept;

}  // namespace gatehouse::templates
