#pragma once

#include "read_wait.hpp"

#include <boost/asio/io_context.hpp>

#ifdef GATEHOUSE_EDGE_WAIT
#include <boost/asio/detail/scheduler.hpp>
#include <boost/asio/detail/scheduler_task.hpp>
#endif

namespace gatehouse::net {

#ifdef GATEHOUSE_EDGE_WAIT

/// False: nothing may be put off until the end of a turn.
inline constexpr bool kTurnsAreTold = true;

namespace detail {

using boost::asio::detail::op_queue;
using boost::asio::detail::scheduler;
using boost::asio::detail::scheduler_operation;
using boost::asio::detail::scheduler_task;

scheduler_task*& task_of(scheduler& loop) noexcept;

// An explicit instantiation may name what is private.
template <scheduler_task* scheduler::*Task>
struct TaskOfScheduler {
    friend scheduler_task*& task_of(scheduler& loop) noexcept { return loop.*Task; }
};

template struct TaskOfScheduler<&scheduler::task_>;

}  // namespace detail

/// Tells its owner when a turn of an event loop ends: all that was ready has been handled, and the
/// loop is about to ask the kernel what is ready now. What is put off until then is done in one go.
/// It stands between Asio 1.81's scheduler and its reactor, and costs no system call.
///
/// @tparam Ended  may post to the loop; what it throws comes out of the loop's run()
template <class Owner, void (Owner::*Ended)()>
class LoopTurn final : private boost::asio::detail::scheduler_task {
  public:
    explicit LoopTurn(Owner& owner) noexcept : owner_(owner) {}

    /// Before the loop runs, once it has a timer or a socket. Outlives the loop.
    void watch(boost::asio::io_context& io) {
        using boost::asio::use_service;
        reactor_ = &use_service<boost::asio::detail::reactor>(io);
        detail::task_of(use_service<detail::scheduler>(io)) = this;
    }

  private:
    void run(long usec, detail::op_queue<detail::scheduler_operation>& ready) override {
        (owner_.*Ended)();
        // What was posted meanwhile does not wait for the kernel.
        reactor_->run(ready.empty() ? usec : 0, ready);
    }

    void interrupt() override { reactor_->interrupt(); }

    Owner& owner_;
    boost::asio::detail::reactor* reactor_ = nullptr;
};

#else

inline constexpr bool kTurnsAreTold = false;

template <class Owner, void (Owner::*Ended)()>
class LoopTurn final {
  public:
    explicit LoopTurn(Owner&) noexcept {}

    void watch(boost::asio::io_context&) noexcept {}
};

#endif

}  // namespace gatehouse::net
