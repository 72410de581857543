#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::jwt {

/// Why a check failed; nullopt: it passed.
using Refusal = std::optional<Error>;

/// Enters a failed check in the trail, when there is one, and makes an Error that says the same.
template <class Expected, class Found>
Error refuse(CheckTrail* trail, std::string_view name, Errc code, Expected expected, Found found) {
    const std::string wanted(expected());
    const std::string met(found());
    if (trail != nullptr) trail->add(name, false, wanted, met);
    return fail(code, std::string(name) + ": expected " + wanted + ", found " + met);
}

template <class Expected, class Found>
void note_passed(CheckTrail* trail, std::string_view name, Expected expected, Found found) {
    if (trail != nullptr) trail->add(name, true, expected(), found());
}

/// Makes one check. `expected` and `found` are callables that give text, so that one that passes
/// without a trail costs a comparison.
template <class Expected, class Found>
Refusal check(CheckTrail* trail,
              std::string_view name,
              Errc code,
              bool passed,
              Expected expected,
              Found found) {
    if (!passed) return refuse(trail, name, code, expected, found);
    note_passed(trail, name, expected, found);
    return std::nullopt;
}

/// Says a constant.
inline auto text(std::string_view words) {
    return [words] { return words; };
}

/// A claim or header member as a person may see it: shortened, without control bytes; "nothing" for
/// nullptr.
std::string show(const Json* value);

/// "2026-11-24T04:00:00Z", with milliseconds where there are any.
std::string show(WallTime time);

/// The checks of RFC 7519 4.1 in the order aud, exp, nbf, iat, sub. Sets `expires` and `not_before`
/// of `verified`.
Refusal check_claims(const Json& claims,
                     const Provider& provider,
                     const Rules& rules,
                     WallTime now,
                     CheckTrail* trail,
                     Verified& verified);

}  // namespace gatehouse::jwt
