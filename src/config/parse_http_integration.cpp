// Integrations of HTTP APIs (API Gateway developer guide, "Configuring integrations for HTTP APIs",
// "Transforming API requests and responses").
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/http_mapping.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/target.hpp"
#include "http_api.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

using authz::HttpDestination;
using StageVariables = std::map<std::string, std::string>;

std::string fault_in_http_integration_type(std::string_view text) {
    constexpr std::string_view kTypes[] = {"HTTP_PROXY", "AWS_PROXY"};
    if (std::ranges::find(kTypes, text) != std::end(kTypes)) return {};
    return "is " + in_quotes(text) + "; an HTTP API has " + list_quoted(kTypes) +
           suggest(text, kTypes);
}

// "known to access logs only", a stage variable that is not set: what the REST forms are held to.
std::string fault_in_variables(const authz::Expression& expression,
                               const StageVariables& variables) {
    constexpr std::string_view kStage = "stageVariables.";
    for (const auto& part : expression.parts()) {
        if (!part.variable || !part.text.starts_with(kStage)) continue;
        const std::string name = part.text.substr(kStage.size());
        if (variables.contains(name)) continue;
        std::vector<std::string_view> names;
        for (const auto& [known, value] : variables)
            names.push_back(known);
        return "stage variable " + in_quotes(name) + " is not set" + suggest(name, names);
    }
    return {};
}

std::string fault_in_value(const HttpDestination& destination,
                           std::string_view text,
                           const StageVariables& variables) {
    if (destination.action == HttpDestination::Action::remove)
        return text.empty() || text == "''" ? "" : "is not empty: \"remove:\" takes no value";
    const auto expression = authz::Expression::make_for_http(text);
    if (!expression) return expression.error().detail;
    if (destination.place == HttpDestination::Place::path && !text.starts_with('/') &&
        !text.starts_with("$request.path") && !text.starts_with("${request.path}"))
        return "a path begins with \"/\" or is $request.path";
    if (destination.place == HttpDestination::Place::path && expression->is_literal()) {
        std::string scratch;
        const auto target = http::parse_target(text, scratch);
        if (!target || target->has_query || target->path != text)
            return "is no path that a backend could be asked for: no query, no dot segments, "
                   "percent-encoded where it must be";
    }
    return fault_in_variables(*expression, variables);
}

void read_http_parameters(ObjectReader& reader,
                          const StageVariables& variables,
                          Integration& integration) {
    reader.each_member(
        "requestParameters",
        [&](const std::string& key, const Json& value, const std::string& pointer) {
            Source& source = reader.source();
            const auto destination = authz::parse_http_destination(key);
            if (!destination) return source.problem(pointer, destination.error().detail);
            for (const auto& [other, expression] : integration.request_parameters) {
                if (equals_folded(key, other))
                    source.problem(pointer,
                                   "is what " + in_quotes(other) +
                                       " is: case and \"_\" make no difference to many backends");
            }
            const std::optional<std::string> text = read_text(value, pointer, source);
            if (!text) return;
            std::string fault = fault_in_value(*destination, *text, variables);
            if (!fault.empty()) return source.problem(pointer, std::move(fault));
            integration.request_parameters[key] = *text;
        });
}

std::string fault_in_answer_value(const std::string& destination,
                                  std::string_view text,
                                  const StageVariables& variables) {
    if (destination == "overwrite:statuscode") {
        const auto status = authz::parse_new_status(text);
        return status ? std::string() : status.error().detail;
    }
    const auto where = authz::parse_http_answer_destination(destination);
    if (!where) return where.error().detail;
    if (where->action == HttpDestination::Action::remove)
        return text.empty() || text == "''" ? "" : "is not empty: \"remove:\" takes no value";
    const auto expression = authz::Expression::make_for_http_answer(text);
    return expression ? fault_in_variables(*expression, variables) : expression.error().detail;
}

void read_answer_parameters(ObjectReader& reader,
                            const StageVariables& variables,
                            Integration& integration) {
    reader.each_member(
        "responseParameters",
        [&](const std::string& status, const Json& value, const std::string& pointer) {
            Source& source = reader.source();
            if (authz::parse_answer_status(status) == 0)
                return source.problem(pointer, in_quotes(status) + " is no status from 200 to 599");
            if (!value.is_object())
                return source.problem(pointer,
                                      "must be an object of destinations and their values");
            auto& mappings = integration.answer_parameters[status];
            for (const auto& [destination, member] : value.items()) {
                const std::string at = append_pointer(pointer, destination);
                const std::optional<std::string> text = read_text(member, at, source);
                if (!text) continue;
                std::string fault = fault_in_answer_value(destination, *text, variables);
                if (!fault.empty()) source.problem(at, std::move(fault));
                for (const auto& [other, ignored] : mappings) {
                    if (equals_ignoring_case(destination, other))
                        source.problem(at, "is what " + in_quotes(other) + " is");
                }
                mappings[destination] = *text;
            }
        });
}

void read_format(ObjectReader& reader, Integration& integration) {
    std::string format;
    if (integration.type == IntegrationType::http_proxy) {
        constexpr std::string_view kOne[] = {"1.0"};
        reader.read_choice("payloadFormatVersion", format, kOne);
        return;
    }
    constexpr std::string_view kFormats[] = {"1.0", "2.0"};
    reader.require("payloadFormatVersion", "\"1.0\" or \"2.0\"");
    reader.read_choice("payloadFormatVersion", format, kFormats);
    integration.payload_format =
        format == "1.0" ? PayloadFormat::http_1_0 : PayloadFormat::http_2_0;
}

// Keys of this and later versions that only REST APIs have.
void refuse_rest_keys(ObjectReader& reader) {
    for (const std::string_view name : {"responseTemplates",
                                        "statusCode",
                                        "requestTemplates",
                                        "passthroughBehavior",
                                        "integrationResponses"}) {
        if (std::ranges::find(keys::kIntegration, name) != keys::kIntegration.end())
            reader.refuse(name, "an HTTP API has no such thing; only REST APIs do");
    }
}

}  // namespace

Integration read_http_integration(const Json& value,
                                  const std::string& pointer,
                                  const std::map<std::string, std::string>& stage_variables,
                                  Source& source) {
    ObjectReader reader(value, pointer, keys::kIntegration, source);
    Integration integration;
    integration.timeout = limits::kHttpApiIntegrationTime;
    if (!value.is_object()) return integration;
    std::string type;
    reader.require("type", "\"HTTP_PROXY\" or \"AWS_PROXY\"");
    if (!reader.read_checked("type", type, fault_in_http_integration_type)) return integration;
    refuse_rest_keys(reader);
    reader.read_duration("timeoutInMillis",
                         integration.timeout,
                         limits::kIntegrationTimeLeast.count(),
                         limits::kHttpApiIntegrationTime.count());
    if (type == "AWS_PROXY") {
        integration.type = IntegrationType::aws_proxy;
        reader.refuse("requestParameters",
                      "a function gets the request as it is; only HTTP_PROXY maps parameters");
        reader.refuse("responseParameters", "a function says its answer's status and headers");
        read_function_uri(reader, stage_variables, integration);
    } else {
        read_uri(reader, stage_variables, integration);
        read_http_method(reader, integration);
        read_http_parameters(reader, stage_variables, integration);
        read_answer_parameters(reader, stage_variables, integration);
    }
    read_format(reader, integration);
    read_tls_config(reader, integration);
    return integration;
}

}  // namespace gatehouse::config
