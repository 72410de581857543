#pragma once

#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/authz/verdict.hpp"

#include <span>
#include <string>

// The answers of an HTTP API's own: fixed texts, nothing of them can be configured (API Gateway
// developer guide, "Choose between REST APIs and HTTP APIs").
namespace gatehouse::authz {

/// The error of a refused verdict.
GatewayError make_http_error(const Verdict& verdict);

/// The error of a request that was allowed and could not be served.
GatewayError make_http_error(Errc reason);

/// The www-authenticate value of a JWT authorizer's refusal, empty for every other one.
/// @param scopes  authorizationScopes of the route, which the value names
std::string make_challenge(const Verdict& verdict, std::span<const std::string> scopes);

/// Renders it: `{"message":"…"}`, apigw-requestid, and CORS headers where the API has them.
/// @param challenge  of make_challenge. A 401 with one has no content type, as captured
RenderedResponse render_http_error(const GatewayError& error,
                                   std::string_view challenge,
                                   const RequestFacts& facts);

}  // namespace gatehouse::authz
