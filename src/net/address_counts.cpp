#include "address_counts.hpp"

namespace gatehouse::net {

AddressCounts::Key AddressCounts::key_of(const boost::asio::ip::address& address) noexcept {
    if (address.is_v4()) return {address.to_v4().to_uint(), false};
    const auto bytes = address.to_v6().to_bytes();
    Key key;
    if (address.to_v6().is_v4_mapped()) {
        for (std::size_t i = 12; i < 16; ++i)
            key.bits = key.bits << 8 | bytes[i];
        return key;
    }
    key.v6 = true;
    for (std::size_t i = 0; i < 8; ++i)
        key.bits = key.bits << 8 | bytes[i];
    return key;
}

std::optional<AddressCounts::Place> AddressCounts::enter(const boost::asio::ip::address& address,
                                                         std::size_t most) {
    const Key key = key_of(address);
    const std::lock_guard lock(mutex_);
    const auto [place, fresh] = counts_.try_emplace(key, 0);
    if (place->second >= most) {
        if (place->second == 0) counts_.erase(place);
        return std::nullopt;
    }
    ++place->second;
    return Place(*this, key);
}

void AddressCounts::leave(const Key& key) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(key);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

std::size_t AddressCounts::size() const {
    const std::lock_guard lock(mutex_);
    return counts_.size();
}

}  // namespace gatehouse::net
