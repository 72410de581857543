#pragma once

#include "gatehouse/authz/grant_cache.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::app {

struct AuthorizeResult;

/// Told the result of an authorizer call. Called on any thread, exactly once; must not block (a
/// session posts to its worker).
using Wake = std::function<void(std::shared_ptr<const AuthorizeResult>)>;

/// Joins equal misses: one token means one authorizer call, however many requests and workers ask
/// at once. Thread-safe. A call belongs to nobody: a client that leaves never cancels it for the
/// others.
class SingleFlight {
  public:
    /// The first to ask for a key leads: true, and the caller makes the call and must end it with
    /// complete(). Others: false, and the wake that `make_wake` gives is told the result.
    bool lead_or_join(authz::CacheScope scope,
                      std::string_view identity,
                      const std::function<Wake()>& make_wake);

    /// The leader waits too, as one among equals.
    void join(authz::CacheScope scope, std::string_view identity, Wake wake);

    /// Ends the call: everybody who joined is told the same result, errors too.
    void complete(authz::CacheScope scope,
                  std::string_view identity,
                  const std::shared_ptr<const AuthorizeResult>& result);

    std::size_t size() const;

  private:
    using Key = std::pair<authz::CacheScope, std::string>;
    using View = std::pair<authz::CacheScope, std::string_view>;

    /// An identity of kilobytes is not copied to be looked up.
    struct Less {
        using is_transparent = void;

        bool operator()(const View& a, const View& b) const noexcept { return a < b; }
    };

    mutable std::mutex mutex_;
    std::map<Key, std::vector<Wake>, Less> calls_;
};

}  // namespace gatehouse::app
