#include "suggest.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <vector>

namespace gatehouse::config {
namespace {

constexpr std::size_t kLongestWord =
    64;  // keys and names are short; longer words are no typing errors

// Optimal string alignment: insert, delete, change, swap of neighbours, each 1.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > kLongestWord) return {};
    const std::string typed = to_lower(word);
    std::string_view nearest;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > kLongestWord) continue;
        const std::size_t steps = distance(typed, to_lower(candidate));
        if (steps < least) {
            least = steps;
            nearest = candidate;
        }
    }
    return nearest;
}

std::string suggest(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view nearest = find_nearest(word, candidates);
    return nearest.empty() ? std::string() : "; did you mean \"" + std::string(nearest) + "\"?";
}

std::string list_quoted(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names) {
        if (!text.empty()) text += ", ";
        text += '"';
        text += name;
        text += '"';
    }
    return text;
}

}  // namespace gatehouse::config
