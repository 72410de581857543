#include "user_pool.hpp"

#include "bounded_expression.hpp"
#include "claim_grants.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/policy/arn.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

namespace gatehouse::authz {
namespace {

TokenUse find_use(const Json& claims) {
    const auto use = get_string(claims, "token_use");
    if (!use) return TokenUse::any;
    return *use == "id" ? TokenUse::id : *use == "access" ? TokenUse::access : TokenUse::any;
}

// Whole seconds of the years that have four digits; anything else stays what it is.
void show_date(Json& claims, const char* name, const Json& source) {
    constexpr double kLatest = 253402300799.0;
    const Json* date = find_member(source, name);
    if (date == nullptr || !date->is_number()) return;
    const double seconds = std::floor(date->get<double>());
    if (seconds < 0 || seconds > kLatest) return;
    claims[name] =
        show_java_date(WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds))));
}

}  // namespace

std::string show_java_date(WallTime time) {
    using namespace std::chrono;
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<seconds> clock(floor<seconds>(time - day));
    std::array<char, 64> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%s %s %02u %02d:%02d:%02d UTC %d",
                  kDays[weekday(day).c_encoding()],
                  kMonths[static_cast<unsigned>(date.month()) - 1],
                  static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()),
                  static_cast<int>(date.year()));
    return text.data();
}

Result<Grant> make_user_pool_grant(jwt::Verified verified,
                                   const AuthorizerEvent& event,
                                   const re2::RE2* audience,
                                   jwt::CheckTrail* trail) {
    const Json& claims = verified.claims;
    const TokenUse use = find_use(claims);
    const auto note =
        [trail](
            std::string_view name, bool passed, std::string_view expected, std::string_view found) {
            if (trail != nullptr) trail->add(name, passed, expected, found);
        };
    note("token_use",
         use != TokenUse::any,
         "id or access",
         use == TokenUse::any  ? "something else"
         : use == TokenUse::id ? "id"
                               : "access");
    if (use == TokenUse::any) return fail(Errc::token_use_refused);
    if (audience != nullptr) {
        const auto aud = get_string(claims, "aud");
        const bool matches = aud && matches_whole(*audience, *aud);
        note("audience",
             matches,
             "identityValidationExpression matches",
             aud ? printable(*aud) : "no aud that is a string");
        if (!matches) return fail(Errc::token_audience_refused);
    }
    Grant grant;
    auto policy = make_allow(policy::make_stage_arn(event.stage_prefix));
    if (!policy) return std::move(policy).error();
    grant.policy = std::make_shared<policy::Document>(std::move(*policy));
    if (const auto subject = get_string(claims, "sub")) grant.principal_id = *subject;
    grant.claims = stringify_claims(claims, {});
    show_date(grant.claims, "exp", claims);
    show_date(grant.claims, "iat", claims);
    grant.scopes = read_scopes(claims);
    grant.token_use = use;
    grant.issued_for = event.method_arn;
    grant.expires = verified.expires;
    grant.not_before = verified.not_before;
    grant.key_thumbprint = std::move(verified.key_thumbprint);
    grant.kid = std::move(verified.kid);
    return grant;
}

}  // namespace gatehouse::authz
