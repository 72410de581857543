#pragma once

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/json.hpp"

namespace gatehouse::authz {

/// `$context` as mapping templates read it: an object of objects, leaves as text (API Gateway
/// developer guide, "Variables for data models, authorizers, mapping templates"). A variable that
/// the service has and this request has not is "". `authorizer` has principalId, the context, and
/// `claims`.
Json make_context_object(const RequestFacts& facts);

}  // namespace gatehouse::authz
