#pragma once

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace gatehouse::forward {

/// Appends "name: value\r\n". One growth of the string instead of four: this runs for every field
/// of every request.
inline void add_line(std::string& out, std::string_view name, std::string_view value) {
    const std::size_t start = out.size();
    out.resize(start + name.size() + value.size() + 4);
    char* to = out.data() + start;
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    *to++ = ':';
    *to++ = ' ';
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    to += value.size();
    *to++ = '\r';
    *to = '\n';
}

/// Writes behind the end of a string, which is grown once, for all that may come, and ends where
/// the writing ended when this goes. A head has dozens of pieces: to append each would be half the
/// work of writing it.
class TailWriter {
  public:
    /// @param room  bytes that will do, as a rule: more are found
    TailWriter(std::string& out, std::size_t room) : out_(out), at_(out.size()) {
        out_.resize(at_ + room);
    }

    ~TailWriter() { out_.resize(at_); }

    TailWriter(const TailWriter&) = delete;
    TailWriter& operator=(const TailWriter&) = delete;

    void add(std::string_view text) {
        char* to = make_room(text.size());
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
        at_ += text.size();
    }

    template <std::size_t N>
    void add(const char (&text)[N]) {
        std::memcpy(make_room(N - 1), text, N - 1);
        at_ += N - 1;
    }

    /// "text\r\n"
    void add_ended(std::string_view text) {
        char* to = make_room(text.size() + 2);
        std::memcpy(to, text.data(), text.size());
        to += text.size();
        *to++ = '\r';
        *to = '\n';
        at_ += text.size() + 2;
    }

    /// "name: value\r\n"
    void add_line(std::string_view name, std::string_view value) {
        char* to = make_room(name.size() + value.size() + 4);
        std::memcpy(to, name.data(), name.size());
        to += name.size();
        *to++ = ':';
        *to++ = ' ';
        if (!value.empty()) std::memcpy(to, value.data(), value.size());
        to += value.size();
        *to++ = '\r';
        *to = '\n';
        at_ += name.size() + value.size() + 4;
    }

    /// The same for a name that is known here, whose copy costs no call.
    template <std::size_t N>
    void add_line(const char (&name)[N], std::string_view value) {
        char* to = make_room(N + value.size() + 3);
        std::memcpy(to, name, N - 1);
        to += N - 1;
        *to++ = ':';
        *to++ = ' ';
        if (!value.empty()) std::memcpy(to, value.data(), value.size());
        to += value.size();
        *to++ = '\r';
        *to = '\n';
        at_ += N + value.size() + 3;
    }

    template <std::integral Number>
    void add_number(Number value) {
        constexpr std::size_t kMost = 24;
        char* to = make_room(kMost);
        at_ += static_cast<std::size_t>(std::to_chars(to, to + kMost, value).ptr - to);
    }

  private:
    char* make_room(std::size_t bytes) {
        if (out_.size() - at_ < bytes) out_.resize(2 * (at_ + bytes));
        return out_.data() + at_;
    }

    std::string& out_;
    std::size_t at_;
};

/// Writes fields of a head that was read, "name: value\r\n" each. Those that stand in it as they
/// are to be written, one behind the other, go by one copy.
class FieldLines {
  public:
    explicit FieldLines(TailWriter& out) noexcept : out_(out) {}

    void add(const http::Field& field) {
        const char* begin = field.name.data();
        const char* colon = begin + field.name.size();
        if (field.value.data() != colon + 2 || colon[0] != ':' || colon[1] != ' ') {
            flush();
            out_.add_line(field.name, field.value);
            return;
        }
        if (begin_ == nullptr || begin != end_ + 2 || end_[0] != '\r' || end_[1] != '\n') {
            flush();
            begin_ = begin;
        }
        end_ = field.value.data() + field.value.size();
    }

    /// Before anything else is written.
    void flush() {
        if (begin_ == nullptr) return;
        out_.add_ended({begin_, static_cast<std::size_t>(end_ - begin_)});
        begin_ = nullptr;
    }

  private:
    TailWriter& out_;
    const char* begin_ = nullptr;  // of lines that are not written yet
    const char* end_ = nullptr;    // of their last value
};

/// Room for the lines of all fields, and for some of our own.
inline std::size_t room_for(std::span<const http::Field> fields) noexcept {
    std::size_t room = 512;
    for (const http::Field& field : fields)
        room += field.name.size() + field.value.size() + 4;
    return room;
}

template <std::integral Number>
void add_number(std::string& out, Number value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

inline bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), is_control);
}

/// `c` as fold_name has it: lower case, `-` for `_`.
constexpr char fold(char c) noexcept {
    return c == '_' ? '-' : ascii_lower(c);
}

inline std::string fold_name(std::string_view name) {
    std::string folded(name);
    for (char& c : folded)
        c = fold(c);
    return folded;
}

/// True when `name`, folded, begins with `prefix`, which is folded already.
inline bool starts_with_folded(std::string_view name, std::string_view prefix) noexcept {
    if (name.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (fold(name[i]) != prefix[i]) return false;
    }
    return true;
}

/// Percent-encodes, in place, what follows `start`: every byte but unreserved ones (RFC 3986 2.3),
/// so that the text can be nothing but data wherever it stands in a path or query.
void encode_from(std::string& out, std::size_t start);

/// The same for text that is percent-encoded already: its escapes stay.
void encode_rest_from(std::string& out, std::size_t start);

}  // namespace gatehouse::forward
