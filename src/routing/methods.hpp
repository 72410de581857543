#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace gatehouse::routing {

/// The methods a REST API can have, and what ANY stands for: no CONNECT, no TRACE, nothing of one's
/// own.
inline constexpr std::array<std::string_view, 7> kMethods = {
    "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};

inline constexpr int kNoMethod = -1;

/// Index into kMethods, or kNoMethod. Methods are case-sensitive (RFC 9110 9.1).
constexpr int find_method(std::string_view method) noexcept {
    for (std::size_t i = 0; i < kMethods.size(); ++i) {
        if (kMethods[i] == method) return static_cast<int>(i);
    }
    return kNoMethod;
}

}  // namespace gatehouse::routing
