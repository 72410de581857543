#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/invocation.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"

#include <span>
#include <string>

namespace gatehouse::forward {

/// What is the same for all answers of an AWS_PROXY integration.
struct ProxyAnswerRules {
    authz::EventFormat format = authz::EventFormat::rest;
    bool plain_headers = false;                       ///< REST: headerHandling "plain"
    std::span<const std::string> binary_media_types;  ///< REST
};

/// Turns what a function gave back into the client's answer (API Gateway developer guide, "Output
/// format of a Lambda function for proxy integration"; HTTP APIs: "Lambda function response
/// format").
/// REST: members it does not know make an answer malformed, every member may be missing; header
/// names are remapped or dropped as the service does; base64 is decoded only when the first type of
/// Accept (without Accept: of the answer) is a binary one. HTTP APIs: base64 is always decoded,
/// cookies become set-cookie (2.0), JSON without statusCode is the body of a 200 (2.0), members
/// that are not known are left alone.
/// Headers of the result are whole lines without Date, Connection and Content-Length; a body is
/// there also where the status has none (204, 304) only if it is empty.
/// @return Errc: function_error, function_timeout, function_not_invokable,
/// function_answer_too_large, function_answer_invalid; detail names the JSON path at fault
Result<authz::RenderedResponse> read_proxy_answer(const authz::Invocation& invocation,
                                                  const ProxyAnswerRules& rules,
                                                  const authz::RequestFacts& facts);

}  // namespace gatehouse::forward
