#pragma once

#include <cstddef>
#include <string_view>

namespace gatehouse::config {

/// Cuts JSON with comments into tokens. Tolerant: an unquoted word is one `word`, a stray byte too,
/// and an unfinished string or comment ends with the text (a string also at the end of its line).
class Scanner {
  public:
    enum class Kind { open, close, colon, comma, string, word, end };

    struct Token {
        Kind kind = Kind::end;
        std::string_view text;  ///< a string with its quotes
        std::size_t end = 0;    ///< offset behind it
        int line = 1;
        int column = 1;
        bool closed = true;  ///< false: a string without its closing quote
    };

    explicit Scanner(std::string_view text) : text_(text) {}

    Token next();

  private:
    void skip_space();
    void skip_comment();
    void step();
    Token take(Kind kind, std::size_t length);
    Token take_string();
    Token take_word();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_begin_ = 0;
    int line_ = 1;
};

}  // namespace gatehouse::config
