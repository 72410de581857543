#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/upstream/target.hpp"
#include "lookup.hpp"
#include "read_wait.hpp"
#include "timeouts.hpp"
#include "transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gatehouse::net {

class ClientTls;

class UpstreamPool;

/// Who uses an upstream connection at the moment.
class UpstreamUser {
  public:
    virtual void on_upstream_readable() = 0;
    virtual void on_upstream_writable() = 0;

  protected:
    ~UpstreamUser() = default;
};

/// One connection to an upstream. Its read side stays watched while it is idle, so that one the
/// upstream closes leaves the pool at once; the same watch then announces the next answer, so that
/// a request arms nothing twice.
class UpstreamConnection
    : public boost::intrusive_ref_counter<UpstreamConnection, boost::thread_unsafe_counter> {
  public:
    UpstreamConnection(UpstreamPool& pool,
                       const forward::Endpoint& endpoint,
                       Socket socket,
                       upstream::Place place);

    Transport& transport() noexcept { return transport_; }

    const forward::Endpoint& endpoint() const noexcept { return endpoint_; }

    void use(UpstreamUser* user) noexcept { user_ = user; }

    /// Served a request before: only then may a failure before the first answer byte be blamed on
    /// an idle close.
    bool reused() const noexcept { return served_ > 0; }

    /// Closes, or resets, and gives its place among its target's connections back.
    void close(bool reset = false);

    void arm_read(Expect expect) { read_wait_.arm(expect); }

    void arm_write();

  private:
    friend class UpstreamPool;
    UpstreamPool& pool_;
    forward::Endpoint endpoint_;
    upstream::Place place_;  ///< among its target's; empty: a uri's own
    std::vector<boost::intrusive_ptr<UpstreamConnection>>* lane_;  ///< of a uri's own: the pool's
    void on_ready(boost::system::error_code ec);

    Transport transport_;
    ReadWait<UpstreamConnection, &UpstreamConnection::transport_, &UpstreamConnection::on_ready>
        read_wait_;
    UpstreamUser* user_ = nullptr;
    Timeout idle_;
    std::uint64_t served_ = 0;
    bool looked_again_ = false;  ///< while idle: a FIN that came with the last bytes raised no edge
    bool write_armed_ = false;
};

using UpstreamPtr = boost::intrusive_ptr<UpstreamConnection>;

/// What connecting ended with.
struct Connected {
    UpstreamPtr connection;  ///< null: failed
    Errc error = Errc::none;
    std::string detail;
};

/// A worker's idle upstream connections by endpoint or target, last in first out, and the making of
/// new ones. Belongs to the worker's thread.
class UpstreamPool {
  public:
    /// @param tls  null: the system's authorities
    UpstreamPool(boost::asio::io_context& io, TimeoutLists& timeouts, const ClientTls* tls);
    ~UpstreamPool();

    /// An idle connection, or null.
    UpstreamPtr take(const forward::Endpoint& endpoint);
    UpstreamPtr take(const upstream::Target& target);

    /// Connects anew: name resolution, TCP, TLS. `done` is called once, later, unless cancel()
    /// comes first.
    /// @return a ticket for cancel()
    std::uint64_t connect(const forward::Endpoint& endpoint, std::function<void(Connected)> done);

    /// The same to a target. @return 0: it has as many connections as it may, and `done` is not
    /// kept
    std::uint64_t connect(const std::shared_ptr<upstream::Target>& target,
                          std::function<void(Connected)> done);

    /// Forgets a connect: `done` will not be called.
    void cancel(std::uint64_t ticket);

    /// Gives a connection back that has nothing left to read.
    void give_back(UpstreamPtr connection, SteadyTime now);

    /// Closes all idle connections (shutdown).
    void clear();

    /// Closes idle connections to targets that no configuration has any more, or where other
    /// workers are refused one.
    void make_room();

    /// Ten times a second: connects need not wait for a name server that does not answer, where the
    /// addresses that it gave last may do.
    void use_old_addresses();

    /// Another configuration runs: targets without idle connections are forgotten.
    void forget_targets();

    /// Idle connections by target.
    boost::unordered_flat_map<const upstream::Target*, std::uint64_t> idle_by_target() const;

    std::size_t idle() const noexcept { return idle_count_; }

    std::size_t connecting() const noexcept { return connecting_.size(); }

    void fetch_now(SteadyTime now) noexcept { now_ = now; }

  private:
    friend class UpstreamConnection;
    struct Connecting;

    struct Resolved {
        std::vector<boost::asio::ip::tcp::endpoint> addresses;  ///< the last good ones
        SteadyTime until{};               ///< when the name server is asked again
        SteadyTime usable_until{};        ///< the addresses, where it does not answer
        boost::system::error_code error;  ///< of the last look-up
    };

    struct UnderWay {
        std::unique_ptr<Lookup> lookup;
        SteadyTime began{};
    };

    struct EndpointHash {
        std::size_t operator()(const forward::Endpoint& endpoint) const noexcept {
            return std::hash<std::string>()(endpoint.host) * 31 + endpoint.port * 2U +
                   (endpoint.tls ? 1U : 0U);
        }
    };

    using Lane = std::vector<UpstreamPtr>;

    std::uint64_t begin(const forward::Endpoint& endpoint,
                        upstream::Place place,
                        std::function<void(Connected)> done);
    static void take_addresses(const std::vector<boost::asio::ip::tcp::endpoint>& addresses,
                               Connecting& connecting);
    UpstreamPtr take_last(Lane& lane);
    Lane& lane_of(const UpstreamConnection& connection);
    std::size_t close(Lane& lane);
    void look_again(UpstreamConnection& connection);
    void remove_idle(UpstreamConnection& connection);
    void resolve(const std::string& host, std::uint16_t port);
    void resolved(const std::string& host,
                  boost::system::error_code ec,
                  const std::vector<boost::asio::ip::tcp::endpoint>& found,
                  std::chrono::seconds ttl);
    void go_on(const std::string& host, const Resolved& known);
    void try_next(std::uint64_t ticket);
    void continue_tls(std::uint64_t ticket, const UpstreamPtr& connection);
    void finish(std::uint64_t ticket, Connected result);

    boost::asio::io_context& io_;
    TimeoutLists& timeouts_;
    const ClientTls* tls_;
    SteadyTime now_{};
    std::unordered_map<forward::Endpoint, Lane, EndpointHash> idle_connections_;  // none is erased
    // Requests come in rows to one endpoint: to see that it is the same costs less than its hash.
    std::pair<const forward::Endpoint, Lane>* last_taken_ = nullptr;
    // A connection holds its target: a lane that is not empty has one that is there.
    std::unordered_map<const upstream::Target*, Lane> target_lanes_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Connecting>> connecting_;
    std::unordered_map<std::string, Resolved> resolved_;
    std::unordered_map<std::string, UnderWay> lookups_;  ///< by host
    std::uint64_t next_ticket_ = 1;
    std::size_t idle_count_ = 0;
};

}  // namespace gatehouse::net
