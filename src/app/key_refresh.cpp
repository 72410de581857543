#include "gatehouse/app/key_refresh.hpp"

#include <algorithm>

namespace gatehouse::app {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kFirstRetry{1};
constexpr int kMostDoublings = 12;

milliseconds left(SteadyTime until, SteadyTime now) {
    return until > now ? ceil<milliseconds>(until - now) : milliseconds(0);
}

}  // namespace

bool KeyRefresh::start(SteadyTime now) {
    under_way_ = true;
    started_ = now;
    return true;
}

bool KeyRefresh::tick(SteadyTime now) {
    if (under_way_ || (due_ && now < *due_)) return false;
    return start(now);
}

bool KeyRefresh::wanted(SteadyTime now) {
    if (under_way_ || cooldown_left(now) > milliseconds(0)) return false;
    return start(now);
}

void KeyRefresh::succeeded(SteadyTime now) {
    under_way_ = false;
    failures_ = 0;
    due_ = now + refresh_;
}

void KeyRefresh::failed(SteadyTime now) {
    under_way_ = false;
    const seconds pause = kFirstRetry * (1 << std::min(failures_++, kMostDoublings));
    due_ = now + std::min(pause, refresh_);
}

milliseconds KeyRefresh::cooldown_left(SteadyTime now) const {
    return started_ ? left(*started_ + cooldown_, now) : milliseconds(0);
}

milliseconds KeyRefresh::next_in(SteadyTime now) const {
    return due_ ? left(*due_, now) : milliseconds(0);
}

}  // namespace gatehouse::app
