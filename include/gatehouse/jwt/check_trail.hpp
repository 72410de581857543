#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::jwt {

/// One check of a token, for explain and traces. Never holds the token or a part of it.
struct Check {
    std::string_view name;  ///< "form", "header", "algorithm", "issuer", "key", "signature",
                            ///< "audience", "exp", "nbf", "iat", "sub", …
    bool passed = false;
    std::string_view expected;
    std::string_view found;
};

/// The checks of one token, in order. One text for all of them: each verification makes a trail,
/// and traces keep it, so that thirty little strings were a tenth of what a verification cost.
class CheckTrail {
  public:
    /// What most trails need.
    static constexpr std::size_t kUsualChecks = 20;
    static constexpr std::size_t kUsualText = 1000;

    void reserve(std::size_t checks, std::size_t text_bytes) {
        entries_.reserve(checks);
        text_.reserve(text_bytes);
    }

    /// @param name  of static storage
    void add(std::string_view name,
             bool passed,
             std::string_view expected,
             std::string_view found) {
        write(
            name,
            passed,
            [expected](std::string& into) { into += expected; },
            [found](std::string& into) { into += found; });
    }

    /// The same with what is expected and found said by callables, each of which appends it to the
    /// text that it is given.
    template <class Expected, class Found>
    void write(std::string_view name, bool passed, const Expected& expected, const Found& found) {
        const std::size_t begin = text_.size();
        expected(text_);
        const std::size_t middle = text_.size();
        found(text_);
        entries_.push_back({name, begin, middle, text_.size(), passed});
    }

    void append(const CheckTrail& other) {
        for (const Check check : other)
            add(check.name, check.passed, check.expected, check.found);
    }

    bool empty() const noexcept { return entries_.empty(); }

    std::size_t size() const noexcept { return entries_.size(); }

    /// Its views hold until the trail changes.
    Check operator[](std::size_t index) const noexcept {
        const Entry& entry = entries_[index];
        const std::string_view text = text_;
        return {entry.name,
                entry.passed,
                text.substr(entry.begin, entry.middle - entry.begin),
                text.substr(entry.middle, entry.end - entry.middle)};
    }

    class Iterator {
      public:
        Iterator(const CheckTrail& trail, std::size_t at) : trail_(&trail), at_(at) {}

        Check operator*() const noexcept { return (*trail_)[at_]; }

        Iterator& operator++() noexcept {
            ++at_;
            return *this;
        }

        bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

      private:
        const CheckTrail* trail_;
        std::size_t at_;
    };

    Iterator begin() const noexcept { return {*this, 0}; }

    Iterator end() const noexcept { return {*this, entries_.size()}; }

  private:
    struct Entry {
        std::string_view name;
        std::size_t begin;
        std::size_t middle;  // where `expected` ends and `found` begins
        std::size_t end;
        bool passed;
    };

    std::vector<Entry> entries_;
    std::string text_;
};

}  // namespace gatehouse::jwt
