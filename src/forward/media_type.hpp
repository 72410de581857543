#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gatehouse::forward {

/// "image/png; q=1, text/html" -> "image/png": the first type of a Content-Type or Accept value,
/// which is the only one that the service looks at.
std::string_view first_media_type(std::string_view value) noexcept;

/// True when a list of binaryMediaTypes has the type: in any case, "image/*" and "*/*" as wildcards
/// (API Gateway developer guide, "Binary media types for REST APIs"). "*/*" holds for no type too.
bool is_binary(std::span<const std::string> types, std::string_view type) noexcept;

/// True for the types that HTTP APIs show as text. The service's own list is not documented.
bool is_text(std::string_view type) noexcept;

}  // namespace gatehouse::forward
