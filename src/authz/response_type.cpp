#include "gatehouse/authz/response_type.hpp"

#include <array>
#include <cstddef>

namespace gatehouse::authz {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, kResponseTypeCount> kTypeNames = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
};

static_assert(static_cast<int>(ResponseType::waf_filtered) == kResponseTypeCount - 1);

}  // namespace

std::string_view to_string(ResponseType type) noexcept {
    const auto index = static_cast<std::size_t>(type);
    return index < kTypeNames.size()
               ? kTypeNames[index]
               : kTypeNames[static_cast<std::size_t>(ResponseType::default_5xx)];
}

std::optional<ResponseType> find_response_type(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
        if (kTypeNames[i] == name) return static_cast<ResponseType>(i);
    }
    return std::nullopt;
}

}  // namespace gatehouse::authz
