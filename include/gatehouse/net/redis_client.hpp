#pragma once

#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/redis_link.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace gatehouse::net {

struct RedisOptions {
    std::string host;
    std::uint16_t port = 6379;
    std::string user;
    std::string password;  ///< in no log and no status
    int database = 0;
    std::string channel;  ///< that is listened to
    std::chrono::milliseconds timeout{};
};

/// Redis on a thread of its own, by two connections: one for commands, one that listens. A reply
/// that is late is told as none, and nothing more is sent until Redis has caught up; after
/// limits::kSharedSilence without one the connections are given up. They are made again after 100
/// ms to 5 s, each time asked for name and password anew. One line in the log when Redis goes, and
/// one when it is back.
class RedisClient final : public app::RedisLink {
  public:
    RedisClient(RedisOptions options, const app::Clock& clock);
    /// stop()s.
    ~RedisClient() override;
    RedisClient(const RedisClient&) = delete;
    RedisClient& operator=(const RedisClient&) = delete;

    /// Begins; `listener` must outlive stop(). Once.
    void start(app::RedisListener& listener);

    /// Lets the listener tick once more, waits for Redis no longer than the timeout, and ends the
    /// thread. Whoever waits for a reply is told that there is none.
    void stop();

    void send(std::vector<app::RedisCommand> commands, app::RedisDone done) override;
    app::RedisStatus status() const override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
