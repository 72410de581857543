#include "gatehouse/upstream/target.hpp"

namespace gatehouse::upstream {

Target::Target(const Rules& rules, forward::Endpoint endpoint, std::string url)
    : endpoint_(std::move(endpoint)),
      url_(std::move(url)),
      max_connections_(rules.max_connections),
      max_idle_(rules.max_idle) {}

Target::Turn Target::checked(const HealthRule& rule, bool good) noexcept {
    const bool unhealthy = is_unhealthy();
    if (good != unhealthy) {  // it is as it was
        checks_ = 0;
        return Turn::none;
    }
    if (++checks_ < (unhealthy ? rule.healthy : rule.unhealthy)) return Turn::none;
    checks_ = 0;
    unhealthy_.store(!unhealthy, std::memory_order_relaxed);
    return unhealthy ? Turn::up : Turn::down;
}

bool Target::enter() noexcept {
    const std::size_t before = connections_.fetch_add(1, std::memory_order_relaxed);
    if (max_connections_ == 0 || before < max_connections_) return true;
    crowded_.store(true, std::memory_order_relaxed);
    leave();
    return false;
}

void Target::leave() noexcept {
    const std::size_t before = connections_.fetch_sub(1, std::memory_order_relaxed);
    if (max_connections_ != 0 && before <= max_connections_ && is_crowded())
        crowded_.store(false, std::memory_order_relaxed);
}

Place Place::take(const std::shared_ptr<Target>& target) noexcept {
    Place place;
    if (target->enter()) place.target_ = target;
    return place;
}

}  // namespace gatehouse::upstream
