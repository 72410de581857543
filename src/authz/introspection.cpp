#include "gatehouse/authz/introspection.hpp"

#include "claim_grants.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"

#include <utility>

namespace gatehouse::authz {
namespace {

// application/x-www-form-urlencoded. Everything but unreserved characters (RFC 3986 2.3) is
// encoded, a space as %20: every decoder reads that alike, and "+" some do not.
void append_form_value(std::string_view text, std::string& out) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out.append(1, '%').append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
        }
    }
}

// RFC 6749 2.3.1: both are form-urlencoded before they are joined, so that a ':' in one of them
// cannot move the border.
std::string make_basic(std::string_view id, std::string_view secret) {
    std::string pair;
    append_form_value(id, pair);
    pair += ':';
    append_form_value(secret, pair);
    return "Basic " + encode_base64(pair);
}

// RFC 7662 2.2: "application/json". What is signed (RFC 9701), or a page of HTML, is something
// else.
bool is_json(std::string_view content_type) noexcept {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t'))
        type.remove_suffix(1);
    return equals_ignoring_case(type, "application/json");
}

Error bad_answer(std::string detail) {
    return fail(Errc::introspection_invalid, std::move(detail));
}

}  // namespace

struct Introspection::Impl {
    IntrospectionOptions options;
    ClaimGrants grants;
    jwt::Provider provider;
    jwt::Rules rules;
};

Introspection::Introspection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Introspection::Introspection(Introspection&&) noexcept = default;
Introspection::~Introspection() = default;

Result<Introspection> Introspection::make(IntrospectionOptions options) {
    auto impl = std::make_unique<Impl>();
    auto grants = ClaimGrants::make(options);
    if (!grants) return std::move(grants).error();
    impl->grants = std::move(*grants);
    impl->provider.issuer = options.issuer;
    impl->provider.audience = options.audience;
    impl->provider.any_audience = options.audience.empty();
    impl->rules.clock_skew = options.clock_skew;
    impl->rules.require_expiration = options.require_expiration;
    impl->rules.require_subject = options.require_subject;
    impl->options = std::move(options);
    return Introspection(std::move(impl));
}

Result<IntrospectionRequest> Introspection::ask(const AuthorizerEvent& event,
                                                jwt::CheckTrail* trail) const {
    const auto token = find_token(event, trail);
    if (!token || token->empty()) return fail(Errc::token_not_bearer);
    if (token->size() > limits::kTokenBytes) return fail(Errc::token_too_large);
    const IntrospectionOptions& options = impl_->options;
    IntrospectionRequest request;
    request.form = "token=";
    append_form_value(*token, request.form);
    request.form += "&token_type_hint=access_token";
    if (options.secret_in_form) {
        append_form_value(options.client_id, request.form.append("&client_id="));
        append_form_value(options.client_secret, request.form.append("&client_secret="));
    } else {
        request.authorization = make_basic(options.client_id, options.client_secret);
    }
    return request;
}

Result<Grant> Introspection::grant(std::string_view content_type,
                                   std::string_view body,
                                   const AuthorizerEvent& event,
                                   WallTime now,
                                   jwt::CheckTrail* trail) const {
    if (!is_json(content_type)) return bad_answer("the answer is no application/json");
    auto parsed = parse_json(body, {limits::kIntrospectionBytes, limits::kTokenJsonDepth});
    // Which byte is at fault may be told, what stands there not: it may be the token.
    if (!parsed || !parsed->is_object())
        return bad_answer(parsed ? "the answer is no object" : "the answer is no JSON");
    // "active" is REQUIRED and a boolean. "true", 1, or its absence is nobody's consent.
    const Json* active = find_member(*parsed, "active");
    if (active == nullptr || !active->is_boolean())
        return bad_answer("\"active\" is no boolean: expected true or false");
    if (trail != nullptr) {
        trail->add("active", active->get<bool>(), "true", active->get<bool>() ? "true" : "false");
    }
    if (!active->get<bool>()) return fail(Errc::token_inactive);
    auto verified =
        jwt::verify_claims(std::move(*parsed), impl_->provider, impl_->rules, now, trail);
    if (!verified) {
        // A claim of the wrong kind is the endpoint's fault, not the token's.
        if (verified.error().errc() == Errc::token_claims_invalid)
            return bad_answer(verified.error().detail);
        return std::move(verified).error();
    }
    const Json& claims = verified->claims;
    auto context = impl_->grants.context(claims, trail);
    if (!context) return std::move(context).error();
    Grant grant;
    auto policy = impl_->grants.policy(claims, event, grant.left_out);
    if (!policy) return std::move(policy).error();
    // RFC 7662 2.2: sub is usually the resource owner; a client that acts for itself has none.
    for (const char* name : {"sub", "client_id"}) {
        const auto principal = get_string(claims, name);
        if (grant.principal_id.empty() && principal) grant.principal_id = *principal;
    }
    grant.scopes = read_scopes(claims);
    grant.claims = stringify_claims(std::move(verified->claims), *context);
    grant.context = std::move(*context);
    grant.policy = std::move(*policy);
    grant.issued_for = event.method_arn;
    grant.expires = verified->expires;
    grant.not_before = verified->not_before;
    return grant;
}

std::string Introspection::fingerprint() const {
    const IntrospectionOptions& options = impl_->options;
    Json text = {{"endpoint", options.endpoint},
                 {"clientId", options.client_id},
                 {"issuer", options.issuer},
                 {"audience", options.audience},
                 {"clockSkew", options.clock_skew.count()},
                 {"requireExpiration", options.require_expiration},
                 {"requireSubject", options.require_subject}};
    describe(options, text);
    return dump_json(text);
}

bool Introspection::narrower_than_stage() const noexcept {
    return impl_->grants.narrower_than_stage();
}

}  // namespace gatehouse::authz
