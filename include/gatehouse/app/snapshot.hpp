#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/authz/identity_source.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/authz/request_identity.hpp"
#include "gatehouse/config/model.hpp"
#include "gatehouse/config/report.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/forward/proxy_event.hpp"
#include "gatehouse/routing/api_table.hpp"
#include "gatehouse/routing/route_table.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gatehouse::app {

struct CompiledAuthorizer {
    const config::Authorizer* source = nullptr;
    std::optional<authz::IdentitySource> identity;           ///< TOKEN, JWT of a header
    std::optional<authz::RequestIdentity> request_identity;  ///< REQUEST, JWT of the query
    std::optional<authz::JwtAuthorizer> jwt;                 ///< nothing: the function decides
    std::vector<std::uint32_t> key_sources;                  ///< one per provider
    authz::CacheScope scope = 0;
    bool bare_token = false;  ///< the token will do without "Bearer"
    bool narrow = false;      ///< its policies can be narrower than the routes that share it
    /// The cache-trap warning was given: once per authorizer and configuration.
    mutable std::atomic<bool> warned{false};
    /// So was the one about context keys that get no header.
    mutable std::atomic<bool> context_warned{false};

    bool calls_function() const noexcept { return !jwt; }

    /// The service's own JWT type, which challenges and shows claims in its own way.
    bool is_native_jwt() const noexcept { return source->type == "JWT"; }
};

struct CompiledRoute {
    const config::Route* source = nullptr;
    int authorizer = -1;                          ///< index into CompiledApi::authorizers; -1: NONE
    std::optional<forward::ForwardPlan> forward;  ///< HTTP_PROXY
    std::optional<forward::ProxyEventOptions> aws_proxy;  ///< AWS_PROXY: of the function's event
    std::string mock_body;
    std::string mock_type;
};

struct CompiledApi {
    const config::Api* source = nullptr;
    authz::StageFacts stage;
    routing::RouteTable table;
    std::vector<CompiledRoute> routes;
    std::vector<std::unique_ptr<CompiledAuthorizer>> authorizers;
    authz::GatewayResponses responses;
};

/// Which payload a function is sent.
authz::EventFormat event_format(config::PayloadFormat format) noexcept;

/// A configuration, compiled. Immutable but for warning marks; every request holds the one it began
/// with.
struct Snapshot {
    config::Model model;
    routing::ApiTable api_table;
    std::vector<CompiledApi> apis;
    std::vector<config::RouteReport> report;
    bool dev = false;
};

/// Compiles a model that loaded without problems. Registers its cache scopes and key sources.
/// Errc::config_invalid when a part refuses what config let pass: a fault in config's checks,
/// reported all the same.
Result<std::shared_ptr<const Snapshot>> make_snapshot(config::Model model,
                                                      authz::GrantCache& cache,
                                                      KeyStore& keys,
                                                      bool dev);

}  // namespace gatehouse::app
