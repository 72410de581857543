#include "gatehouse/net/introspection_client.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/conceal_url.hpp"
#include "gatehouse/net/http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace gatehouse::net {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMostInFlight = limits::kIntrospectionCalls + limits::kIntrospectionQueue;

app::IntrospectionOutcome failed(std::string why) {
    return {Errc::introspection_failed, {}, {}, std::move(why)};
}

struct Question {
    app::IntrospectionCall call;
    app::IntrospectionDone done;  ///< empty: told
    SteadyTime deadline;

    void finish(app::IntrospectionOutcome outcome) {
        if (const auto told = std::exchange(done, nullptr)) told(std::move(outcome));
    }
};

using QuestionPtr = std::shared_ptr<Question>;

app::IntrospectionOutcome read_answer(const std::string& place, HttpAnswer answer) {
    if (answer.status == 200)
        return {Errc::none, std::move(answer.content_type), std::move(answer.body), {}};
    std::string why = place + " answered " + std::to_string(answer.status);
    // RFC 7662 2.3: an authorization server that does not accept the client says 401.
    if (answer.status == 401 || answer.status == 403)
        why += ": it does not take clientId and clientSecret as \"authMethod\" sends them";
    if (answer.status / 100 == 3) why += " (redirects are not followed)";
    return failed(std::move(why));
}

asio::awaitable<app::IntrospectionOutcome> ask(QuestionPtr question,
                                               std::chrono::milliseconds left,
                                               const ClientTls* tls) {
    const std::string place = http::conceal_url(question->call.endpoint);
    HttpRequest request;
    request.method = "POST";
    request.url = question->call.endpoint;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    if (!question->call.authorization.empty())
        request.headers.emplace_back("Authorization", std::move(question->call.authorization));
    request.body = std::move(question->call.form);
    request.timeout = left;
    request.most_bytes = limits::kIntrospectionBytes;
    request.tls = tls;
    Result<HttpAnswer> answer = co_await fetch(std::move(request));
    if (!answer) co_return failed(place + ": " + printable(answer.error().detail, 300));
    co_return read_answer(place, std::move(*answer));
}

}  // namespace

struct IntrospectionClient::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, const app::Clock& time, const ClientTls& client_tls)
        : control(io), clock(time), tls(client_tls) {}

    asio::io_context& control;
    const app::Clock& clock;
    const ClientTls& tls;
    std::mutex mutex;
    std::deque<QuestionPtr> waiting;  ///< guarded
    std::set<QuestionPtr> under_way;  ///< guarded
    bool closed = false;              ///< guarded
    std::set<std::string> failing;    ///< endpoints; control thread

    QuestionPtr take_next();
    void begin();
    void start(const QuestionPtr& question);
    void end(const QuestionPtr& question, app::IntrospectionOutcome outcome);
    void log_change(const std::string& endpoint, const app::IntrospectionOutcome& outcome);
};

QuestionPtr IntrospectionClient::State::take_next() {
    const std::lock_guard lock(mutex);
    if (waiting.empty() || under_way.size() >= limits::kIntrospectionCalls) return nullptr;
    QuestionPtr next = std::move(waiting.front());
    waiting.pop_front();
    under_way.insert(next);
    return next;
}

void IntrospectionClient::State::begin() {
    while (const QuestionPtr next = take_next())
        start(next);
}

void IntrospectionClient::State::start(const QuestionPtr& question) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(question->deadline - clock.now().steady);
    if (left <= std::chrono::milliseconds(0))
        return end(question, failed("too many questions: no turn in time"));
    asio::awaitable<app::IntrospectionOutcome> task = ask(question, left, &tls);
    asio::co_spawn(control,
                   std::move(task),
                   [self = shared_from_this(), question](std::exception_ptr fault,
                                                         app::IntrospectionOutcome outcome) {
                       if (fault) outcome = failed("an exception");
                       self->end(question, std::move(outcome));
                       self->begin();
                   });
}

void IntrospectionClient::State::end(const QuestionPtr& question,
                                     app::IntrospectionOutcome outcome) {
    {
        const std::lock_guard lock(mutex);
        under_way.erase(question);
    }
    log_change(question->call.endpoint, outcome);
    question->finish(std::move(outcome));
}

// Endpoints are the configuration's, so `failing` is as small as that.
void IntrospectionClient::State::log_change(const std::string& endpoint,
                                            const app::IntrospectionOutcome& outcome) {
    if (outcome.error != Errc::none) {
        if (failing.insert(endpoint).second)
            spdlog::warn("introspection failed: {}", outcome.detail);
    } else if (failing.erase(endpoint) > 0) {
        spdlog::info("introspection: {} answers again", http::conceal_url(endpoint));
    }
}

IntrospectionClient::IntrospectionClient(asio::io_context& control,
                                         const app::Clock& clock,
                                         const ClientTls& tls)
    : state_(std::make_shared<State>(control, clock, tls)) {}

IntrospectionClient::~IntrospectionClient() {
    stop();
}

void IntrospectionClient::introspect(app::IntrospectionCall call, app::IntrospectionDone done) {
    const auto question = std::make_shared<Question>();
    question->deadline = state_->clock.now().steady + call.timeout;
    question->call = std::move(call);
    question->done = std::move(done);
    std::string refusal;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->closed) {
            refusal = "the gateway is shutting down";
        } else if (state_->waiting.size() + state_->under_way.size() >= kMostInFlight) {
            refusal = "too many questions under way";
        } else {
            state_->waiting.push_back(question);
        }
    }
    if (!refusal.empty()) return question->finish(failed(std::move(refusal)));
    asio::post(state_->control, [self = state_] { self->begin(); });
}

void IntrospectionClient::stop() {
    std::vector<QuestionPtr> left;
    {
        const std::lock_guard lock(state_->mutex);
        state_->closed = true;
        left.assign(state_->waiting.begin(), state_->waiting.end());
        left.insert(left.end(), state_->under_way.begin(), state_->under_way.end());
        state_->waiting.clear();
    }
    for (const QuestionPtr& question : left)
        question->finish(failed("the gateway is shutting down"));
}

}  // namespace gatehouse::net
