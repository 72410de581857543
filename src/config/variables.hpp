#pragma once

#include <map>
#include <string>
#include <string_view>

namespace gatehouse::config {

/// Checks the name behind `$context.` or `context.`: API Gateway developer guide, "Variables for
/// data models, authorizers, mapping templates, and CloudWatch access logging".
/// @param access_log  also the variables that only access logs have
/// @return what is wrong with a suggestion, or nothing
std::string fault_in_context_variable(std::string_view name, bool access_log);

/// Checks an access-log template: one line, at most 3 KB, only known $context variables, and an id
/// of the request in it.
std::string fault_in_log_template(std::string_view text);

/// Checks the $context and $stageVariables references of a gateway response's template.
std::string fault_in_response_template(std::string_view text);

/// Which sources a mapping expression may have besides context, stage variables and constants.
enum class Expressions {
    request,   ///< integration.request.…: also multi-value headers and query strings
    custom,    ///< the same of an integration of type HTTP: also the body
    response,  ///< gatewayresponse.header.…
    answer     ///< method.response.header.…: of the backend's answer
};

/// Checks the source of a parameter mapping, e.g. "context.authorizer.userId" or "'constant'".
std::string fault_in_expression(std::string_view text,
                                Expressions kind,
                                const std::map<std::string, std::string>& stage_variables);

}  // namespace gatehouse::config
