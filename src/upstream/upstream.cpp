#include "gatehouse/upstream/upstream.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace gatehouse::upstream {
namespace {

// A connect takes up to connectInMillis: nobody waits for many of them.
constexpr unsigned kMostAttempts = 3;

// Targets without room that one request is led past. All of a large upstream are full when it is
// overloaded, and then a refusal must be cheap.
constexpr std::size_t kMostPassed = 64;

// What one thread alone writes needs no locked instruction.
template <class Number>
void add_own(std::atomic<Number>& number) noexcept {
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

Upstream::Upstream(Rules rules, std::vector<forward::Endpoint> endpoints)
    : rules_(std::move(rules)), budget_(rules_.retries), ejections_(endpoints.size()) {
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        if (!rules_.tls_name.empty()) endpoints[i].tls_name = rules_.tls_name;
        targets_.push_back(
            std::make_shared<Target>(rules_, std::move(endpoints[i]), rules_.targets.at(i)));
    }
}

Upstream::Local& Upstream::local(std::size_t worker) noexcept {
    std::atomic<Local*>& place = locals_[worker % kWorkers];
    if (Local* known = place.load(std::memory_order_acquire)) return *known;
    const std::lock_guard lock(mutex_);
    if (place.load(std::memory_order_relaxed) == nullptr) {
        owned_.push_back(std::make_unique<Local>(targets_.size()));
        // Workers begin with different targets, or the first would get the first request of each.
        owned_.back()->position = worker % targets_.size();
        place.store(owned_.back().get(), std::memory_order_release);
    }
    return *place.load(std::memory_order_relaxed);
}

int Upstream::choose(std::size_t worker, const Tried& tried, SteadyTime now) noexcept {
    Local& own = local(worker);
    const std::size_t count = targets_.size();
    const std::size_t start = own.position.load(std::memory_order_relaxed);
    const bool counts = rules_.balance == Balance::least_requests;
    for (const bool all : {false, true}) {
        std::size_t best = count;
        std::uint32_t fewest = std::numeric_limits<std::uint32_t>::max();
        bool any_up = false;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t index = start + i < count ? start + i : start + i - count;
            const Target& target = *targets_[index];
            if (!all && !target.is_up(now)) continue;
            any_up = true;
            if (tried[index]) continue;
            const std::uint32_t open = counts ? target.open_requests() : 0;
            if (best < count && open >= fewest) continue;
            best = index;
            fewest = open;
            if (!counts) break;
        }
        if (best < count) {
            // Behind the chosen one, so that the neighbour of a target that is out gets no more
            // than the others. A second choice is no turn.
            if (tried.none())
                own.position.store(best + 1 < count ? best + 1 : 0, std::memory_order_relaxed);
            return static_cast<int>(best);
        }
        if (any_up) return -1;
    }
    return -1;
}

std::uint64_t Upstream::requests() const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < targets_.size(); ++i)
        sum += requests(i);
    return sum;
}

std::uint64_t Upstream::requests(std::size_t target) const noexcept {
    std::uint64_t sum = 0;
    for (const std::atomic<Local*>& place : locals_) {
        if (const Local* own = place.load(std::memory_order_acquire))
            sum += own->requests[target].load(std::memory_order_relaxed);
    }
    return sum;
}

bool Upstream::take_retry(SteadyTime now) noexcept {
    bool taken = false;
    {
        const std::lock_guard lock(mutex_);
        taken = budget_.take(requests(), now);
    }
    (taken ? retries_ : retries_refused_).fetch_add(1, std::memory_order_relaxed);
    return taken;
}

void Upstream::succeeded(Target& target) noexcept {
    if (target.row_.load(std::memory_order_relaxed) != 0)
        target.row_.store(0, std::memory_order_relaxed);
}

void Upstream::failed(std::size_t index, SteadyTime now) noexcept {
    Target& target = *targets_[index];
    target.failures_.fetch_add(1, std::memory_order_relaxed);
    const unsigned row = target.row_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (rules_.ejection && row >= rules_.ejection->consecutive_failures) eject(index, now);
}

void Upstream::eject(std::size_t index, SteadyTime now) noexcept {
    const std::optional<EjectionRule>& rule = rules_.ejection;
    if (!rule) return;
    const std::lock_guard lock(mutex_);
    Target& target = *targets_[index];
    if (target.is_ejected(now)) return;  // requests that were under way when it was ejected
    const auto out = static_cast<std::size_t>(std::ranges::count_if(
        targets_, [now](const std::shared_ptr<Target>& one) { return one->is_ejected(now); }));
    if (out >= most_ejected(targets_.size(), rule->max_percent)) return;
    target.row_.store(0, std::memory_order_relaxed);
    target.ejections_.fetch_add(1, std::memory_order_relaxed);
    Ejections& ejections = ejections_[index];
    ejections.last = ejections.times.next(rule->base_time, now);
    target.ejected_until_.store((now + ejections.last).time_since_epoch().count(),
                                std::memory_order_relaxed);
}

std::vector<std::string> Upstream::tick(SteadyTime now) {
    std::vector<std::string> lines;
    const std::lock_guard lock(mutex_);
    budget_.observe(requests(), now);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
        const Target& target = *targets_[i];
        const bool out = target.is_ejected(now);
        if (out == ejections_[i].told) continue;
        ejections_[i].told = out;
        std::string line = "upstream " + rules_.name + ": " + target.url();
        if (!out) {
            line += " is back from its ejection";
        } else if (const std::optional<EjectionRule>& rule = rules_.ejection) {
            line += " is ejected for " + std::to_string(ejections_[i].last.count()) +
                    " ms: " + std::to_string(rule->consecutive_failures) + " failures in a row";
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

void Upstream::retire() noexcept {
    for (const std::shared_ptr<Target>& target : targets_)
        target->retire();
}

Errc Call::begin(Upstream& upstream, std::size_t worker, SteadyTime now) noexcept {
    end();
    const std::size_t most = upstream.rules_.max_requests;
    if (most != 0) {
        if (upstream.open_.fetch_add(1, std::memory_order_relaxed) >= most) {
            upstream.open_.fetch_sub(1, std::memory_order_relaxed);
            upstream.refused_requests_.fetch_add(1, std::memory_order_relaxed);
            return Errc::upstream_overloaded;
        }
        placed_ = true;
    }
    upstream_ = &upstream;
    worker_ = worker;
    tried_.reset();
    attempts_ = 0;
    go_to(upstream.choose(worker, {}, now));
    return Errc::none;
}

void Call::go_to(int index) noexcept {
    leave_target();
    index_ = static_cast<std::size_t>(index);
    tried_.set(index_);
    ++attempts_;
    judged_ = false;
    add_own(upstream_->local(worker_).requests[index_]);
    if (upstream_->rules_.balance == Balance::least_requests) {
        target()->open_.fetch_add(1, std::memory_order_relaxed);
        counted_ = true;
    }
}

bool Call::move_on(SteadyTime now) noexcept {
    if (attempts_ >= kMostAttempts) return false;
    const int next = upstream_->choose(worker_, tried_, now);
    if (next < 0 || !upstream_->take_retry(now)) return false;
    go_to(next);
    return true;
}

bool Call::pass_by(SteadyTime now) noexcept {
    const int next = tried_.count() < kMostPassed ? upstream_->choose(worker_, tried_, now) : -1;
    if (next < 0) {
        upstream_->refused_connections_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    go_to(next);
    --attempts_;
    return true;
}

bool Call::repeat(SteadyTime now) noexcept {
    if (attempts_ >= kMostAttempts || !upstream_->take_retry(now)) return false;
    const int next = upstream_->choose(worker_, tried_, now);
    go_to(next < 0 ? static_cast<int>(index_) : next);
    return true;
}

void Call::succeeded() noexcept {
    if (std::exchange(judged_, true)) return;
    upstream_->succeeded(*target());
}

void Call::failed(SteadyTime now) noexcept {
    if (std::exchange(judged_, true)) return;
    upstream_->failed(index_, now);
}

void Call::leave_target() noexcept {
    if (std::exchange(counted_, false)) target()->open_.fetch_sub(1, std::memory_order_relaxed);
}

void Call::end() noexcept {
    if (upstream_ == nullptr) return;
    leave_target();
    if (std::exchange(placed_, false)) upstream_->open_.fetch_sub(1, std::memory_order_relaxed);
    upstream_ = nullptr;
}

}  // namespace gatehouse::upstream
