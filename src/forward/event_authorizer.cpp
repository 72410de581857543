#include "event_authorizer.hpp"

#include "gatehouse/core/json_text.hpp"
#include "gatehouse/forward/context_headers.hpp"

namespace gatehouse::forward {
namespace {

using Kind = authz::ContextItem::Kind;

// {"claims":{…},"scopes":[…]}. The service shows scopes where the route asks for some. Whether it
// lists the route's or the token's is not known: the token's.
void append_jwt(const authz::Grant& grant, bool scoped, std::string& out) {
    JsonMembers members(out);
    members.raw("claims", dump_json(grant.claims));
    if (scoped) {
        authz::append_strings(grant.scopes, members.name("scopes"));
    } else {
        members.raw("scopes", "null");
    }
    members.end();
}

// Format 2.0 keeps JSON types, and objects and lists with them.
void append_typed(const authz::ContextItem& item, std::string& out) {
    switch (item.kind) {
        case Kind::string:
            append_json_string(item.value, out);
            return;
        case Kind::null:
            out += "null";
            return;
        default:
            out += item.value;
    }
}

void append_typed_context(const authz::Grant& grant, std::string& out) {
    JsonMembers members(out);
    for (const authz::ContextItem& item : grant.context)
        append_typed(item, members.quoted_name(item.key));
    members.end();
}

std::string make_rest(const ProxyRequest& request) {
    const authz::Grant* grant = request.facts.grant;
    if (request.authorizer == AuthorizerKind::lambda)
        return make_authorizer_json(*grant, request.authorizer_latency);
    return make_claims_json(*grant);
}

std::string make_http_1(const ProxyRequest& request) {
    const authz::Grant* grant = request.facts.grant;
    if (request.authorizer == AuthorizerKind::lambda)
        return make_authorizer_json(*grant, std::nullopt);
    std::string out;
    append_jwt(*grant, request.scoped, out);
    return out;
}

std::string make_http_2(const ProxyRequest& request) {
    const authz::Grant* grant = request.facts.grant;
    std::string out;
    JsonMembers members(out);
    if (request.authorizer == AuthorizerKind::lambda) {
        append_typed_context(*grant, members.name("lambda"));
        // The in-process authorizer's own addition, where it has it for every kind of API.
        if (grant->claims.is_object()) members.raw("claims", dump_json(grant->claims));
    } else {
        append_jwt(*grant, request.scoped, members.name("jwt"));
    }
    members.end();
    return out;
}

}  // namespace

std::string make_event_authorizer(const ProxyRequest& request, authz::EventFormat format) {
    if (request.authorizer == AuthorizerKind::none || request.facts.grant == nullptr) {
        return format == authz::EventFormat::http_1_0 ? R"({"claims":null,"scopes":null})" : "";
    }
    switch (format) {
        case authz::EventFormat::rest:
            return make_rest(request);
        case authz::EventFormat::http_1_0:
            return make_http_1(request);
        case authz::EventFormat::http_2_0:
            return make_http_2(request);
    }
    return {};
}

}  // namespace gatehouse::forward
