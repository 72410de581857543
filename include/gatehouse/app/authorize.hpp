#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/single_flight.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/app/token_introspector.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::app {

class SharedState;
struct SharedFound;

/// What an authorizer call ended with; shared by all who joined it.
struct AuthorizeResult {
    std::shared_ptr<const authz::Grant> grant;  ///< null: refused, see `error`
    Errc error = Errc::none;
    std::string detail;
    std::string kid;
    std::int64_t key_age_s = -1;
    jwt::CheckTrail checks;
    std::uint32_t micros = 0;
    SharedUse shared = SharedUse::none;
};

/// A cached grant's token is looked at anew on every hit: false on or after exp, and before nbf
/// less the skew. An entry's end was worked out from the clock at insertion, and a clock that
/// stepped since must not keep a token alive. Always true with "limitToExpiration": false.
bool still_holds(const config::Authorizer& options,
                 const authz::Grant& grant,
                 WallTime wall) noexcept;

/// One miss: what the authorizer is asked. Views live for the call of authorize(); a call that must
/// wait copies them.
struct AuthorizeCall {
    std::shared_ptr<const Snapshot> snapshot;
    const CompiledApi* api = nullptr;
    const CompiledAuthorizer* authorizer = nullptr;
    std::string_view identity;
    std::string_view token;  ///< what gatehouse:jwt reads, and a TOKEN event holds
    std::string_view method_arn;
    const authz::RequestFacts* facts = nullptr;  ///< of the request that asks first
    bool* joined = nullptr;  ///< set when the call of another request is waited for
};

/// Runs authorizers on cache misses: single flight, key sets, verification, grant, cache. Shared by
/// all workers. With the key at hand it is a plain call of some 20 µs; only a key fetch makes
/// anybody wait.
class Authorize {
  public:
    Authorize(authz::GrantCache& cache, KeyStore& keys, const Clock& clock, Warn warn);

    /// What asks introspection endpoints; it must outlive the last call. Set before the first
    /// request. Without one they give no answer.
    void introspect_by(TokenIntrospector& introspector) noexcept { introspector_ = &introspector; }

    /// Where results that cost a call are looked for before it is made; it must outlive the last
    /// call. Set before the first request.
    void share_by(SharedState& shared) noexcept { shared_ = &shared; }

    /// @param make_wake  asked for a wake only when the answer may have to be waited for
    /// @return the result, or null: then the wake is told
    std::shared_ptr<const AuthorizeResult> authorize(const AuthorizeCall& call,
                                                     const Instant& now,
                                                     const std::function<Wake()>& make_wake);

    /// Adds to a grant what only the API knows: the ready-made header lines and the requestContext
    /// text. Says in `result` what is wrong.
    Errc finish_grant(const AuthorizeCall& call,
                      authz::Grant& grant,
                      AuthorizeResult& result) const;

    /// Authorizer calls made so far (verifications, not joins).
    std::uint64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }

  private:
    struct Job;
    /// Reads what somebody answered into the result.
    using ReadAnswer = std::function<void(const AuthorizeCall&, const Instant&, AuthorizeResult&)>;

    static std::shared_ptr<Job> start_job(const AuthorizeCall& call,
                                          const Instant& now,
                                          std::uint64_t generation,
                                          bool joins,
                                          const std::function<Wake()>& make_wake);
    void finish_job(const Job& job, const ReadAnswer& read);
    void look_up_shared(const std::shared_ptr<Job>& job, std::function<void()> ask);
    void take_shared(Job& job, const SharedFound& found, const std::function<void()>& ask);
    void put_shared(const Job& job, std::chrono::milliseconds life);
    void end_job(const Job& job, const std::shared_ptr<const AuthorizeResult>& result);
    void accept(const AuthorizeCall& call,
                Result<authz::Grant> granted,
                AuthorizeResult& result) const;
    std::shared_ptr<const AuthorizeResult> call_function(const AuthorizeCall& call,
                                                         const Instant& now,
                                                         std::uint64_t generation,
                                                         bool joins,
                                                         const std::function<Wake()>& make_wake);
    std::shared_ptr<const AuthorizeResult> call_introspection(
        const AuthorizeCall& call,
        const Instant& now,
        std::uint64_t generation,
        bool joins,
        const std::function<Wake()>& make_wake);
    std::shared_ptr<const AuthorizeResult> attempt_safely(
        const AuthorizeCall& call,
        const Instant& now,
        std::uint64_t generation,
        const std::function<bool(std::uint32_t source)>& await_keys);
    std::shared_ptr<const AuthorizeResult> attempt(
        const AuthorizeCall& call,
        const Instant& now,
        std::uint64_t generation,
        const std::function<bool(std::uint32_t source)>& await_keys);
    void verify(const AuthorizeCall& call,
                jwt::Unverified token,
                std::uint32_t source,
                const Keys& keys,
                const Instant& now,
                AuthorizeResult& result);
    /// Keeps what may be kept, no longer than `most`. Returns how long a grant is kept; 0: not.
    std::chrono::milliseconds remember(const AuthorizeCall& call,
                                       const AuthorizeResult& result,
                                       const Instant& now,
                                       std::uint64_t generation,
                                       std::optional<std::chrono::milliseconds> most = {});
    void warn_of_trap(const AuthorizeCall& call, const authz::Grant& grant);

    authz::GrantCache& cache_;
    KeyStore& keys_;
    const Clock& clock_;
    Warn warn_;
    TokenIntrospector* introspector_ = nullptr;
    SharedState* shared_ = nullptr;
    SingleFlight flight_;
    std::atomic<std::uint64_t> calls_{0};
};

}  // namespace gatehouse::app
