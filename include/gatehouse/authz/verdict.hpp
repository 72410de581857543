#pragma once

#include "gatehouse/authz/response_type.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/policy/evaluate.hpp"

namespace gatehouse::authz {

/// The outcome of each step that a verdict is folded from, in the order of the service's pipeline.
/// A step that was not reached keeps its default.
struct Outcomes {
    Errc target = Errc::none;      ///< a reading error of the target, e.g. target_dot_segment
    Errc routing = Errc::none;     ///< api_unmatched, route_unmatched, arn_too_long
    bool guarded = true;           ///< false only when the route says "NONE"
    Errc identity = Errc::none;    ///< identity_missing, …, override_invalid, override_expired
    Errc authorizer = Errc::none;  ///< a token error, keys_unavailable, context_unusable,
                                   ///< authorizer_result_invalid, …
    bool judged = false;           ///< a grant was there and `policy` is its judgement
    policy::Outcome policy = policy::Outcome::implicit_deny;
    bool scope_required = false;
    bool scope_held = false;
    bool metered = false;     ///< the route needs an API key or has a throttle
    Errc usage = Errc::none;  ///< then: allowed, api_key_missing, …, throttled, quota_exceeded
    Errc validation = Errc::none;  ///< parameters_missing, request_body_invalid
    bool http_api = false;         ///< the API is an HTTP API: its own statuses
    bool preflight = false;        ///< no route, and corsConfiguration answers preflights
};

struct Verdict {
    bool allow = false;
    ResponseType response = ResponseType::api_configuration_error;  ///< of a refusal
    int status = 500;              ///< of a refusal, before gatewayResponses
    Errc reason = Errc::internal;  ///< reason_id; allowed, open_route or cors_preflight for an
                                   ///< allow
};

/// Folds the outcomes into one verdict: the only place where 400, 401, 403, 404, 414, 429, 500 or
/// 503 is chosen for a request that was read whole. Anything it does not know is a 500, never an
/// allow.
Verdict decide(const Outcomes& outcomes) noexcept;

}  // namespace gatehouse::authz
