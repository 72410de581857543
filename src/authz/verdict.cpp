#include "gatehouse/authz/verdict.hpp"

namespace gatehouse::authz {
namespace {

constexpr Verdict refuse(ResponseType response, int status, Errc reason) noexcept {
    return {false, response, status, reason};
}

// Outcomes that contradict each other, or that no step can have: a bug, so nobody passes.
constexpr Verdict kBug = refuse(ResponseType::api_configuration_error, 500, Errc::internal);

// The service has no response type of its own for a target that its front end refuses, so these are
// DEFAULT_4XX.
Verdict refuse_target(Errc reason) noexcept {
    switch (reason) {
        case Errc::target_invalid:
        case Errc::target_percent:
        case Errc::target_control:
        case Errc::target_utf8:
        case Errc::target_dot_segment:
        case Errc::target_empty_segment:
        case Errc::target_backslash:
        case Errc::target_encoded_slash:
        case Errc::target_path_parameter:
        case Errc::context_forged:
            return refuse(ResponseType::default_4xx, 400, reason);
        case Errc::target_too_long:
            return refuse(ResponseType::default_4xx, 414, reason);
        default:
            return kBug;
    }
}

// An unknown route is 403 and never 404: its ARN is outside anything that a caller can be allowed,
// and the service answers as if a signature were missing. An API that nobody serves has no gateway
// responses: DEFAULT_4XX.
Verdict refuse_routing(Errc reason) noexcept {
    switch (reason) {
        case Errc::api_unmatched:
            return refuse(ResponseType::default_4xx, 403, reason);
        case Errc::route_unmatched:
            return refuse(ResponseType::missing_authentication_token, 403, reason);
        case Errc::arn_too_long:
            return refuse(ResponseType::default_4xx, 414, reason);
        default:
            return kBug;
    }
}

Verdict refuse_identity(Errc reason) noexcept {
    switch (reason) {
        case Errc::identity_missing:
        case Errc::identity_empty:
        case Errc::identity_repeated:
        case Errc::identity_mismatch:
        case Errc::override_invalid:
        case Errc::override_expired:
            return refuse(ResponseType::unauthorized, 401, reason);
        default:
            return kBug;
    }
}

// Faults of the token are the caller's: 401, whether we found them or a function did. Keys, or an
// introspection endpoint, that are away are nobody's token's fault: 503, so that clients try again
// instead of signing in anew. Everything else is a fault of the authorizer: 500, whatever its name.
Verdict refuse_authorizer(Errc reason) noexcept {
    switch (reason) {
        case Errc::token_not_bearer:
        case Errc::token_too_large:
        case Errc::token_malformed:
        case Errc::token_header_invalid:
        case Errc::token_critical:
        case Errc::token_type_refused:
        case Errc::token_algorithm_refused:
        case Errc::token_claims_invalid:
        case Errc::token_issuer_unknown:
        case Errc::token_audience_refused:
        case Errc::token_kid_missing:
        case Errc::token_key_unknown:
        case Errc::token_key_unfit:
        case Errc::token_signature_invalid:
        case Errc::token_expiry_missing:
        case Errc::token_expired:
        case Errc::token_not_yet_valid:
        case Errc::token_issued_in_future:
        case Errc::token_subject_missing:
        case Errc::token_claim_unusable:
        case Errc::authorizer_unauthorized:
        case Errc::token_inactive:
        case Errc::token_use_refused:
            return refuse(ResponseType::unauthorized, 401, reason);
        case Errc::keys_unavailable:
        case Errc::introspection_failed:
        case Errc::introspection_invalid:
            return refuse(ResponseType::authorizer_failure, 503, reason);
        // The service's SigV4 parser has one answer for what is no signature, whatever the route;
        // which response type belongs to an unknown key is not documented.
        case Errc::signature_missing:
        case Errc::signature_incomplete:
            return refuse(ResponseType::missing_authentication_token, 403, reason);
        case Errc::signature_scope_refused:
        case Errc::signature_expired:
        case Errc::signature_not_yet_valid:
        case Errc::signature_mismatch:
        case Errc::access_key_unknown:
            return refuse(ResponseType::invalid_signature, 403, reason);
        default:
            return refuse(ResponseType::authorizer_configuration_error, 500, reason);
    }
}

// Validation of the method request.
Verdict refuse_request(Errc reason) noexcept {
    switch (reason) {
        case Errc::parameters_missing:
            return refuse(ResponseType::bad_request_parameters, 400, reason);
        case Errc::request_body_invalid:
            return refuse(ResponseType::bad_request_body, 400, reason);
        default:
            return kBug;
    }
}

Verdict judge(const Outcomes& outcomes) noexcept {
    switch (outcomes.policy) {
        case policy::Outcome::explicit_deny:
            return refuse(ResponseType::access_denied, 403, Errc::explicit_deny);
        case policy::Outcome::implicit_deny:
            return refuse(ResponseType::access_denied, 403, Errc::implicit_deny);
        case policy::Outcome::allow:
            break;
        default:
            return kBug;
    }
    // Scopes narrow an Allow. They are judged last, so that a Deny is named as one.
    if (outcomes.scope_required && !outcomes.scope_held) {
        return refuse(ResponseType::access_denied, 403, Errc::scope_missing);
    }
    return {true, ResponseType::api_configuration_error, 500, Errc::allowed};
}

// The key, then the limits. A key that is not good is 403 whatever is wrong with it, so that nobody
// learns which keys there are.
Verdict refuse_usage(Errc reason) noexcept {
    switch (reason) {
        case Errc::api_key_missing:
        case Errc::api_key_repeated:
        case Errc::api_key_unknown:
        case Errc::api_key_disabled:
        case Errc::api_key_unplanned:
            return refuse(ResponseType::invalid_api_key, 403, reason);
        case Errc::throttled:
            return refuse(ResponseType::throttled, 429, reason);
        case Errc::quota_exceeded:
            return refuse(ResponseType::quota_exceeded, 429, reason);
        default:
            return kBug;
    }
}

// HTTP APIs tell less apart ("Troubleshooting issues with HTTP API routes", "… Lambda
// authorizers", "… JWT authorizers"): an unknown route is 404, and a refusal 401 or 403 without
// saying why. The type is what access logs show of it.
Verdict decide_for_http(Verdict verdict) noexcept {
    if (verdict.reason == Errc::route_unmatched &&
        verdict.response == ResponseType::missing_authentication_token)
        return refuse(ResponseType::resource_not_found, 404, verdict.reason);
    return verdict;
}

Verdict authorize(const Outcomes& outcomes) noexcept {
    if (outcomes.target != Errc::none) return refuse_target(outcomes.target);
    if (outcomes.preflight) {
        // Only where no route is: a route's authorizer is never stepped around.
        if (!outcomes.http_api || outcomes.routing != Errc::route_unmatched) return kBug;
        return {true, ResponseType::api_configuration_error, 500, Errc::cors_preflight};
    }
    if (outcomes.routing != Errc::none) return refuse_routing(outcomes.routing);
    if (!outcomes.guarded) {
        // An open route has nothing to judge. If something was judged all the same, then `guarded`
        // may be the fault.
        const bool judged = outcomes.identity != Errc::none || outcomes.authorizer != Errc::none ||
                            outcomes.judged || outcomes.scope_required;
        if (judged) return kBug;
        return {true, ResponseType::api_configuration_error, 500, Errc::open_route};
    }
    if (outcomes.identity != Errc::none) return refuse_identity(outcomes.identity);
    if (outcomes.authorizer != Errc::none) return refuse_authorizer(outcomes.authorizer);
    // INVARIANT: a guarded route passes only on a grant that was judged for this request.
    if (!outcomes.judged) return kBug;
    return judge(outcomes);
}

Verdict decide_in_order(const Outcomes& outcomes) noexcept {
    const Verdict verdict = authorize(outcomes);
    if (!verdict.allow) return verdict;
    // INVARIANT: where a key or a throttle is asked for, only an explicit "allowed" passes.
    const Errc wanted = outcomes.metered ? Errc::allowed : Errc::none;
    if (outcomes.usage != wanted) return refuse_usage(outcomes.usage);
    // The last check: what the caller may do is settled, so a bad request is told as one.
    return outcomes.validation == Errc::none ? verdict : refuse_request(outcomes.validation);
}

}  // namespace

// Who passes is the same question on both kinds of API, and asked once; only the name of a refusal
// differs.
Verdict decide(const Outcomes& outcomes) noexcept {
    const Verdict verdict = decide_in_order(outcomes);
    return outcomes.http_api ? decide_for_http(verdict) : verdict;
}

}  // namespace gatehouse::authz
