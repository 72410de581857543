#include "pattern.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

namespace gatehouse::templates {
namespace {

constexpr int kGroups = 10;            // $0 to $9
constexpr std::size_t kPatterns = 64;  // different ones in a rendering
constexpr std::int64_t kPatternBytes = 256 * 1024;

using Groups = std::array<re2::StringPiece, kGroups>;

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

std::unique_ptr<re2::RE2> compile_pattern(std::string_view pattern) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternBytes);
    return std::make_unique<re2::RE2>(piece(pattern), options);
}

std::string refusal(std::string_view pattern, const re2::RE2& made) {
    return "the regular expression " + printable(pattern) + " is not supported: " + made.error();
}

// The text that the pattern stands for when it has no operators, else empty: `\\'` of the developer
// guide's example, `,`, `\|`. Such a one is searched without RE2, which for each match may read to
// the end.
std::string plain_text(std::string_view pattern) {
    std::string plain;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        char c = pattern[i];
        if (c == '\\') {
            if (++i == pattern.size()) return {};
            c = pattern[i];
            if (is_alpha(c) || is_digit(c)) return {};
        } else if (std::string_view(".[]{}()*+?^$|").find(c) != std::string_view::npos) {
            return {};
        }
        plain += c;
    }
    return plain;
}

}  // namespace

struct Pattern {
    std::unique_ptr<re2::RE2> expression;
    std::string plain;  ///< empty: it has operators

    int group_count() const { return !plain.empty() ? 0 : expression->NumberOfCapturingGroups(); }

    /// What a character may cost.
    std::size_t cost() const {
        if (!plain.empty()) return 1 + plain.size() / 8;
        return static_cast<std::size_t>(std::max(1, expression->ProgramSize()));
    }
};

class PatternCache {
  public:
    std::unordered_map<std::string, Pattern> patterns;
};

namespace {

const Pattern* find_pattern(Work& work, std::string_view text) {
    if (!work.spend(text.size())) return nullptr;
    if (!work.patterns()) work.patterns() = std::make_shared<PatternCache>();
    auto& known = work.patterns()->patterns;
    std::string key(text);
    if (const auto found = known.find(key); found != known.end()) return &found->second;
    if (known.size() == kPatterns) {
        work.fail(Errc::limit_exceeded, "too many different regular expressions");
        return nullptr;
    }
    Pattern made;
    made.expression = compile_pattern(text);
    made.plain = plain_text(text);
    if (!made.expression->ok()) {
        work.fail(Errc::template_failed, refusal(text, *made.expression));
        return nullptr;
    }
    return &known.emplace(std::move(key), std::move(made)).first->second;
}

/// Walks the matches of a pattern in a text.
class Matches {
  public:
    Matches(Work& work, const Pattern& pattern, std::string_view text)
        : work_(work), pattern_(pattern), text_(text) {}

    /// The next match, not before the end of the last; an empty one is followed by the next
    /// character.
    bool next() {
        if (at_ > text_.size() || !work_.ok()) return false;
        const std::size_t from = at_;
        const bool plain = !pattern_.plain.empty();
        const bool found = plain ? find_plain() : find_expression();
        // What lies before the match was read by the automaton; it may have looked at the rest.
        const std::size_t read = (found ? end_ : text_.size()) - from;
        const std::size_t ahead = plain ? 0 : (text_.size() - from) / 8;
        if (!work_.spend(read * pattern_.cost() + ahead)) return false;
        at_ = end_ > begin_ ? end_ : end_ + 1;
        return found;
    }

    std::size_t begin() const noexcept { return begin_; }

    std::size_t end() const noexcept { return end_; }

    const Groups& groups() const noexcept { return groups_; }

  private:
    bool find_plain() {
        begin_ = text_.find(pattern_.plain, at_);
        if (begin_ == std::string_view::npos) return false;
        end_ = begin_ + pattern_.plain.size();
        groups_[0] = piece(text_.substr(begin_, pattern_.plain.size()));
        return true;
    }

    bool find_expression() {
        const int groups = std::min(pattern_.group_count() + 1, kGroups);
        groups_.fill({});
        if (!pattern_.expression->Match(
                piece(text_), at_, text_.size(), re2::RE2::UNANCHORED, groups_.data(), groups)) {
            return false;
        }
        begin_ = static_cast<std::size_t>(groups_[0].data() - text_.data());
        end_ = begin_ + groups_[0].size();
        return true;
    }

    Work& work_;
    const Pattern& pattern_;
    std::string_view text_;
    Groups groups_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

// Matcher.appendReplacement.
bool append_replacement(
    Work& work, std::string_view replacement, const Groups& groups, int count, std::string& out) {
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const bool last = i + 1 == replacement.size();
        if (replacement[i] != '\\' && replacement[i] != '$') {
            out += replacement[i];
        } else if (replacement[i] == '\\' && !last) {
            out += replacement[++i];
        } else if (!last && is_digit(replacement[i + 1]) && replacement[i + 1] - '0' <= count) {
            const re2::StringPiece& group =
                groups[static_cast<std::size_t>(replacement[++i] - '0')];
            out.append(group.data() == nullptr ? "" : group.data(), group.size());
        } else {
            work.fail(Errc::template_failed,
                      "the replacement " + printable(replacement) + " is not valid");
            return false;
        }
    }
    return work.spend(replacement.size());
}

}  // namespace

std::string check_pattern(std::string_view pattern) {
    const auto made = compile_pattern(pattern);
    return made->ok() ? std::string() : refusal(pattern, *made);
}

bool matches(Work& work, std::string_view text, std::string_view pattern) {
    const Pattern* made = find_pattern(work, pattern);
    return made != nullptr && work.spend(text.size() * made->cost()) &&
           re2::RE2::FullMatch(piece(text), *made->expression);
}

std::string replace_matches(Work& work,
                            std::string_view text,
                            std::string_view pattern,
                            std::string_view replacement,
                            bool all) {
    std::string out;
    const Pattern* made = find_pattern(work, pattern);
    if (made == nullptr) return out;
    Matches found(work, *made, text);
    std::size_t copied = 0;
    while (found.next()) {
        out += text.substr(copied, found.begin() - copied);
        copied = found.end();
        if (!append_replacement(work, replacement, found.groups(), made->group_count(), out))
            return out;
        if (out.size() > limits::kTemplateOutputBytes)
            work.fail(Errc::limit_exceeded, "the text of a value is too long");
        if (!all) break;
    }
    out += text.substr(copied);
    return out;
}

List* split(Work& work, std::string_view text, std::string_view pattern) {
    List* parts = work.make_list();
    const Pattern* made = find_pattern(work, pattern);
    if (made == nullptr) return parts;
    Matches found(work, *made, text);
    std::size_t copied = 0;
    bool matched = false;
    while (found.next()) {
        if (found.end() == 0) continue;  // Java 8: no part before an empty match at the beginning
        if (found.begin() == text.size()) break;
        matched = true;
        if (!work.append(*parts, text.substr(copied, found.begin() - copied))) return parts;
        copied = found.end();
    }
    work.append(*parts, text.substr(copied));
    // A text without a match is its own only part, even an empty one.
    while (matched && !parts->items.empty() &&
           std::get<std::string_view>(parts->items.back()).empty())
        parts->items.pop_back();
    return parts;
}

}  // namespace gatehouse::templates
