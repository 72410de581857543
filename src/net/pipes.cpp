#include "pipes.hpp"

#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <fcntl.h>
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

PipePool::PipePool() {
    free_.reserve(kMostFree);  // giving back allocates nothing
}

PipePool::~PipePool() {
    for (const Pipe::Ends& ends : free_)
        close_both(ends);
}

Pipe PipePool::take() {
    if (!free_.empty()) {
        const Pipe::Ends ends = free_.back();
        free_.pop_back();
        least_free_ = std::min(least_free_, free_.size());
        return {this, ends};
    }
    int made[2];
    if (::pipe2(made, O_NONBLOCK | O_CLOEXEC) != 0) return {};
    // As far as the user's share of pipe pages goes (pipe(7)); the 64 KiB of a new one will do.
    ::fcntl(made[1], F_SETPIPE_SZ, static_cast<int>(limits::kPipeBytes));
    return {this, {made[0], made[1]}};
}

void PipePool::close_unused() noexcept {
    const auto last = free_.begin() + static_cast<std::ptrdiff_t>(least_free_);
    std::for_each(free_.begin(), last, close_both<Pipe::Ends>);
    free_.erase(free_.begin(), last);
    least_free_ = free_.size();
}

void PipePool::give_back(Pipe::Ends ends, bool empty) noexcept {
    if (empty && free_.size() < kMostFree) {
        free_.push_back(ends);
    } else {
        close_both(ends);
    }
}

}  // namespace gatehouse::net
