#include "checks.hpp"
#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gatehouse::jwt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Years 1 to 9999: beyond them no date can be told from "never" or "always", and sums with the skew
// cannot overflow.
constexpr double kEarliest = -62135596800000.0;
constexpr double kLatest = 253402300799999.0;

// Rounded up: for a `now` in whole milliseconds, comparing with the next one is comparing with the
// fraction.
WallTime to_time(const Json& date) {
    const double exact = date.get<double>() * 1000.0;
    return WallTime(
        milliseconds(static_cast<std::int64_t>(std::ceil(std::clamp(exact, kEarliest, kLatest)))));
}

// What RFC 7519 calls a NumericDate: a JSON number, never a string. (parse_json lets no infinite
// number through.)
Result<std::optional<WallTime>> read_date(const Json& claims,
                                          std::string_view name,
                                          CheckTrail* trail) {
    const Json* date = find_member(claims, name);
    if (date == nullptr) return std::optional<WallTime>();
    if (!date->is_number()) {
        return refuse(
            trail, name, Errc::token_claims_invalid, text("a number of seconds"), shown(date));
    }
    return std::optional(to_time(*date));
}

bool all_strings(const Json& list) {
    return std::all_of(
        list.begin(), list.end(), [](const Json& entry) { return entry.is_string(); });
}

bool is_wanted(const Json& audience, const std::vector<std::string>& wanted) {
    return std::find(wanted.begin(), wanted.end(), audience.get_ref<const std::string&>()) !=
           wanted.end();
}

// RFC 7519 4.1.3: a string or a list of strings; compared as strings, byte for byte.
Refusal check_audience(const Json& claims,
                       const Provider& provider,
                       const Rules& rules,
                       CheckTrail* trail) {
    if (provider.any_audience) return std::nullopt;
    const Json* audience = find_member(claims, "aud");
    // API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers": client_id
    // counts only where aud is absent. null is not absent.
    if (audience == nullptr && rules.client_id_as_audience)
        audience = find_member(claims, "client_id");
    const auto found = shown(audience);
    const bool is_list = audience != nullptr && audience->is_array();
    const bool well_formed =
        audience == nullptr || audience->is_string() || (is_list && all_strings(*audience));
    if (!well_formed) {
        return check(trail,
                     "audience",
                     Errc::token_claims_invalid,
                     false,
                     text("a string or a list of strings"),
                     found);
    }
    bool wanted =
        audience != nullptr && audience->is_string() && is_wanted(*audience, provider.audience);
    if (is_list) {
        wanted = std::any_of(audience->begin(), audience->end(), [&](const Json& entry) {
            return is_wanted(entry, provider.audience);
        });
    }
    return check(trail,
                 "audience",
                 Errc::token_audience_refused,
                 wanted,
                 one_of(provider.audience, [](std::string_view entry) { return entry; }),
                 found);
}

class DateChecks {
    // The bound of a time, and how much of it is leeway.
    auto bound(std::string_view relation, WallTime time) const {
        return [this, relation, time](std::string& into) {
            into += relation;
            append_shown(into, time);
            if (skew_ != seconds(0)) into += " (" + std::to_string(skew_.count()) + " s of leeway)";
        };
    }

  public:
    DateChecks(const Rules& rules, WallTime now, CheckTrail* trail)
        : now_(now),
          skew_(std::clamp(rules.clock_skew, seconds(0), limits::kClockSkewMost)),
          trail_(trail) {}

    Refusal expiry(const std::optional<WallTime>& expires, bool required) const {
        if (!expires) {
            if (!required) return std::nullopt;
            return check(trail_,
                         "exp",
                         Errc::token_expiry_missing,
                         false,
                         text("a time of expiry"),
                         text("nothing"));
        }
        // RFC 7519 4.1.4: "on or after" exp is too late, so equal is expired. Skew widens
        // acceptance once, here; a cache that keeps the grant until exp must not add it again.
        return check(trail_,
                     "exp",
                     Errc::token_expired,
                     *expires + skew_ > now_,
                     bound("later than ", now_ - skew_),
                     shown(*expires));
    }

    Refusal not_before(const std::optional<WallTime>& start) const {
        return past("nbf", Errc::token_not_yet_valid, start);
    }

    // RFC 7519 4.1.6 gives iat no rule; a token from the future comes from a wrong clock or a
    // forger.
    Refusal issued(const std::optional<WallTime>& at) const {
        return past("iat", Errc::token_issued_in_future, at);
    }

  private:
    Refusal past(std::string_view name, Errc code, const std::optional<WallTime>& time) const {
        if (!time) return std::nullopt;
        return check(trail_,
                     name,
                     code,
                     *time <= now_ + skew_,
                     bound("not later than ", now_ + skew_),
                     shown(*time));
    }

    WallTime now_;
    seconds skew_;
    CheckTrail* trail_;
};

// The subject becomes principalId and the default userId: a token without one stands for nobody.
Refusal check_subject(const Json& claims, CheckTrail* trail) {
    const Json* subject = find_member(claims, "sub");
    const bool absent = subject == nullptr || subject->is_null();
    const bool is_text = !absent && subject->is_string();
    const bool passed = is_text && !subject->get_ref<const std::string&>().empty();
    const Errc code = absent || is_text ? Errc::token_subject_missing : Errc::token_claims_invalid;
    return check(trail, "sub", code, passed, text("a string that is not empty"), shown(subject));
}

}  // namespace

Refusal check_claims(const Json& claims,
                     const Provider& provider,
                     const Rules& rules,
                     WallTime now,
                     CheckTrail* trail,
                     Verified& verified) {
    if (auto refusal = check_audience(claims, provider, rules, trail)) return refusal;
    const DateChecks dates(rules, now, trail);

    const auto expires = read_date(claims, "exp", trail);
    if (!expires) return expires.error();
    if (auto refusal = dates.expiry(*expires, rules.require_expiration)) return refusal;
    const auto start = read_date(claims, "nbf", trail);
    if (!start) return start.error();
    if (auto refusal = dates.not_before(*start)) return refusal;
    const auto issued = read_date(claims, "iat", trail);
    if (!issued) return issued.error();
    if (auto refusal = dates.issued(*issued)) return refusal;
    if (rules.require_subject) {
        if (auto refusal = check_subject(claims, trail)) return refusal;
    }

    verified.expires = *expires;
    verified.not_before = *start;
    return std::nullopt;
}

}  // namespace gatehouse::jwt
