#include "gatehouse/policy/wildcard.hpp"

#include "gatehouse/core/ascii.hpp"
#include "heap.hpp"

#include <algorithm>

namespace gatehouse::policy {
namespace {

// Patterns are UTF-8, in which these two bytes never occur: one byte per element of the pattern.
constexpr unsigned char kAnyRun = 0xff;
constexpr unsigned char kAnyOne = 0xfe;

bool is_special(unsigned char element) noexcept {
    return element >= kAnyOne;
}

// The plain character that "${c}" at the start of `text` stands for, 0 when it is another "${".
char special_character(std::string_view text) noexcept {
    if (text.size() < 4 || text[3] != '}') return 0;
    return text[2] == '*' || text[2] == '?' || text[2] == '$' ? text[2] : '\0';
}

Error refuse_variable(std::size_t at) {
    return fail(Errc::policy_invalid,
                "policy variables are not supported, only ${*}, ${?} and ${$} (at byte " +
                    std::to_string(at) + ")");
}

// How many bytes the character at `at` has; 1 for a byte that begins no UTF-8 sequence, so that
// header values of any bytes can be matched.
std::size_t character_bytes(std::string_view text, std::size_t at) noexcept {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) return 1;
    const std::size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const std::string_view sequence = text.substr(at, bytes);
    return sequence.size() == bytes && is_utf8(sequence) ? bytes : 1;
}

// Greedy: after a mismatch only the last `*` takes one character more. An earlier one never needs
// to be tried again, since whatever it could take the last one can take too. So time is bounded by
// pattern times text, and there is nothing to remember.
bool match_elements(const std::vector<unsigned char>& rest, std::string_view text) noexcept {
    constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t element = 0;
    std::size_t at = 0;
    std::size_t after_run = kNone;
    std::size_t retry = 0;
    while (at < text.size()) {
        if (element < rest.size() && rest[element] == kAnyRun) {
            after_run = ++element;
            if (after_run == rest.size()) return true;
            retry = at;
        } else if (element < rest.size() && rest[element] == kAnyOne) {
            ++element;
            at += character_bytes(text, at);
        } else if (element < rest.size() && rest[element] == static_cast<unsigned char>(text[at])) {
            ++element;
            ++at;
        } else if (after_run != kNone) {
            retry += character_bytes(text, retry);
            at = retry;
            element = after_run;
        } else {
            return false;
        }
    }
    while (element < rest.size() && rest[element] == kAnyRun)
        ++element;
    return element == rest.size();
}

}  // namespace

Result<Wildcard> Wildcard::make(std::string_view pattern) {
    if (!is_utf8(pattern)) return fail(Errc::policy_invalid, "pattern is not UTF-8");
    Wildcard made;
    made.pattern_ = pattern;
    std::vector<unsigned char> elements;
    elements.reserve(pattern.size());
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '*') {
            // A run of stars is one star.
            if (elements.empty() || elements.back() != kAnyRun) elements.push_back(kAnyRun);
        } else if (c == '?') {
            elements.push_back(kAnyOne);
        } else if (pattern.substr(i).starts_with("${")) {
            const char plain = special_character(pattern.substr(i));
            if (plain == 0) return refuse_variable(i);
            elements.push_back(static_cast<unsigned char>(plain));
            i += 3;
        } else {
            elements.push_back(static_cast<unsigned char>(c));
        }
    }
    const auto first = std::find_if(elements.begin(), elements.end(), is_special);
    made.literal_.assign(elements.begin(), first);
    made.rest_.assign(first, elements.end());
    made.exact_ = made.rest_.empty();
    made.prefix_star_ = made.rest_.size() == 1 && made.rest_.front() == kAnyRun;
    return made;
}

bool Wildcard::matches(std::string_view text) const noexcept {
    if (exact_) return text == literal_;
    if (!text.starts_with(literal_)) return false;
    return prefix_star_ || match_elements(rest_, text.substr(literal_.size()));
}

std::size_t Wildcard::heap_bytes() const noexcept {
    return heap_of(pattern_) + heap_of(literal_) + rest_.capacity();
}

std::string escape_wildcard(std::string_view value) {
    std::string escaped;
    escaped.reserve(value.size());
    for (const char c : value) {
        if (c == '*' || c == '?' || c == '$') {
            escaped += "${";
            escaped += c;
            escaped += '}';
        } else {
            escaped += c;
        }
    }
    return escaped;
}

Result<std::string> resolve_specials(std::string_view value) {
    std::string plain;
    plain.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value.substr(i).starts_with("${")) {
            plain += value[i];
            continue;
        }
        const char c = special_character(value.substr(i));
        if (c == 0) return refuse_variable(i);
        plain += c;
        i += 3;
    }
    return plain;
}

}  // namespace gatehouse::policy
