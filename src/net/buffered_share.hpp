#pragma once

#include <atomic>
#include <cstdint>

namespace gatehouse::net {

/// Bytes of content that are kept in memory for all requests of all workers: a limit by nature.
using BufferedBytes = std::atomic<std::uint64_t>;

/// What one request keeps of them; given back at its end. A request that streams keeps none.
class BufferedShare {
  public:
    BufferedShare() = default;
    BufferedShare(const BufferedShare&) = delete;
    BufferedShare& operator=(const BufferedShare&) = delete;

    ~BufferedShare() { clear(); }

    /// Adds to the share. False, and nothing is added: all shares together would be above `most`.
    bool add(BufferedBytes& all, std::uint64_t bytes, std::uint64_t most) noexcept {
        if (bytes == 0) return true;
        if (bytes > most || all.fetch_add(bytes, std::memory_order_relaxed) > most - bytes) {
            if (bytes <= most) all.fetch_sub(bytes, std::memory_order_relaxed);
            return false;
        }
        all_ = &all;
        held_ += bytes;
        return true;
    }

    std::uint64_t held() const noexcept { return held_; }

    void clear() noexcept {
        if (held_ != 0) all_->fetch_sub(held_, std::memory_order_relaxed);
        held_ = 0;
    }

  private:
    BufferedBytes* all_ = nullptr;
    std::uint64_t held_ = 0;
};

}  // namespace gatehouse::net
