#include "pipes.hpp"

#include "gatehouse/core/limits.hpp"

#include <fcntl.h>
#include <new>
#include <unistd.h>

namespace gatehouse::net {
namespace {

constexpr std::size_t kMostFree = 32;

template <class Ends>
void close_both(const Ends& ends) noexcept {
    ::close(ends.read);
    ::close(ends.write);
}

}  // namespace

void Pipe::release() noexcept {
    if (pool_ != nullptr) pool_->give_back(ends_, held_ == 0);
    pool_ = nullptr;
    ends_ = {};
    held_ = 0;
}

PipePool::~PipePool() {
    for (const Pipe::Ends& ends : free_)
        close_both(ends);
}

Pipe PipePool::take() {
    if (!free_.empty()) {
        const Pipe::Ends ends = free_.back();
        free_.pop_back();
        return {this, ends};
    }
    int made[2];
    if (::pipe2(made, O_NONBLOCK | O_CLOEXEC) != 0) return {};
    // As far as the user's share of pipe pages goes (pipe(7)); the 64 KiB of a new one will do.
    ::fcntl(made[1], F_SETPIPE_SZ, static_cast<int>(limits::kPipeBytes));
    return {this, {made[0], made[1]}};
}

void PipePool::give_back(Pipe::Ends ends, bool empty) noexcept {
    if (empty && free_.size() < kMostFree) {
        try {
            free_.push_back(ends);
            return;
        } catch (const std::bad_alloc&) {  // then it is closed instead of kept
        }
    }
    close_both(ends);
}

}  // namespace gatehouse::net
