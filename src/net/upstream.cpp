#include "upstream.hpp"

#include "gatehouse/core/limits.hpp"
#include "tls_context.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gatehouse::net {
namespace {

using boost::asio::ip::tcp;

// nginx's keepalive_timeout is 60 s, Node's 5 s: whoever closes first, the watch on idle
// connections sees it.
constexpr std::chrono::milliseconds kIdleTime{60000};
// Then the addresses that a name had do, where there are any.
constexpr std::chrono::milliseconds kLookupPatience{200};

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool,
                                       const forward::Endpoint& endpoint,
                                       Socket socket,
                                       upstream::Place place)
    : pool_(pool),
      endpoint_(endpoint),
      place_(std::move(place)),
      lane_(place_ ? nullptr : &pool.idle_connections_[endpoint]),
      transport_(std::move(socket)),
      read_wait_(*this),
      idle_(this, [](void* owner, Timeout&) {
          auto& self = *static_cast<UpstreamConnection*>(owner);
          self.pool_.look_again(self);
      }) {}

void UpstreamConnection::close(bool reset) {
    if (reset) {
        transport_.reset();
    } else {
        transport_.close();
    }
    place_ = {};  // not with the last handler that holds on to this
}

void UpstreamConnection::on_ready(boost::system::error_code ec) {
    if (ec == boost::asio::error::operation_aborted) return;
    if (user_ != nullptr) {
        user_->on_upstream_readable();
    } else if (transport_.is_silent()) {
        arm_read(Expect::news);  // told of bytes that its last user has read meanwhile
    } else {
        // Closed, or bytes that nobody asked for: not reused either way.
        pool_.remove_idle(*this);
    }
}

void UpstreamConnection::arm_write() {
    if (write_armed_) return;
    write_armed_ = true;
    transport_.wait_writable([self = UpstreamPtr(this)](boost::system::error_code ec) {
        self->write_armed_ = false;
        if (ec == boost::asio::error::operation_aborted || self->user_ == nullptr) return;
        self->user_->on_upstream_writable();
    });
}

// A connect under way: addresses still to be tried, and the socket of the one being tried.
struct UpstreamPool::Connecting {
    forward::Endpoint endpoint;
    upstream::Place place;  ///< of a target's connections
    std::function<void(Connected)> done;
    std::vector<tcp::endpoint> addresses;
    std::size_t next = 0;
    std::string last_error;
    std::unique_ptr<Socket> socket;
    UpstreamPtr connection;  // while TLS shakes hands
};

void UpstreamPool::take_addresses(const std::vector<tcp::endpoint>& addresses,
                                  Connecting& connecting) {
    for (const tcp::endpoint& one : addresses)
        connecting.addresses.emplace_back(one.address(), connecting.endpoint.port);
}

UpstreamPool::UpstreamPool(boost::asio::io_context& io,
                           TimeoutLists& timeouts,
                           const ClientTls* tls)
    : io_(io), timeouts_(timeouts), tls_(tls) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamPtr UpstreamPool::take(const forward::Endpoint& endpoint) {
    if (last_taken_ == nullptr || last_taken_->first != endpoint) {
        const auto it = idle_connections_.find(endpoint);
        if (it == idle_connections_.end()) return nullptr;
        last_taken_ = &*it;
    }
    return take_last(last_taken_->second);
}

UpstreamPtr UpstreamPool::take(const upstream::Target& target) {
    const auto it = target_lanes_.find(&target);
    return it == target_lanes_.end() ? nullptr : take_last(it->second);
}

UpstreamPtr UpstreamPool::take_last(Lane& lane) {
    if (lane.empty()) return nullptr;
    UpstreamPtr connection = std::move(lane.back());
    lane.pop_back();
    --idle_count_;
    connection->idle_.disarm();
    return connection;
}

UpstreamPool::Lane& UpstreamPool::lane_of(const UpstreamConnection& connection) {
    if (connection.place_) return target_lanes_[connection.place_.target()];
    return *connection.lane_;
}

void UpstreamPool::give_back(UpstreamPtr connection, SteadyTime now) {
    connection->use(nullptr);
    ++connection->served_;
    const upstream::Target* target = connection->place_.target();
    const bool unwanted = target != nullptr && (target->is_retired() || target->is_crowded());
    auto& idle = lane_of(*connection);
    if (unwanted || idle.size() >= (target ? target->max_idle() : limits::kIdleConnections)) {
        connection->close();
        return;
    }
    connection->looked_again_ = false;
    timeouts_.arm(connection->idle_, kLookAgain, now);
    connection->arm_read(Expect::news);
    idle.push_back(std::move(connection));
    ++idle_count_;
}

void UpstreamPool::look_again(UpstreamConnection& connection) {
    if (connection.looked_again_ || !connection.transport_.is_silent()) {
        remove_idle(connection);
        return;
    }
    connection.looked_again_ = true;
    timeouts_.arm(connection.idle_, kIdleTime - kLookAgain, now_);
}

void UpstreamPool::remove_idle(UpstreamConnection& connection) {
    const UpstreamPtr keep(&connection);
    connection.idle_.disarm();
    Lane& idle = lane_of(connection);
    const auto at = std::find(idle.begin(), idle.end(), keep);
    if (at != idle.end()) {
        idle.erase(at);
        --idle_count_;
    }
    connection.close();
}

std::size_t UpstreamPool::close(Lane& lane) {
    const std::size_t closed = lane.size();
    for (const UpstreamPtr& connection : lane) {
        connection->idle_.disarm();
        connection->close();
    }
    lane.clear();
    return closed;
}

void UpstreamPool::clear() {
    for (auto& [endpoint, idle] : idle_connections_)
        close(idle);
    for (auto& [target, idle] : target_lanes_)
        close(idle);
    target_lanes_.clear();
    idle_count_ = 0;
}

void UpstreamPool::make_room() {
    for (auto& [target, lane] : target_lanes_) {
        if (!lane.empty() && (target->is_retired() || target->is_crowded()))
            idle_count_ -= close(lane);
    }
}

void UpstreamPool::forget_targets() {
    std::erase_if(target_lanes_, [](const auto& entry) { return entry.second.empty(); });
}

boost::unordered_flat_map<const upstream::Target*, std::uint64_t> UpstreamPool::idle_by_target()
    const {
    boost::unordered_flat_map<const upstream::Target*, std::uint64_t> idle;
    for (const auto& [target, lane] : target_lanes_)
        idle[target] = lane.size();
    return idle;
}

std::uint64_t UpstreamPool::connect(const forward::Endpoint& endpoint,
                                    std::function<void(Connected)> done) {
    return begin(endpoint, {}, std::move(done));
}

std::uint64_t UpstreamPool::connect(const std::shared_ptr<upstream::Target>& target,
                                    std::function<void(Connected)> done) {
    upstream::Place place = upstream::Place::take(target);
    if (!place) return 0;
    return begin(target->endpoint(), std::move(place), std::move(done));
}

std::uint64_t UpstreamPool::begin(const forward::Endpoint& endpoint,
                                  upstream::Place place,
                                  std::function<void(Connected)> done) {
    const std::uint64_t ticket = next_ticket_++;
    auto connecting = std::make_unique<Connecting>();
    connecting->endpoint = endpoint;
    connecting->place = std::move(place);
    connecting->done = std::move(done);
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(endpoint.host, is_name);
    bool ask = false;
    if (!is_name) {
        connecting->addresses = {tcp::endpoint(address, endpoint.port)};
    } else {
        const Resolved& known = resolved_[endpoint.host];
        ask = now_ >= known.until;
        // Where the last look-up failed, the next one is not waited for.
        if (!ask || (known.error && now_ < known.usable_until))
            take_addresses(known.addresses, *connecting);
    }
    const bool ready = !connecting->addresses.empty();
    connecting_.emplace(ticket, std::move(connecting));
    if (ask) resolve(endpoint.host, endpoint.port);
    if (ready) {
        try_next(ticket);
    } else if (!ask) {  // the name server has just said that there is none
        boost::asio::post(io_, [this, host = endpoint.host] { go_on(host, resolved_[host]); });
    }
    return ticket;
}

void UpstreamPool::cancel(std::uint64_t ticket) {
    const auto it = connecting_.find(ticket);
    if (it == connecting_.end()) return;
    const std::unique_ptr<Connecting> gone = std::move(it->second);
    connecting_.erase(it);
    boost::system::error_code ignored;
    if (gone->socket) {
        gone->socket->close(ignored);
        // An address that does not answer is not the next one's first again.
        const auto known = resolved_.find(gone->endpoint.host);
        if (known != resolved_.end() && !known->second.addresses.empty()) {
            auto& addresses = known->second.addresses;
            std::rotate(addresses.begin(), addresses.begin() + 1, addresses.end());
        }
    }
    if (gone->connection) gone->connection->close();
}

// One look-up for all that wait for the name, and it goes on when they have given up: who asks next
// finds its result.
void UpstreamPool::resolve(const std::string& host, std::uint16_t port) {
    UnderWay& under_way = lookups_[host];
    if (under_way.lookup) return;
    under_way.began = now_;
    under_way.lookup = std::make_unique<Lookup>(
        io_.get_executor(),
        host,
        std::to_string(port),
        [this, host](boost::system::error_code ec,
                     const std::vector<tcp::endpoint>& found,
                     std::chrono::seconds ttl) { resolved(host, ec, found, ttl); });
}

void UpstreamPool::resolved(const std::string& host,
                            boost::system::error_code ec,
                            const std::vector<tcp::endpoint>& found,
                            std::chrono::seconds ttl) {
    lookups_.erase(host);
    Resolved& known = resolved_[host];
    known.error = ec;
    if (ec || found.empty()) {
        known.until = now_ + limits::kNameTimeLeast;
        // That there is no such name is an answer: whoever has the addresses now is somebody else.
        if (ec == boost::asio::error::host_not_found || now_ >= known.usable_until)
            known.addresses.clear();
    } else {
        known.addresses = found;
        known.until = now_ + ttl;
        known.usable_until = known.until + limits::kNameStale;
    }
    go_on(host, known);
}

// Those that waited for the name.
void UpstreamPool::go_on(const std::string& host, const Resolved& known) {
    std::vector<std::uint64_t> waiting;
    for (const auto& [ticket, connecting] : connecting_) {
        if (connecting->endpoint.host == host && connecting->addresses.empty())
            waiting.push_back(ticket);
    }
    const std::vector<tcp::endpoint> addresses = known.addresses;
    const std::string why = host + ": " + known.error.message();
    for (const std::uint64_t ticket : waiting) {
        const auto it = connecting_.find(ticket);
        if (it == connecting_.end()) continue;
        if (addresses.empty()) {
            finish(ticket, {nullptr, Errc::upstream_unresolved, why});
            continue;
        }
        take_addresses(addresses, *it->second);
        try_next(ticket);
    }
}

void UpstreamPool::use_old_addresses() {
    std::vector<std::string> late;
    for (const auto& [host, under_way] : lookups_) {
        const auto known = resolved_.find(host);
        if (now_ - under_way.began >= kLookupPatience && known != resolved_.end() &&
            now_ < known->second.usable_until && !known->second.addresses.empty())
            late.push_back(host);
    }
    for (const std::string& host : late)
        go_on(host, resolved_[host]);
}

void UpstreamPool::try_next(std::uint64_t ticket) {
    Connecting& connecting = *connecting_.at(ticket);
    if (connecting.next == connecting.addresses.size()) {
        resolved_[connecting.endpoint.host].until = now_;  // they may have moved
        finish(ticket,
               {nullptr,
                Errc::upstream_refused,
                connecting.endpoint.host_header + ": " + connecting.last_error});
        return;
    }
    const tcp::endpoint peer = connecting.addresses[connecting.next++];
    connecting.socket = std::make_unique<Socket>(io_);
    connecting.socket->async_connect(peer, [this, ticket, peer](boost::system::error_code ec) {
        const auto it = connecting_.find(ticket);
        if (it == connecting_.end()) return;
        Connecting& current = *it->second;
        if (ec) {
            current.last_error = ec.message();
            try_next(ticket);
            return;
        }
        tune(current.socket->native_handle(), peer.address());
        UpstreamPtr connection(new UpstreamConnection(
            *this, current.endpoint, std::move(*current.socket), std::move(current.place)));
        current.socket.reset();
        if (!current.endpoint.tls) {
            finish(ticket, {std::move(connection), Errc::none, {}});
            return;
        }
        const SslContext context = take_client_context(tls_);
        const forward::Endpoint& peer_of = current.endpoint;
        if (!connection->transport_.start_client_tls(
                context.get(), peer_of.tls_name.empty() ? peer_of.host : peer_of.tls_name)) {
            finish(ticket, {nullptr, Errc::upstream_tls, connection->transport_.tls_error()});
            return;
        }
        current.connection = connection;
        continue_tls(ticket, connection);
    });
}

void UpstreamPool::continue_tls(std::uint64_t ticket, const UpstreamPtr& connection) {
    const IoStatus status = connection->transport_.handshake();
    if (status == IoStatus::done) {
        finish(ticket, {connection, Errc::none, {}});
        return;
    }
    if (status != IoStatus::would_block && status != IoStatus::want_write) {
        finish(ticket,
               {nullptr,
                Errc::upstream_tls,
                connection->endpoint_.host_header + ": " + connection->transport_.tls_error()});
        connection->close();
        return;
    }
    const auto again = [this, ticket, connection](boost::system::error_code ec) {
        if (ec == boost::asio::error::operation_aborted ||
            connecting_.find(ticket) == connecting_.end())
            return;
        continue_tls(ticket, connection);
    };
    if (status == IoStatus::would_block) {
        connection->transport_.wait_readable(again);
    } else {
        connection->transport_.wait_writable(again);
    }
}

void UpstreamPool::finish(std::uint64_t ticket, Connected result) {
    const auto it = connecting_.find(ticket);
    const auto done = std::move(it->second->done);
    connecting_.erase(it);
    done(std::move(result));
}

}  // namespace gatehouse::net
