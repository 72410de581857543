#include "gatehouse/net/redis_client.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "lookup.hpp"
#include "redis_line.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;
using app::RedisCommand;
using app::RedisReply;
using asio::ip::tcp;
using std::chrono::milliseconds;

std::string place_of(const RedisOptions& options) {
    const bool ipv6 = options.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

/// Commands that were sent together.
struct Batch {
    std::size_t size = 0;
    std::vector<RedisReply> replies;
    app::RedisDone done;  ///< empty: told that there is nothing, the replies being late
    SteadyTime sent;

    void finish(std::vector<RedisReply> found) {
        if (const auto told = std::exchange(done, nullptr)) told(std::move(found));
    }
};

// The first word of an error alone: Redis quotes what it does not understand, and this may be the
// password.
std::string error_code(const RedisReply& reply) {
    const std::string_view text = reply.text;
    const std::string_view word = text.substr(0, text.find(' '));
    const bool plain = std::ranges::all_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
    return plain && word.size() <= 20 ? std::string(word) : "an error";
}

enum class Phase { idle, opening, catching_up, up, stopped };

}  // namespace

// All but `guard`ed members belong to the thread.
struct RedisClient::Impl {
    Impl(RedisOptions with, const app::Clock& time)
        : options(std::move(with)), clock(time), place(place_of(options)) {
        state.place = place;
        state.since = clock.now().wall;
        state.why = "not reached yet";
    }

    void begin();
    void open(const std::vector<tcp::endpoint>& places);
    void greet(RedisLine& line);
    void take_greeting(bool listens, const RedisReply& reply);
    void go_up();
    void fail(const std::string& why);
    void drop_lines();
    void begin_stop();
    void end_stop();

    void send(std::vector<RedisCommand> commands, app::RedisDone done);
    void take_reply(RedisReply reply);
    void take_push(const RedisReply& reply);
    void watch();
    void look();
    void tick();
    void tick_later();

    std::vector<RedisCommand> greeting(bool listens) const;

    milliseconds silence() const { return std::max(limits::kSharedSilence, options.timeout); }

    void set_status(bool up, const std::string& why);

    const RedisOptions options;
    const app::Clock& clock;
    const std::string place;
    app::RedisListener* listener = nullptr;
    asio::io_context io{1};
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
    std::thread thread;
    asio::steady_timer retry{io};
    asio::steady_timer deadline{io};
    asio::steady_timer ticker{io};
    std::optional<Lookup> lookup;
    std::shared_ptr<RedisLine> commands;
    std::shared_ptr<RedisLine> pushes;
    Phase phase = Phase::idle;
    std::uint64_t attempt = 0;
    std::size_t greeted[2] = {0, 0};  ///< replies to the greeting, by line
    std::deque<Batch> batches;
    bool watching = false;
    bool stopping = false;
    std::optional<SteadyTime> asked_pushes;  ///< a PING without its answer
    milliseconds pause = limits::kSharedRetryFirst;
    std::string told;  ///< why it is away, in the log

    mutable std::mutex mutex;
    bool accepting = false;   ///< guarded, and all below
    bool late = false;        ///< what was sent last has had no answer in time
    std::size_t waiting = 0;  ///< batches on their way
    std::size_t unsent = 0;   ///< bytes, as of the last write
    app::RedisStatus state;
};

// ---- the state that others see ------------------------------------------------------------------

void RedisClient::Impl::set_status(bool up, const std::string& why) {
    bool changed = false;
    {
        const std::lock_guard lock(mutex);
        changed = state.up != up;
        if (changed) state.since = clock.now().wall;
        state.up = up;
        state.why = why;
    }
    if (up) {
        if (changed) spdlog::info("shared state: redis {} answers", place);
        told.clear();
    } else if (std::exchange(told, why) != why) {
        spdlog::warn("shared state: redis {} away: {}; requests go on by this gateway's own cache",
                     place,
                     why);
    }
}

// ---- connecting ---------------------------------------------------------------------------------

void RedisClient::Impl::begin() {
    phase = Phase::opening;
    ++attempt;
    greeted[0] = greeted[1] = 0;
    deadline.expires_after(silence());
    deadline.async_wait([this, mine = attempt](boost::system::error_code ec) {
        if (ec || mine != attempt || phase != Phase::opening) return;
        fail("no answer for " + std::to_string(silence().count()) + " ms");
    });
    lookup.emplace(io.get_executor(),
                   options.host,
                   std::to_string(options.port),
                   [this](boost::system::error_code ec,
                          const std::vector<tcp::endpoint>& found,
                          std::chrono::seconds /*ttl*/) {
                       if (phase != Phase::opening) return;
                       if (ec || found.empty())
                           return fail("the name is not found: " + ec.message());
                       open(found);
                   });
}

void RedisClient::Impl::open(const std::vector<tcp::endpoint>& places) {
    const auto ended = [this](const std::string& why) { fail(why); };
    commands = std::make_shared<RedisLine>(
        io,
        RedisLine::Events{[this] { greet(*commands); },
                          [this](RedisReply reply) { take_reply(std::move(reply)); },
                          ended});
    pushes = std::make_shared<RedisLine>(
        io,
        RedisLine::Events{
            [this] { greet(*pushes); }, [this](RedisReply reply) { take_push(reply); }, ended});
    // Held: a line that fails at once drops both.
    const auto first = commands;
    const auto second = pushes;
    first->open(places);
    second->open(places);
}

std::vector<RedisCommand> RedisClient::Impl::greeting(bool listens) const {
    std::vector<RedisCommand> words;
    if (!options.password.empty()) {
        words.push_back(options.user.empty()
                            ? RedisCommand{"AUTH", options.password}
                            : RedisCommand{"AUTH", options.user, options.password});
    }
    if (options.database != 0 && !listens)
        words.push_back({"SELECT", std::to_string(options.database)});
    words.push_back(listens ? RedisCommand{"SUBSCRIBE", options.channel} : RedisCommand{"PING"});
    return words;
}

void RedisClient::Impl::greet(RedisLine& line) {
    std::string bytes;
    for (const RedisCommand& command : greeting(&line == pushes.get()))
        bytes += format_command(command);
    line.write(std::move(bytes));
}

void RedisClient::Impl::take_greeting(bool listens, const RedisReply& reply) {
    const std::vector<RedisCommand> words = greeting(listens);
    std::size_t& count = greeted[listens ? 1 : 0];
    if (reply.kind == RedisReply::Kind::error) {
        const std::string& word = words[std::min(count, words.size() - 1)].front();
        const std::string code = error_code(reply);
        if (word == "AUTH") return fail("it refuses the user or password: " + code);
        if (code == "NOAUTH") return fail("it wants a password: " + code);
        return fail("it refuses " + word + ": " + code);
    }
    ++count;
    if (greeted[0] == greeting(false).size() && greeted[1] == greeting(true).size()) go_up();
}

// What was missed is made up for before anybody else may ask.
void RedisClient::Impl::go_up() {
    deadline.cancel();
    phase = Phase::catching_up;
    {
        const std::lock_guard lock(mutex);
        accepting = true;
        late = false;
    }
    listener->connected([this, mine = attempt](const std::string& why) {
        // Told on this thread, or by whoever has failed meanwhile.
        if (mine != attempt || phase != Phase::catching_up) return;
        if (!why.empty()) {
            asio::post(io, [this, mine, why] {
                if (mine == attempt && phase == Phase::up) fail(why);
            });
        }
        phase = Phase::up;
        if (!why.empty()) return;
        pause = limits::kSharedRetryFirst;
        set_status(true, {});
        tick_later();
    });
}

void RedisClient::Impl::drop_lines() {
    for (const auto& line : {commands, pushes}) {
        if (line) line->close();
    }
    commands.reset();
    pushes.reset();
    lookup.reset();
    deadline.cancel();
    ticker.cancel();
    asked_pushes.reset();
    watching = false;
    std::deque<Batch> left = std::exchange(batches, {});
    {
        const std::lock_guard lock(mutex);
        accepting = false;
        waiting -= left.size();
    }
    for (Batch& batch : left)
        batch.finish({});
}

void RedisClient::Impl::fail(const std::string& why) {
    if (phase == Phase::idle || phase == Phase::stopped) return;
    phase = Phase::idle;
    ++attempt;
    listener->lost();
    drop_lines();
    set_status(false, why);
    if (stopping) return end_stop();
    retry.expires_after(pause);
    pause = std::min(pause * 2, limits::kSharedRetryMost);
    retry.async_wait([this](boost::system::error_code ec) {
        if (!ec && phase == Phase::idle && !stopping) begin();
    });
}

// ---- commands -----------------------------------------------------------------------------------

void RedisClient::Impl::send(std::vector<RedisCommand> list, app::RedisDone done) {
    const bool open = commands && (phase == Phase::catching_up || phase == Phase::up);
    if (!open) {
        {
            const std::lock_guard lock(mutex);
            --waiting;
        }
        return done({});
    }
    std::string bytes;
    for (const RedisCommand& command : list)
        bytes += format_command(command);
    Batch& batch = batches.emplace_back();
    batch.size = list.size();
    batch.done = std::move(done);
    batch.sent = clock.now().steady;
    commands->write(std::move(bytes));
    {
        const std::lock_guard lock(mutex);
        unsent = commands ? commands->unsent() : 0;
    }
    watch();
}

void RedisClient::Impl::take_reply(RedisReply reply) {
    if (phase == Phase::opening) return take_greeting(false, reply);
    if (batches.empty()) return fail("a reply that nobody asked for");
    Batch& front = batches.front();
    front.replies.push_back(std::move(reply));
    if (front.replies.size() < front.size) return;
    Batch whole = std::move(front);
    batches.pop_front();
    {
        const std::lock_guard lock(mutex);
        --waiting;
        // It has caught up once nothing is left that was given up.
        late = late && !batches.empty() && !batches.front().done;
        unsent = commands ? commands->unsent() : 0;
    }
    whole.finish(std::move(whole.replies));
    if (stopping && batches.empty()) end_stop();
}

void RedisClient::Impl::take_push(const RedisReply& reply) {
    asked_pushes.reset();
    const auto& words = reply.list;
    const bool greeted_whole = greeted[1] == greeting(true).size();
    if (phase == Phase::opening && !greeted_whole) return take_greeting(true, reply);
    // One that comes before the other line is ready shows in what is made up for.
    if (phase == Phase::opening) return;
    if (words.size() == 3 && words[0].text == "message" && words[1].text == options.channel)
        listener->received(words[2].text);
}

// One timer for all that waits: batches are answered in their order.
void RedisClient::Impl::watch() {
    if (watching || batches.empty()) return;
    watching = true;
    const auto waits = std::ranges::find_if(
        batches, [](const Batch& batch) { return static_cast<bool>(batch.done); });
    SteadyTime next = batches.front().sent + silence();
    if (waits != batches.end()) next = std::min(next, waits->sent + options.timeout);
    deadline.expires_at(next);
    deadline.async_wait([this, mine = attempt](boost::system::error_code ec) {
        if (ec || mine != attempt) return;
        watching = false;
        look();
        if (mine == attempt) watch();
    });
}

void RedisClient::Impl::look() {
    const SteadyTime now = clock.now().steady;
    std::vector<app::RedisDone> given_up;
    for (Batch& batch : batches) {
        if (now - batch.sent < options.timeout) break;
        if (batch.done) given_up.push_back(std::exchange(batch.done, nullptr));
    }
    if (!given_up.empty()) {
        const std::lock_guard lock(mutex);
        late = true;
    }
    for (const app::RedisDone& done : given_up)
        done({});
    if (!batches.empty() && now - batches.front().sent >= silence())
        fail("no answer for " + std::to_string(silence().count()) + " ms");
}

void RedisClient::Impl::tick_later() {
    ticker.expires_after(limits::kSharedTick);
    ticker.async_wait([this, mine = attempt](boost::system::error_code ec) {
        if (!ec && mine == attempt && phase == Phase::up) tick();
    });
}

// Both connections are asked for a sign of life: one that is gone without a word is not seen
// otherwise.
void RedisClient::Impl::tick() {
    const SteadyTime now = clock.now().steady;
    if (asked_pushes && now - *asked_pushes >= silence())
        return fail("no answer for " + std::to_string(silence().count()) + " ms");
    if (!asked_pushes) {
        asked_pushes = now;
        pushes->write(format_command({"PING"}));
    }
    {
        const std::lock_guard lock(mutex);
        ++waiting;
    }
    send({{"PING"}}, [](const std::vector<RedisReply>&) {});
    listener->tick();
    tick_later();
}

// ---- the end ------------------------------------------------------------------------------------

void RedisClient::Impl::begin_stop() {
    stopping = true;
    retry.cancel();
    if (phase != Phase::up) return end_stop();
    listener->tick();  // what was counted last
    asio::post(io, [this] {
        if (phase == Phase::stopped) return;
        if (batches.empty()) return end_stop();
        ticker.expires_after(options.timeout);
        ticker.async_wait([this](boost::system::error_code ec) {
            if (!ec) end_stop();
        });
    });
}

void RedisClient::Impl::end_stop() {
    if (phase == Phase::stopped) return;
    phase = Phase::stopped;
    ++attempt;
    listener->lost();
    drop_lines();
    retry.cancel();
    work.reset();  // what others have posted is still told that there is nothing
}

RedisClient::RedisClient(RedisOptions options, const app::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), clock)) {}

RedisClient::~RedisClient() {
    stop();
}

void RedisClient::start(app::RedisListener& listener) {
    impl_->listener = &listener;
    impl_->work.emplace(impl_->io.get_executor());
    asio::post(impl_->io, [impl = impl_.get()] { impl->begin(); });
    impl_->thread = std::thread([impl = impl_.get()] {
        while (true) {
            try {
                impl->io.run();
                return;
            } catch (const std::exception& fault) {
                spdlog::error("shared state: a bug: {}", fault.what());
                impl->fail("a bug");
            }
        }
    });
}

void RedisClient::stop() {
    if (!impl_->thread.joinable()) return;
    asio::post(impl_->io, [impl = impl_.get()] { impl->begin_stop(); });
    impl_->thread.join();
}

void RedisClient::send(std::vector<RedisCommand> commands, app::RedisDone done) {
    bool accepted = false;
    {
        const std::lock_guard lock(impl_->mutex);
        accepted = impl_->accepting && !impl_->late && impl_->waiting < limits::kSharedQueue &&
                   impl_->unsent < limits::kSharedQueueBytes;
        if (accepted) {
            ++impl_->waiting;
            // Under the lock, so that they are sent in the order in which callers agree they came.
            asio::post(impl_->io,
                       [impl = impl_.get(), list = std::move(commands), told = done]() mutable {
                           impl->send(std::move(list), std::move(told));
                       });
        }
    }
    if (!accepted) done({});
}

app::RedisStatus RedisClient::status() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->state;
}

}  // namespace gatehouse::net
