#include "checks.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/jwt/header_memo.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <algorithm>
#include <memory>

namespace gatehouse::jwt {
namespace {

// Key ids are looked up, shown and stored with grants. The longest in use are thumbprints and URLs.
constexpr std::size_t kKidBytesMost = 1024;

using HeaderPtr = std::shared_ptr<const ReadHeader>;

struct Parts {
    std::string_view header_text;  // as it is sent
    HeaderPtr known_header;
    std::string header;  // decoded, where it is not known
    std::string claims;
    std::string signature;
    std::string_view signing_input;
};

// RFC 7515 7.1. Five parts are a JWE, and a JSON serialisation has no dots in the right places:
// neither is for us.
Result<Parts> split(std::string_view token, const HeaderMemo* headers) {
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos)
        return fail(Errc::token_malformed, "fewer than three parts");
    if (token.find('.', second + 1) != std::string_view::npos)
        return fail(Errc::token_malformed, "more than three parts");
    Parts parts;
    parts.header_text = token.substr(0, first);
    if (headers != nullptr) parts.known_header = headers->find(parts.header_text);
    auto header = parts.known_header ? Result<std::string>(std::string())
                                     : decode_base64url(parts.header_text);
    auto claims = decode_base64url(token.substr(first + 1, second - first - 1));
    auto signature = decode_base64url(token.substr(second + 1));
    if (!parts.known_header && (!header || header->empty()))
        return fail(Errc::token_malformed, "a header that is not base64url");
    if (!claims || claims->empty())
        return fail(Errc::token_malformed, "claims that are not base64url");
    // An empty signature passes here: it is how alg none is spelt, and the algorithm check gives
    // the better reason.
    if (!signature) return fail(Errc::token_malformed, "a signature that is not base64url");
    parts.header = *std::move(header);
    parts.claims = *std::move(claims);
    parts.signature = *std::move(signature);
    parts.signing_input = token.substr(0, second);
    return parts;
}

void append_bytes(std::string& into, std::string_view before, std::size_t number) {
    into += before;
    into += std::to_string(number);
    into += " bytes";
}

Result<Parts> read_form(std::string_view token, const HeaderMemo* headers, CheckTrail* trail) {
    if (auto refusal = check(
            trail,
            "form",
            Errc::token_too_large,
            token.size() <= limits::kTokenBytes,
            [](std::string& into) { append_bytes(into, "at most ", limits::kTokenBytes); },
            [&](std::string& into) { append_bytes(into, "", token.size()); })) {
        return *std::move(refusal);
    }
    auto parts = split(token, headers);
    if (auto refusal =
            check(trail,
                  "form",
                  Errc::token_malformed,
                  parts.has_value(),
                  text("three parts in base64url without padding"),
                  [&] { return parts ? std::string("three parts") : parts.error().detail; })) {
        return *std::move(refusal);
    }
    return parts;
}

Result<Json> read_object(const std::string& bytes,
                         std::string_view name,
                         Errc code,
                         CheckTrail* trail) {
    // The JSON library takes a NUL for the end of the text and would leave unread what follows it.
    const bool whole = bytes.find('\0') == std::string::npos;
    const JsonLimits token_limits{.max_bytes = limits::kTokenBytes,
                                  .max_depth = limits::kTokenJsonDepth};
    auto json =
        whole ? parse_json(bytes, token_limits) : Result<Json>(fail(Errc::json_syntax, "a NUL"));
    const bool passed = json && json->is_object();
    const auto found = [&] {
        if (json) return passed ? std::string("an object") : "JSON that is no object";
        return printable(json.error().code.message() + ' ' + json.error().detail);
    };
    if (auto refusal = check(
            trail, name, code, passed, text("one JSON object without repeated members"), found)) {
        return *std::move(refusal);
    }
    return json;
}

// The media type without "application/", which RFC 7515 4.1.9 lets producers leave out.
std::string_view short_type(std::string_view type) noexcept {
    constexpr std::string_view kPrefix = "application/";
    const bool prefixed = equals_ignoring_case(type.substr(0, kPrefix.size()), kPrefix);
    return prefixed ? type.substr(kPrefix.size()) : type;
}

// RFC 8725 3.11, 3.12: an id_token hint, a logout token or a DPoP proof is signed by the same
// issuer, yet is no access token.
Refusal check_type(const Json& header, CheckTrail* trail) {
    const Json* type = find_member(header, "typ");
    const Json* content = find_member(header, "cty");
    for (const Json* member : {type, content}) {
        if (member == nullptr || member->is_string()) continue;
        return check(trail,
                     "typ",
                     Errc::token_header_invalid,
                     false,
                     text("strings in typ and cty"),
                     shown(member));
    }
    if (type != nullptr) {
        const std::string_view name = short_type(type->get_ref<const std::string&>());
        const bool known =
            equals_ignoring_case(name, "JWT") || equals_ignoring_case(name, "at+jwt");
        if (auto refusal = check(trail,
                                 "typ",
                                 Errc::token_type_refused,
                                 known,
                                 text("JWT, at+jwt or no typ"),
                                 shown(type))) {
            return refusal;
        }
    }
    if (content == nullptr) return std::nullopt;
    // RFC 7519 5.2: cty JWT means that the payload is a token again.
    const bool nested =
        equals_ignoring_case(short_type(content->get_ref<const std::string&>()), "JWT");
    return check(
        trail, "cty", Errc::token_type_refused, !nested, text("no nested token"), shown(content));
}

Refusal check_critical(const Json& header, CheckTrail* trail) {
    // RFC 7515 4.1.11: an extension named by crit must be understood, and we understand none. RFC
    // 7797: b64 false would change what is signed; true says nothing, so whoever sends it means
    // something we do not know.
    const bool critical = header.contains("crit") || header.contains("b64");
    return check(trail, "crit", Errc::token_critical, !critical, text("neither crit nor b64"), [&] {
        return std::string(critical ? "crit or b64" : "neither");
    });
}

// Members that name or carry a key (jwk, jku, x5u, x5c) are ignored: no key and no connection comes
// from a token.
Result<ReadHeader> read_header(const std::string& bytes, CheckTrail* trail) {
    const auto json = read_object(bytes, "header", Errc::token_header_invalid, trail);
    if (!json) return json.error();
    if (auto refusal = check_critical(*json, trail)) return *std::move(refusal);
    const Json* algorithm = find_member(*json, "alg");
    if (auto refusal = check(trail,
                             "header",
                             Errc::token_header_invalid,
                             algorithm != nullptr && algorithm->is_string(),
                             text("alg, a string"),
                             shown(algorithm))) {
        return *std::move(refusal);
    }
    const Json* kid = find_member(*json, "kid");
    const bool kid_fine =
        kid == nullptr ||
        (kid->is_string() && kid->get_ref<const std::string&>().size() <= kKidBytesMost);
    if (auto refusal = check(
            trail,
            "header",
            Errc::token_header_invalid,
            kid_fine,
            [] {
                return "kid a string of at most " + std::to_string(kKidBytesMost) +
                       " bytes, or none";
            },
            shown(kid))) {
        return *std::move(refusal);
    }
    if (auto refusal = check_type(*json, trail)) return *std::move(refusal);
    return ReadHeader{algorithm->get<std::string>(),
                      kid == nullptr ? std::string() : kid->get<std::string>(),
                      {}};
}

// Only what passed is kept: a header that is refused is read each time, and refused for what it is.
Result<HeaderPtr> find_header(const Parts& parts, HeaderMemo* headers, CheckTrail* trail) {
    HeaderPtr header = parts.known_header;
    if (!header) {
        CheckTrail checks;
        auto read = read_header(parts.header, trail != nullptr || headers ? &checks : nullptr);
        if (trail != nullptr && !read) trail->append(checks);
        if (!read) return std::move(read).error();
        read->checks = std::move(checks);
        header = std::make_shared<const ReadHeader>(*std::move(read));
        if (headers != nullptr) {
            // Texts of checks are about as long as what they are made of.
            headers->keep(parts.header_text, header, sizeof(ReadHeader) + 4 * parts.header.size());
        }
    }
    if (trail != nullptr) trail->append(header->checks);
    return header;
}

// Byte for byte (RFC 7519 4.1.1 with RFC 3986 6.2.1): no normalisation, no trailing slash forgiven.
Result<std::size_t> find_provider(const Json& claims,
                                  std::span<const Provider> providers,
                                  CheckTrail* trail) {
    const Json* issuer = find_member(claims, "iss");
    const auto found = shown(issuer);
    if (issuer != nullptr && !issuer->is_string()) {
        return refuse(trail, "issuer", Errc::token_claims_invalid, text("a string"), found);
    }
    const auto provider =
        std::find_if(providers.begin(), providers.end(), [&](const Provider& candidate) {
            return issuer != nullptr && candidate.issuer == issuer->get_ref<const std::string&>();
        });
    const auto expected =
        one_of(providers, [](const Provider& each) { return std::string_view(each.issuer); });
    if (auto refusal = check(trail,
                             "issuer",
                             Errc::token_issuer_unknown,
                             provider != providers.end(),
                             expected,
                             found)) {
        return *std::move(refusal);
    }
    return static_cast<std::size_t>(provider - providers.begin());
}

// RFC 8725 3.1: the configuration says which algorithms are good, the token only which of them it
// uses.
Result<Algorithm> choose_algorithm(const std::string& name,
                                   const Provider& provider,
                                   CheckTrail* trail) {
    const auto algorithm = find_algorithm(name);
    const auto expected = [&] { return provider.algorithms.to_string(); };
    const auto found = [&](std::string& into) { append_printable(into, name); };
    if (!algorithm || !provider.algorithms.has(*algorithm)) {
        return refuse(trail, "algorithm", Errc::token_algorithm_refused, expected, found);
    }
    note_passed(trail, "algorithm", expected, found);
    return *algorithm;
}

}  // namespace

Result<Unverified> read_token(std::string_view token,
                              std::span<const Provider> providers,
                              const Rules& rules,
                              CheckTrail* trail,
                              HeaderMemo* headers) {
    auto parts = read_form(token, headers, trail);
    if (!parts) return std::move(parts).error();
    const auto found = find_header(*parts, headers, trail);
    if (!found) return found.error();
    const ReadHeader& header = **found;
    auto claims = read_object(parts->claims, "claims", Errc::token_claims_invalid, trail);
    if (!claims) return std::move(claims).error();
    const auto provider = find_provider(*claims, providers, trail);
    if (!provider) return provider.error();
    const auto algorithm = choose_algorithm(header.algorithm, providers[*provider], trail);
    if (!algorithm) return algorithm.error();
    const bool named = !header.kid.empty() || !rules.require_key_id;
    if (auto refusal =
            check(trail, "kid", Errc::token_kid_missing, named, text("the id of a key"), [&] {
                return header.kid.empty() ? "nothing" : printable(header.kid);
            })) {
        return *std::move(refusal);
    }
    return Unverified{*provider,
                      *algorithm,
                      header.kid,
                      *std::move(claims),
                      parts->signing_input,
                      std::move(parts->signature)};
}

}  // namespace gatehouse::jwt
