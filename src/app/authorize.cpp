#include "gatehouse/app/authorize.hpp"

#include "authorize_job.hpp"
#include "gatehouse/authz/lambda_event.hpp"
#include "gatehouse/authz/lambda_reply.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/context_headers.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace gatehouse::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

// Refusals that no later key and no later time can turn into an acceptance of the same bytes. A
// token that is not active may become so, in theory: limits::kNegativeTtl later it does.
bool is_final(Errc error) noexcept {
    switch (error) {
        case Errc::token_not_bearer:
        case Errc::token_too_large:
        case Errc::token_malformed:
        case Errc::token_header_invalid:
        case Errc::token_critical:
        case Errc::token_claims_invalid:
        case Errc::token_signature_invalid:
        case Errc::token_inactive:
            return true;
        default:
            return false;
    }
}

bool allows_arn(const authz::Grant& grant, const std::string& arn) {
    return policy::evaluate(*grant.policy, {arn, {}}, {}).outcome == policy::Outcome::allow;
}

// ANY stands for several methods: a policy for one of them refuses the others.
bool allows_route(const authz::Grant& grant,
                  std::string_view stage_prefix,
                  const config::Route& route) {
    std::string buffer;
    const std::string_view path =
        route.path == routing::kDefaultRoute ? std::string_view("/") : route.path;
    const auto allows = [&](std::string_view verb) {
        const auto arn = policy::make_method_arn(stage_prefix, verb, path, buffer);
        return !arn || policy::evaluate(*grant.policy, *arn, {}).outcome == policy::Outcome::allow;
    };
    return route.method == "ANY" ? allows("GET") && allows("POST") : allows(route.method);
}

std::string make_event(const AuthorizeCall& call) {
    std::string event;
    const authz::EventFormat format = event_format(call.authorizer->source->payload_format);
    if (call.authorizer->request_identity) {
        const std::vector<std::string> values = authz::RequestIdentity::values_of(call.identity);
        authz::RequestEvent request{
            *call.facts, call.method_arn, call.facts->route_key, std::nullopt};
        if (!values.empty()) request.identity = values;
        authz::append_request_event(request, format, event);
    } else {
        authz::append_token_event(call.method_arn, call.token, event);
    }
    return event;
}

std::shared_ptr<AuthorizeResult> make_fault(const std::exception& fault) {
    auto result = std::make_shared<AuthorizeResult>();
    result->error = Errc::internal;
    result->detail = fault.what();
    return result;
}

}  // namespace

bool still_holds(const config::Authorizer& options,
                 const authz::Grant& grant,
                 WallTime wall) noexcept {
    if (!options.limit_to_expiration) return true;
    if (grant.expires && wall >= *grant.expires) return false;
    return !grant.not_before || wall + options.claims().clock_skew >= *grant.not_before;
}

// The wake is made last: who is asked for one must be woken.
std::shared_ptr<Authorize::Job> Authorize::start_job(const AuthorizeCall& call,
                                                     const Instant& now,
                                                     std::uint64_t generation,
                                                     bool joins,
                                                     const std::function<Wake()>& make_wake) {
    auto job = std::make_shared<Job>();
    job->snapshot = call.snapshot;
    job->api = call.api;
    job->authorizer = call.authorizer;
    job->identity = call.identity;
    job->token = call.token;
    job->method_arn = call.method_arn;
    job->generation = generation;
    job->joined = joins;
    job->began = now.steady;
    job->wake = make_wake();
    return job;
}

// A bug must neither open the gate nor leave anybody waiting for ever.
void Authorize::finish_job(const Job& job, const ReadAnswer& read) {
    auto result = std::make_shared<AuthorizeResult>();
    try {
        const AuthorizeCall call = job.call();
        const Instant now = clock_.now();
        read(call, now, *result);
        result->micros =
            static_cast<std::uint32_t>(duration_cast<microseconds>(now.steady - job.began).count());
        result->shared = job.shared;
        put_shared(job, remember(call, *result, now, job.generation));
    } catch (const std::exception& fault) {
        result = make_fault(fault);
    }
    end_job(job, result);
}

void Authorize::end_job(const Job& job, const std::shared_ptr<const AuthorizeResult>& result) {
    if (job.joined) flight_.complete(job.authorizer->scope, job.identity, result);
    job.wake(result);
}

void Authorize::accept(const AuthorizeCall& call,
                       Result<authz::Grant> granted,
                       AuthorizeResult& result) const {
    if (!granted) {
        result.error = granted.error().errc();
        result.detail = granted.error().detail;
        return;
    }
    auto grant = std::make_shared<authz::Grant>(std::move(granted).value());
    result.error = finish_grant(call, *grant, result);
    if (result.error == Errc::none) result.grant = std::move(grant);
}

Authorize::Authorize(authz::GrantCache& cache, KeyStore& keys, const Clock& clock, Warn warn)
    : cache_(cache), keys_(keys), clock_(clock), warn_(std::move(warn)) {}

std::shared_ptr<const AuthorizeResult> Authorize::authorize(
    const AuthorizeCall& call, const Instant& now, const std::function<Wake()>& make_wake) {
    const authz::CacheScope scope = call.authorizer->scope;
    const bool joins = call.authorizer->source->result_ttl > seconds(0);
    if (joins && !flight_.lead_or_join(scope, call.identity, make_wake)) {
        if (call.joined != nullptr) *call.joined = true;
        return nullptr;
    }

    const std::uint64_t generation = cache_.generation(scope);
    // Between the caller's look into the cache and this, another call for the same identity may
    // have ended: not made a second time.
    if (joins) {
        auto cached = cache_.find(scope, call.identity, now.steady);
        if (cached && cached->grant != nullptr &&
            still_holds(*call.authorizer->source, *cached->grant, now.wall)) {
            auto found = std::make_shared<AuthorizeResult>();
            found->grant = std::move(cached->grant);
            flight_.complete(scope, call.identity, found);
            return found;
        }
    }
    if (call.authorizer->calls_function() || call.authorizer->introspection) {
        try {
            return call.authorizer->introspection
                       ? call_introspection(call, now, generation, joins, make_wake)
                       : call_function(call, now, generation, joins, make_wake);
        } catch (const std::exception& fault) {
            // Nobody was called: those who joined must not wait for ever.
            auto result = make_fault(fault);
            if (joins) flight_.complete(scope, call.identity, result);
            return result;
        }
    }
    const auto await_keys = [&](std::uint32_t source) {
        // The wake must be in place before the fetch can end, and be taken back when there is no
        // fetch to wait for.
        const auto job = start_job(call, now, generation, joins, make_wake);
        return keys_.await_fetch(source, now.steady, [this, job] {
            end_job(*job, attempt_safely(job->call(), clock_.now(), job->generation, nullptr));
        });
    };
    auto result = attempt_safely(call, now, generation, await_keys);
    if (result != nullptr && joins) flight_.complete(scope, call.identity, result);
    return result;
}

// A bug must neither open the gate nor leave those who joined the call waiting for ever.
std::shared_ptr<const AuthorizeResult> Authorize::attempt_safely(
    const AuthorizeCall& call,
    const Instant& now,
    std::uint64_t generation,
    const std::function<bool(std::uint32_t source)>& await_keys) {
    try {
        return attempt(call, now, generation, await_keys);
    } catch (const std::exception& fault) {
        return make_fault(fault);
    }
}

std::shared_ptr<const AuthorizeResult> Authorize::attempt(
    const AuthorizeCall& call,
    const Instant& now,
    std::uint64_t generation,
    const std::function<bool(std::uint32_t source)>& await_keys) {
    // `now` is that of a worker, who does not look at the clock for each event.
    const SteadyTime began = clock_.quick_now().steady;
    auto result = std::make_shared<AuthorizeResult>();
    result->checks.reserve(jwt::CheckTrail::kUsualChecks, jwt::CheckTrail::kUsualText);
    const authz::AuthorizerEvent event = event_of(call);
    auto token = call.authorizer->jwt->read(event, &result->checks);
    if (!token) {
        result->error = token.error().errc();
        result->detail = token.error().detail;
    } else {
        const std::uint32_t source = call.authorizer->key_sources[token->provider];
        result->kid = token->kid;
        auto keys = keys_.current(source, now.steady);
        const bool known = keys && (token->kid.empty() ||
                                    keys->set->find(token->kid, token->algorithm) != nullptr);
        if (!known && await_keys) {
            if (await_keys(source)) return nullptr;
            // There is none to wait for where one has just ended: after the look above.
            keys = keys_.current(source, now.steady);
        }
        if (!keys) {
            result->error = Errc::keys_unavailable;
        } else {
            verify(call, std::move(token).value(), source, *keys, now, *result);
        }
        if (result->error == Errc::token_key_unknown) {
            const auto left = keys_.cooldown_left(source, now.steady);
            result->detail += (result->detail.empty() ? "" : "; ") + std::string("keys of ") +
                              printable(keys_.location(source), 200) +
                              "; next fetch for an unknown key in " + std::to_string(left.count()) +
                              " ms";
        }
    }
    result->micros = static_cast<std::uint32_t>(
        duration_cast<microseconds>(clock_.quick_now().steady - began).count());
    remember(call, *result, now, generation);
    return result;
}

void Authorize::verify(const AuthorizeCall& call,
                       jwt::Unverified token,
                       std::uint32_t source,
                       const Keys& keys,
                       const Instant& now,
                       AuthorizeResult& result) {
    calls_.fetch_add(1, std::memory_order_relaxed);
    result.key_age_s = duration_cast<seconds>(now.steady - keys.fetched).count();
    const authz::AuthorizerEvent event = event_of(call);
    auto granted =
        call.authorizer->jwt->grant(std::move(token), event, *keys.set, now.wall, &result.checks);
    if (granted) granted->key_source = source;
    accept(call, std::move(granted), result);
}

// The function is asked with the first caller's request; whoever joins shares its answer.
std::shared_ptr<const AuthorizeResult> Authorize::call_function(
    const AuthorizeCall& call,
    const Instant& now,
    std::uint64_t generation,
    bool joins,
    const std::function<Wake()>& make_wake) {
    const auto job = start_job(call, now, generation, joins, make_wake);
    const auto finish = [this, job](const LambdaOutcome& outcome) {
        if (job->epochs) job->reply = outcome.payload;
        finish_job(
            *job, [&](const AuthorizeCall& late, const Instant& /*now*/, AuthorizeResult& result) {
                const authz::ReplyRules rules = reply_rules(*late.authorizer);
                accept(late, authz::read_reply(outcome.view(), rules, late.method_arn), result);
                if (result.detail.empty() && result.error != Errc::none)
                    result.detail = printable(outcome.detail, 300);
            });
    };
    if (call.snapshot->functions == nullptr) {
        calls_.fetch_add(1, std::memory_order_relaxed);
        finish({authz::Invocation::End::not_invokable, {}, "no functions can be called here"});
        return nullptr;
    }
    const authz::StageFacts& stage = call.api->stage;
    LambdaCall invocation;
    invocation.function = static_cast<std::uint32_t>(call.authorizer->source->function);
    invocation.payload = make_event(call);
    invocation.timeout = call.authorizer->source->timeout;
    invocation.most_bytes = limits::kAuthorizerResultBytes;
    invocation.request_id = call.facts->request_id;
    invocation.trace_id = call.facts->trace_id;
    invocation.api_id = stage.api_id;
    invocation.source_arn = "arn:aws:execute-api:" + stage.region + ":" + stage.account_id + ":" +
                            stage.api_id + "/authorizers/" + call.authorizer->source->name;
    look_up_shared(job, [this, job, finish, made = std::move(invocation)] {
        calls_.fetch_add(1, std::memory_order_relaxed);
        job->snapshot->functions->invoke(made, finish);
    });
    return nullptr;
}

// Adds to a grant what only the API knows: the ready-made header lines and the requestContext text.
Errc Authorize::finish_grant(const AuthorizeCall& call,
                             authz::Grant& grant,
                             AuthorizeResult& result) const {
    // Without an authorizer: an override of an open route (override.cpp).
    if (call.authorizer != nullptr && call.authorizer->source->require_principal_id &&
        grant.principal_id.empty()) {
        result.detail = "the result has no principalId, and requirePrincipalId is on";
        return Errc::authorizer_result_invalid;
    }
    const config::ContextHeaders& options = call.api->source->context_headers;
    auto headers = forward::make_context_headers(
        grant, {options.enabled, options.prefix, options.request_context});
    if (!headers) {
        result.detail = headers.error().detail;
        return headers.error().errc();
    }
    if (!headers->left_out.empty() && call.authorizer != nullptr &&
        !call.authorizer->context_warned.exchange(true)) {
        std::string names;
        for (const std::string& key : headers->left_out)
            names += (names.empty() ? "" : ", ") + printable(key);
        warn_("authorizer \"" + call.authorizer->source->name + "\": no header for context keys " +
              names + " (not a header name, or the same as another once case and '_' are folded)");
    }
    grant.header_block = std::move(headers->block);
    const jwt::Sha256 digest = jwt::sha256(call.identity);
    for (std::size_t i = 0; i < 4; ++i)
        grant.identity_digest = (grant.identity_digest << 8) | digest[i];
    if (!options.request_context) return Errc::none;
    // An override may stand on a route without an authorizer.
    const bool shows_claims = call.authorizer != nullptr && call.authorizer->shows_claims_alone();
    grant.authorizer_json =
        shows_claims ? forward::make_claims_json(grant) : forward::make_authorizer_json(grant);
    return Errc::none;
}

std::chrono::milliseconds Authorize::remember(const AuthorizeCall& call,
                                              const AuthorizeResult& result,
                                              const Instant& now,
                                              std::uint64_t generation,
                                              std::optional<std::chrono::milliseconds> most) {
    const config::Authorizer& options = *call.authorizer->source;
    if (options.result_ttl == seconds(0)) return {};
    if (result.grant == nullptr) {
        if (is_final(result.error)) {
            const SteadyTime expires =
                now.steady + std::min<seconds>(limits::kNegativeTtl, options.result_ttl);
            cache_.store_negative(call.authorizer->scope,
                                  call.identity,
                                  result.error,
                                  now.steady,
                                  expires,
                                  generation);
        }
        return {};
    }
    std::chrono::milliseconds life = options.result_ttl;
    if (most) life = std::min(life, *most);
    // DIVERGES: the service keeps a policy until its TTL ends even when the token expires before
    // ("limitToExpiration": false). The skew is not added: it widens what the verification accepts,
    // and only there.
    if (options.limit_to_expiration && result.grant->expires) {
        // Compared before it is added: an exp of the year 9999 is beyond what the steady clock
        // counts.
        const auto left = *result.grant->expires - now.wall;
        life = std::min<std::chrono::milliseconds>(life, left);
    }
    cache_.store(call.authorizer->scope,
                 call.identity,
                 result.grant,
                 now.steady,
                 now.steady + life,
                 generation);
    warn_of_trap(call, *result.grant);
    return life;
}

// The cache trap: a policy made for one method, cached, refuses the next method of the same token.
// Named once, before it bites.
void Authorize::warn_of_trap(const AuthorizeCall& call, const authz::Grant& grant) {
    if (!call.authorizer->narrow || call.authorizer->warned.load(std::memory_order_relaxed)) return;
    // A function that refuses this very request has no trap laid: it says no.
    if (call.authorizer->calls_function() && !allows_arn(grant, grant.issued_for)) return;
    for (const CompiledRoute& route : call.api->routes) {
        if (route.authorizer < 0 ||
            call.api->authorizers[static_cast<std::size_t>(route.authorizer)].get() !=
                call.authorizer)
            continue;
        if (allows_route(grant, call.api->stage.stage_prefix, *route.source)) continue;
        if (call.authorizer->warned.exchange(true)) return;
        if (call.authorizer->calls_function()) {
            warn_("authorizer \"" + call.authorizer->source->name +
                  "\" gave a policy that allows " + grant.issued_for + " and not \"" +
                  route.source->route_key + "\", and it is cached for " +
                  std::to_string(call.authorizer->source->result_ttl.count()) +
                  " s by identity: there the same caller gets 403 while it is cached. If that is "
                  "not meant, let the function allow the whole stage, or set "
                  "\"authorizerResultTtlInSeconds\" to 0");
            return;
        }
        warn_("authorizer \"" + call.authorizer->source->name + "\" gave a policy for " +
              grant.issued_for + " alone, and it is cached for " +
              std::to_string(call.authorizer->source->result_ttl.count()) +
              " s by token: the same token will be refused (403) at \"" + route.source->route_key +
              "\" while it is cached. Use \"resource\": \"stage\", or "
              "\"authorizerResultTtlInSeconds\": 0");
        return;
    }
}

}  // namespace gatehouse::app
