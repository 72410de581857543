#include "lookup.hpp"

#include "name_query.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>
#include <cstdint>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace gatehouse::net {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Lookup::Waiter {
    std::mutex mutex;  // between the look-up's thread and the executor's
    asio::any_io_executor executor;
    Done done;  ///< empty: told, or gone
};

namespace {

struct UnderWay {
    std::mutex mutex;
    std::map<std::string, std::vector<std::weak_ptr<void>>> names;
};

// Never destroyed: a thread that is left behind may still come to it while the program ends.
UnderWay& under_way() {
    static auto* const table = new UnderWay;
    return *table;
}

}  // namespace

void run_lookup(const std::string& key, const std::string& host, const std::string& port) {
    NameAnswer result;
    try {
        result = query_name(host, port);
    } catch (const std::exception&) {
        result.error = asio::error::no_memory;
    }
    std::vector<std::weak_ptr<void>> asking;
    {
        const std::lock_guard lock(under_way().mutex);
        asking = std::move(under_way().names[key]);
        under_way().names.erase(key);
    }
    for (const std::weak_ptr<void>& one : asking) {
        const auto waiter = std::static_pointer_cast<Lookup::Waiter>(one.lock());
        if (!waiter) continue;
        // Under the lock the executor's context is there: whoever asked is not gone.
        const std::lock_guard lock(waiter->mutex);
        if (!waiter->done) continue;
        asio::post(waiter->executor, [waiter, result] {
            Lookup::Done done;
            {
                const std::lock_guard taken(waiter->mutex);
                done = std::exchange(waiter->done, nullptr);
            }
            if (done) done(result.error, result.found, result.ttl);
        });
    }
}

Lookup::Lookup(const asio::any_io_executor& executor,
               const std::string& host,
               const std::string& port,
               Done done)
    : waiter_(std::make_shared<Waiter>()) {
    waiter_->executor = executor;
    waiter_->done = std::move(done);
    const std::string key = host + '\n' + port;
    const std::lock_guard lock(under_way().mutex);
    std::vector<std::weak_ptr<void>>& asking = under_way().names[key];
    const bool first = asking.empty();
    asking.emplace_back(waiter_);
    if (!first) return;
    try {
        std::thread(run_lookup, key, host, port).detach();
    } catch (const std::system_error&) {
        under_way().names.erase(key);
        asio::post(executor, [waiter = waiter_] {
            const Done told = std::exchange(waiter->done, nullptr);
            if (told) told(asio::error::no_memory, {}, {});
        });
    }
}

Lookup::~Lookup() {
    const std::lock_guard lock(waiter_->mutex);
    waiter_->done = nullptr;
}

asio::awaitable<LookedUp> look_up(std::string host,
                                  std::string port,
                                  std::chrono::milliseconds timeout) {
    LookedUp result;
    boost::system::error_code is_name;
    const asio::ip::address literal = asio::ip::make_address(host, is_name);
    std::uint16_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    if (!is_name && number != 0) {
        result.found.emplace_back(literal, number);
        co_return result;
    }
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(timeout);
    result.error = asio::error::timed_out;
    const Lookup lookup(timer.get_executor(),
                        host,
                        port,
                        [&](boost::system::error_code ec,
                            const std::vector<tcp::endpoint>& found,
                            std::chrono::seconds /*ttl*/) {
                            result = {ec, found};
                            timer.cancel();
                        });
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return result;
}

}  // namespace gatehouse::net
