#include "owned_names.hpp"

#include "gatehouse/core/ascii.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstddef>

namespace gatehouse::forward {
namespace {

std::uint64_t size_bit(std::size_t size) noexcept {
    return std::uint64_t{1} << std::min<std::size_t>(size, 63);
}

std::vector<std::string> fold_all(const std::vector<std::string>& names) {
    std::vector<std::string> folded;
    folded.reserve(names.size());
    for (const std::string& name : names)
        folded.push_back(fold_name(name));
    std::ranges::sort(folded);
    folded.erase(std::ranges::unique(folded).begin(), folded.end());
    return folded;
}

}  // namespace

OwnedNames::OwnedNames(const std::vector<std::string>& names,
                       const std::vector<std::string>& prefixes)
    : names_(fold_all(names)), prefixes_(fold_all(prefixes)) {
    for (const std::string& name : names_)
        sizes_ |= size_bit(name.size());
}

bool OwnedNames::has(std::string_view name) const noexcept {
    for (const std::string& prefix : prefixes_) {
        if (starts_with_folded(name, prefix)) return true;
    }
    if ((sizes_ & size_bit(name.size())) == 0) return false;
    return std::ranges::any_of(names_, [&](const std::string& owned) {
        return owned.size() == name.size() && starts_with_folded(name, owned);
    });
}

}  // namespace gatehouse::forward
