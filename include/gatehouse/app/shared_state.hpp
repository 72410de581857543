#pragma once

#include "gatehouse/app/metrics.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/redis_link.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/authz/shared_entry.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::app {

struct Snapshot;

struct SharedOptions {
    std::string secret;
    std::string prefix;
};

/// Whose result is looked for: one authorizer's for one caller.
struct SharedQuestion {
    std::string api_id;
    std::string stage;
    std::string authorizer;
    jwt::Sha256 scope{};     ///< CompiledAuthorizer::shared_scope
    jwt::Sha256 identity{};  ///< of the whole identity value
    std::chrono::milliseconds ttl{};
};

struct SharedFound {
    SharedUse use = SharedUse::away;
    std::string reply;  ///< hit: the authorizer's answer as it came
    std::string method_arn;
    std::chrono::milliseconds left{};  ///< hit: how long it may still be used
    /// Of which flushes the look-up knew: a result that is made now is put under these, so that a
    /// flush in between keeps it from being used. Nothing: it is not to be put.
    std::optional<authz::FlushEpochs> epochs;
};

/// What this gateway shares with others by way of a Redis that is trusted with nothing:
/// authorizers' results are sealed (jwt/seal.hpp), flushes too, and names are digests; only the
/// counts of usage plans can be read there, without whose they are. It makes commands and reads
/// replies, and has neither a socket nor a thread. Thread-safe.
///
/// A flush is an epoch that grows: of the stage, of one authorizer of it, or of one identity in it.
/// An entry holds the epochs that its look-up saw, and is dead once one of them is another. What
/// was published while the link was gone shows in the epochs when it is back.
class SharedState final : public RedisListener {
  public:
    SharedState(SharedOptions options,
                RedisLink& link,
                authz::GrantCache& cache,
                const Clock& clock,
                Warn warn);
    ~SharedState() override;
    SharedState(const SharedState&) = delete;
    SharedState& operator=(const SharedState&) = delete;

    /// Where flushes are published.
    static std::string channel(std::string_view prefix);

    /// Whose authorizers and usage plans are shared from now on. Before the link starts, and after
    /// each reload.
    void adopt(std::shared_ptr<const Snapshot> snapshot);

    /// Looks for a result. `done` is told once, at once where Redis is away; it must neither block
    /// nor throw.
    void find(const SharedQuestion& question, std::function<void(SharedFound)> done);

    /// Keeps a result for others.
    void put(const SharedQuestion& question,
             const authz::FlushEpochs& epochs,
             std::string_view reply,
             std::string_view method_arn,
             std::chrono::milliseconds life);

    /// Has everybody else drop what GrantCache::flush dropped here; when Redis is away, once it is
    /// back.
    void flush(std::string_view api_id,
               std::string_view stage,
               const std::optional<std::string>& authorizer,
               const std::optional<jwt::Sha256>& identity);

    SharedFacts facts() const;

    /// "shared state: redis 127.0.0.1:6379 away since …"; empty: all is well.
    std::string warning() const;

    void connected(std::function<void(std::string why)> ready) override;
    void lost() override;
    void received(std::string_view message) override;
    void tick() override;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;  ///< shared with replies that are under way
};

}  // namespace gatehouse::app
