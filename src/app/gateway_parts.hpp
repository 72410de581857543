#pragma once

#include "gatehouse/app/gateway.hpp"
#include "gatehouse/http/fields.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What the gateway's files share.
namespace gatehouse::app {

inline std::uint32_t to_micros(SteadyTime::duration span) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(span).count(), 0, UINT32_MAX));
}

inline std::string_view field_value(const http::RequestHead& head, http::FieldId id) noexcept {
    const http::Field* field = http::find_field(head.fields, id);
    return field == nullptr ? std::string_view() : field->value;
}

policy::ConditionContext condition_context(const Request& request) noexcept;

/// The access log's lines, or nothing where it is off.
std::optional<authz::Template> make_access_log(const std::string& format);

}  // namespace gatehouse::app
