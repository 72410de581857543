#include "gatehouse/cli/commands.hpp"
#include "gatehouse/cli/demo.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::cli {
namespace {

PlainAnswer refuse(int status, const std::string& message) {
    return {status, dump_json({{"message", message}}) + "\n"};
}

// Percent-encoding and, as in HTML forms, a plus for a space.
std::string decode_form(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                            hex_value(text[i + 2]) >= 0;
        if (escape) {
            decoded += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            decoded += text[i] == '+' ? ' ' : text[i];
        }
    }
    return decoded;
}

// A query as the object that POST /mint takes: what is neither sub nor expiresIn is a claim.
Json order_from_query(std::string_view query) {
    Json order = {{"claims", Json::object()}};
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view pair = query.substr(0, end);
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
        const std::size_t equals = pair.find('=');
        const std::string name = decode_form(pair.substr(0, equals));
        const std::string value =
            equals == std::string_view::npos ? std::string() : decode_form(pair.substr(equals + 1));
        if (name.empty()) continue;
        if (name == "sub" || name == "expiresIn") {
            order[name] = value;
        } else {
            order["claims"][name] = parse_claim_value(value);
        }
    }
    return order;
}

Result<std::chrono::seconds> read_life(const Json& value) {
    if (value.is_number_integer()) {
        const auto number = value.get<std::int64_t>();
        if (number > INT32_MIN && number < INT32_MAX) return std::chrono::seconds(number);
    }
    if (value.is_string()) {
        if (const auto duration = parse_duration(value.get_ref<const std::string&>()))
            return *duration;
    }
    return fail(Errc::json_type, "expiresIn is a number of seconds, or a text such as \"8h\"");
}

Result<Json> claims_of(const MockIssuer& issuer, const Json& order, WallTime now) {
    if (!order.is_object())
        return fail(Errc::json_type, "the body is an object: {\"sub\",\"claims\",\"expiresIn\"}");
    ClaimOrder wanted;
    wanted.iss = issuer.url;
    wanted.aud = {std::string(kDemoAudience)};
    for (const auto& [name, value] : order.items()) {
        if (name == "sub" && value.is_string()) {
            wanted.sub = value.get<std::string>();
        } else if (name == "claims" && value.is_object()) {
            wanted.claims = value;
        } else if (name == "expiresIn") {
            const auto life = read_life(value);
            if (!life) return life.error();
            wanted.expires_in = *life;
        } else {
            return fail(
                Errc::json_type,
                "\"" + printable(name) +
                    "\" is not understood: sub is text, claims an object, expiresIn seconds");
        }
    }
    return make_claims(wanted, now);
}

PlainAnswer answer_mint(const MockIssuer& issuer,
                        std::string_view method,
                        std::string_view query,
                        std::string_view body,
                        WallTime now) {
    Json order = Json::object();
    if (method == "GET") {
        order = order_from_query(query);
    } else if (!body.empty()) {
        Result<Json> parsed = parse_json(body);
        if (!parsed) return refuse(400, "the body is not JSON: " + parsed.error().detail);
        order = std::move(parsed).value();
    }
    const Result<Json> claims = claims_of(issuer, order, now);
    if (!claims) return refuse(400, claims.error().detail);
    const Result<std::string> token = issuer.mint(*claims);
    if (!token) return refuse(500, "the token could not be signed");
    return {200, dump_json({{"token", *token}}) + "\n"};
}

std::string_view without_slash(std::string_view url) {
    return url.ends_with('/') ? url.substr(0, url.size() - 1) : url;
}

std::string discovery_document(const MockIssuer& issuer) {
    const std::string base(without_slash(issuer.url));
    const Json document = {{"issuer", issuer.url},
                           {"jwks_uri", base + "/jwks.json"},
                           {"authorization_endpoint", base + "/authorize"},
                           {"token_endpoint", base + "/mint"},
                           {"response_types_supported", {"token"}},
                           {"subject_types_supported", {"public"}},
                           {"id_token_signing_alg_values_supported", {issuer.algorithm}}};
    return dump_json(document, 2) + "\n";
}

// The path of the issuer's URL: "http://issuer:8090/realms/x" -> "/realms/x".
std::string_view path_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    const std::size_t slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
    return slash == std::string_view::npos ? std::string_view() : url.substr(slash);
}

}  // namespace

PlainAnswer answer_issuer(const MockIssuer& issuer,
                          std::string_view method,
                          std::string_view target,
                          std::string_view body,
                          WallTime now) {
    const std::size_t question = target.find('?');
    const std::string_view query =
        question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    std::string_view path = target.substr(0, question);
    const std::string_view base = path_of(without_slash(issuer.url));
    if (path.starts_with(base)) path.remove_prefix(base.size());
    const bool get = method == "GET" || method == "HEAD";
    if (path == "/.well-known/openid-configuration")
        return get ? PlainAnswer{200, discovery_document(issuer)} : refuse(405, "GET");
    if (path == "/jwks.json" || path == "/.well-known/jwks.json")
        return get ? PlainAnswer{200, issuer.key_set + "\n"} : refuse(405, "GET");
    if (path == "/mint")
        return method == "GET" || method == "POST" ? answer_mint(issuer, method, query, body, now)
                                                   : refuse(405, "GET or POST");
    return refuse(404, "there are /.well-known/openid-configuration, /jwks.json and /mint");
}

std::string make_echo(std::string_view method,
                      std::string_view target,
                      const std::vector<std::pair<std::string, std::string>>& headers,
                      std::string_view body) {
    using Ordered = nlohmann::ordered_json;
    Ordered fields = Ordered::object();
    for (const auto& [name, value] : headers) {
        if (!fields.contains(name)) {
            fields[name] = value;
            continue;
        }
        if (!fields[name].is_array()) fields[name] = Ordered::array({fields[name]});
        fields[name].push_back(value);
    }
    const std::size_t question = target.find('?');
    Ordered echo = Ordered::object();
    echo["upstream"] = "the request as it arrived";
    echo["method"] = method;
    echo["path"] = target.substr(0, question);
    echo["query"] =
        question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    echo["headers"] = std::move(fields);
    echo["body"] = body;
    return echo.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace gatehouse::cli
