#pragma once

#include "gatehouse/app/redis_link.hpp"
#include "support/fake_clock.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// What Redis keeps, without Redis: the commands that Gatehouse sends, by a clock that tests move.
class MemoryRedis {
  public:
    explicit MemoryRedis(const FakeClock& clock) : clock_(clock) {}

    app::RedisReply run(const app::RedisCommand& command) {
        commands.push_back(command);
        const std::string& verb = command.at(0);
        if (verb == refused) return error("READONLY You can't write against a read only replica.");
        if (verb == "MGET") {
            app::RedisReply reply = kind(app::RedisReply::Kind::list);
            for (std::size_t i = 1; i < command.size(); ++i)
                reply.list.push_back(get(command[i]));
            return reply;
        }
        if (verb == "SET") return set(command);
        if (verb == "PTTL") return integer(left(command.at(1)));
        if (verb == "INCR") return add(command.at(1), 1);
        if (verb == "INCRBY") return add(command.at(1), std::stoll(command.at(2)));
        if (verb == "PEXPIRE") {
            ends[command.at(1)] = now() + std::stoll(command.at(2));
            return integer(1);
        }
        if (verb == "PEXPIREAT") {
            ends[command.at(1)] = std::stoll(command.at(2));
            return integer(1);
        }
        if (verb == "PUBLISH") {
            published.push_back(command.at(2));
            for (app::RedisListener* listener : listeners)
                listener->received(command.at(2));
            return integer(static_cast<std::int64_t>(listeners.size()));
        }
        if (verb == "HSET") {
            hashes[command.at(1)][command.at(2)] = command.at(3);
            return integer(1);
        }
        if (verb == "HVALS") {
            app::RedisReply reply = kind(app::RedisReply::Kind::list);
            for (const auto& [field, value] : hashes[command.at(1)])
                reply.list.push_back(text(value));
            return reply;
        }
        FAIL("a command that nobody expects: " << verb);
        return {};
    }

    /// The one name with that beginning.
    std::string only(const std::string& prefix) const {
        std::string found;
        for (const auto& [name, value] : values) {
            if (!name.starts_with(prefix)) continue;
            REQUIRE(found == "");
            found = name;
        }
        REQUIRE(found != "");
        return found;
    }

    std::map<std::string, std::string> values;
    std::map<std::string, std::map<std::string, std::string>> hashes;
    std::map<std::string, std::int64_t> ends;
    std::vector<app::RedisCommand> commands;
    std::vector<std::string> published;
    std::vector<app::RedisListener*> listeners;
    std::string refused;  ///< a verb that gets an error

  private:
    static app::RedisReply kind(app::RedisReply::Kind kind) {
        app::RedisReply reply;
        reply.kind = kind;
        return reply;
    }

    static app::RedisReply text(const std::string& value) {
        app::RedisReply reply = kind(app::RedisReply::Kind::text);
        reply.text = value;
        return reply;
    }

    static app::RedisReply error(const std::string& value) {
        app::RedisReply reply = kind(app::RedisReply::Kind::error);
        reply.text = value;
        return reply;
    }

    static app::RedisReply integer(std::int64_t value) {
        app::RedisReply reply = kind(app::RedisReply::Kind::integer);
        reply.integer = value;
        return reply;
    }

    std::int64_t now() const { return clock_.now().wall.time_since_epoch().count(); }

    std::int64_t left(const std::string& name) {
        if (get(name).kind == app::RedisReply::Kind::nil) return -2;
        const auto end = ends.find(name);
        return end == ends.end() ? -1 : end->second - now();
    }

    app::RedisReply get(const std::string& name) {
        const auto end = ends.find(name);
        if (end != ends.end() && end->second <= now()) {
            values.erase(name);
            ends.erase(end);
        }
        const auto found = values.find(name);
        return found == values.end() ? kind(app::RedisReply::Kind::nil) : text(found->second);
    }

    app::RedisReply set(const app::RedisCommand& command) {
        const std::string& name = command.at(1);
        if (command.back() == "NX" && get(name).kind != app::RedisReply::Kind::nil)
            return kind(app::RedisReply::Kind::nil);
        values[name] = command.at(2);
        ends.erase(name);
        if (command.size() == 5) ends[name] = now() + std::stoll(command.at(4));
        return text("OK");
    }

    app::RedisReply add(const std::string& name, std::int64_t by) {
        const app::RedisReply before = get(name);
        const std::int64_t sum =
            (before.kind == app::RedisReply::Kind::nil ? 0 : std::stoll(before.text)) + by;
        values[name] = std::to_string(sum);
        return integer(sum);
    }

    const FakeClock& clock_;
};

/// A link to it, that answers at once, later, or not at all.
class MemoryLink final : public app::RedisLink {
  public:
    explicit MemoryLink(MemoryRedis& redis) : redis_(redis) {}

    void send(std::vector<app::RedisCommand> commands, app::RedisDone done) override {
        if (away) return done({});
        if (held) {
            waiting_.emplace_back(std::move(commands), std::move(done));
            return;
        }
        done(run(commands));
    }

    app::RedisStatus status() const override {
        return {!away, "redis.example:6379", WallTime(std::chrono::seconds(1795492800)), "gone"};
    }

    /// Lets what was held through, in its order.
    void release() {
        held = false;
        while (!waiting_.empty()) {
            auto [commands, done] = std::move(waiting_.front());
            waiting_.pop_front();
            done(run(commands));
        }
    }

    /// As a connection that breaks while commands are under way.
    void give_up() {
        away = true;
        while (!waiting_.empty()) {
            const app::RedisDone done = std::move(waiting_.front().second);
            waiting_.pop_front();
            done({});
        }
    }

    std::size_t waiting() const { return waiting_.size(); }

    bool away = false;
    bool held = false;

  private:
    std::vector<app::RedisReply> run(const std::vector<app::RedisCommand>& commands) {
        std::vector<app::RedisReply> replies;
        for (const app::RedisCommand& command : commands)
            replies.push_back(redis_.run(command));
        return replies;
    }

    MemoryRedis& redis_;
    std::deque<std::pair<std::vector<app::RedisCommand>, app::RedisDone>> waiting_;
};

}  // namespace gatehouse::test
