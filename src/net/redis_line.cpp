#include "redis_line.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace gatehouse::net {

namespace asio = boost::asio;
using asio::ip::tcp;

RedisLine::RedisLine(asio::io_context& io, Events events)
    : socket_(io), events_(std::move(events)) {}

void RedisLine::open(const std::vector<tcp::endpoint>& places) {
    asio::async_connect(
        socket_,
        places,
        [self = shared_from_this()](boost::system::error_code ec, const tcp::endpoint&) {
            if (self->closed_) return;
            if (ec) return self->end(ec.message());
            boost::system::error_code ignored;
            self->socket_.set_option(tcp::no_delay(true), ignored);
            self->read();
            self->events_.opened();
        });
}

void RedisLine::close() {
    if (std::exchange(closed_, true)) return;
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void RedisLine::end(std::string why) {
    if (closed_) return;
    close();
    events_.ended(std::move(why));
}

void RedisLine::read() {
    socket_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](boost::system::error_code ec, std::size_t length) {
            if (self->closed_) return;
            if (ec == asio::error::eof) return self->end("it closed the connection");
            if (ec) return self->end(ec.message());
            self->take(length);
        });
}

void RedisLine::take(std::size_t length) {
    reader_.feed({buffer_.data(), length});
    while (!closed_) {
        std::optional<app::RedisReply> reply = reader_.next();
        if (!reply) break;
        events_.replied(std::move(*reply));
    }
    if (closed_) return;
    if (reader_.failed()) return end("its replies are not Redis's, or too large");
    read();
}

void RedisLine::write(std::string bytes) {
    if (closed_) return;
    waiting_ += bytes;
    if (sending_.empty()) send();
}

void RedisLine::send() {
    sending_.swap(waiting_);
    asio::async_write(socket_,
                      asio::buffer(sending_),
                      [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                          if (self->closed_) return;
                          if (ec) return self->end(ec.message());
                          self->sending_.clear();
                          if (!self->waiting_.empty()) self->send();
                      });
}

}  // namespace gatehouse::net
