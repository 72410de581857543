#include "gatehouse/policy/statement_index.hpp"

#include "gatehouse/policy/document.hpp"

#include <algorithm>

namespace gatehouse::policy {
namespace {

std::string_view beginning_of(const std::vector<Statement>& statements,
                              PatternId pattern) noexcept {
    return statements[statement_of(pattern)].resources[resource_of(pattern)].literal();
}

}  // namespace

void Candidates::sort() noexcept {
    const auto begin = patterns_.begin();
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(size_));
    size_ = static_cast<std::size_t>(
        std::unique(begin, begin + static_cast<std::ptrdiff_t>(size_)) - begin);
}

StatementIndex::StatementIndex(const std::vector<Statement>& statements) {
    std::size_t count = 0;
    for (const Statement& statement : statements)
        count += statement.resources.size();
    if (count < kFewest) return;
    made_ = true;
    for (std::size_t i = 0; i < statements.size(); ++i) {
        if (!statements[i].covers_invoke) continue;  // matches nothing
        if (statements[i].not_resource) {
            negated_.push_back(static_cast<std::uint32_t>(i));
            continue;
        }
        for (std::size_t k = 0; k < statements[i].resources.size(); ++k)
            patterns_.push_back(make_pattern_id(i, k));
    }
    std::sort(patterns_.begin(), patterns_.end(), [&](PatternId a, PatternId b) {
        const int order = beginning_of(statements, a).compare(beginning_of(statements, b));
        return order != 0 ? order < 0 : a < b;
    });
    for (std::uint32_t at = 0; at < patterns_.size(); ++at) {
        const std::string_view text = beginning_of(statements, patterns_[at]);
        if (beginnings_.empty() || text_of(statements, beginnings_.back()) != text) {
            // All texts that begin this one are on the path of the one before it.
            auto parent = static_cast<std::uint32_t>(beginnings_.size()) - 1;
            while (parent != kNone && !text.starts_with(text_of(statements, beginnings_[parent])))
                parent = beginnings_[parent].parent;
            beginnings_.push_back({parent, at, at});
        }
        beginnings_.back().last = at + 1;
    }
    beginnings_.shrink_to_fit();
    patterns_.shrink_to_fit();
}

std::string_view StatementIndex::text_of(const std::vector<Statement>& statements,
                                         const Beginning& beginning) const noexcept {
    return beginning_of(statements, patterns_[beginning.first]);
}

bool StatementIndex::find(const std::vector<Statement>& statements,
                          std::string_view arn,
                          Candidates& candidates) const noexcept {
    const auto after = std::upper_bound(beginnings_.begin(),
                                        beginnings_.end(),
                                        arn,
                                        [&](std::string_view text, const Beginning& beginning) {
                                            return text < text_of(statements, beginning);
                                        });
    // INVARIANT: whatever begins the ARN is not after it, and all between the two begin alike. So
    // it is on the path of the last that is not after the ARN.
    auto at = static_cast<std::uint32_t>(after - beginnings_.begin()) - 1;
    for (; at != kNone; at = beginnings_[at].parent) {
        const Beginning& beginning = beginnings_[at];
        if (!arn.starts_with(text_of(statements, beginning))) continue;
        for (std::uint32_t i = beginning.first; i < beginning.last; ++i) {
            if (!candidates.add(patterns_[i])) return false;
        }
    }
    return true;
}

std::size_t StatementIndex::heap_bytes() const noexcept {
    return beginnings_.capacity() * sizeof(Beginning) + patterns_.capacity() * sizeof(PatternId) +
           negated_.capacity() * sizeof(std::uint32_t);
}

}  // namespace gatehouse::policy
