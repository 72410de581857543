#include "gatehouse/app/single_flight.hpp"

namespace gatehouse::app {

bool SingleFlight::lead_or_join(authz::CacheScope scope,
                                std::string_view identity,
                                const std::function<Wake()>& make_wake) {
    const std::lock_guard lock(mutex_);
    const View key(scope, identity);
    const auto it = calls_.lower_bound(key);
    const bool leads = it == calls_.end() || calls_.key_comp()(key, it->first);
    if (leads)
        calls_.try_emplace(it, Key(scope, identity));
    else
        it->second.push_back(make_wake());
    return leads;
}

void SingleFlight::join(authz::CacheScope scope, std::string_view identity, Wake wake) {
    const std::lock_guard lock(mutex_);
    calls_[Key(scope, identity)].push_back(std::move(wake));
}

void SingleFlight::complete(authz::CacheScope scope,
                            std::string_view identity,
                            const std::shared_ptr<const AuthorizeResult>& result) {
    std::vector<Wake> waiting;
    {
        const std::lock_guard lock(mutex_);
        const auto it = calls_.find(View(scope, identity));
        if (it == calls_.end()) return;
        waiting = std::move(it->second);
        calls_.erase(it);
    }
    for (const Wake& wake : waiting)
        wake(result);
}

std::size_t SingleFlight::size() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
}

}  // namespace gatehouse::app
