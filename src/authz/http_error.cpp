#include "gatehouse/authz/http_error.hpp"

#include "gatehouse/authz/cors.hpp"
#include "gatehouse/http/framing.hpp"

namespace gatehouse::authz {
namespace {

constexpr std::string_view kInternal = "Internal Server Error";  // two capitals, unlike REST

GatewayError make(ResponseType type, int status, std::string_view message) {
    GatewayError error;
    error.type = type;
    error.status = status;
    error.message = std::string(message);
    return error;
}

std::string_view text_of(int status) noexcept {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 408:
            return "Request Timeout";
        case 413:
            return "Request Entity Too Large";
        case 414:
            return "Request URI too long";
        case 429:
            return "Too Many Requests";
        case 503:
            return "Service Unavailable";
        default:
            return status < 500 ? std::string_view("Bad Request") : kInternal;
    }
}

// What a JWT authorizer says of a token. Five were captured; the others are not known, and
// are in their style.
std::string_view describe_token(Errc reason) noexcept {
    switch (reason) {
        case Errc::token_not_bearer:
        case Errc::token_malformed:
            return "token contains an invalid number of segments";
        case Errc::token_audience_refused:
            return "the token does not have a valid audience";
        case Errc::token_expired:
            return "the token has expired";
        case Errc::token_issuer_unknown:
            return "issuer does not match";
        // Not captured from here on.
        case Errc::token_too_large:
            return "the token is too large";
        case Errc::token_header_invalid:
        case Errc::token_critical:
        case Errc::token_type_refused:
            return "the token header is invalid";
        case Errc::token_algorithm_refused:
            return "signing method is invalid";
        case Errc::token_kid_missing:
            return "the token does not have a key ID";
        case Errc::token_key_unknown:
        case Errc::token_key_unfit:
            return "unable to find a signing key that matches";
        case Errc::token_signature_invalid:
            return "signature is invalid";
        case Errc::token_expiry_missing:
            return "the token does not have an expiration time";
        case Errc::token_not_yet_valid:
            return "the token is not valid yet";
        case Errc::token_issued_in_future:
            return "the token was issued in the future";
        case Errc::token_inactive:
            return "the token is not active";
        case Errc::token_claims_invalid:
        case Errc::token_use_refused:
        case Errc::token_subject_missing:
        case Errc::token_claim_unusable:
            return "the token claims are invalid";
        default:
            return {};
    }
}

// Spaces between the parameters, not RFC 6750's commas: as captured.
std::string make_value(std::string_view error,
                       std::string_view description,
                       std::span<const std::string> scopes) {
    std::string value = "Bearer scope=\"";
    for (const std::string& scope : scopes) {
        if (&scope != &scopes.front()) value += ' ';
        value += scope;
    }
    value.append("\" error=\"").append(error).append("\" error_description=\"");
    return value.append(description).append("\"");
}

}  // namespace

GatewayError make_http_error(const Verdict& verdict) {
    if (verdict.allow) return make(ResponseType::default_5xx, 500, kInternal);
    return make(verdict.response, verdict.status, text_of(verdict.status));
}

// Which of 500, 503 and 504 the service gives is not settled by what is known of it. Here: what
// cannot be reached or is late is 503, what answers nonsense is 500. Kept in this one place.
GatewayError make_http_error(Errc reason) {
    const auto status_as = [](ResponseType type, int status) {
        return make(type, status, text_of(status));
    };
    switch (reason) {
        case Errc::upstream_refused:
        case Errc::upstream_unresolved:
        case Errc::upstream_tls:
        case Errc::upstream_reset:
            return status_as(ResponseType::integration_failure, 503);
        case Errc::upstream_connect_timeout:
        case Errc::upstream_timeout:
        case Errc::function_timeout:
            return status_as(ResponseType::integration_timeout, 503);
        case Errc::upstream_malformed:
        case Errc::upstream_head_too_large:
        case Errc::function_error:
        case Errc::function_answer_too_large:
        case Errc::function_answer_invalid:
            return status_as(ResponseType::integration_failure, 500);
        case Errc::body_too_large:
        case Errc::function_event_too_large:
            return status_as(ResponseType::request_too_large, 413);
        case Errc::overloaded:
        case Errc::upstream_overloaded:
        case Errc::draining:
            return status_as(ResponseType::default_5xx, 503);
        default:
            break;
    }
    const int status = http::status_of_read_error(reason);
    if (status >= 400 && status < 500) return status_as(ResponseType::default_4xx, status);
    return status_as(ResponseType::default_5xx, 500);
}

std::string make_challenge(const Verdict& verdict, std::span<const std::string> scopes) {
    if (verdict.allow) return {};
    switch (verdict.reason) {
        case Errc::identity_missing:
        case Errc::identity_empty:
        case Errc::identity_repeated:
            return "Bearer";
        case Errc::scope_missing:
            // The description is not known.
            return make_value(
                "insufficient_scope", "the token does not have a required scope", scopes);
        default:
            break;
    }
    const std::string_view description = describe_token(verdict.reason);
    return description.empty() ? std::string() : make_value("invalid_token", description, scopes);
}

RenderedResponse render_http_error(const GatewayError& error,
                                   std::string_view challenge,
                                   const RequestFacts& facts) {
    RenderedResponse response;
    response.status = error.status;
    response.body = R"({"message":")" + error.message.value_or(std::string(kInternal)) + "\"}";
    // Captured: a JWT authorizer's 401 says nothing of its type.
    if (challenge.empty() || error.status != 401)
        response.headers += "content-type: application/json\r\n";
    if (!challenge.empty())
        response.headers.append("www-authenticate: ").append(challenge).append("\r\n");
    if (!facts.extended_request_id.empty()) {
        response.headers.append("apigw-requestid: ")
            .append(facts.extended_request_id)
            .append("\r\n");
    }
    if (facts.stage != nullptr && facts.stage->cors && facts.head != nullptr)
        facts.stage->cors->append_answer(*facts.head, response.headers);
    return response;
}

}  // namespace gatehouse::authz
