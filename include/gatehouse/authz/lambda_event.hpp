#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/request_facts.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

// What an authorizer function is asked with, as JSON text. Always valid UTF-8: client bytes that
// are none become U+FFFD. An event's size is bounded by the limits of a request's head, each byte
// of which stands in it a few times at most, six bytes long at most.
namespace gatehouse::authz {

/// Appends the event of a TOKEN authorizer: exactly type, methodArn and authorizationToken (API
/// Gateway developer guide, "Input to a Lambda authorizer").
/// @param token  the whole identity value, scheme included
void append_token_event(std::string_view method_arn, std::string_view token, std::string& out);

/// One request to a REQUEST authorizer.
struct RequestEvent {
    const RequestFacts& facts;   ///< head and stage are set
    std::string_view arn;        ///< methodArn or routeArn: what the policy is judged against
    std::string_view route_key;  ///< HTTP APIs only: "GET /pets/{id}"
    std::optional<std::span<const std::string>> identity;  ///< HTTP APIs: values of the identity
                                                           ///< sources; nullopt: none configured
};

/// Appends the event of a REQUEST authorizer. REST: maps without entries are {}. HTTP APIs, 1.0:
/// the same with version, identitySource and authorizationToken; 2.0: members without entries are
/// absent (developer guide, "Control access to HTTP APIs with AWS Lambda authorizers").
/// HTTP APIs have one id, the one with 16 characters: `facts.extended_request_id`.
void append_request_event(const RequestEvent& event, EventFormat format, std::string& out);

}  // namespace gatehouse::authz
