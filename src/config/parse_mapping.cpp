#include "gatehouse/core/ascii.hpp"
#include "gatehouse/template/template.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"
#include "variables.hpp"

#include <algorithm>

// Reading what maps: request templates and integration responses.
namespace gatehouse::config {
namespace {

std::string fault_in_mapping_template(std::string_view text) {
    const auto compiled = templates::compile(text);
    return compiled ? std::string() : compiled.error().detail;
}

std::string fault_in_response_header(std::string_view destination) {
    constexpr std::string_view kHeader = "method.response.header.";
    if (!destination.starts_with(kHeader)) {
        return in_quotes(destination) + " is no destination; allowed: method.response.header.NAME";
    }
    const std::string_view name = destination.substr(kHeader.size());
    for (const std::string_view own : {"Connection",
                                       "Content-Length",
                                       "Date",
                                       "Transfer-Encoding",
                                       "X-Amz-Apigw-Id",
                                       "X-Amzn-RequestId",
                                       "X-Amzn-Trace-Id",
                                       "X-Gatehouse-Trace"}) {
        if (equals_ignoring_case(name, own))
            return "the header " + std::string(own) + " is the gateway's own and cannot be mapped";
    }
    // API Gateway developer guide, "Important notes": dropped on the way back.
    for (const std::string_view dropped : {"Accept",
                                           "Expect",
                                           "Host",
                                           "HTTP2-Settings",
                                           "Keep-Alive",
                                           "Proxy-Authenticate",
                                           "Proxy-Connection",
                                           "TE",
                                           "Trailer",
                                           "Upgrade"}) {
        if (equals_ignoring_case(name, dropped))
            return "the header " + std::string(dropped) +
                   " is never passed on, so the mapping would be ignored";
    }
    return fault_in_header_name(name);
}

void read_response_parameters(ObjectReader& reader,
                              const std::map<std::string, std::string>& stage_variables,
                              IntegrationResponse& response) {
    reader.each_member("responseParameters",
                       [&](const std::string& name, const Json& value, const std::string& pointer) {
                           Source& source = reader.source();
                           std::string fault = fault_in_response_header(name);
                           for (const auto& [other, expression] : response.response_parameters) {
                               if (fault.empty() && equals_ignoring_case(name, other))
                                   fault = "sets the header that " + in_quotes(other) + " sets";
                           }
                           if (!fault.empty()) source.problem(pointer, std::move(fault));
                           const std::optional<std::string> expression =
                               read_text(value, pointer, source);
                           if (!expression) return;
                           std::string wrong = fault_in_expression(
                               *expression, Expressions::answer, stage_variables);
                           if (!wrong.empty()) source.problem(pointer, std::move(wrong));
                           response.response_parameters[name] = *expression;
                       });
}

bool is_status(std::string_view key) {
    return key.size() == 3 && std::ranges::all_of(key, is_digit) && key.front() >= '2' &&
           key.front() <= '5';
}

IntegrationResponse read_response(const Json& value,
                                  const std::string& key,
                                  const std::string& pointer,
                                  const std::map<std::string, std::string>& stage_variables,
                                  Source& source) {
    ObjectReader reader(value, pointer, keys::kIntegrationResponse, source);
    IntegrationResponse response;
    response.key = key;
    const std::optional<int> status = read_status(reader);
    if (is_status(key)) {
        response.status_code = std::stoi(key);
        if (status && *status != response.status_code) {
            reader.problem("statusCode",
                           "is " + std::to_string(*status) + ", but the entry is that of status " +
                               key + "; an entry's key is its status");
        }
    } else if (key != "default") {
        source.problem(pointer,
                       in_quotes(key) +
                           " is no status from 200 to 599; allowed besides: "
                           "\"default\" with a \"statusCode\"");
    } else {
        reader.refuse("selectionPattern", "the default is for what no pattern matches");
        if (reader.require("statusCode", "the status of the default answer") != nullptr && status)
            response.status_code = *status;
    }
    reader.read_checked("selectionPattern", response.selection_pattern, [](std::string_view text) {
        return text.empty() ? "is empty: leave it out for the default" : fault_in_regex(text);
    });
    read_response_parameters(reader, stage_variables, response);
    response.response_templates =
        read_templates(reader, "responseTemplates", fault_in_mapping_template);
    return response;
}

}  // namespace

void read_request_mapping(ObjectReader& reader, Integration& integration) {
    reader.each_member(
        "requestTemplates",
        [&](const std::string& type, const Json& value, const std::string& pointer) {
            std::string wrong = type == "$default" ? std::string() : fault_in_media_type(type);
            if (!wrong.empty()) reader.source().problem(pointer, std::move(wrong));
            const std::optional<std::string> text = read_text(value, pointer, reader.source());
            if (!text) return;
            std::string fault = fault_in_mapping_template(*text);
            if (!fault.empty()) reader.source().problem(pointer, std::move(fault));
            integration.request_templates[type] = *text;
        });
    std::string behavior = "WHEN_NO_MATCH";
    constexpr std::string_view kAllowed[] = {"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"};
    reader.read_choice("passthroughBehavior", behavior, kAllowed);
    integration.passthrough = behavior == "WHEN_NO_MATCH"       ? Passthrough::when_no_match
                              : behavior == "WHEN_NO_TEMPLATES" ? Passthrough::when_no_templates
                                                                : Passthrough::never;
}

void read_integration_responses(ObjectReader& reader,
                                const std::map<std::string, std::string>& stage_variables,
                                Integration& integration) {
    const Json* responses =
        reader.require("integrationResponses", "answers by status, e.g. { \"200\": {} }");
    if (responses != nullptr && responses->is_object() && responses->empty())
        reader.problem("integrationResponses", "is empty: every answer would be a 500");
    std::string fallback;  // key of the default
    reader.each_member("integrationResponses",
                       [&](const std::string& key, const Json& value, const std::string& pointer) {
                           integration.integration_responses.push_back(read_response(
                               value, key, pointer, stage_variables, reader.source()));
                           if (!value.is_object() || value.contains("selectionPattern")) return;
                           if (!fallback.empty()) {
                               reader.source().problem(pointer,
                                                       "has no selectionPattern, and neither has " +
                                                           in_quotes(fallback) +
                                                           ": one can be the default");
                           }
                           fallback = key;
                       });
}

}  // namespace gatehouse::config
