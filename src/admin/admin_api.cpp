#include "gatehouse/admin/admin_api.hpp"

#include "access.hpp"
#include "gatehouse/config/report.hpp"
#include "gatehouse/http/target.hpp"
#include "query.hpp"

#include <algorithm>
#include <optional>

namespace gatehouse::admin {
namespace {

using boost::asio::awaitable;

constexpr std::size_t kCacheRows = 1000;
constexpr std::size_t kMostCacheRows = 100000;

enum class Call {
    none,
    live,
    ready,
    metrics,
    report,
    usage,
    cache,
    traces,
    trace,
    flush,
    reload,
    configure
};

// A request taken apart: which call, and the names in its path.
struct Asked {
    Call call = Call::none;
    std::string trace_id;
    bool http_api = false;  ///< flush: asked in the words of API Gateway V2
    std::string api_id;
    std::string stage;
    std::optional<std::string> authorizer;
    Query query;
    std::string body;
};

std::vector<std::string> split_path(std::string_view path) {
    std::vector<std::string> segments;
    path.remove_prefix(1);
    while (true) {
        const std::size_t slash = path.find('/');
        segments.push_back(decode_percent(path.substr(0, slash)));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

Asked find_call(std::string_view path) {
    Asked asked;
    if (path == "/health/live") asked.call = Call::live;
    if (path == "/health/ready") asked.call = Call::ready;
    if (path == "/metrics") asked.call = Call::metrics;
    if (path == "/report") asked.call = Call::report;
    if (path == "/usage") asked.call = Call::usage;
    if (path == "/cache") asked.call = Call::cache;
    if (path == "/traces") asked.call = Call::traces;
    if (path == "/reload") asked.call = Call::reload;
    if (path == "/configuration") asked.call = Call::configure;
    std::vector<std::string> segments = split_path(path);
    if (segments.size() == 2 && segments[0] == "traces" && !segments[1].empty()) {
        asked.call = Call::trace;
        asked.trace_id = segments[1];
    }
    // The service's FlushStageAuthorizersCache and ResetAuthorizersCache, and one segment more for
    // a single authorizer.
    asked.http_api = segments.size() > 1 && segments[0] == "v2" && segments[1] == "apis";
    if (asked.http_api) segments.erase(segments.begin());
    const bool flush = (segments.size() == 6 || segments.size() == 7) &&
                       segments[0] == (asked.http_api ? "apis" : "restapis") &&
                       segments[2] == "stages" && segments[4] == "cache" &&
                       segments[5] == "authorizers" && !segments.back().empty();
    if (flush) {
        asked.call = Call::flush;
        asked.api_id = segments[1];
        asked.stage = segments[3];
        if (segments.size() == 7) asked.authorizer = segments[6];
    }
    return asked;
}

Response make_json(const Json& body, int status = 200) {
    Response response;
    response.status = status;
    response.body = dump_json(body, 2) + "\n";
    return response;
}

Response answer_ready(const app::Readiness& readiness) {
    Json body = {{"ready", readiness.ready}, {"reasons", readiness.reasons}};
    if (!readiness.warnings.empty()) body["warnings"] = readiness.warnings;
    return make_json(body, readiness.ready ? 200 : 503);
}

Json to_json(const app::KeySourceStatus& source) {
    Json json = {{"issuer", source.issuer},
                 {"location", source.location},
                 {"usable", source.usable},
                 {"stale", source.stale},
                 {"fetches", source.fetches},
                 {"failures", source.failures},
                 {"keys", source.keys}};
    if (source.age) json["ageInSeconds"] = source.age->count();
    if (source.next_fetch_in) json["nextFetchInMillis"] = source.next_fetch_in->count();
    if (!source.last_error.empty()) json["lastError"] = source.last_error;
    return json;
}

Response answer_report(const app::Inspector& inspector) {
    Json sources = Json::array();
    for (const app::KeySourceStatus& source : inspector.key_sources())
        sources.push_back(to_json(source));
    Json body = {{"routes", config::to_json(inspector.snapshot()->report)},
                 {"keySources", std::move(sources)}};
    if (Json upstreams = inspector.upstreams(); !upstreams.empty())
        body["upstreams"] = std::move(upstreams);
    return make_json(body);
}

Response answer_cache(const app::Inspector& inspector, const Query& query) {
    std::size_t most = kCacheRows;
    for (const auto& [name, value] : query) {
        const auto limit = name == "limit" ? parse_number(value, 1, kMostCacheRows) : std::nullopt;
        if (!limit)
            return make_error(400,
                              "the only parameter is limit, a number from 1 to " +
                                  std::to_string(kMostCacheRows));
        most = *limit;
    }
    return make_json({{"entries", inspector.cache_entries(most)}});
}

// As the service answers for what it does not have: 404 and the name of the exception.
Response make_not_found(const config::Model& model, const Asked& asked) {
    const auto has_api = [&](const config::Api& api) { return api.api_id == asked.api_id; };
    const auto has_stage = [&](const config::Api& api) {
        return has_api(api) && api.stage_name == asked.stage;
    };
    std::string message = "Invalid authorizer name specified";
    if (std::none_of(model.apis.begin(), model.apis.end(), has_api)) {
        const std::string account =
            model.apis.empty() ? config::Api().account_id : model.apis.front().account_id;
        message = "Invalid API identifier specified " + account + ":" + asked.api_id;
    } else if (std::none_of(model.apis.begin(), model.apis.end(), has_stage)) {
        message = "Invalid stage identifier specified";
    }
    Response response = make_error(404, message);
    response.headers.emplace_back("x-amzn-ErrorType", "NotFoundException");
    return response;
}

Response answer_flush(app::Inspector& inspector, const Asked& asked) {
    std::optional<jwt::Sha256> identity;
    for (const auto& [name, value] : asked.query) {
        if (name == "identity") identity = parse_digest(value);
        if (!identity)
            return make_error(
                400, "the only parameter is identity, the 64 hex digits that GET /cache shows");
    }
    if (!inspector.flush(asked.api_id, asked.stage, asked.authorizer, identity)) {
        return make_not_found(inspector.snapshot()->model, asked);
    }
    Response response;
    response.status = asked.http_api ? 204 : 202;
    response.content_type.clear();
    return response;
}

awaitable<Response> answer_metrics(app::Inspector& inspector) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = co_await inspector.metrics();
    co_return response;
}

awaitable<Response> answer_traces(app::Inspector& inspector, Query query) {
    const Result<app::TraceFilter> filter = parse_trace_filter(query);
    if (!filter) co_return make_error(400, filter.error().detail);
    app::TraceFilter wanted = *filter;
    Json document = Json::object();
    document["traces"] = co_await inspector.traces(std::move(wanted));
    co_return make_json(document);
}

awaitable<Response> answer_trace(app::Inspector& inspector, std::string id) {
    app::TraceFilter filter;
    filter.request_id = app::parse_request_id(id);
    filter.limit = 1;
    if (id.size() == 16 && id.ends_with('=')) filter.extended_id = id;
    if (!filter.request_id && !filter.extended_id)
        co_return make_error(404,
                             "that is no request id: x-amzn-RequestId or apigw-requestid of an "
                             "answer is one");
    const Json found = co_await inspector.traces(std::move(filter));
    if (found.empty())
        co_return make_error(404, "no trace of that request: only the last ones are kept");
    co_return make_json(found.front());
}

// The method that a call is made with.
std::string_view method_of(Call call) noexcept {
    switch (call) {
        case Call::flush:
            return "DELETE";
        case Call::reload:
            return "POST";
        case Call::configure:
            return "PUT";
        default:
            return "GET";
    }
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

awaitable<Response> answer_reload(app::Reloader& reloader, std::optional<std::string> text) {
    awaitable<app::Reloaded> task = reloader.reload(std::move(text));
    const app::Reloaded reloaded = co_await std::move(task);
    if (reloaded.done) co_return make_json(reloaded.report);
    Json refused = Json::object();
    refused["message"] = "refused: the configuration before stays in place";
    refused["problems"] = split_lines(reloaded.errors);
    co_return make_json(refused, 422);
}

awaitable<Response> answer(app::Inspector& inspector,
                           app::Reloader& reloader,
                           bool has_token,
                           Asked asked) {
    switch (asked.call) {
        case Call::live:
            co_return make_json({{"live", true}});
        case Call::ready:
            co_return answer_ready(inspector.readiness());
        case Call::metrics: {
            awaitable<Response> task = answer_metrics(inspector);
            co_return co_await std::move(task);
        }
        case Call::report:
            co_return answer_report(inspector);
        case Call::usage:
            co_return make_json(inspector.usage());
        case Call::cache:
            co_return answer_cache(inspector, asked.query);
        case Call::traces: {
            awaitable<Response> task = answer_traces(inspector, std::move(asked.query));
            co_return co_await std::move(task);
        }
        case Call::trace: {
            awaitable<Response> task = answer_trace(inspector, std::move(asked.trace_id));
            co_return co_await std::move(task);
        }
        case Call::flush:
            co_return answer_flush(inspector, asked);
        case Call::reload:
        case Call::configure: {
            if (asked.call == Call::configure && !has_token)
                co_return make_error(
                    403,
                    "a configuration can name programs to run, so sending one takes admin.token "
                    "(GATEHOUSE_ADMIN_TOKEN); POST /reload reads the file again without it");
            std::optional<std::string> text;
            if (asked.call == Call::configure) text = std::move(asked.body);
            awaitable<Response> task = answer_reload(reloader, std::move(text));
            co_return co_await std::move(task);
        }
        case Call::none:
            break;
    }
    co_return make_error(404, "there is no such call; see the admin API in the README");
}

}  // namespace

AdminApi::AdminApi(app::Inspector& inspector, app::Reloader& reloader, Access access)
    : inspector_(inspector), reloader_(reloader), access_(std::move(access)) {}

awaitable<Response> AdminApi::handle(Request request) {
    std::string scratch;
    const Result<http::Target> target = http::parse_target(request.target, scratch);
    const std::string_view path =
        target && !target->asterisk ? target->path : std::string_view("/");
    Asked asked = find_call(path);
    const bool health = asked.call == Call::live || asked.call == Call::ready;
    Response response;
    if (std::optional<Response> refused = refuse_access(request, access_, health)) {
        response = *std::move(refused);
    } else if (!target) {
        response = make_error(400, reason_text(target.error().errc()));
    } else if (const std::string_view method = method_of(asked.call);
               asked.call != Call::none && request.method != method &&
               !(method == "GET" && request.method == "HEAD")) {
        response = make_error(405, "this call is made with " + std::string(method));
        response.headers.emplace_back("Allow", method == "GET" ? "GET, HEAD" : method);
    } else {
        asked.query = parse_query(target->query);
        asked.body = std::move(request.body);
        awaitable<Response> task =
            answer(inspector_, reloader_, !access_.token.empty(), std::move(asked));
        response = co_await std::move(task);
    }
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    co_return response;
}

}  // namespace gatehouse::admin
