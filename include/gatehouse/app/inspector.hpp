#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::app {

struct Readiness {
    bool ready = false;
    std::vector<std::string> reasons;   ///< why not
    std::vector<std::string> warnings;  ///< what may become a reason: keys that are old
};

/// What the admin API may ask and order of a running gateway. Implemented by the server (net);
/// called on the control thread. Calls that must visit the workers are awaited.
class Inspector {
  public:
    virtual ~Inspector() = default;

    virtual Readiness readiness() const = 0;
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
    virtual std::vector<KeySourceStatus> key_sources() const = 0;
    /// Prometheus text.
    virtual boost::asio::awaitable<std::string> metrics() = 0;
    /// Newest first, of all workers, already as JSON (app/trace.hpp).
    virtual boost::asio::awaitable<Json> traces(TraceFilter filter) = 0;
    /// The upstreams of GET /report, with what is known of their targets.
    virtual Json upstreams() const = 0;
    /// GET /usage: each usage plan with each of its keys.
    virtual Json usage() const = 0;
    /// The rows of GET /cache.
    virtual Json cache_entries(std::size_t most) const = 0;
    /// Drops entries; nullopt when there is no such API and stage (or authorizer).
    virtual std::optional<std::size_t> flush(std::string_view api_id,
                                             std::string_view stage,
                                             std::optional<std::string> authorizer,
                                             std::optional<jwt::Sha256> identity) = 0;
};

}  // namespace gatehouse::app
