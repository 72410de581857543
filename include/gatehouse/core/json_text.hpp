#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Writing JSON by hand, for texts that are made per request: no tree, one string.
namespace gatehouse {

enum class JsonCharset : std::uint8_t {
    utf8,   ///< well-formed UTF-8 stays as it is
    ascii,  ///< everything beyond ASCII as \uXXXX: fit for a header value
};

/// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD, one for
/// each byte; controls and DEL become \uXXXX.
void append_json_string(std::string_view text,
                        std::string& out,
                        JsonCharset charset = JsonCharset::utf8);

/// The text as append_json_string shows it: for names that must differ in JSON too.
std::string make_utf8(std::string_view text);

/// Writes the members of one JSON object. Keys are the caller's constants, and plain, unless said
/// otherwise.
class JsonMembers {
  public:
    explicit JsonMembers(std::string& out) : out_(out) { out_ += '{'; }

    /// Starts a member whose value the caller writes.
    std::string& name(std::string_view key) {
        part();
        out_ += '"';
        out_ += key;
        out_ += "\":";
        return out_;
    }

    /// The same for a key that comes from outside.
    std::string& quoted_name(std::string_view key, JsonCharset charset = JsonCharset::utf8) {
        part();
        append_json_string(key, out_, charset);
        out_ += ':';
        return out_;
    }

    void text(std::string_view key, std::string_view value) {
        append_json_string(value, name(key));
    }

    /// A value that is JSON already.
    void raw(std::string_view key, std::string_view json) { name(key) += json; }

    template <std::integral Number>
    void number(std::string_view key, Number value) {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value);
        name(key).append(digits, static_cast<std::size_t>(end.ptr - digits));
    }

    void end() { out_ += '}'; }

  private:
    void part() {
        if (!first_) out_ += ',';
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;
};

}  // namespace gatehouse
