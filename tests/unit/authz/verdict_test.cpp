#include "gatehouse/authz/verdict.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace verdict_test {

using namespace gatehouse;
using authz::Outcomes;
using authz::ResponseType;
using authz::Verdict;

namespace {

/// One refusal or allow, in a form that can be compared.
struct Answer {
    bool allow;
    int status;
    ResponseType response;
    Errc reason;

    bool operator==(const Answer&) const = default;
};

Answer refusal(int status, ResponseType response, Errc reason) {
    return {false, status, response, reason};
}

const Answer kBug = refusal(500, ResponseType::api_configuration_error, Errc::internal);

Answer pass(Errc reason) {
    return {true, 0, ResponseType::default_4xx, reason};
}

Answer answer_of(const Verdict& verdict) {
    if (verdict.allow) return pass(verdict.reason);
    return refusal(verdict.status, verdict.response, verdict.reason);
}

std::vector<Errc> all_reasons() {
    std::vector<Errc> all;
    for (int i = 0; i < errc_count(); ++i)
        all.push_back(static_cast<Errc>(i));
    return all;
}

bool named(Errc code, std::string_view prefix) {
    return reason_id(code).starts_with(prefix);
}

/// The rules as one would tell them: the first that holds decides. Written from the documents alone
/// and by name, so that it can disagree with the code.
Answer expected(const Outcomes& o) {
    struct Rule {
        bool holds;
        Answer answer;
    };

    const bool target_too_long = o.target == Errc::target_too_long;
    const bool token_fault = named(o.authorizer, "token_");
    const bool contradiction =
        !o.guarded &&
        (o.identity != Errc::none || o.authorizer != Errc::none || o.judged || o.scope_required);
    const bool judged = o.guarded && o.judged;
    const auto denied = [](Errc reason) {
        return refusal(403, ResponseType::access_denied, reason);
    };
    const Rule rules[] = {
        {target_too_long, refusal(414, ResponseType::default_4xx, o.target)},
        {named(o.target, "target_"), refusal(400, ResponseType::default_4xx, o.target)},
        {o.target == Errc::context_forged, refusal(400, ResponseType::default_4xx, o.target)},
        {o.target != Errc::none, kBug},
        {o.preflight && o.http_api && o.routing == Errc::route_unmatched,
         pass(Errc::cors_preflight)},
        {o.preflight, kBug},
        {o.routing == Errc::api_unmatched, refusal(403, ResponseType::default_4xx, o.routing)},
        {o.routing == Errc::route_unmatched && o.http_api,
         refusal(404, ResponseType::resource_not_found, o.routing)},
        {o.routing == Errc::route_unmatched,
         refusal(403, ResponseType::missing_authentication_token, o.routing)},
        {o.routing == Errc::arn_too_long, refusal(414, ResponseType::default_4xx, o.routing)},
        {o.routing != Errc::none, kBug},
        {contradiction, kBug},
        {!o.guarded, pass(Errc::open_route)},
        {named(o.identity, "identity_") || named(o.identity, "override_"),
         refusal(401, ResponseType::unauthorized, o.identity)},
        {o.identity != Errc::none, kBug},
        {token_fault, refusal(401, ResponseType::unauthorized, o.authorizer)},
        {o.authorizer == Errc::authorizer_unauthorized,
         refusal(401, ResponseType::unauthorized, o.authorizer)},
        {o.authorizer == Errc::keys_unavailable || named(o.authorizer, "introspection_"),
         refusal(503, ResponseType::authorizer_failure, o.authorizer)},
        {o.authorizer == Errc::signature_missing || o.authorizer == Errc::signature_incomplete,
         refusal(403, ResponseType::missing_authentication_token, o.authorizer)},
        {named(o.authorizer, "signature_") || o.authorizer == Errc::access_key_unknown,
         refusal(403, ResponseType::invalid_signature, o.authorizer)},
        {o.authorizer != Errc::none,
         refusal(500, ResponseType::authorizer_configuration_error, o.authorizer)},
        {!judged, kBug},
        {o.policy == policy::Outcome::explicit_deny, denied(Errc::explicit_deny)},
        {o.policy == policy::Outcome::implicit_deny, denied(Errc::implicit_deny)},
        {o.policy != policy::Outcome::allow, kBug},
        {o.scope_required && !o.scope_held, denied(Errc::scope_missing)},
    };
    for (const Rule& rule : rules) {
        if (rule.holds) return rule.answer;
    }
    return pass(Errc::allowed);
}

const std::vector<policy::Outcome> kOutcomes = {policy::Outcome::allow,
                                                policy::Outcome::explicit_deny,
                                                policy::Outcome::implicit_deny,
                                                static_cast<policy::Outcome>(77)};

/// Calls `visit` with every combination of the given reasons and all values of the rest.
void for_each_outcome(const std::vector<Errc>& targets,
                      const std::vector<Errc>& routings,
                      const std::vector<Errc>& identities,
                      const std::vector<Errc>& authorizers,
                      const std::function<void(const Outcomes&)>& visit) {
    for (const Errc target : targets) {
        for (const Errc routing : routings) {
            for (const Errc identity : identities) {
                for (const Errc authorizer : authorizers) {
                    for (const policy::Outcome judgement : kOutcomes) {
                        for (unsigned bits = 0; bits < 64; ++bits) {
                            Outcomes outcomes;
                            outcomes.target = target;
                            outcomes.routing = routing;
                            outcomes.guarded = (bits & 1) != 0;
                            outcomes.identity = identity;
                            outcomes.authorizer = authorizer;
                            outcomes.judged = (bits & 2) != 0;
                            outcomes.policy = judgement;
                            outcomes.scope_required = (bits & 4) != 0;
                            outcomes.scope_held = (bits & 8) != 0;
                            outcomes.http_api = (bits & 16) != 0;
                            outcomes.preflight = (bits & 32) != 0;
                            visit(outcomes);
                        }
                    }
                }
            }
        }
    }
}

struct Tally {
    std::uint64_t rows = 0;
    std::uint64_t wrong = 0;
    std::uint64_t allowed = 0;

    void add(const Outcomes& outcomes) {
        const Verdict verdict = authz::decide(outcomes);
        ++rows;
        allowed += verdict.allow ? 1 : 0;
        if (answer_of(verdict) == expected(outcomes)) return;
        if (++wrong > 5) return;
        CAPTURE(reason_id(outcomes.target));
        CAPTURE(reason_id(outcomes.routing));
        CAPTURE(reason_id(outcomes.identity));
        CAPTURE(reason_id(outcomes.authorizer));
        CAPTURE(outcomes.guarded);
        CAPTURE(outcomes.judged);
        CHECK(reason_id(verdict.reason) == reason_id(expected(outcomes).reason));
        CHECK(verdict.status == expected(outcomes).status);
    }
};

const std::vector<Errc> kNone = {Errc::none};

}  // namespace

TEST_SUITE("authz/verdict") {
    TEST_CASE("every combination of outcomes gets the verdict of the rules") {
        Tally tally;
        for_each_outcome(
            {Errc::none, Errc::target_dot_segment, Errc::target_too_long, Errc::internal},
            {Errc::none,
             Errc::api_unmatched,
             Errc::route_unmatched,
             Errc::arn_too_long,
             Errc::allowed},
            {Errc::none,
             Errc::identity_missing,
             Errc::identity_empty,
             Errc::identity_repeated,
             Errc::identity_mismatch,
             Errc::open_route},
            all_reasons(),
            [&](const Outcomes& outcomes) { tally.add(outcomes); });
        CHECK(tally.wrong == 0);
        CHECK(tally.rows > 700000);
        CHECK(tally.allowed > 0);
    }

    TEST_CASE("every reason gets the verdict of the rules in every step") {
        const std::vector<Errc> all = all_reasons();
        Tally tally;
        const auto add = [&](const Outcomes& outcomes) { tally.add(outcomes); };
        for_each_outcome(all, kNone, kNone, kNone, add);
        for_each_outcome(kNone, all, kNone, kNone, add);
        for_each_outcome(kNone, kNone, all, kNone, add);
        for_each_outcome(kNone, kNone, kNone, all, add);
        CHECK(tally.wrong == 0);
    }

    TEST_CASE("only three situations pass") {
        std::uint64_t allowed = 0;
        const std::vector<Errc> all = all_reasons();
        const auto look = [&](const Outcomes& o) {
            const Verdict verdict = authz::decide(o);
            if (!verdict.allow) return;
            ++allowed;
            if (verdict.reason == Errc::cors_preflight) {
                REQUIRE(o.target == Errc::none);
                REQUIRE((o.http_api && o.preflight && o.routing == Errc::route_unmatched));
                return;
            }
            REQUIRE_FALSE(o.preflight);
            const bool clean = o.target == Errc::none && o.routing == Errc::none &&
                               o.identity == Errc::none && o.authorizer == Errc::none;
            const bool open = !o.guarded && !o.judged && !o.scope_required;
            const bool granted = o.guarded && o.judged && o.policy == policy::Outcome::allow &&
                                 (!o.scope_required || o.scope_held);
            REQUIRE(clean);
            REQUIRE((open || granted));
        };
        for_each_outcome(all, kNone, kNone, kNone, look);
        for_each_outcome(kNone, all, kNone, kNone, look);
        for_each_outcome(kNone, kNone, all, kNone, look);
        for_each_outcome(kNone, kNone, kNone, all, look);
        CHECK(allowed > 0);
    }

    TEST_CASE("a metered request passes by an explicit allowed and by nothing else") {
        Outcomes open;
        open.guarded = false;
        Outcomes granted;
        granted.judged = true;
        granted.policy = policy::Outcome::allow;
        for (Outcomes outcomes : {open, granted}) {
            const Errc pass_reason = authz::decide(outcomes).reason;
            for (const bool metered : {false, true}) {
                for (const Errc usage : all_reasons()) {
                    CAPTURE(reason_id(usage));
                    outcomes.metered = metered;
                    outcomes.usage = usage;
                    const bool passes = usage == (metered ? Errc::allowed : Errc::none);
                    const Answer wanted = passes ? pass(pass_reason)
                                          : named(usage, "api_key_")
                                              ? refusal(403, ResponseType::invalid_api_key, usage)
                                          : usage == Errc::throttled
                                              ? refusal(429, ResponseType::throttled, usage)
                                          : usage == Errc::quota_exceeded
                                              ? refusal(429, ResponseType::quota_exceeded, usage)
                                              : kBug;
                    CHECK(answer_of(authz::decide(outcomes)) == wanted);
                }
            }
        }
        // Who may not pass anyway is told that, whatever his key is.
        Outcomes refused;
        refused.identity = Errc::identity_missing;
        refused.metered = true;
        refused.usage = Errc::allowed;
        CHECK(authz::decide(refused).status == 401);
        refused.usage = Errc::throttled;
        CHECK(authz::decide(refused).status == 401);
    }

    TEST_CASE("validation refuses what would pass and changes no other refusal") {
        for (const Errc reason : all_reasons()) {
            CAPTURE(reason_id(reason));
            Outcomes open;
            open.guarded = false;
            open.validation = reason;
            Outcomes granted;
            granted.judged = true;
            granted.policy = policy::Outcome::allow;
            granted.validation = reason;
            Outcomes denied = granted;
            denied.policy = policy::Outcome::explicit_deny;
            CHECK(answer_of(authz::decide(denied)) ==
                  refusal(403, ResponseType::access_denied, Errc::explicit_deny));
            for (const Outcomes& outcomes : {open, granted}) {
                const Answer wanted =
                    reason == Errc::none ? pass(outcomes.guarded ? Errc::allowed : Errc::open_route)
                    : reason == Errc::parameters_missing
                        ? refusal(400, ResponseType::bad_request_parameters, reason)
                    : reason == Errc::request_body_invalid
                        ? refusal(400, ResponseType::bad_request_body, reason)
                        : kBug;
                CHECK(answer_of(authz::decide(outcomes)) == wanted);
            }
        }
    }

    TEST_CASE("nothing known is a refusal") {
        const Verdict verdict = authz::decide({});
        CHECK_FALSE(verdict.allow);
        CHECK(verdict.status == 500);
        CHECK(verdict.reason == Errc::internal);
        CHECK_FALSE(Verdict{}.allow);
    }

    TEST_CASE("the first step that failed is the one that answers") {
        struct Row {
            std::string_view name;
            Outcomes outcomes;
            int status;
            Errc reason;
        };

        Outcomes good;
        good.judged = true;
        good.policy = policy::Outcome::allow;
        const auto with = [&](auto change) {
            Outcomes outcomes = good;
            change(outcomes);
            return outcomes;
        };
        const Row rows[] = {
            {"bad path before unknown route",
             with([](Outcomes& o) {
                 o.target = Errc::target_backslash, o.routing = Errc::route_unmatched;
             }),
             400,
             Errc::target_backslash},
            {"unknown route of an HTTP API",
             with([](Outcomes& o) {
                 o.http_api = true, o.routing = Errc::route_unmatched;
                 o.identity = Errc::identity_missing;
             }),
             404,
             Errc::route_unmatched},
            {"a preflight that has a route",
             with([](Outcomes& o) { o.http_api = o.preflight = true; }),
             500,
             Errc::internal},
            {"a preflight of a REST API",
             with([](Outcomes& o) { o.preflight = true, o.routing = Errc::route_unmatched; }),
             500,
             Errc::internal},
            {"unknown route before missing token",
             with([](Outcomes& o) {
                 o.routing = Errc::route_unmatched, o.identity = Errc::identity_missing;
             }),
             403,
             Errc::route_unmatched},
            {"method ARN over the limit",
             with([](Outcomes& o) { o.routing = Errc::arn_too_long; }),
             414,
             Errc::arn_too_long},
            {"missing token before anything of the authorizer",
             with([](Outcomes& o) {
                 o.identity = Errc::identity_missing, o.authorizer = Errc::token_expired;
             }),
             401,
             Errc::identity_missing},
            {"expired token though a policy allows",
             with([](Outcomes& o) { o.authorizer = Errc::token_expired; }),
             401,
             Errc::token_expired},
            {"keys away though a policy allows",
             with([](Outcomes& o) { o.authorizer = Errc::keys_unavailable; }),
             503,
             Errc::keys_unavailable},
            {"context that fits no header",
             with([](Outcomes& o) { o.authorizer = Errc::context_unusable; }),
             500,
             Errc::context_unusable},
            {"a condition that is not known",
             with([](Outcomes& o) { o.authorizer = Errc::condition_unsupported; }),
             500,
             Errc::condition_unsupported},
            {"a Deny before a missing scope",
             with([](Outcomes& o) {
                 o.policy = policy::Outcome::explicit_deny, o.scope_required = true;
             }),
             403,
             Errc::explicit_deny},
            {"an Allow without the scope",
             with([](Outcomes& o) { o.scope_required = true; }),
             403,
             Errc::scope_missing},
            {"a policy that was never judged",
             with([](Outcomes& o) { o.judged = false; }),
             500,
             Errc::internal},
            {"an open route that has a judgement",
             with([](Outcomes& o) { o.guarded = false; }),
             500,
             Errc::internal},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Verdict verdict = authz::decide(row.outcomes);
            CHECK_FALSE(verdict.allow);
            CHECK(verdict.status == row.status);
            CHECK(reason_id(verdict.reason) == reason_id(row.reason));
        }
        CHECK(authz::decide(good).allow);
        CHECK(
            authz::decide(with([](Outcomes& o) { o.scope_required = o.scope_held = true; })).allow);
    }
}

}  // namespace verdict_test
