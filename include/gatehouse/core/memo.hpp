#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse {

/// What is dear to make and wanted again, by all that it is made of. Bounded: when it is full it
/// starts anew, so that nobody who invents keys can make it grow. Thread-safe.
template <class Value>
class Memo {
  public:
    using Ptr = std::shared_ptr<const Value>;

    /// @param most_bytes  of keys and what keep() is told of the values
    Memo(std::size_t most_entries, std::size_t most_bytes)
        : most_entries_(most_entries), most_bytes_(most_bytes) {}

    /// Null when it is not there.
    Ptr find(std::string_view key) const {
        const std::lock_guard lock(mutex_);
        const auto found = made_.find(key);
        return found == made_.end() ? nullptr : found->second;
    }

    /// One that is already there stays, and one larger than the whole is not kept.
    void keep(std::string_view key, Ptr value, std::size_t value_bytes) {
        const std::size_t bytes = key.size() + value_bytes;
        if (bytes > most_bytes_) return;
        const std::lock_guard lock(mutex_);
        if (made_.contains(key)) return;
        if (made_.size() >= most_entries_ || bytes_ + bytes > most_bytes_) {
            made_.clear();
            bytes_ = 0;
        }
        made_.emplace(key, std::move(value));
        bytes_ += bytes;
    }

    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return made_.size();
    }

  private:
    const std::size_t most_entries_;
    const std::size_t most_bytes_;
    mutable std::mutex mutex_;
    std::map<std::string, Ptr, std::less<>> made_;
    std::size_t bytes_ = 0;
};

}  // namespace gatehouse
