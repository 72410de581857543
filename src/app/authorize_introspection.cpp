#include "authorize_job.hpp"
#include "gatehouse/core/ascii.hpp"

#include <chrono>
#include <exception>
#include <utility>

// Misses of gatehouse:introspection: the endpoint is asked what the token is, once for all who ask
// at the same time.
namespace gatehouse::app {

using std::chrono::duration_cast;
using std::chrono::microseconds;

std::shared_ptr<const AuthorizeResult> Authorize::call_introspection(
    const AuthorizeCall& call,
    const Instant& now,
    std::uint64_t generation,
    bool joins,
    const std::function<Wake()>& make_wake) {
    auto refused = std::make_shared<AuthorizeResult>();
    auto request = call.authorizer->introspection->ask(event_of(call), &refused->checks);
    if (!request) {
        refused->error = request.error().errc();
        remember(call, *refused, now, generation);
        if (joins) flight_.complete(call.authorizer->scope, call.identity, refused);
        return refused;
    }
    calls_.fetch_add(1, std::memory_order_relaxed);
    auto job = make_job(call, generation, joins);
    job->began = now.steady;
    job->wake = make_wake();
    const auto finish = [this, job](const IntrospectionOutcome& outcome) {
        const auto result = read_introspection(*job, outcome);
        if (job->joined) flight_.complete(job->authorizer->scope, job->identity, result);
        job->wake(result);
    };
    if (introspector_ == nullptr) {
        IntrospectionOutcome nobody;
        nobody.detail = "no endpoint can be asked here";
        finish(nobody);
        return nullptr;
    }
    const config::Introspection& options = *call.authorizer->source->introspection;
    IntrospectionCall question;
    question.endpoint = options.endpoint;
    question.authorization = std::move(request->authorization);
    question.form = std::move(request->form);
    question.timeout = options.timeout;
    introspector_->introspect(std::move(question), finish);
    return nullptr;
}

// A bug must neither open the gate nor leave anybody waiting for ever.
std::shared_ptr<const AuthorizeResult> Authorize::read_introspection(
    const Job& job, const IntrospectionOutcome& outcome) {
    auto result = std::make_shared<AuthorizeResult>();
    try {
        const AuthorizeCall call = job.call();
        const Instant now = clock_.now();
        const authz::Introspection& authorizer = *call.authorizer->introspection;
        if (outcome.error != Errc::none) {
            result->error = outcome.error;
            result->detail = printable(outcome.detail, 300);
        } else if (auto granted = authorizer.grant(outcome.content_type,
                                                   outcome.body,
                                                   event_of(call),
                                                   now.wall,
                                                   &result->checks)) {
            auto grant = std::make_shared<authz::Grant>(std::move(granted).value());
            result->error = finish_grant(call, *grant, *result);
            if (result->error == Errc::none) result->grant = std::move(grant);
        } else {
            result->error = granted.error().errc();
            result->detail = granted.error().detail;
        }
        result->micros =
            static_cast<std::uint32_t>(duration_cast<microseconds>(now.steady - job.began).count());
        remember(call, *result, now, job.generation);
    } catch (const std::exception& fault) {
        result = std::make_shared<AuthorizeResult>();
        result->error = Errc::internal;
        result->detail = fault.what();
    }
    return result;
}

}  // namespace gatehouse::app
