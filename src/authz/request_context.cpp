#include "gatehouse/authz/request_context.hpp"

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_text.hpp"

#include <initializer_list>

namespace gatehouse::authz {
namespace {

bool is_plain(std::string_view text) noexcept {
    for (const char c : text) {
        if (is_control(c) || static_cast<unsigned char>(c) >= 0x80 || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/// The members of one object, filled from variables. Written by hand, so that a request with this
/// header allocates nothing either.
class Members : public JsonMembers {
  public:
    Members(const RequestFacts& facts, std::string& out) : JsonMembers(out), facts_(facts) {}

    /// A variable of that name as text; null when it has no value.
    void variable(std::string_view key, std::string_view variable) {
        std::string& out = name(key);
        const std::size_t start = out.size();
        out += '"';
        if (!append_variable(facts_, variable, out)) {
            out.resize(start);
            out += "null";
        } else if (is_plain(std::string_view(out).substr(start + 1))) {
            out += '"';
        } else {
            const std::string value = out.substr(start + 1);
            out.resize(start);
            append_json_string(value, out, JsonCharset::ascii);
        }
    }

    /// Members that are called as their variables are: "context.NAME".
    void named(std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names)
            variable(name.substr(std::string_view("context.").size()), name);
    }

    void time(std::string_view key) { number(key, facts_.time.time_since_epoch().count()); }

  private:
    const RequestFacts& facts_;
};

// Developer guide, "Mutual TLS": in events of both kinds of API.
void append_client_certificate(const RequestFacts& facts, std::string& out) {
    Members members(facts, out);
    members.variable("clientCertPem", "context.identity.clientCert.clientCertPem");
    members.variable("subjectDN", "context.identity.clientCert.subjectDN");
    members.variable("issuerDN", "context.identity.clientCert.issuerDN");
    members.variable("serialNumber", "context.identity.clientCert.serialNumber");
    members.name("validity");
    Members validity(facts, out);
    validity.variable("notBefore", "context.identity.clientCert.validity.notBefore");
    validity.variable("notAfter", "context.identity.clientCert.validity.notAfter");
    validity.end();
    members.end();
}

// Cognito identities and organizations have no counterpart here: what the service leaves null is
// null. IAM members have values on routes of AWS_IAM.
void append_identity(const RequestFacts& facts, std::string& out) {
    Members members(facts, out);
    members.raw("cognitoIdentityPoolId", "null");
    members.variable("accountId", "context.identity.accountId");
    members.raw("cognitoIdentityId", "null");
    members.variable("caller", "context.identity.caller");
    members.variable("sourceIp", "context.identity.sourceIp");
    members.raw("principalOrgId", "null");
    members.variable("accessKey", "context.identity.accessKey");
    members.raw("cognitoAuthenticationType", "null");
    members.raw("cognitoAuthenticationProvider", "null");
    members.variable("userArn", "context.identity.userArn");
    members.variable("userAgent", "context.identity.userAgent");
    members.variable("user", "context.identity.user");
    if (!facts.api_key.empty()) {
        members.variable("apiKey", "context.identity.apiKey");
        members.variable("apiKeyId", "context.identity.apiKeyId");
    }
    if (facts.client_certificate != nullptr) {
        members.name("clientCert");
        append_client_certificate(facts, out);
    }
    members.end();
}

}  // namespace

void append_request_context(const RequestFacts& facts,
                            std::string_view authorizer,
                            std::string& out) {
    Members members(facts, out);
    members.named({"context.resourceId"});
    if (!authorizer.empty()) members.raw("authorizer", authorizer);
    members.named({"context.resourcePath",
                   "context.httpMethod",
                   "context.extendedRequestId",
                   "context.requestTime",
                   "context.path",
                   "context.accountId",
                   "context.protocol",
                   "context.stage",
                   "context.domainPrefix"});
    members.time("requestTimeEpoch");
    members.named({"context.requestId"});
    members.name("identity");
    append_identity(facts, out);
    members.named({"context.domainName", "context.deploymentId", "context.apiId"});
    members.end();
}

void append_http_context_1(const RequestFacts& facts,
                           std::string_view route_key,
                           std::string_view authorizer,
                           std::string& out) {
    Members members(facts, out);
    // "The route key or null" is all that is known of resourceId.
    members.text("resourceId", route_key);
    if (!authorizer.empty()) members.raw("authorizer", authorizer);
    members.named({"context.resourcePath", "context.httpMethod", "context.extendedRequestId"});
    members.named({"context.requestTime"});
    members.text("path", decode_path(facts.target.path));
    members.named(
        {"context.accountId", "context.protocol", "context.stage", "context.domainPrefix"});
    members.time("requestTimeEpoch");
    members.variable("requestId", "context.extendedRequestId");
    members.name("identity");
    append_identity(facts, out);
    members.named({"context.domainName", "context.apiId"});
    members.end();
}

void append_http_context_2(const RequestFacts& facts,
                           std::string_view route_key,
                           std::string_view authentication,
                           std::string_view authorizer,
                           std::string& out) {
    Members members(facts, out);
    members.named({"context.accountId", "context.apiId"});
    if (facts.client_certificate != nullptr) {
        members.name("authentication") += "{\"clientCert\":";
        append_client_certificate(facts, out);
        out += '}';
    } else if (!authentication.empty()) {
        members.raw("authentication", authentication);
    }
    if (!authorizer.empty()) members.raw("authorizer", authorizer);
    members.named({"context.domainName", "context.domainPrefix"});
    members.name("http");
    Members http(facts, out);
    http.variable("method", "context.httpMethod");
    http.text("path", decode_path(facts.target.path));
    http.named({"context.protocol"});
    http.variable("sourceIp", "context.identity.sourceIp");
    http.variable("userAgent", "context.identity.userAgent");
    http.end();
    members.variable("requestId", "context.extendedRequestId");
    members.text("routeKey", route_key);
    members.named({"context.stage"});
    members.variable("time", "context.requestTime");
    members.time("timeEpoch");
    members.end();
}

}  // namespace gatehouse::authz
