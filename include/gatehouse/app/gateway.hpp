#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/metrics.hpp"
#include "gatehouse/app/request_ids.hpp"
#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/app/trace.hpp"
#include "gatehouse/authz/client_certificate.hpp"
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/authz/verdict.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/http/original_request.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/sigv4/authorization.hpp"

#include <boost/smart_ptr/local_shared_ptr.hpp>

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
    bool decision = false;  ///< it is a proxy that asks: the listener of `decision`
    std::shared_ptr<const authz::ClientCertificate> certificate = nullptr;  ///< mutual TLS
};

/// What is to be done with a request.
enum class Step : std::uint8_t {
    forward,    ///< allowed: route->forward says what reaches the upstream
    collect,    ///< allowed so far: the content is needed whole, then take_content() says how to go
                ///< on
    invoke,     ///< allowed: route->aws_proxy; invoke() once the content is read whole
    mock,       ///< allowed: a fixed answer
    answer,     ///< allowed: `answer` is it
    preflight,  ///< an HTTP API's CORS preflight: render_preflight makes the answer
    authenticate,  ///< AWS_IAM: the content is needed whole, then check_signature()
    refuse,        ///< `verdict` is a refusal: render_refusal makes the answer
    wait,          ///< an authorizer call is under way: its wake is told, then resume()
};

/// A configuration that the requests of one worker keep. To count those costs no atomic operation,
/// since they all belong to one thread; the configuration itself is everybody's.
using SnapshotHold = boost::local_shared_ptr<const std::shared_ptr<const Snapshot>>;

/// One request on its way through: what each step found, for the next step, the trace and the logs.
/// Reused from request to request so that its strings keep their storage. `head` and what it points
/// to must stay in place until finish().
struct Request {
    SnapshotHold held;                   ///< what keeps `snapshot`
    const Snapshot* snapshot = nullptr;  ///< by which it is judged, whatever is adopted meanwhile
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
    int api_key = -1;  ///< index into snapshot->usage; -1: none that is known
    authz::Outcomes outcomes;
    authz::Verdict verdict;
    TraceRecord record;
    std::unique_ptr<TraceDetail> detail;
    std::optional<sigv4::Authorization> signature;  ///< AWS_IAM
    std::string_view signed_method;                 ///< the client's own, whatever overrides it
    std::string refusal;  ///< what the client is told instead of the response's own text
    std::optional<std::string> error_message;  ///< of the refusal that was rendered, for the log
    std::string validation;                    ///< what validation found, for the client
    /// What the request template made: HTTP and MOCK integrations.
    std::optional<mapping::MappedRequest> mapped;
    std::optional<authz::RenderedResponse> answer;  ///< Step::answer
    bool decision = false;           ///< asked for by a proxy, which carries the request itself
    http::OriginalRequest original;  ///< of a decision: `head` points into it
    ClientFacts original_client;     ///< of a decision: the proxy's client
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
    Gateway(std::shared_ptr<const Snapshot> snapshot,
            authz::GrantCache& cache,
            Authorize& authorize);

    const std::shared_ptr<const Snapshot>& snapshot() const noexcept { return *held_; }

    /// Begins requests by another configuration from now on. Those that have begun end by theirs.
    void adopt(std::shared_ptr<const Snapshot> snapshot);

    /// Begins a request whose head was read: ids, snapshot, route, identity, cache, judgement. On a
    /// cache hit there is no allocation (but of a count, when LocalGrants begins to keep a grant).
    /// Where a proxy asks (ClientFacts::decision), the request is the one that `head` names, and an
    /// Allow is Step::answer.
    /// @param make_wake  asked only when the answer may be Step::wait; told only when it is
    Step begin(Request& request,
               const http::RequestHead& head,
               const ClientFacts& client,
               const Instant& now,
               const std::function<Wake()>& make_wake);

    /// Judges the signature of a Step::authenticate, whose whole content is there now.
    Step check_signature(Request& request, std::string_view content, const Instant& now);

    /// Goes on with the result that the wake was told.
    Step resume(Request& request, const AuthorizeResult& result, const Instant& now);

    /// Goes on once the whole content of a Step::collect is there: validates it, and has the
    /// request template rendered, whose output takes the content's place.
    /// @return Step::forward, invoke, mock, answer or refuse; an error that render_failure() takes:
    /// media_type_unsupported, request_body_not_json, template_failed, …
    Result<Step> take_content(Request& request, std::string& content, const Instant& now);

    /// The client's answer from what the backend of an HTTP integration gave, through its
    /// integration response; a failure's answer where none fits.
    authz::RenderedResponse map_answer(Request& request,
                                       const http::ResponseHead& head,
                                       std::string_view content);

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

    /// Lets the worker's counts of grants go that it did not use since the last call: each second.
    void release_unused_grants() noexcept { local_grants_.release_unused(); }

    Journal& journal() noexcept { return journal_; }

    Metrics& metrics() noexcept { return metrics_; }

    /// Bytes of lines that were made and not taken yet.
    std::size_t access_log_bytes() const noexcept { return access_lines_.size(); }

    /// Lines made since the last call, each with its newline. Taken on the worker's tick, or when
    /// there are many.
    std::string take_access_log();

    /// An empty text whose memory the next lines are made in: a page given to the system and taken
    /// again costs more than the lines on it.
    void use_log_buffer(std::string buffer) { access_lines_ = std::move(buffer); }

  private:
    void start(Request& request,
               const ClientFacts& client,
               const Instant& now,
               std::string_view client_request_id);
    Errc route(Request& request);
    Errc decode_slashes(Request& request, int api) const;
    static Errc find_identity(Request& request);
    Step authorize(Request& request, const Instant& now, const std::function<Wake()>& make_wake);
    Step judge(Request& request, const Instant& now);
    Step judge_override(Request& request, const http::Field& header, const Instant& now);
    Step read_signature(Request& request, const Instant& now);
    Step refuse_signature(Request& request, sigv4::Fault fault, const Instant& now);
    Step settle(Request& request, const Instant& now);
    Step follow(Request& request, const Instant& now);
    Step begin_decision(Request& request,
                        const http::RequestHead& asked,
                        const ClientFacts& proxy,
                        const Instant& now,
                        const std::function<Wake()>& make_wake);
    bool is_decidable(Request& request) const;
    Step answer_decision(Request& request);
    Step refuse(Request& request);
    Result<authz::RenderedResponse> map_response(Request& request,
                                                 const mapping::BackendAnswer& answer);
    void explain(Request& request, const AuthorizeResult* result) const;
    authz::RenderedResponse render(Request& request, const authz::GatewayError& error) const;
    authz::RenderedResponse render_http_refusal(Request& request) const;
    authz::RenderedResponse render_http(Request& request,
                                        const authz::GatewayError& error,
                                        std::string_view challenge) const;
    void write_access_log(Request& request);

    const Snapshot& current() const noexcept { return **held_; }

    SnapshotHold held_;
    authz::GrantCache& cache_;
    authz::LocalGrants local_grants_;
    Authorize& authorize_;
    IdSource ids_;
    Journal journal_;
    Metrics metrics_;
    std::optional<authz::Template> access_log_;
    std::string access_lines_;
    std::function<void(const TraceRecord&)> observer_;
};

}  // namespace gatehouse::app
