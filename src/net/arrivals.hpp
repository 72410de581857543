// Accepted connections on their way to the worker that serves them.
#pragma once

#include "gatehouse/core/prefetch.hpp"
#include "server_tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gatehouse::net {

/// A connection that nobody serves yet. Closed at the end, unless it was taken.
class Accepted {
  public:
    Accepted() noexcept = default;

    explicit Accepted(int descriptor) noexcept : descriptor_(descriptor) {}

    Accepted(Accepted&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

    Accepted& operator=(Accepted&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

    ~Accepted() {
        if (descriptor_ != -1) ::close(descriptor_);
    }

    int get() const noexcept { return descriptor_; }

    void release() noexcept { descriptor_ = -1; }

  private:
    int descriptor_ = -1;
};

/// Who came, by which listener.
struct Arrival {
    Accepted accepted;
    boost::asio::ip::tcp::endpoint peer;
    std::uint16_t port = 0;  ///< of the listener
    bool decision = false;
    std::shared_ptr<ServerTls> tls;  ///< of the listener, which may end meanwhile
};

/// Takes arrivals to workers on other threads, in memory that comes back from there. What a worker
/// frees is where its next small pieces lie: beside what the thread works with that had it first,
/// so that each would write to the other's cache lines for as long as the connection lives.
class Arrivals {
  public:
    /// Has `serve(arrival)` run by the worker's loop. What it leaves of the arrival is closed.
    template <class Serve>
    void post(boost::asio::io_context& loop, Arrival arrival, Serve serve) {
        Seat& seat = take_seat();
        seat.arrival = std::move(arrival);
        boost::asio::post(loop, Task<Serve>{this, &seat, std::move(serve)});
    }

    /// As many as were ever under way at once. Accepting thread.
    std::size_t seats() const noexcept { return seats_.size(); }

  private:
    struct alignas(kCacheLine) Seat {
        Arrival arrival;
        alignas(std::max_align_t) std::byte operation[128];  ///< Asio's
    };

    /// The seat's own memory, for the one operation that is under way with it.
    template <class T>
    struct InSeat {
        using value_type = T;

        explicit InSeat(Seat* at) noexcept : seat(at) {}

        template <class U>
        InSeat(const InSeat<U>& other) noexcept : seat(other.seat) {}

        T* allocate(std::size_t count) {
            static_assert(sizeof(T) <= sizeof(Seat::operation));
            if (count != 1) throw std::bad_alloc();
            return reinterpret_cast<T*>(seat->operation);
        }

        void deallocate(T*, std::size_t) noexcept {}

        template <class U>
        bool operator==(const InSeat<U>& other) const noexcept {
            return seat == other.seat;
        }

        Seat* seat;
    };

    template <class Serve>
    struct Task {
        using allocator_type = InSeat<std::byte>;

        allocator_type get_allocator() const noexcept { return allocator_type(seat); }

        void operator()() {
            struct Leave {
                Task& task;

                ~Leave() { task.from->give_back(*task.seat); }
            } const leave{*this};

            serve(seat->arrival);
        }

        Arrivals* from;
        Seat* seat;
        Serve serve;
    };

    Seat& take_seat() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) {
            seats_.push_back(std::make_unique<Seat>());
            free_.reserve(seats_.size());
            return *seats_.back();
        }
        Seat& seat = *free_.back();
        free_.pop_back();
        return seat;
    }

    void give_back(Seat& seat) noexcept {
        seat.arrival = {};
        const std::lock_guard lock(mutex_);
        free_.push_back(&seat);
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Seat>> seats_;  ///< the accepting thread's
    std::vector<Seat*> free_;                   ///< has room for all
};

}  // namespace gatehouse::net
