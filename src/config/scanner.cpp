#include "scanner.hpp"

namespace gatehouse::config {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool ends_word(char c) {
    return is_space(c) || std::string_view("{}[]:,\"/").find(c) != std::string_view::npos;
}

}  // namespace

Scanner::Token Scanner::next() {
    skip_space();
    if (at_ >= text_.size()) return take(Kind::end, 0);
    switch (text_[at_]) {
        case '{':
        case '[':
            return take(Kind::open, 1);
        case '}':
        case ']':
            return take(Kind::close, 1);
        case ':':
            return take(Kind::colon, 1);
        case ',':
            return take(Kind::comma, 1);
        case '"':
            return take_string();
        default:
            return take_word();
    }
}

void Scanner::skip_space() {
    while (at_ < text_.size()) {
        if (is_space(text_[at_])) {
            step();
        } else if (text_[at_] == '/' && at_ + 1 < text_.size() &&
                   (text_[at_ + 1] == '/' || text_[at_ + 1] == '*')) {
            skip_comment();
        } else {
            return;
        }
    }
}

void Scanner::skip_comment() {
    const bool block = text_[at_ + 1] == '*';
    at_ += 2;
    while (at_ < text_.size()) {
        if (!block && text_[at_] == '\n') return;
        if (block && text_.substr(at_, 2) == "*/") {
            at_ += 2;
            return;
        }
        step();
    }
}

void Scanner::step() {
    if (text_[at_] == '\n') {
        ++line_;
        line_begin_ = at_ + 1;
    }
    ++at_;
}

Scanner::Token Scanner::take(Kind kind, std::size_t length) {
    Token token;
    token.kind = kind;
    token.text = text_.substr(at_, length);
    token.line = line_;
    token.column = static_cast<int>(at_ - line_begin_) + 1;
    at_ += length;
    token.end = at_;
    return token;
}

Scanner::Token Scanner::take_string() {
    std::size_t length = 1;
    bool closed = false;
    while (at_ + length < text_.size() && !closed) {
        const char c = text_[at_ + length];
        if (c == '\n') break;
        const bool escaped =
            c == '\\' && at_ + length + 1 < text_.size() && text_[at_ + length + 1] != '\n';
        length += escaped ? 2 : 1;
        closed = c == '"';
    }
    Token token = take(Kind::string, length);
    token.closed = closed;
    return token;
}

Scanner::Token Scanner::take_word() {
    std::size_t length = 1;  // at least one byte, so that the scan always advances
    while (at_ + length < text_.size() && !ends_word(text_[at_ + length]))
        ++length;
    return take(Kind::word, length);
}

}  // namespace gatehouse::config
