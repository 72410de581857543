#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace gatehouse::net {

class BufferPool;

/// A block of bytes borrowed from a worker's free list; goes back when it is destroyed. An idle
/// connection holds none.
class Buffer {
  public:
    Buffer() = default;

    Buffer(Buffer&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}

    Buffer& operator=(Buffer&& other) noexcept {
        if (this != &other) {
            release();
            pool_ = std::exchange(other.pool_, nullptr);
            data_ = std::exchange(other.data_, nullptr);
            size_ = std::exchange(other.size_, 0);
        }
        return *this;
    }

    ~Buffer() { release(); }

    char* data() const noexcept { return data_; }

    std::size_t size() const noexcept { return size_; }

    explicit operator bool() const noexcept { return data_ != nullptr; }

    void release() noexcept;

  private:
    friend class BufferPool;

    Buffer(BufferPool* pool, char* data, std::size_t size) noexcept
        : pool_(pool), data_(data), size_(size) {}

    BufferPool* pool_ = nullptr;
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Free list of blocks of one size. Belongs to one worker.
class BufferPool {
  public:
    explicit BufferPool(std::size_t block_bytes, std::size_t most_free = 256)
        : block_bytes_(block_bytes), most_free_(most_free) {}

    ~BufferPool() { clear(); }

    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// Blocks have at least that size from now on; those that are lent keep theirs.
    void grow(std::size_t block_bytes) {
        if (block_bytes <= block_bytes_) return;
        clear();
        block_bytes_ = block_bytes;
    }

    Buffer take() {
        if (!free_.empty()) {
            char* block = free_.back();
            free_.pop_back();
            return {this, block, block_bytes_};
        }
        char* block = static_cast<char*>(std::malloc(block_bytes_));
        if (block == nullptr) throw std::bad_alloc();
        return {this, block, block_bytes_};
    }

  private:
    friend class Buffer;

    void clear() noexcept {
        for (char* block : free_)
            std::free(block);
        free_.clear();
    }

    void give_back(char* block, std::size_t size) noexcept {
        if (size == block_bytes_ && free_.size() < most_free_) {
            try {
                free_.push_back(block);
                return;
            } catch (const std::bad_alloc&) {  // then the block is freed instead of kept
            }
        }
        std::free(block);
    }

    std::size_t block_bytes_;
    std::size_t most_free_;
    std::vector<char*> free_;
};

inline void Buffer::release() noexcept {
    if (data_ != nullptr) pool_->give_back(data_, size_);
    data_ = nullptr;
    pool_ = nullptr;
    size_ = 0;
}

}  // namespace gatehouse::net
