#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gatehouse::policy {

struct Statement;

/// A pattern of a policy: statement in the upper, Resource in the lower half, so that they sort in
/// the author's order.
using PatternId = std::uint64_t;

constexpr PatternId make_pattern_id(std::size_t statement, std::size_t resource) noexcept {
    return static_cast<PatternId>(statement) << 32U | resource;
}

constexpr std::size_t statement_of(PatternId pattern) noexcept {
    return static_cast<std::size_t>(pattern >> 32U);
}

constexpr std::size_t resource_of(PatternId pattern) noexcept {
    return static_cast<std::size_t>(pattern & 0xffffffffU);
}

/// Patterns that may match one request.
class Candidates {
  public:
    static constexpr std::size_t kMost = 64;

    /// False: there is no room, and it is not among them.
    bool add(PatternId pattern) noexcept {
        if (size_ == kMost) return false;
        patterns_[size_++] = pattern;
        return true;
    }

    void sort() noexcept;

    std::span<const PatternId> all() const noexcept { return {patterns_.data(), size_}; }

  private:
    std::array<PatternId, kMost> patterns_;
    std::size_t size_ = 0;
};

/// Finds the patterns of a large policy that can match an ARN without looking at the others. What
/// is before a pattern's first wildcard must begin the ARN: those beginnings are sorted, each with
/// the longest other one that begins it, so that all that begin an ARN lie on one path. A search
/// costs the logarithm of their number and the length of the path.
class StatementIndex {
  public:
    /// Fewer patterns are looked at faster than searched.
    static constexpr std::size_t kFewest = 12;

    StatementIndex() = default;
    explicit StatementIndex(const std::vector<Statement>& statements);

    /// False: the policy is small, and all its statements are to be looked at.
    bool is_made() const noexcept { return made_; }

    /// False: too many may match; all are to be looked at.
    /// @param statements  those that it was made of
    bool find(const std::vector<Statement>& statements,
              std::string_view arn,
              Candidates& candidates) const noexcept;

    /// Statements with NotResource, which match what they do not list.
    const std::vector<std::uint32_t>& negated() const noexcept { return negated_; }

    std::size_t heap_bytes() const noexcept;

  private:
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Beginning {
        std::uint32_t parent;  // the longest other one that begins it
        std::uint32_t first;   // of patterns_
        std::uint32_t last;    // behind its last
    };

    std::string_view text_of(const std::vector<Statement>& statements,
                             const Beginning& beginning) const noexcept;

    std::vector<Beginning> beginnings_;  // by their texts
    std::vector<PatternId> patterns_;    // by their beginnings
    std::vector<std::uint32_t> negated_;
    bool made_ = false;
};

}  // namespace gatehouse::policy
