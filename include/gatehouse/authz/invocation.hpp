#pragma once

#include <cstdint>
#include <string_view>

namespace gatehouse::authz {

/// How the invocation of a function ended, as seen by who called it.
struct Invocation {
    enum class End : std::uint8_t {
        returned,       ///< `payload` is what the function returned
        failed,         ///< function error: `payload` is the error object, if it sent one
        timed_out,      ///< we gave up waiting
        not_invokable,  ///< no such function, no permission, endpoint down, throttled
        too_large,      ///< more than the caller's limit came back
    };

    End end = End::not_invokable;
    std::string_view payload;
};

}  // namespace gatehouse::authz
