#include "gatehouse/usage/key_table.hpp"

#include <algorithm>

namespace gatehouse::usage {
namespace {

std::string_view bytes_of(const jwt::Sha256& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};  // bytes as chars
}

}  // namespace

KeyTable::KeyTable(const std::vector<std::string>& values, const Salt& salt) : salt_(salt) {
    for (const std::string& value : values) {
        // A value that no request can present is nobody's key.
        if (value.size() < kKeyValueLeast || value.size() > kKeyValueMost) continue;
        rows_.push_back({digest_of(value), static_cast<int>(&value - values.data())});
    }
    std::ranges::sort(rows_, {}, &Row::digest);
}

jwt::Sha256 KeyTable::digest_of(std::string_view value) const {
    std::array<char, sizeof(Salt) + kKeyValueMost> buffer;
    std::ranges::copy(salt_, buffer.begin());
    std::ranges::copy(value, buffer.begin() + sizeof(Salt));
    return jwt::sha256({buffer.data(), sizeof(Salt) + value.size()});
}

int KeyTable::find(std::string_view value) const {
    if (rows_.empty() || value.size() < kKeyValueLeast || value.size() > kKeyValueMost) return -1;
    const jwt::Sha256 digest = digest_of(value);
    const auto row = std::ranges::lower_bound(rows_, digest, {}, &Row::digest);
    if (row == rows_.end()) return -1;
    return jwt::equals_in_constant_time(bytes_of(row->digest), bytes_of(digest)) ? row->key : -1;
}

}  // namespace gatehouse::usage
