#pragma once

#include "transport.hpp"

#include <boost/asio/error.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/version.hpp>

#include <type_traits>

// GATEHOUSE_PUBLIC_WAIT (a CMake option) keeps to Asio's public interface. The other form reaches
// into Asio 1.81 and is not known to fit another version.
#if defined(BOOST_ASIO_HAS_EPOLL) && BOOST_VERSION / 100 == 1081 && !defined(GATEHOUSE_PUBLIC_WAIT)
#define GATEHOUSE_EDGE_WAIT 1
#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#endif

namespace gatehouse::net {

#ifdef GATEHOUSE_EDGE_WAIT

/// What Asio's reactor knows a socket by; never made, only a way in.
struct ReactorPlace final : Socket {
    static auto& of(Socket& socket) noexcept {
        return (socket.*&ReactorPlace::impl_).get_implementation();
    }
};

/// Tells Asio that nobody else has this descriptor. It takes each that is assigned to a socket for
/// a copy, and calls the kernel to watch it no more before it closes it; closing the only one does
/// that.
inline void own_descriptor(Socket& socket) noexcept {
    auto& state = ReactorPlace::of(socket).state_;
    state = static_cast<std::decay_t<decltype(state)>>(
        state & ~boost::asio::detail::socket_ops::possible_dup);
}

/// Waits until a transport has something to read, without a system call and without an allocation.
/// What is the same for all waits of an owner is in the type: an idle connection holds one wait.
///
/// Asio watches every socket edge-triggered, but its async_wait() asks the kernel anew each time
/// (epoll_ctl), since it cannot know whether somebody has read all that was announced. We know: a
/// transport remembers how its last read ended. So where nothing can be left, the wait is only put
/// into the reactor's queue; the next edge, or one that came meanwhile, ends it. Where something
/// may be left, the kernel is asked, as Asio does.
///
/// A wait may end without anything to read: an edge can be told after the bytes that raised it were
/// read. So whoever is told reads, or asks is_silent(), and waits again.
///
/// Hazard: a FIN that arrives with the last bytes raises no edge of its own. Whoever waits for
/// Expect::news looks once more after a while (Transport::is_silent).
///
/// @tparam Side  what is waited for; older than the wait
/// @tparam Ended  told when the wait ended; operation_aborted when the socket was closed
template <class Owner, Transport Owner::*Side, void (Owner::*Ended)(boost::system::error_code)>
class ReadWait final : public boost::asio::detail::reactor_op {
  public:
    explicit ReadWait(Owner& owner)
        : reactor_op({}, &ReadWait::perform, &ReadWait::complete),
          owner_(owner),
          reactor_(boost::asio::use_service<boost::asio::detail::reactor>(
              (owner.*Side).socket().get_executor().context())) {}

    bool armed() const noexcept { return armed_; }

    /// Begins to wait, if it does not yet. The owner is held until the wait has ended.
    void arm(Expect expect) {
        if (armed_) return;
        armed_ = true;
        intrusive_ptr_add_ref(&owner_);
        ec_ = {};
        const bool by_edge = (owner_.*Side).is_drained(expect);
        auto& socket = ReactorPlace::of((owner_.*Side).socket());
        reactor_.start_op(boost::asio::detail::reactor::read_op,
                          socket.socket_,
                          socket.reactor_data_,
                          this,
                          false,
                          by_edge);
    }

  private:
    // Called when an edge was seen. "Exhausted": the next wait is not over before the next edge.
    static status perform(boost::asio::detail::reactor_op*) { return done_and_exhausted; }

    static void complete(void* scheduler,
                         boost::asio::detail::operation* base,
                         const boost::system::error_code&,
                         std::size_t) {
        auto& self = *static_cast<ReadWait*>(base);
        self.armed_ = false;
        const boost::intrusive_ptr<Owner> keep(&self.owner_, false);
        if (scheduler == nullptr) return;  // the loop is being destroyed
        (self.owner_.*Side).announce();
        (self.owner_.*Ended)(self.ec_);
    }

    Owner& owner_;
    boost::asio::detail::reactor& reactor_;
    bool armed_ = false;
};

#else

inline void own_descriptor(Socket&) noexcept {}

/// Waits until a transport has something to read, by Asio's public interface: one epoll_ctl a wait.
template <class Owner, Transport Owner::*Side, void (Owner::*Ended)(boost::system::error_code)>
class ReadWait final {
  public:
    explicit ReadWait(Owner& owner) : owner_(owner) {}

    bool armed() const noexcept { return armed_; }

    void arm(Expect) {
        if (armed_) return;
        armed_ = true;
        Transport& side = owner_.*Side;
        side.wait_readable(
            [this, keep = boost::intrusive_ptr<Owner>(&owner_)](boost::system::error_code ec) {
                armed_ = false;
                (owner_.*Side).announce();
                (owner_.*Ended)(ec);
            });
    }

  private:
    Owner& owner_;
    bool armed_ = false;
};

#endif

}  // namespace gatehouse::net
