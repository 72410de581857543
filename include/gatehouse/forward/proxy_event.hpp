#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/errc.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::forward {

/// What authorized the request: it decides the shape of `requestContext.authorizer`.
enum class AuthorizerKind : std::uint8_t {
    none,    ///< the route is open
    lambda,  ///< a Lambda authorizer, gatehouse:jwt and its like included
    claims,  ///< Cognito, or a native JWT authorizer
};

/// What is the same for all requests of an AWS_PROXY integration.
struct ProxyEventOptions {
    authz::EventFormat format = authz::EventFormat::rest;
    std::vector<std::string> binary_media_types;  ///< REST: "image/png", "image/*", "*/*"
    std::vector<std::string> reserved_headers;    ///< names mapped by any route of the API
    std::vector<std::string> reserved_prefixes;   ///< of the context headers of all APIs
};

struct ProxyRequest {
    const authz::RequestFacts& facts;  ///< head and stage are set; grant when authorized
    std::string_view route_key;        ///< HTTP APIs: "GET /pets/{id}", "$default"
    std::string_view body;             ///< the whole content
    AuthorizerKind authorizer = AuthorizerKind::none;
    bool scoped = false;  ///< the route has authorizationScopes
    std::chrono::milliseconds authorizer_latency =
        {};  ///< of the function's call; 0 on a cache hit
};

/// Appends the event that an AWS_PROXY integration sends to its function (API Gateway developer
/// guide, "Input format of a Lambda function for proxy integration", "Create AWS Lambda proxy
/// integrations for HTTP APIs"). Always valid UTF-8: bytes of the client that are none become
/// U+FFFD, in a body that is not sent as base64 too, as the service does. No client header under a
/// name that Gatehouse writes is in it.
/// REST: the body is base64 when Content-Type matches `binary_media_types`. HTTP APIs: when it is
/// not one of the text types, or is no UTF-8.
/// @return Errc::none, or function_event_too_large with `out` as it was
Errc append_proxy_event(const ProxyRequest& request,
                        const ProxyEventOptions& options,
                        std::string& out);

}  // namespace gatehouse::forward
