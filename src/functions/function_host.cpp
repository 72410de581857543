#include "gatehouse/functions/function_host.hpp"

#include "gatehouse/functions/command_function.hpp"

#include <boost/asio/post.hpp>

#include <mutex>
#include <utility>

namespace gatehouse::functions {
namespace {

struct Order {
    app::LambdaCall call;
    app::LambdaDone done;
};

void refuse(const app::LambdaDone& done, std::string why) {
    done({authz::Invocation::End::not_invokable, {}, std::move(why)});
}

using Runner = std::variant<std::unique_ptr<net::LambdaClient>, std::unique_ptr<CommandFunction>>;

}  // namespace

struct FunctionHost::State {
    explicit State(boost::asio::io_context& io) : control(io) {}

    boost::asio::io_context& control;
    std::vector<Runner> runners;
    std::vector<bool> used;   ///< of each of them
    std::size_t running = 0;  ///< command functions that have not stopped yet
    std::mutex mutex;
    std::vector<Order> inbox;  ///< guarded
    bool closed = false;       ///< guarded

    void take_inbox();
    void run(Order order);
    std::vector<Order> close();
};

// One post takes all that came meanwhile.
void FunctionHost::State::take_inbox() {
    std::vector<Order> orders;
    {
        const std::lock_guard lock(mutex);
        orders.swap(inbox);
    }
    for (Order& order : orders)
        run(std::move(order));
}

void FunctionHost::State::run(Order order) {
    if (order.call.function >= runners.size()) return refuse(order.done, "no such function");
    std::visit(
        [&order](const auto& runner) {
            runner->call(std::move(order.call), std::move(order.done));
        },
        runners[order.call.function]);
}

std::vector<Order> FunctionHost::State::close() {
    const std::lock_guard lock(mutex);
    closed = true;
    return std::exchange(inbox, {});
}

FunctionHost::FunctionHost(boost::asio::io_context& control,
                           const app::Clock& clock,
                           std::vector<Function> functions)
    : state_(std::make_shared<State>(control)) {
    for (Function& function : functions) {
        state_->used.push_back(function.used);
        if (auto* endpoint = std::get_if<net::LambdaEndpoint>(&function.where)) {
            state_->runners.emplace_back(
                std::make_unique<net::LambdaClient>(control, std::move(*endpoint)));
        } else {
            state_->runners.emplace_back(
                std::make_unique<CommandFunction>(control,
                                                  clock,
                                                  std::move(function.name),
                                                  std::get<Command>(std::move(function.where))));
        }
    }
}

FunctionHost::~FunctionHost() {
    for (const Order& order : state_->close())
        refuse(order.done, "the gateway is shutting down");
    state_->runners.clear();
}

void FunctionHost::start() {
    for (std::size_t i = 0; i < state_->runners.size(); ++i) {
        const auto* command = std::get_if<std::unique_ptr<CommandFunction>>(&state_->runners[i]);
        if (command != nullptr && state_->used[i]) (*command)->start();
    }
}

void FunctionHost::invoke(app::LambdaCall call, app::LambdaDone done) {
    bool first = false;
    {
        const std::lock_guard lock(state_->mutex);
        if (!state_->closed) {
            first = state_->inbox.empty();
            state_->inbox.push_back({std::move(call), std::move(done)});
            done = nullptr;
        }
    }
    if (done) return refuse(done, "the gateway is shutting down");
    if (first) boost::asio::post(state_->control, [state = state_] { state->take_inbox(); });
}

void FunctionHost::stop(std::function<void()> stopped) {
    for (const Order& order : state_->close())
        refuse(order.done, "the gateway is shutting down");
    // One for ourselves, so that it is not over before all have been told.
    state_->running = state_->runners.size() + 1;
    const auto one_less = [state = state_, stopped = std::move(stopped)] {
        if (--state->running == 0) stopped();
    };
    for (const Runner& runner : state_->runners)
        std::visit([&one_less](const auto& one) { one->stop(one_less); }, runner);
    one_less();
}

}  // namespace gatehouse::functions
