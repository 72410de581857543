#pragma once

#include "gatehouse/core/time.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::app {

/// Words of a command: {"MGET", "a", "b"}.
using RedisCommand = std::vector<std::string>;

struct RedisReply {
    enum class Kind : std::uint8_t { nil, text, integer, list, error };
    Kind kind = Kind::nil;
    std::string text;  ///< text, error
    std::int64_t integer = 0;
    std::vector<RedisReply> list;
};

/// Told the replies, one for each command, exactly once, on any thread; none at all: Redis is away,
/// or was late, and whether it did anything is not known. Must neither block nor throw.
using RedisDone = std::function<void(std::vector<RedisReply>)>;

struct RedisStatus {
    bool up = false;
    std::string place;  ///< host and port; no password
    WallTime since;     ///< of up, or of away
    std::string why;    ///< it is away
};

/// Sends commands to a Redis that may be away.
class RedisLink {
  public:
    virtual ~RedisLink() = default;

    /// Commands of one call are sent together, and calls in their order. Any thread; never blocks.
    virtual void send(std::vector<RedisCommand> commands, RedisDone done) = 0;

    virtual RedisStatus status() const = 0;
};

/// Told what becomes of the link, on its thread.
class RedisListener {
  public:
    virtual ~RedisListener() = default;

    /// Commands can be sent, and the subscription stands; `ready` is to be told once, when what has
    /// been missed is made up for: nothing, or why that cannot be, and then the link begins anew.
    virtual void connected(std::function<void(std::string why)> ready) = 0;

    virtual void lost() = 0;

    /// Published on the channel, by whomever.
    virtual void received(std::string_view message) = 0;

    /// Once a second while the link is up, and last before it is closed.
    virtual void tick() = 0;
};

}  // namespace gatehouse::app
