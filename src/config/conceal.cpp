#include "conceal.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kLong = 8;
constexpr std::string_view kCut = "…";     // how printable() ends what it shortens,
constexpr std::size_t kShortestCut = 100;  // and what it leaves at least

bool is_word(char c) {
    return is_alpha(c) || is_digit(c) || c == '_';
}

std::size_t common_length(std::string_view a, std::string_view b) {
    const auto end = std::ranges::mismatch(a, b).in1;
    return static_cast<std::size_t>(end - a.begin());
}

// How much of `message` at `at` shows `value`, which may be cut; 0: nothing.
std::size_t shown_length(std::string_view message, std::size_t at, std::string_view value) {
    const std::size_t length = common_length(message.substr(at), value);
    const std::string_view rest = message.substr(at + length);
    if (length < value.size()) return length >= kShortestCut && rest.starts_with(kCut) ? length : 0;
    // What a number key got is shown: it is in no quotes. What is long is hidden wherever it
    // stands; a short value must stand alone, or it would be found in words of the message itself.
    if (std::ranges::all_of(value, is_digit)) {
        const bool quoted = at > 0 && message[at - 1] == '"' && rest.starts_with('"');
        return quoted ? length : 0;
    }
    if (length >= kLong) return length;
    const bool begins = at == 0 || !is_word(message[at - 1]) || !is_word(value.front());
    const bool ends = rest.empty() || !is_word(rest.front()) || !is_word(value.back());
    return begins && ends ? length : 0;
}

}  // namespace

std::string conceal(std::string_view message, std::span<const Expanded> values) {
    std::string text;
    for (std::size_t at = 0; at < message.size();) {
        std::size_t longest = 0;
        std::string_view name;
        for (const Expanded& value : values) {
            if (value.value.size() < kShortest) continue;
            // Messages quote with printable(), or show a number as it is.
            const std::string escaped = printable(value.value, value.value.size());
            const std::size_t length = shown_length(message, at, escaped);
            if (length <= longest) continue;
            longest = length;
            name = value.name;
        }
        if (longest == 0) {
            text += message[at++];
        } else {
            text.append("${").append(name).append("}");
            at += longest;
        }
    }
    return text;
}

}  // namespace gatehouse::config
