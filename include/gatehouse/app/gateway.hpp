#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/metrics.hpp"
#include "gatehouse/app/request_ids.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/authz/verdict.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/policy/arn.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::app {

/// What the listener knows of a client connection.
struct ClientFacts {
    std::string source_ip;
    std::uint16_t listener_port = 0;
    bool secure = false;
};

/// What is to be done with a request.
enum class Step : std::uint8_t {
    forward,    ///< allowed: route->forward says what reaches the upstream
    invoke,     ///< allowed: route->aws_proxy; invoke() once the content is read whole
    mock,       ///< allowed: a fixed answer
    preflight,  ///< an HTTP API's CORS preflight: render_preflight makes the answer
    refuse,     ///< `verdict` is a refusal: render_refusal makes the answer
    wait,       ///< an authorizer call is under way: its wake is told, then resume()
};

/// One request on its way through: what each step found, for the next step, the trace and the logs.
/// Reused from request to request so that its strings keep their storage. `head` and what it points
/// to must stay in place until finish().
struct Request {
    std::shared_ptr<const Snapshot> snapshot;
    Instant began;
    SteadyTime invoked{};  ///< AWS_PROXY: when the function was called
    http::RequestHead head;
    RequestIds ids;
    const CompiledApi* api = nullptr;
    const CompiledRoute* route = nullptr;
    const CompiledAuthorizer* authorizer = nullptr;
    authz::RequestFacts facts;
    policy::MethodArn arn;
    std::string_view identity;  ///< what the cache tells callers apart by
    std::string_view token;     ///< the credential in it
    std::shared_ptr<const authz::Grant> grant;
    authz::Outcomes outcomes;
    authz::Verdict verdict;
    TraceRecord record;
    std::shared_ptr<TraceDetail> detail;
    std::optional<std::string> error_message;  ///< of the refusal that was rendered, for the log
    std::string target_scratch;
    std::string path_scratch;  ///< an HTTP API's path, its %2F decoded
    std::string arn_scratch;
    std::string trace_scratch;
    std::string identity_scratch;

    /// Forgets the last request; storage stays.
    void clear();

    TraceDetail& make_detail();
};

/// The deciding part of one worker: routing, identity, cache, judgement, refusals, trace. Belongs
/// to the worker's thread; what is shared (cache, keys, authorizer calls) is thread-safe in itself.
/// No socket, no clock: `now` comes with each call.
class Gateway {
  public:
    /// @param invoker  calls the functions of AWS_PROXY integrations; null: none can be invoked
    Gateway(std::shared_ptr<const Snapshot> snapshot,
            authz::GrantCache& cache,
            Authorize& authorize,
            LambdaInvoker* invoker = nullptr);

    const std::shared_ptr<const Snapshot>& snapshot() const noexcept { return snapshot_; }

    /// Begins a request whose head was read: ids, snapshot, route, identity, cache, judgement. On a
    /// cache hit there is no allocation.
    /// @param make_wake  asked only when the answer may be Step::wait; told only when it is
    Step begin(Request& request,
               const http::RequestHead& head,
               const ClientFacts& client,
               const Instant& now,
               const std::function<Wake()>& make_wake);

    /// Goes on with the result that the wake was told.
    Step resume(Request& request, const AuthorizeResult& result, const Instant& now);

    /// Calls the function of an allowed request with its whole content. `done` is told the outcome,
    /// once, on any thread. A failure is known at once where no event can be made:
    /// Errc::function_event_too_large, and `done` is not called.
    Errc invoke(Request& request, std::string_view content, const Instant& now, LambdaDone done);

    /// The client's answer from what the function gave back; a failure's answer where that is none.
    authz::RenderedResponse read_answer(Request& request,
                                        const LambdaOutcome& outcome,
                                        const Instant& now);

    /// Begins a request whose head could not be read: only ids and the error are known. `head` may
    /// be half filled.
    void begin_unread(Request& request, const ClientFacts& client, const Instant& now, Errc error);

    /// The answer to a refused request.
    authz::RenderedResponse render_refusal(Request& request) const;

    /// The answer to a CORS preflight that corsConfiguration answers.
    authz::RenderedResponse render_preflight(Request& request) const;

    /// The answer to a request that was allowed but failed later (upstream_*, mapping_invalid,
    /// body_too_large, draining, internal).
    authz::RenderedResponse render_failure(Request& request,
                                           Errc error,
                                           std::string detail = {}) const;

    /// With --dev: appends the "x-gatehouse-trace" line that tells request id and reason.
    void append_dev_header(const Request& request, std::string& headers) const;

    /// Ends a request: trace, metrics, access-log line. `record` has status, bytes and times.
    void finish(Request& request, const Instant& now);

    /// Told each finished request (the demo's line per request). Empty by default.
    void observe(std::function<void(const TraceRecord&)> observer) {
        observer_ = std::move(observer);
    }

    Journal& journal() noexcept { return journal_; }

    Metrics& metrics() noexcept { return metrics_; }

    /// Lines made since the last call, each with its newline. Taken on the worker's tick.
    std::string take_access_log();

  private:
    void start(Request& request,
               const ClientFacts& client,
               const Instant& now,
               std::string_view client_request_id);
    Errc route(Request& request);
    Errc decode_slashes(Request& request, int api) const;
    static Errc find_identity(Request& request);
    Step authorize(Request& request, const Instant& now, const std::function<Wake()>& make_wake);
    Step judge(Request& request);
    Step settle(Request& request);
    void explain(Request& request, const AuthorizeResult* result) const;
    authz::RenderedResponse render(Request& request, const authz::GatewayError& error) const;
    authz::RenderedResponse render_http_refusal(Request& request) const;
    authz::RenderedResponse render_http(Request& request,
                                        const authz::GatewayError& error,
                                        std::string_view challenge) const;
    void write_access_log(Request& request);

    std::shared_ptr<const Snapshot> snapshot_;
    authz::GrantCache& cache_;
    Authorize& authorize_;
    LambdaInvoker* invoker_;
    IdSource ids_;
    Journal journal_;
    Metrics metrics_;
    std::optional<authz::Template> access_log_;
    std::string access_lines_;
    std::function<void(const TraceRecord&)> observer_;
};

}  // namespace gatehouse::app
