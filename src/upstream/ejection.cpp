#include "gatehouse/upstream/ejection.hpp"

#include <algorithm>

namespace gatehouse::upstream {

std::chrono::milliseconds EjectionTimes::next(std::chrono::milliseconds base,
                                              SteadyTime now) noexcept {
    if (level_ > 0 && now > ended_) {
        const auto good = (now - ended_) / base;
        level_ -= static_cast<unsigned>(std::min<SteadyTime::rep>(good, level_));
    }
    const std::chrono::milliseconds most = std::max(base, limits::kEjectionTimeMost);
    if (base * level_ < most) ++level_;
    const std::chrono::milliseconds lasts = std::min(base * level_, most);
    ended_ = now + lasts;
    return lasts;
}

std::size_t most_ejected(std::size_t targets, unsigned percent) noexcept {
    if (targets < 2) return 0;
    return std::max<std::size_t>(1, targets * percent / 100);
}

bool counts_as_failure(int status) noexcept {
    return status >= 502 && status <= 504;
}

bool counts_as_failure(Errc error) noexcept {
    switch (error) {
        case Errc::upstream_reset:
        case Errc::upstream_refused:
        case Errc::upstream_unresolved:
        case Errc::upstream_tls:
        case Errc::upstream_connect_timeout:
        case Errc::upstream_timeout:
        case Errc::upstream_malformed:
        case Errc::upstream_head_too_large:
            return true;
        default:
            return false;
    }
}

}  // namespace gatehouse::upstream
