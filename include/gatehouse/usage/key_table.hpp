#pragma once

#include "gatehouse/jwt/digest.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::usage {

/// The service's rule for values of API keys.
constexpr std::size_t kKeyValueLeast = 20;
constexpr std::size_t kKeyValueMost = 128;

/// Random bytes that nobody outside knows. With them in the digest, what a look-up's time tells is
/// of no use: which values have digests that begin alike cannot be worked out.
using Salt = std::array<char, 16>;

/// Finds API keys by their values. Holds digests, not values. Immutable, shared between threads.
class KeyTable {
  public:
    KeyTable() = default;

    /// @param values  20 to 128 bytes each, no two alike: config has seen to it
    KeyTable(const std::vector<std::string>& values, const Salt& salt);

    /// Index of the key with that value; -1: none. No allocation.
    int find(std::string_view value) const;

  private:
    struct Row {
        jwt::Sha256 digest{};
        int key = -1;
    };

    jwt::Sha256 digest_of(std::string_view value) const;

    std::vector<Row> rows_;  // sorted by digest
    Salt salt_{};
};

}  // namespace gatehouse::usage
