#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/jwt/jwks.hpp"

#include <algorithm>

namespace gatehouse::jwt {
namespace {

bool starts_with_scheme(std::string_view url, std::string_view scheme) noexcept {
    return url.size() > scheme.size() && equals_ignoring_case(url.substr(0, scheme.size()), scheme);
}

bool is_plain_text(std::string_view url) noexcept {
    return std::none_of(url.begin(), url.end(), [](char c) {
        return is_control(c) || c == ' ' || (c & 0x80) != 0;
    });
}

}  // namespace

Result<std::string> parse_discovery(std::string_view text, std::string_view issuer) {
    const auto document = parse_json(text, {.max_bytes = limits::kJwksBytes});
    if (!document)
        return fail(
            Errc::discovery_invalid,
            printable(document.error().code.message() + ": " + document.error().detail, 200));
    const auto named = get_string(*document, "issuer");
    if (!named) return fail(Errc::discovery_invalid, "issuer is missing or not a string");
    // OpenID Connect Discovery 1.0, 4.3: exactly the same. Being kind about a trailing slash is how
    // one tenant becomes another.
    if (*named != issuer) {
        return fail(Errc::discovery_issuer_mismatch,
                    "expected " + printable(issuer) + ", found " + printable(*named));
    }
    const auto url = get_string(*document, "jwks_uri");
    if (!url) return fail(Errc::discovery_invalid, "jwks_uri is missing or not a string");
    const bool secure = starts_with_scheme(*url, "https://");
    if (!is_plain_text(*url) || (!secure && !starts_with_scheme(*url, "http://"))) {
        return fail(Errc::discovery_invalid,
                    "jwks_uri is no http or https URL: " + printable(*url));
    }
    // An issuer behind TLS does not get its keys fetched in the clear. Plain http stays possible
    // where the issuer itself is.
    if (!secure && starts_with_scheme(issuer, "https://")) {
        return fail(Errc::discovery_invalid,
                    "issuer is https and jwks_uri is not: " + printable(*url));
    }
    return std::string(*url);
}

std::string discovery_url(std::string_view issuer) {
    while (issuer.ends_with('/'))
        issuer.remove_suffix(1);
    return std::string(issuer) + "/.well-known/openid-configuration";
}

}  // namespace gatehouse::jwt
