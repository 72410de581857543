#pragma once

#include <boost/system/error_code.hpp>

#include <string_view>
#include <type_traits>

// Every error has one name. It reaches logs, metrics, traces and the --dev header as `reason_id`,
// so a name is part of the product: rename with a CHANGELOG entry. X(name, what a person reads).
#define GATEHOUSE_ERRC_LIST(X)                                                                \
    /* general */                                                                             \
    X(internal, "internal error")                                                             \
    X(limit_exceeded, "a limit was exceeded")                                                 \
    /* JSON and base64 */                                                                     \
    X(json_syntax, "not valid JSON")                                                          \
    X(json_too_deep, "JSON nested too deeply")                                                \
    X(json_duplicate_key, "JSON object has a member twice")                                   \
    X(json_type, "JSON value has the wrong type")                                             \
    X(json_missing, "JSON member is missing")                                                 \
    X(json_too_large, "JSON text is too large")                                               \
    X(base64_invalid, "not canonical base64url")                                              \
    /* reading a request, 4xx before routing */                                               \
    X(request_malformed, "malformed request head")                                            \
    X(version_unsupported, "HTTP version is not supported")                                   \
    X(method_unsupported, "method is not supported")                                          \
    X(target_invalid, "request target has bytes outside URI syntax")                          \
    X(target_too_long, "request line is too long")                                            \
    X(target_percent, "request path has an invalid percent-encoding")                         \
    X(target_control, "request path has a control character")                                 \
    X(target_utf8, "request path is not UTF-8")                                               \
    X(target_dot_segment, "request path has a dot segment")                                   \
    X(target_empty_segment, "request path has an empty segment")                              \
    X(target_backslash, "request path has a backslash")                                       \
    X(target_encoded_slash, "request path has an encoded slash")                              \
    X(target_path_parameter, "request path has a path parameter or doubly encoded separator") \
    X(host_missing, "Host header is missing")                                                 \
    X(host_repeated, "Host header is repeated")                                               \
    X(host_invalid, "Host header is not valid")                                               \
    X(field_invalid, "a header field is not valid")                                           \
    X(fields_too_many, "too many header fields")                                              \
    X(head_too_large, "request head is too large")                                            \
    X(content_length_invalid, "Content-Length is not valid")                                  \
    X(transfer_encoding_invalid, "Transfer-Encoding is not exactly one chunked")              \
    X(framing_conflict, "both Content-Length and Transfer-Encoding")                          \
    X(chunk_invalid, "a chunk is not valid")                                                  \
    X(chunk_overhead, "chunk extensions or trailers are too large")                           \
    X(body_too_large, "request body is too large")                                            \
    X(expectation_failed, "Expect is not 100-continue")                                       \
    X(head_timeout, "request head took too long")                                             \
    X(body_timeout, "request body took too long")                                             \
    /* routing */                                                                             \
    X(api_unmatched, "no API is served at this host and base path")                           \
    X(route_unmatched, "no route matches this method and path")                               \
    X(arn_too_long, "method ARN is longer than 1600 bytes")                                   \
    /* identity source */                                                                     \
    X(identity_missing, "identity source is missing")                                         \
    X(identity_empty, "identity source is empty")                                             \
    X(identity_repeated, "identity source is repeated")                                       \
    X(identity_mismatch, "identity source does not match identityValidationExpression")       \
    /* tokens, gatehouse:jwt */                                                               \
    X(token_not_bearer, "not a Bearer token")                                                 \
    X(token_too_large, "token is too large")                                                  \
    X(token_malformed, "token is not a compact JWS")                                          \
    X(token_header_invalid, "token header is not valid")                                      \
    X(token_critical, "token has a crit or b64 header")                                       \
    X(token_type_refused, "token is of another kind")                                         \
    X(token_algorithm_refused, "token algorithm is not on the authorizer's list")             \
    X(token_claims_invalid, "token claims are not valid")                                     \
    X(token_issuer_unknown, "token issuer is not configured")                                 \
    X(token_audience_refused, "token audience is not configured")                             \
    X(token_kid_missing, "token names no key")                                                \
    X(token_key_unknown, "token names a key that the key set does not have")                  \
    X(token_key_unfit, "key does not fit the token's algorithm")                              \
    X(token_signature_invalid, "token signature is not valid")                                \
    X(token_expiry_missing, "token has no exp")                                               \
    X(token_expired, "token has expired")                                                     \
    X(token_not_yet_valid, "token is not valid yet")                                          \
    X(token_issued_in_future, "token was issued in the future")                               \
    X(token_subject_missing, "token has no sub")                                              \
    X(token_claim_unusable, "a claim cannot become authorizer context")                       \
    X(keys_unavailable, "no usable key set")                                                  \
    X(token_use_refused, "token_use does not suit the route")                                 \
    /* opaque tokens, gatehouse:introspection */                                              \
    X(token_inactive, "token is not active")                                                  \
    X(introspection_failed, "introspection endpoint gave no answer")                          \
    X(introspection_invalid, "introspection answer is malformed")                             \
    /* signatures, AWS_IAM */                                                                 \
    X(signature_missing, "request is not signed")                                             \
    X(signature_incomplete, "signature is not whole")                                         \
    X(signature_scope_refused, "signature is for another region, service or date")            \
    X(signature_expired, "signature has expired")                                             \
    X(signature_not_yet_valid, "signature is of the future")                                  \
    X(signature_mismatch, "signature does not match")                                         \
    X(access_key_unknown, "access key is not configured")                                     \
    /* key sets */                                                                            \
    X(jwks_invalid, "key set is not valid")                                                   \
    X(jwks_empty, "key set has no usable key")                                                \
    X(jwks_fetch_failed, "key set could not be fetched")                                      \
    X(discovery_invalid, "discovery document is not valid")                                   \
    X(discovery_issuer_mismatch, "discovery document names another issuer")                   \
    X(signing_key_invalid, "signing key is not valid")                                        \
    /* policies */                                                                            \
    X(arn_invalid, "ARN is not valid")                                                        \
    X(policy_invalid, "policy is not valid")                                                  \
    X(policy_too_large, "policy is too large")                                                \
    X(condition_unsupported, "condition operator is not supported")                           \
    /* authorizer results */                                                                  \
    X(authorizer_result_invalid, "authorizer result is not valid")                            \
    X(authorizer_result_too_large, "authorizer result is too large")                          \
    X(authorizer_unauthorized, "authorizer function said Unauthorized")                       \
    X(authorizer_function_error, "authorizer function failed")                                \
    X(authorizer_timeout, "authorizer function did not answer in time")                       \
    X(authorizer_not_invokable, "authorizer function could not be invoked")                   \
    X(context_unusable, "authorizer context cannot stand in a header")                        \
    X(authorizer_failure, "authorizer failed")                                                \
    /* verdicts */                                                                            \
    X(allowed, "allowed")                                                                     \
    X(open_route, "route has no authorizer")                                                  \
    X(cors_preflight, "CORS preflight, answered by corsConfiguration")                        \
    X(explicit_deny, "policy denies")                                                         \
    X(implicit_deny, "policy does not allow")                                                 \
    X(scope_missing, "token has none of the route's scopes")                                  \
    X(override_invalid, "x-gatehouse-override is not valid")                                  \
    X(override_expired, "x-gatehouse-override has expired")                                   \
    /* decisions for other proxies */                                                         \
    X(decision_unreadable, "the proxy does not name the request as configured")               \
    X(decision_unsupported, "this cannot be decided for another proxy")                       \
    X(context_forged, "the client sent a header that only the gateway may write")             \
    /* API keys and usage plans */                                                            \
    X(api_key_missing, "API key is missing")                                                  \
    X(api_key_repeated, "API key is repeated")                                                \
    X(api_key_unknown, "API key is not known")                                                \
    X(api_key_disabled, "API key is disabled")                                                \
    X(api_key_unplanned, "API key is in no usage plan of this stage")                         \
    X(throttled, "too many requests")                                                         \
    X(quota_exceeded, "quota is used up")                                                     \
    /* validation of the method request */                                                    \
    X(parameters_missing, "required request parameters are missing")                          \
    X(request_body_invalid, "request body does not fit its model")                            \
    /* upstreams */                                                                           \
    X(upstream_refused, "upstream could not be connected")                                    \
    X(upstream_unresolved, "upstream name could not be resolved")                             \
    X(upstream_tls, "upstream TLS failed")                                                    \
    X(upstream_connect_timeout, "upstream did not connect in time")                           \
    X(upstream_timeout, "upstream did not answer in time")                                    \
    X(upstream_reset, "upstream closed the connection")                                       \
    X(upstream_malformed, "upstream answer is malformed")                                     \
    X(upstream_head_too_large, "upstream answer head is too large")                           \
    X(upstream_overloaded, "upstream has as many requests or connections as it may")          \
    X(mapping_invalid, "a parameter mapping cannot be applied")                               \
    X(media_type_unsupported, "no mapping template for this Content-Type")                    \
    X(request_body_not_json, "a mapping template reads JSON where the request has none")      \
    X(template_failed, "a mapping template cannot be rendered")                               \
    X(mock_status_invalid, "the request template gives no integer statusCode")                \
    X(integration_response_unmatched, "no integration response fits the status")              \
    X(upstream_body_too_large, "upstream answer is too large")                                \
    X(client_gone, "client closed the connection")                                            \
    X(client_stalled, "client did not take the answer in time")                               \
    X(overloaded, "more content is kept in memory than limits.bufferedBytes")                 \
    X(draining, "gateway is shutting down")                                                   \
    /* functions as backends */                                                               \
    X(function_error, "function failed")                                                      \
    X(function_timeout, "function did not answer in time")                                    \
    X(function_not_invokable, "function could not be invoked")                                \
    X(function_event_too_large, "request is too large for a function")                        \
    X(function_answer_too_large, "function answer is too large")                              \
    X(function_answer_invalid, "function answer is malformed")                                \
    /* configuration */                                                                       \
    X(config_unreadable, "configuration cannot be read")                                      \
    X(config_invalid, "configuration is not valid")

namespace gatehouse {

/// Every reason Gatehouse can give. Starts at 1: an error_code whose value is 0 reads as success.
enum class Errc {
    none = 0,
#define GATEHOUSE_X(name, text) name,
    GATEHOUSE_ERRC_LIST(GATEHOUSE_X)
#undef GATEHOUSE_X
};

/// The stable name of a reason, e.g. "token_expired"; "none" for Errc::none.
std::string_view reason_id(Errc code) noexcept;

/// The reason in plain words, e.g. "token has expired".
std::string_view reason_text(Errc code) noexcept;

/// How many values Errc has, Errc::none included: for tables and metrics.
int errc_count() noexcept;

const boost::system::error_category& gatehouse_category() noexcept;

inline boost::system::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), gatehouse_category()};
}

}  // namespace gatehouse

template <>
struct boost::system::is_error_code_enum<gatehouse::Errc> : std::true_type {};
