#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace gatehouse::net {

class PipePool;

/// A kernel pipe borrowed from a worker's free list, for content that goes from socket to socket
/// without being copied (splice(2)). Goes back when it is released; with bytes in it, it is closed.
class Pipe {
  public:
    Pipe() = default;

    Pipe(Pipe&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          ends_(std::exchange(other.ends_, {})),
          held_(std::exchange(other.held_, 0)) {}

    Pipe& operator=(Pipe&& other) noexcept {
        if (this != &other) {
            release();
            pool_ = std::exchange(other.pool_, nullptr);
            ends_ = std::exchange(other.ends_, {});
            held_ = std::exchange(other.held_, 0);
        }
        return *this;
    }

    ~Pipe() { release(); }

    explicit operator bool() const noexcept { return pool_ != nullptr; }

    /// Bytes that are in it.
    std::size_t held() const noexcept { return held_; }

    void release() noexcept;

  private:
    friend class PipePool;
    friend class Transport;

    struct Ends {
        int read = -1;
        int write = -1;
    };

    Pipe(PipePool* pool, Ends ends) noexcept : pool_(pool), ends_(ends) {}

    PipePool* pool_ = nullptr;
    Ends ends_;
    std::size_t held_ = 0;
};

/// Free list of empty pipes. Belongs to one worker. Descriptors are everybody's: what is not used
/// goes.
class PipePool {
  public:
    PipePool();
    ~PipePool();
    PipePool(const PipePool&) = delete;
    PipePool& operator=(const PipePool&) = delete;

    /// An empty pipe; none when the process has no descriptors left.
    Pipe take();

    /// Closes the pipes that nobody has wanted since the last time. To be called now and then.
    void close_unused() noexcept;

  private:
    friend class Pipe;

    void give_back(Pipe::Ends ends, bool empty) noexcept;

    std::vector<Pipe::Ends> free_;
    std::size_t least_free_ = 0;  ///< since the last close_unused()
};

}  // namespace gatehouse::net
