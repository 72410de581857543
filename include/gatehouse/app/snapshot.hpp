#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/grant_cache.hpp"
#include "gatehouse/authz/identity_source.hpp"
#include "gatehouse/authz/introspection.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/authz/request_identity.hpp"
#include "gatehouse/config/model.hpp"
#include "gatehouse/config/report.hpp"
#include "gatehouse/core/huge_pages.hpp"
#include "gatehouse/core/prefetch.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/forward/proxy_event.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "gatehouse/mapping/integration.hpp"
#include "gatehouse/mapping/request_validator.hpp"
#include "gatehouse/routing/api_table.hpp"
#include "gatehouse/routing/route_table.hpp"
#include "gatehouse/upstream/upstream.hpp"
#include "gatehouse/usage/plans.hpp"
#include "gatehouse/usage/token_bucket.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::app {

/// One of `accessKeys`, with the grant of whoever signs by it: the whole stage.
struct CompiledAccessKey {
    std::string secret;
    std::shared_ptr<const authz::Grant> grant;
};

/// By access key id.
using AccessKeys = std::map<std::string, CompiledAccessKey, std::less<>>;

struct CompiledAuthorizer {
    const config::Authorizer* source = nullptr;
    std::optional<authz::IdentitySource> identity;           ///< TOKEN, JWT of a header
    std::optional<authz::RequestIdentity> request_identity;  ///< REQUEST, JWT of the query
    std::optional<AccessKeys> access_keys;  ///< AWS_IAM: signatures decide, nothing is cached
    // One of these two decides, or else the function does.
    std::optional<authz::JwtAuthorizer> jwt;
    std::optional<authz::Introspection> introspection;
    std::vector<std::uint32_t> key_sources;  ///< one per provider
    authz::CacheScope scope = 0;
    /// Names its results to other replicas: API, stage, name and everything its grants are built
    /// from. Nothing where they are kept here alone.
    std::optional<jwt::Sha256> shared_scope;
    bool bare_token = false;  ///< the token will do without "Bearer"
    bool narrow = false;      ///< its policies can be narrower than the routes that share it
    /// The cache-trap warning was given: once per authorizer and configuration.
    mutable std::atomic<bool> warned{false};
    /// So was the one about context keys that get no header.
    mutable std::atomic<bool> context_warned{false};

    bool is_user_pool() const noexcept { return !source->user_pools.empty(); }

    /// The service's own JWT type, which challenges and shows claims in its own way.
    bool is_native_jwt() const noexcept { return source->type == "JWT"; }

    /// A function's event shows the claims and nothing else of these.
    bool shows_claims_alone() const noexcept { return is_user_pool() || is_native_jwt(); }

    bool calls_function() const noexcept { return source->function >= 0; }
};

/// What a route asks for besides authorization. The buckets are the snapshot's.
struct RouteUsage {
    bool key_required = false;
    bool key_from_authorizer = false;  ///< apiKeySource AUTHORIZER
    int stage = -1;                    ///< the API and stage as usage::Plans number them
    int method = -1;  ///< the route as usage::Plans number it; -1: no plan names it
    usage::TokenBucket* bucket = nullptr;   ///< the route's own throttle, or its API's
    usage::TokenBucket* account = nullptr;  ///< of all APIs together

    bool any() const noexcept { return key_required || bucket != nullptr || account != nullptr; }
};

/// What requests read of `source` stands here too: of many routes, most were used long ago, and
/// each further place costs a request a line from far away.
struct alignas(kCacheLine) CompiledRoute {
    const config::Route* source = nullptr;
    int authorizer = -1;  ///< index into CompiledApi::authorizers; -1: NONE
    std::string_view resource_path;
    std::span<const std::string> parameter_names;
    upstream::Upstream* upstream = nullptr;  ///< whose targets take its requests; null: the plan's
    std::chrono::milliseconds timeout{0};    ///< of the integration
    std::span<const std::string> scopes;     ///< authorizationScopes
    RouteUsage usage;
    std::optional<forward::ForwardPlan> forward;          ///< HTTP_PROXY, HTTP
    std::optional<forward::ProxyEventOptions> aws_proxy;  ///< AWS_PROXY: of the function's event
    std::unique_ptr<const mapping::Integration> mapped;   ///< HTTP, MOCK in full
    std::unique_ptr<const mapping::RequestValidator> validator;  ///< null: nothing to validate
    std::string mock_body;
    std::string mock_type;

    /// The content must be there whole before anything can be done with it.
    bool needs_content() const noexcept {
        return aws_proxy || mapped != nullptr ||
               (validator != nullptr && validator->validates_body());
    }
};

struct CompiledApi {
    const config::Api* source = nullptr;
    authz::StageFacts stage;
    routing::RouteTable table;
    TableVector<CompiledRoute> routes;
    std::vector<std::unique_ptr<CompiledAuthorizer>> authorizers;
    authz::GatewayResponses responses;
};

/// Headers that upstreams take for the authorizer's word, in whatever spelling.
struct ContextNames {
    std::vector<std::string> headers;
    std::vector<std::string> prefixes;
    /// By API: what a decision's answer always names, with no value where there is none. A proxy
    /// that copies a name which is not there may leave the client's, or make something up.
    std::vector<std::vector<std::string>> answered;

    bool has(std::string_view name) const noexcept;
};

/// Which payload a function is sent.
authz::EventFormat event_format(config::PayloadFormat format) noexcept;

/// A configuration, compiled. Immutable but for warning marks, the counters of usage plans and
/// throttles, which are limits by nature, and the state of upstreams' targets; every request holds
/// the one it began with.
struct Snapshot : std::enable_shared_from_this<Snapshot> {
    config::Model model;
    routing::ApiTable api_table;
    std::vector<CompiledApi> apis;
    std::vector<config::RouteReport> report;
    std::vector<std::shared_ptr<upstream::Upstream>> upstreams;  ///< as in the model
    usage::Plans usage;
    std::vector<std::unique_ptr<usage::TokenBucket>> buckets;
    std::optional<authz::DevOverride> dev_override;  ///< never without `dev`
    ContextNames context_names;
    bool dev = false;
    LambdaInvoker* functions = nullptr;  ///< calls the model's functions; null: none can be called

    /// What its authorizers are known by, sorted: in the key store, and in the policy cache.
    std::vector<std::uint32_t> key_sources() const;
    std::vector<authz::CacheScope> cache_scopes() const;
};

/// Compiles a model that loaded without problems. Registers its cache scopes and key sources.
/// @param functions  must outlive every request of this snapshot; null: none can be called
/// @param before  the configuration that this one follows: what it had counted of quotas and usage
///                plans' throttles goes on, and so do upstreams that are as they were
/// Errc::config_invalid when a part refuses what config let pass: a fault in config's checks,
/// reported all the same.
Result<std::shared_ptr<const Snapshot>> make_snapshot(config::Model model,
                                                      authz::GrantCache& cache,
                                                      KeyStore& keys,
                                                      bool dev,
                                                      LambdaInvoker* functions = nullptr,
                                                      const Snapshot* before = nullptr);

}  // namespace gatehouse::app
