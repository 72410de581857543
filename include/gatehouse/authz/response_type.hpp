#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::authz {

/// Gateway response types of a REST API (API Gateway developer guide, "Gateway response types").
enum class ResponseType : std::uint8_t {
    access_denied,
    api_configuration_error,
    authorizer_configuration_error,
    authorizer_failure,
    bad_request_body,
    bad_request_parameters,
    default_4xx,
    default_5xx,
    expired_token,
    integration_failure,
    integration_timeout,
    invalid_api_key,
    invalid_signature,
    missing_authentication_token,
    quota_exceeded,
    request_too_large,
    resource_not_found,
    throttled,
    unauthorized,
    unsupported_media_type,
    waf_filtered,
};

constexpr int kResponseTypeCount = 21;

/// "ACCESS_DENIED"
std::string_view to_string(ResponseType type) noexcept;

std::optional<ResponseType> find_response_type(std::string_view name) noexcept;

}  // namespace gatehouse::authz
