#include "gatehouse/cli/commands.hpp"
#include "gatehouse/cli/demo.hpp"

namespace gatehouse::cli {
namespace {

constexpr std::chrono::seconds kTokenLife{8 * 3600};

Json make_authorizer(const DemoPlaces& places, const Json& more) {
    Json jwt = {{"issuer", loopback_url(places.issuer)},
                {"audience", {kDemoAudience}},
                {"algorithms", {places.algorithm}}};
    jwt.update(more);
    return {{"type", "TOKEN"},
            {"authorizerUri", "gatehouse:jwt"},
            {"authorizerResultTtlInSeconds", 300},
            {"jwt", jwt}};
}

// Admins may do everything but delete; without the role the first statement is left out, and
// nothing is allowed.
Json staff_statements() {
    return Json::array({{{"Sid", "AdminsMayInvoke"},
                         {"Effect", "Allow"},
                         {"Action", "execute-api:Invoke"},
                         {"Resource", "${stageArn}/*"},
                         {"when", {{"roles", "admin"}}}},
                        {{"Sid", "NobodyDeletes"},
                         {"Effect", "Deny"},
                         {"Action", "execute-api:Invoke"},
                         {"Resource", "${stageArn}/DELETE/*"}}});
}

Json proxy(const std::string& uri) {
    return {{"type", "HTTP_PROXY"}, {"uri", uri}};
}

Json make_route(const std::string& key, const std::string& authorizer, Json integration) {
    return {{"routeKey", key}, {"authorizer", authorizer}, {"integration", std::move(integration)}};
}

Json make_routes(const std::string& echo) {
    Json write = make_route("POST /items", "jwt", proxy(echo + "/items"));
    write["authorizationScopes"] = {"items:write"};
    const Json mock = {{"type", "MOCK"},
                       {"responseTemplates", {{"application/json", "{\"ok\":true}"}}}};
    return Json::array(
        {make_route("GET /health", "NONE", mock),
         make_route("GET /items", "jwt", proxy(echo + "/items")),
         make_route("GET /items/{id}", "jwt", proxy(echo + "/items/{id}")),
         write,
         make_route("ANY /files/{proxy+}", "jwt", proxy(echo + "/files/{proxy}")),
         make_route("ANY /admin/{proxy+}", "staff", proxy(echo + "/admin/{proxy}"))});
}

}  // namespace

std::string loopback_url(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
}

std::string make_demo_config(const DemoPlaces& places) {
    const std::string echo = loopback_url(places.echo);
    const Json jwt = make_authorizer(places, Json::object());
    const Json api = {
        {"name", "demo"},
        {"apiId", "demo"},
        {"authorizers",
         {{"jwt", jwt}, {"staff", make_authorizer(places, {{"statements", staff_statements()}})}}},
        {"routes", make_routes(echo)}};
    // The second API shows x-amzn-request-context, which applications behind the AWS Lambda Web
    // Adapter read.
    const Json lambda_like = {
        {"name", "demo-context"},
        {"apiId", "demo-context"},
        {"basePath", "/context"},
        {"contextHeaders", {{"prefix", "X-Authorizer-"}, {"requestContext", true}}},
        {"authorizers", {{"jwt", jwt}}},
        {"routes", Json::array({make_route("ANY /{proxy+}", "jwt", proxy(echo + "/{proxy}"))})}};
    const Json config = {
        {"listeners", Json::array({{{"address", "127.0.0.1"}, {"port", places.gateway}}})},
        {"admin", {{"address", "127.0.0.1"}, {"port", places.admin}}},
        {"accessLog", {{"format", "off"}}},
        {"timeouts", {{"drainInMillis", 2000}}},
        {"apis", Json::array({api, lambda_like})}};
    return dump_json(config, 2);
}

DemoClaims make_demo_claims(const std::string& issuer, WallTime now) {
    ClaimOrder alice;
    alice.iss = issuer;
    alice.aud = {std::string(kDemoAudience)};
    alice.sub = "alice";
    alice.claims = {{"tenant_id", "acme"}, {"roles", {"user"}}, {"scope", "items:read"}};
    alice.expires_in = kTokenLife;
    ClaimOrder root = alice;
    root.sub = "root";
    root.claims["roles"] = {"admin", "user"};
    root.claims["scope"] = "items:read items:write";
    ClaimOrder expired = alice;
    expired.expires_in = std::chrono::hours(-1);
    return {make_claims(alice, now), make_claims(root, now), make_claims(expired, now)};
}

}  // namespace gatehouse::cli
