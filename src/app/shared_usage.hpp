#pragma once

#include "gatehouse/app/redis_link.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/seal.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::usage {
class QuotaCounter;
}  // namespace gatehouse::usage

namespace gatehouse::app {

struct Snapshot;

/// Exchanges the counts of quotas with other replicas. In Redis each period of a key in a plan is a
/// hash with a field for each replica's own count, which only grows: to write it again changes
/// nothing, so that a count is neither lost nor doubled when nobody knows whether a command was
/// done. Its names are digests; the numbers are in the clear. One thread at a time.
class SharedUsage {
  public:
    /// @param prefix  of all names in Redis
    /// @param self  this process's own name among the replicas
    SharedUsage(const jwt::Seal& seal, std::string prefix, std::string self);

    /// What Redis has is not known any more: everything is told again.
    void forget();

    /// What is to be told and asked now: what has changed first, then some of the rest in turn.
    /// `take` reads the replies, and says how many of them were none of ours.
    struct Batch {
        std::vector<RedisCommand> commands;
        std::function<std::size_t(const std::vector<RedisReply>&, WallTime now)> take;
    };

    Batch exchange(const std::shared_ptr<const Snapshot>& snapshot, WallTime now);

  private:
    struct Told {
        std::chrono::sys_days start{};
        std::uint32_t count = 0;
    };

    struct Asked {
        usage::QuotaCounter* counter = nullptr;
        std::size_t reply = 0;  ///< the one with all counts
        Told told;
    };

    static std::size_t take(const std::vector<Asked>& asked,
                            const std::vector<RedisReply>& replies,
                            WallTime now);

    const jwt::Seal& seal_;
    std::string prefix_;
    std::string self_;
    std::map<std::uint64_t, Told> told_;  ///< by serial
    std::size_t turn_ = 0;
};

/// A decimal number that Redis keeps; nothing for anything else.
std::optional<std::uint64_t> parse_count(std::string_view text) noexcept;

}  // namespace gatehouse::app
