#include "authorize_job.hpp"
#include "gatehouse/core/ascii.hpp"

#include <utility>

// Misses of gatehouse:introspection: the endpoint is asked what the token is, once for all who ask
// at the same time.
namespace gatehouse::app {

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
    const auto job = start_job(call, now, generation, joins, make_wake);
    const auto finish = [this, job](const IntrospectionOutcome& outcome) {
        if (job->epochs) job->reply = outcome.body;
        finish_job(*job,
                   [&](const AuthorizeCall& late, const Instant& ended, AuthorizeResult& result) {
                       if (outcome.error != Errc::none) {
                           result.error = outcome.error;
                           result.detail = printable(outcome.detail, 300);
                           return;
                       }
                       const authz::Introspection& authorizer = *late.authorizer->introspection;
                       accept(late,
                              authorizer.grant(outcome.content_type,
                                               outcome.body,
                                               event_of(late),
                                               ended.wall,
                                               &result.checks),
                              result);
                   });
    };
    if (introspector_ == nullptr) {
        calls_.fetch_add(1, std::memory_order_relaxed);
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
    look_up_shared(job, [this, finish, made = std::move(question)] {
        calls_.fetch_add(1, std::memory_order_relaxed);
        introspector_->introspect(made, finish);
    });
    return nullptr;
}

}  // namespace gatehouse::app
