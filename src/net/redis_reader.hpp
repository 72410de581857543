#pragma once

#include "gatehouse/app/redis_link.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct redisReader;

namespace gatehouse::net {

/// Reads Redis's replies (RESP 2) by hiredis, within bounds: of a reply's bytes
/// limits::kSharedReplyBytes, of a list's elements 65536.
class RedisReader {
  public:
    RedisReader();
    ~RedisReader();
    RedisReader(const RedisReader&) = delete;
    RedisReader& operator=(const RedisReader&) = delete;

    /// Takes bytes as they come. False: they are no replies, or too many; nothing more can be read.
    bool feed(std::string_view bytes);

    /// The next reply that is there whole. Nothing: more bytes are needed, or failed().
    std::optional<app::RedisReply> next();

    bool failed() const noexcept { return failed_; }

  private:
    struct Free {
        void operator()(redisReader* reader) const noexcept;
    };

    std::unique_ptr<redisReader, Free> reader_;
    bool failed_ = false;
};

/// The bytes of a command.
std::string format_command(const app::RedisCommand& command);

}  // namespace gatehouse::net
