#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace gatehouse::net {

/// Open client connections by address: what limits.connectionsPerAddress counts. An IPv4 client is
/// its address; an IPv6 one is its /64, since that is what one customer of a network has, and may
/// take addresses from as it likes. Thread-safe.
class AddressCounts {
  public:
    struct Key {
        std::uint64_t bits = 0;
        bool v6 = false;

        bool operator==(const Key&) const = default;

        friend std::size_t hash_value(const Key& key) noexcept {
            return static_cast<std::size_t>(key.bits ^ (key.v6 ? 1 : 0));
        }
    };

    /// A connection's place in the count; ends with it.
    class Place {
      public:
        Place() = default;

        Place(Place&& other) noexcept
            : counts_(std::exchange(other.counts_, nullptr)), key_(other.key_) {}

        Place& operator=(Place&& other) noexcept {
            if (this != &other) {
                leave();
                counts_ = std::exchange(other.counts_, nullptr);
                key_ = other.key_;
            }
            return *this;
        }

        ~Place() { leave(); }

      private:
        friend class AddressCounts;

        Place(AddressCounts& counts, Key key) noexcept : counts_(&counts), key_(key) {}

        void leave() noexcept {
            if (counts_ != nullptr) std::exchange(counts_, nullptr)->leave(key_);
        }

        AddressCounts* counts_ = nullptr;
        Key key_;
    };

    /// A place for one more connection of `address`; nullopt when it has `most` already.
    std::optional<Place> enter(const boost::asio::ip::address& address, std::size_t most);

    /// How many addresses are counted now.
    std::size_t size() const;

    /// ::ffff:192.0.2.7 is 192.0.2.7.
    static Key key_of(const boost::asio::ip::address& address) noexcept;

  private:
    void leave(const Key& key) noexcept;

    mutable std::mutex mutex_;
    boost::unordered_flat_map<Key, std::size_t, boost::hash<Key>> counts_;
};

}  // namespace gatehouse::net
