#pragma once

#include "gatehouse/authz/request_facts.hpp"

#include <string>

namespace gatehouse::authz {

/// Appends `event.requestContext` of a REST proxy event as JSON text, ASCII alone (API Gateway
/// developer guide, "Input format of a Lambda function for proxy integration"). `authorizer` is
/// there when a grant is.
void append_request_context(const RequestFacts& facts, std::string& out);

}  // namespace gatehouse::authz
