#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "uri.hpp"
#include "variables.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

using StageVariables = std::map<std::string, std::string>;

std::string fault_in_integration_type(std::string_view text) {
    constexpr std::string_view kTypes[] = {"HTTP_PROXY", "HTTP", "AWS_PROXY", "MOCK"};
    if (std::ranges::find(kTypes, text) != std::end(kTypes)) return {};
    if (text == "AWS") {
        return "integration type " + in_quotes(text) +
               " is not supported by this version of Gatehouse yet; allowed: " +
               list_quoted(kTypes);
    }
    return "is " + in_quotes(text) + "; allowed: " + list_quoted(kTypes) + suggest(text, kTypes);
}

std::string fault_in_method(std::string_view text) {
    constexpr std::string_view kMethods[] = {
        "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    if (std::ranges::find(kMethods, text) != std::end(kMethods)) return {};
    return "is " + in_quotes(text) + "; allowed: " + list_quoted(kMethods) +
           suggest(text, kMethods);
}

// API Gateway developer guide, "Amazon API Gateway important notes": what a mapping cannot set, or
// sets without effect.
std::string fault_in_mapped_header(std::string_view name) {
    if (!is_token(name)) return fault_in_header_name(name);
    for (const std::string_view own : {"Content-Length",
                                       "Transfer-Encoding",
                                       "X-Amzn-Trace-Id",
                                       "X-Amzn-Apigateway-Api-Id",
                                       "X-Amzn-Request-Context",
                                       "X-Gatehouse-Override"}) {
        if (equals_folded(name, own))
            return "the header " + std::string(own) + " is the gateway's own and cannot be mapped";
    }
    for (const std::string_view hop : {"Connection",
                                       "Expect",
                                       "HTTP2-Settings",
                                       "Keep-Alive",
                                       "Proxy-Authenticate",
                                       "Proxy-Authorization",
                                       "Proxy-Connection",
                                       "TE",
                                       "Trailer",
                                       "Upgrade",
                                       "Via"}) {
        if (equals_folded(name, hop))
            return "the header " + std::string(hop) +
                   " is never passed on, so the mapping would be ignored";
    }
    return {};
}

std::string fault_in_destination(std::string_view text) {
    const auto behind = [&text](std::string_view prefix) {
        return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
    };
    const std::string_view header = behind("integration.request.header.");
    if (!header.empty()) return fault_in_mapped_header(header);
    const std::string_view query = behind("integration.request.querystring.");
    const auto fits = [](char c) {
        return c > 0x20 && c < 0x7f && std::string_view("&=#%+;").find(c) == std::string_view::npos;
    };
    if (!query.empty())
        return std::ranges::all_of(query, fits)
                   ? ""
                   : in_quotes(query) + " is no name of a query parameter";
    if (!behind("integration.request.path.").empty()) return {};
    return in_quotes(text) +
           " is no destination; allowed: integration.request.header.NAME, "
           "integration.request.querystring.NAME, integration.request.path.NAME";
}

void read_request_parameters(ObjectReader& reader,
                             const StageVariables& variables,
                             Integration& integration) {
    const Expressions kind =
        integration.type == IntegrationType::http ? Expressions::custom : Expressions::request;
    constexpr std::string_view kHeader = "integration.request.header.";
    Source& source = reader.source();
    reader.each_member(
        "requestParameters",
        [&](const std::string& name, const Json& value, const std::string& pointer) {
            std::string fault = fault_in_destination(name);
            for (const auto& [other, expression] : integration.request_parameters) {
                if (fault.empty() && name.starts_with(kHeader) && equals_folded(name, other)) {
                    fault = "sets the header that " + in_quotes(other) +
                            " sets: case and \"_\" make no difference to many backends";
                }
            }
            if (!fault.empty()) source.problem(pointer, std::move(fault));
            const std::optional<std::string> expression = read_text(value, pointer, source);
            if (!expression) return;
            std::string wrong = fault_in_expression(*expression, kind, variables);
            if (!wrong.empty()) source.problem(pointer, std::move(wrong));
            integration.request_parameters[name] = *expression;
        });
}

// The short form answers with the text as it stands; a template language in it would be shown, not
// run.
std::string fault_in_mock_body(std::string_view text) {
    for (const std::string_view mark :
         {"#set(", "#if(", "#foreach(", "$input.", "$util.", "$context.", "$stageVariables."}) {
        if (text.find(mark) == std::string_view::npos) continue;
        return "has " + in_quotes(mark) +
               ": the short form of a MOCK sends the body as it stands; templates are rendered in "
               "\"integrationResponses\"";
    }
    return {};
}

constexpr std::string_view kMappingKeys[] = {
    "requestTemplates", "passthroughBehavior", "integrationResponses"};

void refuse_mapping(ObjectReader& reader) {
    for (const std::string_view name : kMappingKeys)
        reader.refuse(name, "nothing is mapped in a proxy integration: that is type HTTP");
}

void refuse_short_form(ObjectReader& reader) {
    for (const std::string_view name : {"responseTemplates", "statusCode"})
        reader.refuse(name, "it belongs into an entry of \"integrationResponses\"");
}

void read_mock(ObjectReader& reader, const StageVariables& variables, Integration& integration) {
    integration.type = IntegrationType::mock;
    for (const std::string_view name :
         {"uri", "httpMethod", "timeoutInMillis", "requestParameters"}) {
        reader.refuse(name, "a MOCK integration calls nothing");
    }
    const bool full =
        std::ranges::any_of(kMappingKeys, [&](std::string_view name) { return reader.has(name); });
    if (full) {
        refuse_short_form(reader);
        read_request_mapping(reader, integration);
        return read_integration_responses(reader, variables, integration);
    }
    integration.response_templates =
        read_templates(reader, "responseTemplates", fault_in_mock_body);
    reader.read_number("statusCode", integration.status_code, 200, 599);
}

void read_timeout(ObjectReader& reader, Integration& integration) {
    reader.read_duration("timeoutInMillis",
                         integration.timeout,
                         limits::kIntegrationTimeLeast.count(),
                         limits::kIntegrationTimeMost.count());
}

void read_http_proxy(ObjectReader& reader,
                     const StageVariables& variables,
                     Integration& integration) {
    for (const std::string_view name : {"responseTemplates", "statusCode"}) {
        reader.refuse(name, "HTTP_PROXY passes the backend's answer on as it is");
    }
    refuse_mapping(reader);
    read_uri(reader, variables, integration);
    read_http_method(reader, integration);
    read_timeout(reader, integration);
    read_request_parameters(reader, variables, integration);
}

void read_http(ObjectReader& reader, const StageVariables& variables, Integration& integration) {
    integration.type = IntegrationType::http;
    refuse_short_form(reader);
    read_uri(reader, variables, integration);
    reader.read_checked("httpMethod", integration.http_method, fault_in_method);
    read_timeout(reader, integration);
    read_request_parameters(reader, variables, integration);
    read_request_mapping(reader, integration);
    read_integration_responses(reader, variables, integration);
}

void read_aws_proxy(ObjectReader& reader,
                    const StageVariables& variables,
                    Integration& integration) {
    integration.type = IntegrationType::aws_proxy;
    for (const std::string_view name : {"responseTemplates", "statusCode"})
        reader.refuse(name, "AWS_PROXY passes the function's answer on as it is");
    reader.refuse("requestParameters", "AWS_PROXY passes the request on as it is");
    refuse_mapping(reader);
    read_timeout(reader, integration);
    read_function_uri(reader, variables, integration);
}

// A host with a port is always one; so is one that no upstream is called.
void find_upstream(ObjectReader& reader, Integration& integration) {
    const HostAndPort named = host_of(integration.uri);
    if (!named.port.empty()) return;
    const std::vector<Upstream>& upstreams = reader.source().upstreams;
    for (std::size_t i = 0; i < upstreams.size(); ++i) {
        const std::string& name = upstreams[i].rules.name;
        if (!equals_ignoring_case(name, named.host)) continue;
        integration.upstream = static_cast<int>(i);
        if (integration.uri.starts_with("https://"))
            reader.problem("uri",
                           "names the upstream " + in_quotes(name) +
                               ", whose targets say how each is called; write http://" + name +
                               "…");
    }
}

}  // namespace

void read_uri(ObjectReader& reader,
              const std::map<std::string, std::string>& variables,
              Integration& integration) {
    reader.require("uri", "the backend's URL, e.g. \"http://127.0.0.1:3000/{proxy}\"");
    std::string written;
    if (!reader.read("uri", written)) return;
    if (written.starts_with("arn:"))
        return reader.problem("uri", "is an ARN: a function is an integration of type AWS_PROXY");
    Filled uri = fill_stage_variables(written, variables);
    if (!uri.known) return;
    if (uri.fault.empty()) uri.fault = fault_in_integration_uri(uri.text);
    if (!uri.fault.empty()) return reader.problem("uri", uri.fault);
    integration.uri = std::move(uri.text);
    find_upstream(reader, integration);
}

void read_http_method(ObjectReader& reader, Integration& integration) {
    reader.read_checked("httpMethod", integration.http_method, fault_in_method);
}

void read_function_uri(ObjectReader& reader,
                       const std::map<std::string, std::string>& variables,
                       Integration& integration) {
    reader.require("uri", "a function's ARN, or its URL of the Lambda Invoke API");
    // Lambda is called by POST, whatever the client's method; templates say so.
    reader.read_checked("httpMethod", integration.http_method, [](std::string_view text) {
        return text == "POST" ? "" : "is " + in_quotes(text) + "; Lambda is called by \"POST\"";
    });
    std::string written;
    if (!reader.read("uri", written)) return;
    Filled uri = fill_stage_variables(written, variables);
    if (!uri.known) return;
    if (uri.fault.empty() && !names_function(uri.text)) {
        uri.fault = in_quotes(uri.text) +
                    " names no function; allowed: its ARN, with or without the service's "
                    "arn:aws:apigateway:… around it, or "
                    "http://HOST/2015-03-31/functions/NAME/invocations";
    }
    if (!uri.fault.empty()) return reader.problem("uri", std::move(uri.fault));
    if (const auto function = find_function(uri.text, reader, "uri"))
        integration.function = *function;
    integration.uri = std::move(uri.text);
}

std::map<std::string, std::string> read_templates(ObjectReader& reader,
                                                  std::string_view name,
                                                  std::string (*fault)(std::string_view)) {
    std::map<std::string, std::string> templates;
    reader.each_member(
        name, [&](const std::string& type, const Json& value, const std::string& pointer) {
            std::string wrong = fault_in_media_type(type);
            if (!wrong.empty()) reader.source().problem(pointer, std::move(wrong));
            const std::optional<std::string> text = read_text(value, pointer, reader.source());
            if (!text) return;
            std::string message = fault(*text);
            if (!message.empty()) reader.source().problem(pointer, std::move(message));
            templates[type] = *text;
        });
    return templates;
}

Filled fill_stage_variables(std::string_view text,
                            const std::map<std::string, std::string>& variables) {
    constexpr std::string_view kOpen = "${stageVariables.";
    Filled filled;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find(kOpen), text.size());
        filled.text += text.substr(0, open);
        text.remove_prefix(open);
        const std::size_t close = text.find('}');
        if (close == std::string_view::npos) {
            filled.text += text;
            break;
        }
        const std::string_view name = text.substr(kOpen.size(), close - kOpen.size());
        const auto it = variables.find(std::string(name));
        if (it == variables.end()) {
            std::vector<std::string_view> names;
            names.reserve(variables.size());
            for (const auto& [known, value] : variables)
                names.push_back(known);
            filled.fault = "stage variable " + in_quotes(name) +
                           " is not set in \"stageVariables\"" + suggest(name, names);
        } else {
            filled.text += it->second;
            filled.known = filled.known && !it->second.empty();
        }
        text.remove_prefix(close + 1);
    }
    return filled;
}

Integration read_integration(const Json& value,
                             const std::string& pointer,
                             const std::map<std::string, std::string>& stage_variables,
                             Source& source) {
    ObjectReader reader(value, pointer, keys::kIntegration, source);
    Integration integration;
    if (!value.is_object()) return integration;
    std::string type;
    reader.require("type", "\"HTTP_PROXY\", \"HTTP\", \"AWS_PROXY\" or \"MOCK\"");
    if (!reader.read_checked("type", type, fault_in_integration_type)) return integration;
    reader.refuse("payloadFormatVersion", "that is an HTTP API's; a REST API has one payload");
    reader.refuse("responseParameters",
                  "that is an HTTP API's; a REST API has it in \"integrationResponses\"");
    if (type == "MOCK") {
        read_mock(reader, stage_variables, integration);
    } else if (type == "HTTP") {
        read_http(reader, stage_variables, integration);
    } else if (type == "AWS_PROXY") {
        read_aws_proxy(reader, stage_variables, integration);
    } else {
        read_http_proxy(reader, stage_variables, integration);
    }
    read_tls_config(reader, integration);
    return integration;
}

}  // namespace gatehouse::config
