// What the service says by default for each refusal and failure (API Gateway developer guide,
// "Gateway response types"; texts as captured on the wire). Rendering is gateway_response.cpp.
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/jwt/digest.hpp"

namespace gatehouse::authz {
namespace {

constexpr std::string_view kBadRequest = "BadRequestException";
constexpr std::string_view kServerError = "InternalServerErrorException";

GatewayError make(ResponseType type,
                  int status,
                  std::string_view message,
                  std::string_view error_type) {
    GatewayError error;
    error.type = type;
    error.status = status;
    error.message = std::string(message);
    error.error_type = error_type;
    return error;
}

// Errors that the service raises while it executes a method have a space after the colon; earlier
// ones have none.
GatewayError make_spaced(ResponseType type, int status, std::string_view message) {
    GatewayError error = make(type, status, message, kServerError);
    error.spaced = true;
    return error;
}

// Of the client's request, raised while the method is executed.
GatewayError make_client_fault(ResponseType type, int status, std::string_view message) {
    GatewayError error = make_spaced(type, status, message);
    error.error_type = kBadRequest;
    return error;
}

GatewayError make_internal() {
    return make_spaced(ResponseType::api_configuration_error, 500, "Internal server error");
}

GatewayError make_authorizer_fault() {
    GatewayError error = make(
        ResponseType::authorizer_configuration_error, 500, {}, "AuthorizerConfigurationException");
    error.message = std::nullopt;
    return error;
}

std::string_view denial_text(Errc reason, bool deny_messages_2015) noexcept {
    if (reason == Errc::explicit_deny) {
        return deny_messages_2015
                   ? "User is not authorized to access this resource with an explicit deny"
                   : "User is not authorized to access this resource with an explicit deny in an "
                     "identity-based policy";
    }
    return deny_messages_2015
               ? "User is not authorized to access this resource"
               : "User is not authorized to access this resource because no identity-based policy "
                 "allows the execute-api:Invoke action";
}

// The one built-in body whose key has a capital letter.
GatewayError make_denial(Errc reason, bool deny_messages_2015) {
    GatewayError error = make(ResponseType::access_denied,
                              403,
                              denial_text(reason, deny_messages_2015),
                              "AccessDeniedException");
    error.key = "Message";
    return error;
}

// The service runs every unrouted request through its SigV4 parser, which comments on the
// Authorization value. Which bytes it hashes is not documented. We hash the whole value.
GatewayError make_unrouted(std::string_view authorization) {
    constexpr auto kType = ResponseType::missing_authentication_token;
    if (authorization.empty()) {
        return make(
            kType, 403, "Missing Authentication Token", "MissingAuthenticationTokenException");
    }
    const jwt::Sha256 digest = jwt::sha256(authorization);
    const std::string hash = encode_base64(
        {reinterpret_cast<const char*>(digest.data()), digest.size()});  // bytes as chars
    std::string text;
    if (authorization.find('=') == std::string_view::npos) {
        text =
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with "
            "SHA-256 and encoded "
            "with Base64): '" +
            hash + "'.";
    } else {
        text =
            "Authorization header requires 'Credential' parameter. Authorization header requires "
            "'Signature' "
            "parameter. Authorization header requires 'SignedHeaders' parameter. Authorization "
            "header requires "
            "existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and "
            "encoded with Base64) "
            "Authorization=" +
            hash;
    }
    return make(kType, 403, text, "IncompleteSignatureException");
}

// The form of these answers is not documented, but for the limits themselves: JSON as everywhere
// else, this text.
std::string_view reading_text(int status) noexcept {
    switch (status) {
        case 408:
            return "Request Timeout";
        case 414:
            return "Request URI too long";
        case 417:
            return "Expectation Failed";
        case 431:
            return "Request Header Fields Too Large";
        case 501:
            return "Not Implemented";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Bad Request";
    }
}

GatewayError make_reading_error(int status) {
    const ResponseType type = status < 500 ? ResponseType::default_4xx : ResponseType::default_5xx;
    return make(type, status, reading_text(status), kBadRequest);
}

// Answered by the service's front end, before any API is known: plain text, and nothing of it can
// be configured.
GatewayError make_too_large(std::uint64_t body_limit) {
    GatewayError error =
        make(ResponseType::request_too_large,
             413,
             "HTTP content length exceeded " + std::to_string(body_limit) + " bytes.",
             {});
    error.plain_text = true;
    return error;
}

GatewayError make_unavailable(ResponseType type, std::string_view error_type) {
    return make(type, 503, "Service Unavailable", error_type);
}

}  // namespace

GatewayError make_error(const Verdict& verdict,
                        std::string_view authorization,
                        bool deny_messages_2015) {
    if (verdict.allow) return make_internal();
    switch (verdict.response) {
        case ResponseType::unauthorized:
            return make(verdict.response, 401, "Unauthorized", "UnauthorizedException");
        case ResponseType::access_denied:
            return make_denial(verdict.reason, deny_messages_2015);
        case ResponseType::authorizer_failure:
            return make_unavailable(verdict.response, "AuthorizerFailureException");
        case ResponseType::authorizer_configuration_error:
            return make_authorizer_fault();
        case ResponseType::missing_authentication_token: {
            GatewayError error = make_unrouted(authorization);
            if (verdict.reason == Errc::signature_incomplete)
                error.error_type = "IncompleteSignatureException";
            return error;
        }
        case ResponseType::invalid_signature:
            return make(verdict.response,
                        403,
                        reason_text(verdict.reason),
                        verdict.reason == Errc::access_key_unknown ? "UnrecognizedClientException"
                                                                   : "InvalidSignatureException");
        case ResponseType::invalid_api_key:
            return make(verdict.response, 403, "Forbidden", "ForbiddenException");
        case ResponseType::throttled:
            return make(verdict.response, 429, "Too Many Requests", "TooManyRequestsException");
        case ResponseType::quota_exceeded:
            return make(verdict.response, 429, "Limit Exceeded", "LimitExceededException");
        case ResponseType::default_4xx:
            if (verdict.reason == Errc::api_unmatched) {
                return make(verdict.response, 403, "Forbidden", "ForbiddenException");
            }
            return make_reading_error(verdict.status);
        default:
            return make_internal();
    }
}

GatewayError make_validation_error(Errc reason, std::string text) {
    if (reason == Errc::parameters_missing) {
        return make_client_fault(ResponseType::bad_request_parameters,
                                 400,
                                 "Missing required request parameters: " + text);
    }
    GatewayError error =
        make_client_fault(ResponseType::bad_request_body, 400, "Invalid request body");
    error.validation = std::move(text);
    return error;
}

GatewayError make_error(Errc reason, std::uint64_t body_limit) {
    switch (reason) {
        case Errc::body_too_large:
            return make_too_large(body_limit);
        case Errc::upstream_refused:
        case Errc::upstream_unresolved:
        case Errc::upstream_tls:
        case Errc::upstream_reset:
        case Errc::upstream_malformed:
        case Errc::upstream_head_too_large:
        case Errc::upstream_body_too_large:
        case Errc::function_error:
        case Errc::function_answer_too_large:
        case Errc::function_answer_invalid:
            // DIVERGES: the service answers 500, 502 or 504 here, by no documented rule. 502 is
            // what HTTP means by it.
            return make_spaced(ResponseType::integration_failure, 502, "Internal server error");
        case Errc::upstream_connect_timeout:
        case Errc::upstream_timeout:
        case Errc::function_timeout:
            return make_spaced(
                ResponseType::integration_timeout, 504, "Endpoint request timed out");
        case Errc::media_type_unsupported:
            return make_client_fault(
                ResponseType::unsupported_media_type, 415, "Unsupported Media Type");
        case Errc::request_body_not_json:
            // UNCONFIRMED: the service's text goes on with what its JSON parser said.
            return make_client_fault(
                ResponseType::bad_request_body, 400, "Could not parse request body into json");
        case Errc::function_event_too_large:
            // Seen with payloads above Lambda's limit; the error type that goes with it was not.
            return make(ResponseType::request_too_large, 413, "Request Too Long", {});
        case Errc::overloaded:
        case Errc::upstream_overloaded:
        case Errc::draining:
            return make_unavailable(ResponseType::default_5xx, "ServiceUnavailableException");
        case Errc::context_unusable:
            return make_authorizer_fault();
        default:
            break;
    }
    const int status = http::status_of_read_error(reason);
    return status == 0 ? make_internal() : make_reading_error(status);
}

}  // namespace gatehouse::authz
