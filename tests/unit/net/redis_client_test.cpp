#include "gatehouse/net/redis_client.hpp"

#include "../../../src/net/redis_reader.hpp"
#include "gatehouse/core/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace redis_client_test {

using namespace gatehouse;
using namespace gatehouse::net;
using namespace std::chrono_literals;
using app::RedisCommand;
using app::RedisReply;
using boost::asio::ip::tcp;

namespace {

const app::SystemClock kClock;

/// Waits until `condition` holds; a test that waits in vain fails.
template <class Condition>
bool wait_for(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// Answers as `reply` says, a thread for each connection.
class ScriptedRedis {
  public:
    /// Bytes to be sent for a command; "close" closes, "" says nothing.
    using Reply = std::function<std::string(const RedisCommand& command)>;

    explicit ScriptedRedis(Reply reply)
        : reply_(std::move(reply)), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
        port = acceptor_.local_endpoint().port();
        accepting_ = std::thread([this] { accept(); });
    }

    ~ScriptedRedis() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
            for (const auto& socket : sockets_)
                shut(*socket);
        }
        boost::system::error_code ec;
        tcp::socket last(io_);  // so that accept() returns
        last.connect({boost::asio::ip::address_v4::loopback(), port}, ec);
        accepting_.join();
        for (std::thread& thread : threads_)
            thread.join();
    }

    void cut() {
        const std::lock_guard lock(mutex_);
        for (const auto& socket : sockets_)
            shut(*socket);
    }

    /// To every connection that listens, or to all of them.
    void push(const std::string& bytes, bool to_all = false) {
        const std::lock_guard lock(mutex_);
        boost::system::error_code ec;
        for (const auto& socket : to_all ? sockets_ : listening_)
            boost::asio::write(*socket, boost::asio::buffer(bytes), ec);
    }

    std::vector<RedisCommand> commands() const {
        const std::lock_guard lock(mutex_);
        return commands_;
    }

    std::uint16_t port = 0;
    std::atomic<int> connections{0};

  private:
    static void shut(tcp::socket& socket) {
        boost::system::error_code ec;
        socket.shutdown(tcp::socket::shutdown_both, ec);
    }

    void accept() {
        while (true) {
            auto socket = std::make_shared<tcp::socket>(io_);
            boost::system::error_code ec;
            acceptor_.accept(*socket, ec);
            const std::lock_guard lock(mutex_);
            if (ec || ended_) return;
            ++connections;
            sockets_.push_back(socket);
            threads_.emplace_back([this, socket] { serve(socket); });
        }
    }

    void serve(const std::shared_ptr<tcp::socket>& connection) {
        tcp::socket& socket = *connection;
        RedisReader reader;
        std::array<char, 4096> buffer;
        boost::system::error_code ec;
        while (true) {
            const std::size_t length = socket.read_some(boost::asio::buffer(buffer), ec);
            if (ec || !reader.feed({buffer.data(), length})) return shut(socket);
            while (const auto words = reader.next()) {
                RedisCommand command;
                for (const RedisReply& word : words->list)
                    command.push_back(word.text);
                const std::string bytes = reply_(command);
                const std::lock_guard lock(mutex_);
                commands_.push_back(command);
                if (command[0] == "SUBSCRIBE") listening_.push_back(connection);
                if (bytes == "close") return shut(socket);
                boost::asio::write(socket, boost::asio::buffer(bytes), ec);
            }
        }
    }

    Reply reply_;
    boost::asio::io_context io_;
    tcp::acceptor acceptor_;
    mutable std::mutex mutex_;
    bool ended_ = false;
    std::vector<std::shared_ptr<tcp::socket>> sockets_;
    std::vector<RedisCommand> commands_;
    std::vector<std::shared_ptr<tcp::socket>> listening_;
    std::vector<std::thread> threads_;
    std::thread accepting_;
};

std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

/// As a Redis without a password.
std::string answer(const RedisCommand& command) {
    if (command[0] == "PING") return "+PONG\r\n";
    if (command[0] == "SUBSCRIBE")
        return "*3\r\n" + bulk("subscribe") + bulk(command[1]) + ":1\r\n";
    if (command[0] == "ECHO") return bulk(command[1]);
    return "+OK\r\n";
}

class Listener final : public app::RedisListener {
  public:
    void connected(std::function<void(std::string)> ready) override {
        ++times_connected;
        ready(refusal);
    }

    void lost() override { ++times_lost; }

    void received(std::string_view message) override {
        const std::lock_guard lock(mutex);
        messages.emplace_back(message);
    }

    void tick() override { ++ticks; }

    std::vector<std::string> heard() const {
        const std::lock_guard lock(mutex);
        return messages;
    }

    std::string refusal;
    std::atomic<int> times_connected{0};
    std::atomic<int> times_lost{0};
    std::atomic<int> ticks{0};
    mutable std::mutex mutex;
    std::vector<std::string> messages;
};

RedisOptions options_of(std::uint16_t port) {
    RedisOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.channel = "c";
    options.timeout = 5000ms;
    return options;
}

bool is_up(const RedisClient& client) {
    return wait_for([&] { return client.status().up; });
}

bool is_away(const RedisClient& client, const std::string& why) {
    return wait_for([&] {
        const app::RedisStatus status = client.status();
        return !status.up && status.why.find(why) != std::string::npos;
    });
}

/// Sends and waits; "none" for no replies.
std::string ask(RedisClient& client, std::vector<RedisCommand> commands) {
    const auto told = std::make_shared<std::promise<std::string>>();
    auto future = told->get_future();
    client.send(std::move(commands), [told](const std::vector<RedisReply>& replies) {
        std::string text;
        for (const RedisReply& reply : replies)
            text += reply.text + ";";
        told->set_value(replies.empty() ? "none" : text);
    });
    return future.get();
}

}  // namespace

TEST_SUITE("net/redis_client") {
    TEST_CASE("it greets by name and password, and each call gets its own replies") {
        ScriptedRedis redis(answer);
        RedisOptions options = options_of(redis.port);
        options.user = "gate";
        options.password = "hush";
        options.database = 3;
        Listener listener;
        RedisClient client(options, kClock);
        CHECK(ask(client, {{"ECHO", "early"}}) == "none");
        CHECK(client.status().place == "127.0.0.1:" + std::to_string(redis.port));
        client.start(listener);
        REQUIRE(is_up(client));
        std::vector<std::thread> threads;
        std::atomic<int> right{0};
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 100; ++i) {
                    const std::string word = std::to_string(t * 1000 + i);
                    right += ask(client, {{"ECHO", word}, {"ECHO", word + "x"}}) ==
                             word + ";" + word + "x;";
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(right == 400);
        const auto commands = redis.commands();
        const auto times = [&](const RedisCommand& command) {
            return std::count(commands.begin(), commands.end(), command);
        };
        CHECK(times({"AUTH", "gate", "hush"}) == 2);
        CHECK(times({"SELECT", "3"}) == 1);
        CHECK(times({"SUBSCRIBE", "c"}) == 1);
        client.stop();
        CHECK(ask(client, {{"ECHO", "late"}}) == "none");
        CHECK(listener.times_lost == 1);
    }

    TEST_CASE("messages of its own channel are heard and nothing else is one") {
        ScriptedRedis redis(answer);
        Listener listener;
        RedisClient client(options_of(redis.port), kClock);
        client.start(listener);
        REQUIRE(is_up(client));
        const std::string binary("a\0b\r\n", 5);
        redis.push("*3\r\n" + bulk("message") + bulk("other") + bulk("no"));
        redis.push("*4\r\n" + bulk("pmessage") + bulk("*") + bulk("c") + bulk("no"));
        redis.push("*2\r\n" + bulk("pong") + bulk("") + ":1\r\n$-1\r\n*0\r\n");
        redis.push("*3\r\n" + bulk("message") + bulk("c") + bulk(binary));
        CHECK(wait_for([&] { return !listener.heard().empty(); }));
        CHECK(listener.heard() == std::vector<std::string>{binary});
        CHECK(wait_for([&] { return listener.ticks > 0; }));
        CHECK(listener.times_connected == 1);
        // What answers nothing is a fault on the other line: whose reply it is nobody knows.
        redis.push("+OK\r\n", true);
        CHECK(wait_for([&] { return listener.times_connected == 2; }));
        CHECK(is_up(client));
    }

    TEST_CASE("what it is refused it says without what it sent") {
        struct Row {
            const char* name;
            const char* verb;
            std::string reply;
            const char* why;
        };

        const Row rows[] = {
            {"wrong password", "AUTH", "-WRONGPASS invalid\r\n", "user or password: WRONGPASS"},
            {"no such command",
             "AUTH",
             "-ERR unknown command `AUTH`, with args beginning with: `hush`\r\n",
             "user or password: ERR"},
            {"words of any kind", "AUTH", "-hush hush\r\n", "user or password: an error"},
            {"a password is wanted", "PING", "-NOAUTH Authentication required.\r\n", "NOAUTH"},
            {"loading", "PING", "-LOADING hush\r\n", "refuses PING: LOADING"},
            {"no such database", "SELECT", "-ERR hush\r\n", "refuses SELECT: ERR"},
            {"no channel", "SUBSCRIBE", "-NOPERM hush\r\n", "refuses SUBSCRIBE: NOPERM"},
            {"no Redis", "PING", "HTTP/1.1 400 hush\r\n\r\n", "not Redis's"},
            {"closed", "PING", "close", "closed"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            ScriptedRedis redis([&](const RedisCommand& command) {
                return command[0] == row.verb ? row.reply : answer(command);
            });
            RedisOptions options = options_of(redis.port);
            options.password = "hush";
            options.database = 1;
            Listener listener;
            RedisClient client(options, kClock);
            client.start(listener);
            CHECK(is_away(client, row.why));
            CHECK(client.status().why.find("hush") == std::string::npos);
            CHECK(listener.times_connected == 0);
            // And it tries again.
            CHECK(wait_for([&] { return redis.connections > 3; }));
        }
    }

    TEST_CASE("nobody on the port and no such host") {
        std::uint16_t port = 0;
        {
            const ScriptedRedis gone(answer);
            port = gone.port;
        }
        Listener listener;
        RedisClient refused(options_of(port), kClock);
        refused.start(listener);
        CHECK(is_away(refused, "refused"));
        RedisOptions options = options_of(6379);
        options.host = "no-such-host.invalid";
        RedisClient unknown(options, kClock);
        unknown.start(listener);
        CHECK(is_away(unknown, "the name is not found"));
    }

    TEST_CASE("a late reply is none and a silent Redis is given up") {
        std::atomic<bool> silent{false};
        ScriptedRedis redis([&](const RedisCommand& command) {
            return silent && command[0] != "SUBSCRIBE" ? std::string() : answer(command);
        });
        RedisOptions options = options_of(redis.port);
        options.timeout = 50ms;
        Listener listener;
        RedisClient client(options, kClock);
        client.start(listener);
        REQUIRE(is_up(client));
        silent = true;
        const auto begun = std::chrono::steady_clock::now();
        CHECK(ask(client, {{"ECHO", "x"}}) == "none");
        CHECK(std::chrono::steady_clock::now() - begun < 10s);
        CHECK(ask(client, {{"ECHO", "y"}}) == "none");
        CHECK(is_away(client, "no answer for 1000 ms"));
        silent = false;
        CHECK(is_up(client));
        CHECK(wait_for([&] { return ask(client, {{"ECHO", "z"}}) == "z;"; }));
    }

    TEST_CASE("a connection that breaks tells all who wait and is made again") {
        std::atomic<bool> silent{false};
        std::atomic<int> unanswered{0};
        ScriptedRedis redis([&](const RedisCommand& command) {
            if (!silent) return answer(command);
            ++unanswered;
            return std::string();
        });
        Listener listener;
        RedisClient client(options_of(redis.port), kClock);
        client.start(listener);
        REQUIRE(is_up(client));
        silent = true;
        std::atomic<int> none{0};
        for (int i = 0; i < 50; ++i) {
            client.send({{"ECHO", "x"}},
                        [&](const std::vector<RedisReply>& replies) { none += replies.empty(); });
        }
        REQUIRE(wait_for([&] { return unanswered == 50; }));
        silent = false;
        redis.cut();
        CHECK(wait_for([&] { return none == 50; }));
        CHECK(is_up(client));
        CHECK(ask(client, {{"ECHO", "x"}}) == "x;");
        CHECK(listener.times_connected == 2);
    }

    TEST_CASE("a listener that cannot make up for what it missed begins anew") {
        ScriptedRedis redis(answer);
        Listener listener;
        listener.refusal = "Redis refuses INCR: READONLY";
        RedisClient client(options_of(redis.port), kClock);
        client.start(listener);
        CHECK(is_away(client, "READONLY"));
        CHECK(wait_for([&] { return listener.times_connected > 1; }));
        CHECK_FALSE(client.status().up);
    }

    TEST_CASE("it ends at once whatever it does and ticks once more") {
        for (const bool up : {true, false}) {
            CAPTURE(up);
            std::atomic<bool> silent{!up};
            ScriptedRedis redis([&](const RedisCommand& command) {
                return silent ? std::string() : answer(command);
            });
            Listener listener;
            std::atomic<int> none{0};
            const auto begun = std::chrono::steady_clock::now();
            {
                RedisOptions options = options_of(redis.port);
                options.timeout = 100ms;
                RedisClient client(options, kClock);
                client.start(listener);
                if (up) REQUIRE(is_up(client));
                silent = true;
                const int before = listener.ticks;
                client.send({{"ECHO", "x"}}, [&](const std::vector<RedisReply>& replies) {
                    none += replies.empty();
                });
                client.stop();
                CHECK(listener.ticks >= before + (up ? 1 : 0));
                client.stop();
            }
            CHECK(none == 1);
            CHECK(std::chrono::steady_clock::now() - begun < 20s);
        }
    }
}

}  // namespace redis_client_test
