#pragma once

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gatehouse::jwt {

/// Why a check failed; nullopt: it passed.
using Refusal = std::optional<Error>;

/// Appends what a check expects or has found: `words` gives text, or appends it itself, which makes
/// none to throw away.
template <class Words>
void append(std::string& into, const Words& words) {
    if constexpr (std::is_invocable_v<const Words&, std::string&>) {
        words(into);
    } else {
        into += words();
    }
}

/// Enters a failed check in the trail, when there is one, and makes an Error that says the same.
template <class Expected, class Found>
Error refuse(CheckTrail* trail, std::string_view name, Errc code, Expected expected, Found found) {
    std::string wanted;
    std::string met;
    append(wanted, expected);
    append(met, found);
    if (trail != nullptr) trail->add(name, false, wanted, met);
    return fail(code, std::string(name) + ": expected " + wanted + ", found " + met);
}

template <class Expected, class Found>
void note_passed(CheckTrail* trail, std::string_view name, Expected expected, Found found) {
    if (trail == nullptr) return;
    trail->write(
        name,
        true,
        [&](std::string& into) { append(into, expected); },
        [&](std::string& into) { append(into, found); });
}

/// Makes one check. `expected` and `found` are callables that give text or append it, so that one
/// that passes without a trail costs a comparison.
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
void append_shown(std::string& into, const Json* value);

/// "2026-11-24T04:00:00Z", with milliseconds where there are any.
void append_shown(std::string& into, WallTime time);

/// Says a claim, as append_shown does.
inline auto shown(const Json* value) {
    return [value](std::string& into) { append_shown(into, value); };
}

inline auto shown(WallTime time) {
    return [time](std::string& into) { append_shown(into, time); };
}

/// Says which of a list would do: one of "a" "b".
template <class List, class Name>
auto one_of(const List& list, Name name_of) {
    return [&list, name_of](std::string& into) {
        into += "one of";
        for (const auto& entry : list) {
            into += " \"";
            append_printable(into, name_of(entry));
            into += '"';
        }
    };
}

/// The checks of RFC 7519 4.1 in the order aud, exp, nbf, iat, sub. Sets `expires` and `not_before`
/// of `verified`.
Refusal check_claims(const Json& claims,
                     const Provider& provider,
                     const Rules& rules,
                     WallTime now,
                     CheckTrail* trail,
                     Verified& verified);

}  // namespace gatehouse::jwt
