#include "gatehouse/authz/lambda_event.hpp"

#include "gatehouse/authz/request_context.hpp"
#include "gatehouse/core/json_text.hpp"

namespace gatehouse::authz {
namespace {

// An authorizer judges what the client sent, so it sees Authorization whatever that holds.
constexpr HiddenHeaders kNoneHidden;

std::string join(std::span<const std::string> texts) {
    std::string joined;
    for (const std::string& text : texts) {
        if (&text != &texts.front()) joined += ',';
        joined += text;
    }
    return joined;
}

// `identitySource` and `authorizationToken` of format 1.0: all values in one text.
void add_identity_1(const RequestEvent& event, JsonMembers& members) {
    for (const std::string_view name : {"identitySource", "authorizationToken"}) {
        if (event.identity) {
            members.text(name, join(*event.identity));
        } else {
            members.raw(name, "null");
        }
    }
}

void append_event_1(const RequestEvent& event, EventFormat format, std::string& out) {
    const RequestFacts& facts = event.facts;
    JsonMembers members(out);
    if (format != EventFormat::rest) members.text("version", "1.0");
    members.text("type", "REQUEST");
    members.text("methodArn", event.arn);
    if (format != EventFormat::rest) add_identity_1(event, members);
    members.text("resource", facts.resource_path);
    members.text("path", event_path(facts, format));
    members.text("httpMethod", facts.head->method);
    const ValueMap headers = header_values(facts, format, kNoneHidden);
    append_last_values(headers, members.name("headers"));
    append_all_values(headers, members.name("multiValueHeaders"));
    const ValueMap query = query_values(facts.target.query);
    append_last_values(query, members.name("queryStringParameters"));
    append_all_values(query, members.name("multiValueQueryStringParameters"));
    append_last_values(path_values(facts, format), members.name("pathParameters"));
    append_stage_variables(facts, members.name("stageVariables"));
    members.name("requestContext");
    // Nothing has authorized yet: no `authorizer`.
    if (format == EventFormat::rest) {
        append_request_context(facts, {}, out);
    } else {
        append_http_context_1(facts, event.route_key, {}, out);
    }
    members.end();
}

void append_event_2(const RequestEvent& event, std::string& out) {
    const RequestFacts& facts = event.facts;
    JsonMembers members(out);
    members.text("version", "2.0");
    members.text("type", "REQUEST");
    members.text("routeArn", event.arn);
    if (event.identity) {
        append_strings(*event.identity, members.name("identitySource"));
    } else {
        members.raw("identitySource", "null");
    }
    members.text("routeKey", event.route_key);
    members.text("rawPath", event_path(facts, EventFormat::http_2_0));
    members.text("rawQueryString", facts.target.query);
    const auto cookies = cookie_values(facts);
    if (!cookies.empty()) append_strings(cookies, members.name("cookies"));
    append_joined_values(header_values(facts, EventFormat::http_2_0, kNoneHidden),
                         members.name("headers"));
    const ValueMap query = query_values(facts.target.query);
    if (!query.empty()) append_joined_values(query, members.name("queryStringParameters"));
    members.name("requestContext");
    append_http_context_2(facts, event.route_key, "null", {}, out);
    const ValueMap path = path_values(facts, EventFormat::http_2_0);
    if (!path.empty()) append_last_values(path, members.name("pathParameters"));
    if (has_stage_variables(facts)) append_stage_variables(facts, members.name("stageVariables"));
    members.end();
}

}  // namespace

void append_token_event(std::string_view method_arn, std::string_view token, std::string& out) {
    JsonMembers members(out);
    members.text("type", "TOKEN");
    members.text("methodArn", method_arn);
    members.text("authorizationToken", token);
    members.end();
}

void append_request_event(const RequestEvent& event, EventFormat format, std::string& out) {
    if (format == EventFormat::http_2_0) {
        append_event_2(event, out);
    } else {
        append_event_1(event, format, out);
    }
}

}  // namespace gatehouse::authz
