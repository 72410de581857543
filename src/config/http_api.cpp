#include "http_api.hpp"

#include "gatehouse/core/ascii.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

// Keys that this version may not have at all are refused as unknown already.
void refuse_all(ObjectReader& reader,
                keys::Keys known,
                std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        if (std::ranges::find(known, name) != known.end())
            reader.refuse(name, "an HTTP API has no such thing; only REST APIs do");
    }
}

std::string fault_in_origin(std::string_view text) {
    if (text == "*" || text == "https://*" || text == "http://*") return {};
    const bool http = text.starts_with("http://");
    const bool https = text.starts_with("https://");
    const std::size_t scheme = http ? 7 : https ? 8 : text.find("://") + 3;
    const bool other = text.find("://") != std::string_view::npos && text.find("://") > 0;
    const auto fits = [](char c) {
        return c > 0x20 && c < 0x7f && c != '/' && c != '*' && c != '"' && c != ',';
    };
    if (other && scheme < text.size() && std::ranges::all_of(text.substr(scheme), fits)) return {};
    return in_quotes(text) +
           " is no origin; allowed: scheme and host as browsers send them, such as "
           "\"https://app.example.com\", without a path, or \"*\", \"https://*\", \"http://*\"";
}

std::string fault_in_cors_method(std::string_view text) {
    constexpr std::string_view kMethods[] = {
        "*", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    if (std::ranges::find(kMethods, text) != std::end(kMethods)) return {};
    return "is " + in_quotes(text) + "; allowed: " + list_quoted(kMethods) +
           suggest(text, kMethods);
}

std::string fault_in_cors_header(std::string_view text) {
    return is_token(text) ? "" : fault_in_header_name(text);
}

}  // namespace

void refuse_rest_api_keys(ObjectReader& reader) {
    refuse_all(reader,
               keys::kApi,
               {"gatewayResponses",
                "binaryMediaTypes",
                "headerHandling",
                "methodOverride",
                "denyMessages",
                "apiKeySource",
                "requestValidators",
                "models",
                "resourcePolicy"});
}

void refuse_rest_route_keys(ObjectReader& reader) {
    refuse_all(reader,
               keys::kRoute,
               {"apiKeyRequired", "requestValidator", "requestParameters", "requestModels"});
}

Cors read_cors(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kCors, source);
    Cors cors;
    if (!value.is_object()) return cors;
    reader.read_list("allowOrigins", cors.allow_origins, fault_in_origin);
    for (std::string& origin : cors.allow_origins)
        origin = to_lower(origin);
    reader.read_list("allowMethods", cors.allow_methods, fault_in_cors_method);
    reader.read_list("allowHeaders", cors.allow_headers, fault_in_cors_header);
    reader.read_list("exposeHeaders", cors.expose_headers, fault_in_cors_header);
    int age = 0;
    if (reader.read_number("maxAge", age, -1, 86400)) cors.max_age = age;
    reader.read("allowCredentials", cors.allow_credentials);
    if (!reader.has("allowOrigins"))
        reader.source().problem(pointer,
                                "\"allowOrigins\" is missing: without it nobody is allowed");
    const auto has = [](const std::vector<std::string>& list) {
        return std::ranges::any_of(
            list, [](std::string_view entry) { return entry == "*" || entry.ends_with("://*"); });
    };
    // Fetch standard: with credentials a star is no wildcard, and the service refuses the first.
    // "https://*" would hand everybody's pages the credentials all the same.
    if (cors.allow_credentials && (has(cors.allow_origins) || has(cors.allow_headers) ||
                                   has(cors.allow_methods) || has(cors.expose_headers))) {
        reader.problem("allowCredentials",
                       "is true beside \"*\": browsers take no wildcard with credentials; name "
                       "what is allowed");
    }
    return cors;
}

}  // namespace gatehouse::config
