#pragma once

#include "gatehouse/authz/request_facts.hpp"

#include <string>
#include <string_view>

// `event.requestContext` as JSON text, in its three forms. `authorizer` is the text of the member
// of that name; empty: no such member. Members that the service fills from what does not exist here
// (Cognito, organizations, deployments, client certificates) are null or absent as the service
// leaves them.
namespace gatehouse::authz {

/// REST APIs (API Gateway developer guide, "Input format of a Lambda function for proxy
/// integration", "Input to a Lambda authorizer"). ASCII alone, since it also goes into a header.
void append_request_context(const RequestFacts& facts,
                            std::string_view authorizer,
                            std::string& out);

/// HTTP APIs, payload format 1.0: the REST form with the route key as resourceId, the path decoded,
/// and one id for both ids.
void append_http_context_1(const RequestFacts& facts,
                           std::string_view route_key,
                           std::string_view authorizer,
                           std::string& out);

/// HTTP APIs, payload format 2.0 ("Create AWS Lambda proxy integrations for HTTP APIs").
/// @param authentication  `authentication` of a client without a certificate, as JSON text; empty:
///     no such member
void append_http_context_2(const RequestFacts& facts,
                           std::string_view route_key,
                           std::string_view authentication,
                           std::string_view authorizer,
                           std::string& out);

}  // namespace gatehouse::authz
