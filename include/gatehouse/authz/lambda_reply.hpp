#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/invocation.hpp"
#include "gatehouse/core/result.hpp"

#include <string_view>

namespace gatehouse::authz {

/// What an authorizer's reply has to look like.
struct ReplyRules {
    EventFormat format = EventFormat::rest;
    bool simple_responses = false;  ///< enableSimpleResponses, http_2_0 only
};

/// Reads an authorizer function's reply (API Gateway developer guide, "Output from a Lambda
/// authorizer"; HTTP APIs: "Authorizer response format") and compiles its policy. The simple
/// response becomes a policy that allows or denies everything, so that a cached one is the verdict
/// it was and a policy stays a policy. Strict, as the service is: members it does not know, IAM
/// keys in lower case, members that are there twice and a nested context (but for format 2.0) are
/// no reply. Header block and authorizer JSON of the grant are the caller's to make, and
/// requirePrincipalId is the caller's to ask: the service takes a reply without one.
/// @param method_arn  of the request that it was asked for: Grant::issued_for
/// @return Errc: authorizer_unauthorized (function error "Unauthorized", exactly),
/// authorizer_function_error, authorizer_timeout, authorizer_not_invokable,
/// authorizer_result_too_large, authorizer_result_invalid, and parse_document's. Detail: the JSON
/// path at fault, never the function's own words: they may hold the token.
Result<Grant> read_reply(const Invocation& invocation,
                         const ReplyRules& rules,
                         std::string_view method_arn);

}  // namespace gatehouse::authz
