#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <string>
#include <string_view>

namespace gatehouse::config {
namespace {

std::string fault_in_introspection_endpoint(std::string_view text) {
    if (text.starts_with("file:")) return "is a file; an http or https URL is wanted";
    return fault_in_jwks_uri(text);
}

// In the header or the form they are encoded; a control character is a slip all the same.
std::string fault_in_credential(std::string_view text) {
    return text.empty() ? "is empty" : fault_in_constant(text);
}

std::string fault_in_client_secret(std::string_view text) {
    // Never the value itself.
    if (text.empty()) return "is empty";
    return fault_in_constant(text).empty() ? "" : "has a control character";
}

}  // namespace

Introspection read_introspection(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kIntrospection, source);
    Introspection settings;
    if (!value.is_object()) return settings;
    reader.require("endpoint", "the URL of the authorization server's introspection endpoint");
    if (reader.read_checked("endpoint", settings.endpoint, fault_in_introspection_endpoint) &&
        is_plain_remote(settings.endpoint)) {
        source.warning(reader.at("endpoint"),
                       "tokens and the client's secret go over plain http to another machine: "
                       "whoever sits between can read them, and answer");
    }
    reader.require("clientId", "the client that Gatehouse is to the authorization server");
    reader.read_checked("clientId", settings.client_id, fault_in_credential);
    reader.require("clientSecret", "its secret, e.g. \"${INTROSPECTION_SECRET}\"");
    reader.read_checked("clientSecret", settings.client_secret, fault_in_client_secret);
    constexpr std::string_view kMethods[] = {"client_secret_basic", "client_secret_post"};
    std::string method;
    if (reader.read_choice("authMethod", method, kMethods))
        settings.secret_in_form = method == "client_secret_post";
    reader.read_duration("timeoutInMillis", settings.timeout, 50, 30000);
    reader.read_checked("issuer", settings.issuer, fault_in_filled);
    const Json* audience = reader.find("audience");
    reader.read_list("audience", settings.audience, fault_in_filled);
    if (audience != nullptr && audience->is_array() && audience->empty())
        reader.problem("audience",
                       "is empty: no token could pass; name at least one, or leave it away");
    reader.read("requireExpiration", settings.require_expiration);
    reader.read("requireSubject", settings.require_subject);
    read_claim_settings(reader, settings);
    return settings;
}

}  // namespace gatehouse::config
