#include "authorize_job.hpp"
#include "gatehouse/authz/lambda_reply.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <exception>
#include <utility>

// The second level of the policy cache, which replicas share: looked into between this one's and
// the call of a function or an endpoint. What comes of it is read as that call's answer is.
namespace gatehouse::app {
namespace {

SharedQuestion make_question(const AuthorizeCall& call) {
    SharedQuestion question;
    question.api_id = call.api->stage.api_id;
    question.stage = call.api->stage.stage;
    question.authorizer = call.authorizer->source->name;
    question.scope = *call.authorizer->shared_scope;
    question.identity = jwt::sha256(call.identity);
    question.ttl = call.authorizer->source->result_ttl;
    return question;
}

Result<authz::Grant> read_found(const AuthorizeCall& call,
                                const SharedFound& found,
                                WallTime now,
                                jwt::CheckTrail& checks) {
    const CompiledAuthorizer& authorizer = *call.authorizer;
    if (authorizer.introspection) {
        authz::AuthorizerEvent event = event_of(call);
        event.method_arn = found.method_arn;
        return authorizer.introspection->grant(
            "application/json", found.reply, event, now, &checks);
    }
    const authz::Invocation returned{authz::Invocation::End::returned, found.reply};
    return authz::read_reply(returned, reply_rules(authorizer), found.method_arn);
}

}  // namespace

// `ask` makes the call. It is run once, here or on Redis's thread, unless there is a result.
void Authorize::look_up_shared(const std::shared_ptr<Job>& job, std::function<void()> ask) {
    if (shared_ == nullptr || !job->joined || !job->authorizer->shared_scope) return ask();
    shared_->find(make_question(job->call()),
                  [this, job, make_call = std::move(ask)](const SharedFound& found) {
                      take_shared(*job, found, make_call);
                  });
}

// A bug must neither open the gate nor leave anybody waiting for ever.
void Authorize::take_shared(Job& job, const SharedFound& found, const std::function<void()>& ask) {
    auto result = std::make_shared<AuthorizeResult>();
    try {
        job.shared = found.use;
        job.epochs = found.epochs;
        if (found.use == SharedUse::hit) {
            const AuthorizeCall call = job.call();
            const Instant now = clock_.now();
            accept(call, read_found(call, found, now.wall, result->checks), *result);
            if (result->grant != nullptr) {
                result->shared = found.use;
                result->micros = static_cast<std::uint32_t>(
                    std::chrono::duration_cast<std::chrono::microseconds>(now.steady - job.began)
                        .count());
                remember(call, *result, now, job.generation, found.left);
                return end_job(job, result);
            }
            // Of another version of Gatehouse, or no longer good: the authorizer knows better.
            job.shared = SharedUse::miss;
        }
        return ask();
    } catch (const std::exception& fault) {
        result = std::make_shared<AuthorizeResult>();
        result->error = Errc::internal;
        result->detail = fault.what();
    }
    end_job(job, result);
}

// Only what was stored here too: a flush that came meanwhile keeps it from both.
void Authorize::put_shared(const Job& job, std::chrono::milliseconds life) {
    if (shared_ == nullptr || !job.epochs || life <= std::chrono::milliseconds(0)) return;
    const AuthorizeCall call = job.call();
    if (cache_.generation(job.authorizer->scope) != job.generation) return;
    shared_->put(make_question(call), *job.epochs, job.reply, call.method_arn, life);
}

}  // namespace gatehouse::app
