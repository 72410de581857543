#include "session.hpp"

#include <string>
#include <utility>

// A request whose integration is a function: once its content is here whole the function is called,
// and the session sleeps until it has answered.
namespace gatehouse::net {
namespace {

constexpr std::chrono::milliseconds kInvokeSlack{5000};

}  // namespace

void Session::invoke() {
    Exchange& exchange = *exchange_;
    phase_ = Phase::deciding;
    // The session's pointer is only touched on the worker; the ticket tells a late outcome from the
    // one that is waited for.
    const std::uint64_t ticket = ++wake_ticket_;
    auto holder = std::make_shared<Ptr>(this);
    Worker* worker = &worker_;
    const Errc error = worker_.gateway().invoke(
        exchange.request,
        exchange.content,
        worker_.now(),
        [holder, worker, ticket](app::LambdaOutcome outcome) {
            auto told = std::make_shared<const app::LambdaOutcome>(std::move(outcome));
            worker->post([session = std::move(*holder), ticket, told = std::move(told)] {
                session->on_outcome(ticket, told);
            });
        });
    release(exchange.content);
    exchange.collected = false;
    if (error != Errc::none) {
        fail(error, "the event of this request");
        return;
    }
    // Behind the integration's own limit, which the invoker keeps: reached only by a bug.
    worker_.timeouts().arm(
        down_timeout_, exchange.request.route->timeout + kInvokeSlack, worker_.now().steady);
}

void Session::on_outcome(std::uint64_t ticket,
                         const std::shared_ptr<const app::LambdaOutcome>& outcome) {
    if (phase_ != Phase::deciding || ticket != wake_ticket_) return;
    guarded([&] {
        down_timeout_.disarm();
        exchange_->share.clear();  // the event is gone
        const authz::RenderedResponse response =
            worker_.gateway().read_answer(exchange_->request, *outcome, worker_.now());
        answer(response.status, response.headers, response.body);
    });
}

}  // namespace gatehouse::net
