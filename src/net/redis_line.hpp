#pragma once

#include "gatehouse/app/redis_link.hpp"
#include "redis_reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gatehouse::net {

/// One connection to Redis: bytes of commands out, replies in. Belongs to its io_context's thread,
/// and to what it waits for: close() ends it, and nobody is told anything after that.
class RedisLine : public std::enable_shared_from_this<RedisLine> {
  public:
    struct Events {
        std::function<void()> opened;
        std::function<void(app::RedisReply reply)> replied;
        std::function<void(std::string why)> ended;  ///< by the other side, or a fault
    };

    RedisLine(boost::asio::io_context& io, Events events);

    void open(const std::vector<boost::asio::ip::tcp::endpoint>& places);
    void write(std::string bytes);
    void close();

    /// Bytes that the system has not taken yet.
    std::size_t unsent() const noexcept { return waiting_.size() + sending_.size(); }

  private:
    void read();
    void take(std::size_t length);
    void send();
    void end(std::string why);

    boost::asio::ip::tcp::socket socket_;
    Events events_;
    RedisReader reader_;
    std::array<char, 16384> buffer_;
    std::string waiting_;
    std::string sending_;
    bool closed_ = false;
};

}  // namespace gatehouse::net
