#include "gatehouse/app/metrics.hpp"

#include "gatehouse/app/snapshot.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

namespace gatehouse::app {
namespace {

// (api, route, status, reason) in one number; 0xffff stands for none.
std::uint64_t pack(const TraceRecord& record) noexcept {
    return static_cast<std::uint64_t>(static_cast<std::uint16_t>(record.api)) << 48 |
           static_cast<std::uint64_t>(static_cast<std::uint16_t>(record.route)) << 32 |
           static_cast<std::uint64_t>(record.status) << 16 | record.reason;
}

TraceRecord unpack(std::uint64_t key) noexcept {
    TraceRecord record;
    record.api = static_cast<std::int16_t>(key >> 48);
    record.route = static_cast<std::int16_t>(key >> 32 & 0xffff);
    record.status = static_cast<std::uint16_t>(key >> 16 & 0xffff);
    record.reason = static_cast<std::uint16_t>(key & 0xffff);
    return record;
}

std::uint32_t pack_authorizer(const TraceRecord& record) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint16_t>(record.api)) << 16 |
           static_cast<std::uint16_t>(record.authorizer);
}

std::string escape_label(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof(text), "%.15g", value);
    return text;
}

class Page {
  public:
    void family(std::string_view name,
                std::string_view type,
                std::string_view help,
                std::string_view prefix = "gatehouse_") {
        name_.assign(prefix).append(name);
        text_.append("# HELP ").append(name_).append(" ").append(help);
        text_.append("\n# TYPE ").append(name_).append(" ").append(type).append("\n");
    }

    void row(std::string_view labels, const std::string& value, std::string_view suffix = {}) {
        text_.append(name_).append(suffix);
        if (!labels.empty()) text_.append("{").append(labels).append("}");
        text_.append(" ").append(value).append("\n");
    }

    void single(std::string_view name,
                std::string_view type,
                std::string_view help,
                std::uint64_t value) {
        family(name, type, help);
        row({}, std::to_string(value));
    }

    /// Rows of one histogram of the family.
    void histogram(const std::string& labels, const Histogram& histogram) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
            below += histogram.buckets[i];
            const std::string bound =
                i < kDurationBounds.size() ? number(kDurationBounds[i]) : "+Inf";
            row(labels + (labels.empty() ? "" : ",") + "le=\"" + bound + "\"",
                std::to_string(below),
                "_bucket");
        }
        row(labels, number(histogram.sum), "_sum");
        row(labels, std::to_string(histogram.count), "_count");
    }

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string name_;
};

std::string api_label(std::size_t index, const Snapshot& snapshot) {
    const bool known = index < snapshot.apis.size();
    return "api=\"" + (known ? escape_label(snapshot.apis[index].source->name) : "none") + "\"";
}

std::string request_labels(std::uint64_t key, const Snapshot& snapshot) {
    const auto api_index = static_cast<std::size_t>(key >> 48 & 0xffff);
    const auto route_index = static_cast<std::size_t>(key >> 32 & 0xffff);
    std::string route = "none";
    if (api_index < snapshot.apis.size()) {
        const CompiledApi& found = snapshot.apis[api_index];
        if (route_index < found.routes.size()) route = found.routes[route_index].source->route_key;
    }
    return api_label(api_index, snapshot) + ",route=\"" + escape_label(route) + "\",status=\"" +
           std::to_string(key >> 16 & 0xffff) + "\",reason=\"" +
           std::string(reason_id(static_cast<Errc>(key & 0xffff))) + "\"";
}

void write_requests(Page& page, const Metrics& metrics, const Snapshot& snapshot) {
    page.family("requests_total", "counter", "Requests answered, by route, status and reason.");
    std::vector<std::pair<std::uint64_t, std::uint64_t>> rows(metrics.requests.begin(),
                                                              metrics.requests.end());
    std::sort(rows.begin(), rows.end());
    for (const auto& [key, count] : rows)
        page.row(request_labels(key, snapshot), std::to_string(count));
}

void write_durations(Page& page, const Metrics& metrics, const Snapshot& snapshot) {
    page.family("request_duration_seconds",
                "histogram",
                "From the whole head to the end of the answer, by API.");
    for (std::size_t i = 0; i < metrics.request_seconds.size(); ++i) {
        const Histogram& histogram = metrics.request_seconds[i];
        if (histogram.count > 0) page.histogram(api_label(i - 1, snapshot), histogram);
    }
    page.family("upstream_first_byte_seconds",
                "histogram",
                "From the decision to the upstream's answer head.");
    page.histogram({}, metrics.upstream_seconds);
    page.family("authorizer_duration_seconds",
                "histogram",
                "Authorizer calls as requests saw them, waiting included.");
    std::vector<std::pair<std::uint32_t, const Histogram*>> rows;
    for (const auto& [key, histogram] : metrics.authorizer_seconds)
        rows.emplace_back(key, &histogram);
    std::sort(rows.begin(), rows.end());
    for (const auto& [key, histogram] : rows) {
        const std::size_t api = key >> 16;
        const std::size_t authorizer = key & 0xffff;
        std::string name = "none";
        if (api < snapshot.apis.size() && authorizer < snapshot.apis[api].authorizers.size())
            name = snapshot.apis[api].authorizers[authorizer]->source->name;
        page.histogram(api_label(api, snapshot) + ",authorizer=\"" + escape_label(name) + "\"",
                       *histogram);
    }
}

// Two sources may have one issuer (other times, another URL): one series has the worse of both, for
// a series may be there once only.
std::map<std::string, KeySourceStatus> fold_by_issuer(const std::vector<KeySourceStatus>& sources) {
    std::map<std::string, KeySourceStatus> folded;
    for (const KeySourceStatus& source : sources) {
        const auto [place, fresh] = folded.try_emplace(source.issuer, source);
        if (fresh) continue;
        KeySourceStatus& sum = place->second;
        sum.usable = sum.usable && source.usable;
        sum.stale = sum.stale || source.stale;
        sum.age = sum.age && source.age ? std::max(sum.age, source.age) : std::nullopt;
        if (source.keys.size() < sum.keys.size()) sum.keys = source.keys;
        sum.fetches += source.fetches;
        sum.failures += source.failures;
        sum.fetch_seconds.add(source.fetch_seconds);
    }
    return folded;
}

void write_key_sources(Page& page, const std::vector<KeySourceStatus>& sources) {
    const auto folded = fold_by_issuer(sources);
    const auto label = [](const std::string& issuer) {
        return "issuer=\"" + escape_label(issuer) + "\"";
    };
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
            page.family(name, type, help);
            for (const auto& [issuer, source] : folded)
                page.row(label(issuer), value(source));
        };
    each("jwks_usable", "gauge", "1 when tokens of the issuer can be verified.", [](const auto& s) {
        return std::string(s.usable ? "1" : "0");
    });
    each("jwks_stale",
         "gauge",
         "1 when the keys are older than refreshInSeconds.",
         [](const auto& s) { return std::string(s.stale ? "1" : "0"); });
    each("jwks_age_seconds",
         "gauge",
         "Age of the key set; -1 when there is none.",
         [](const auto& s) { return std::to_string(s.age ? s.age->count() : -1); });
    each("jwks_keys", "gauge", "Usable keys in the set.", [](const auto& s) {
        return std::to_string(s.keys.size());
    });
    each("jwks_fetches_total", "counter", "Fetches ended, well or not.", [](const auto& s) {
        return std::to_string(s.fetches);
    });
    each("jwks_fetch_failures_total", "counter", "Fetches that failed.", [](const auto& s) {
        return std::to_string(s.failures);
    });
    page.family("jwks_fetch_duration_seconds",
                "histogram",
                "Fetches of key sets, discovery included, well or not.");
    for (const auto& [issuer, source] : folded)
        page.histogram(label(issuer), source.fetch_seconds);
}

// Names that every Prometheus client library gives these.
void write_process(Page& page, const std::optional<ProcessUsage>& usage) {
    if (!usage) return;
    const auto one = [&](std::string_view name,
                         std::string_view type,
                         std::string_view help,
                         const std::string& value) {
        page.family(name, type, help, "process_");
        page.row({}, value);
    };
    one("cpu_seconds_total", "counter", "CPU time spent.", number(usage->cpu_seconds));
    one("resident_memory_bytes", "gauge", "Memory in use.", std::to_string(usage->resident_bytes));
    one("open_fds", "gauge", "Open file descriptors.", std::to_string(usage->open_files));
    one("max_fds", "gauge", "File descriptors allowed.", std::to_string(usage->most_files));
}

using Upstreams = std::vector<std::shared_ptr<upstream::Upstream>>;

std::string upstream_label(const upstream::Upstream& upstream) {
    return "upstream=\"" + escape_label(upstream.rules().name) + "\"";
}

void write_upstreams(Page& page, const Upstreams& upstreams) {
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
            page.family(name, type, help);
            for (const auto& upstream : upstreams)
                page.row(upstream_label(*upstream), std::to_string(value(*upstream)));
        };
    each("upstream_retries_total",
         "counter",
         "Requests sent to a target once more.",
         [](const upstream::Upstream& one) { return one.retries(); });
    each("upstream_retries_refused_total",
         "counter",
         "Retries that retryBudget did not allow.",
         [](const upstream::Upstream& one) { return one.retries_refused(); });
    page.family(
        "upstream_refusals_total", "counter", "Requests refused by a limit of an upstream.");
    for (const auto& upstream : upstreams) {
        const std::string label = upstream_label(*upstream) + ",limit=\"";
        page.row(label + "maxRequests\"", std::to_string(upstream->refused_requests()));
        page.row(label + "maxConnections\"", std::to_string(upstream->refused_connections()));
    }
}

void write_targets(Page& page, const Upstreams& upstreams, const Metrics& metrics, SteadyTime now) {
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
            page.family(name, type, help);
            for (const auto& upstream : upstreams) {
                for (std::size_t i = 0; i < upstream->targets().size(); ++i) {
                    const std::string label = upstream_label(*upstream) + ",target=\"" +
                                              escape_label(upstream->targets()[i]->url()) + "\"";
                    page.row(label, std::to_string(value(*upstream, i)));
                }
            }
        };
    const auto flag = [&](std::string_view name, std::string_view help, auto&& holds) {
        each(name, "gauge", help, [&](const upstream::Upstream& upstream, std::size_t i) {
            return holds(*upstream.targets()[i]) ? 1 : 0;
        });
    };
    const auto count = [&](std::string_view name, std::string_view help, auto&& number) {
        each(name, "counter", help, [&](const upstream::Upstream& upstream, std::size_t i) {
            return number(*upstream.targets()[i]);
        });
    };
    flag("upstream_target_up",
         "1 when the target gets requests of its own: neither unhealthy nor ejected.",
         [now](const upstream::Target& target) { return target.is_up(now); });
    flag("upstream_target_unhealthy",
         "1 when the target fails its health checks.",
         [](const upstream::Target& target) { return target.is_unhealthy(); });
    flag("upstream_target_ejected",
         "1 while the target is out for failures in a row.",
         [now](const upstream::Target& target) { return target.is_ejected(now); });
    each("upstream_target_requests_total",
         "counter",
         "Requests given to the target, retries included.",
         [](const upstream::Upstream& upstream, std::size_t i) { return upstream.requests(i); });
    count("upstream_target_failures_total",
          "Requests that the target failed, as ejection counts them.",
          [](const upstream::Target& target) { return target.failures(); });
    count("upstream_target_ejections_total",
          "Times that the target was ejected.",
          [](const upstream::Target& target) { return target.ejections(); });
    each("upstream_target_connections",
         "gauge",
         "Connections to the target, idle ones included.",
         [](const upstream::Upstream& upstream, std::size_t i) {
             return upstream.targets()[i]->connections();
         });
    each("upstream_target_idle_connections",
         "gauge",
         "Idle connections to the target.",
         [&metrics](const upstream::Upstream& upstream, std::size_t i) {
             const auto found = metrics.target_idle.find(upstream.targets()[i].get());
             return found == metrics.target_idle.end() ? 0 : found->second;
         });
}

// By plan and not by key: there may be thousands of keys, and GET /usage has each.
void write_usage(Page& page, const usage::Plans& plans) {
    if (plans.plans().empty()) return;
    page.family("usage_plan_requests_total",
                "counter",
                "Requests with a key of the plan, by what became of them.");
    for (const usage::Plan& plan : plans.plans()) {
        std::uint64_t admitted = 0;
        std::uint64_t throttled = 0;
        std::uint64_t over_quota = 0;
        for (const auto& allowance : plan.allowances) {
            admitted += allowance->admitted();
            throttled += allowance->throttled();
            over_quota += allowance->over_quota();
        }
        const std::string label = "plan=\"" + escape_label(plan.spec.id) + "\",result=\"";
        page.row(label + "admitted\"", std::to_string(admitted));
        page.row(label + "throttled\"", std::to_string(throttled));
        page.row(label + "quota_exceeded\"", std::to_string(over_quota));
    }
}

void write_shared(Page& page, const SharedFacts& shared) {
    page.single(
        "shared_up", "gauge", "1 when what replicas share can be reached.", shared.up ? 1 : 0);
    page.family(
        "shared_lookups_total",
        "counter",
        "Misses of the policy cache by what the shared one had; bad: an entry of nobody's.");
    page.row("result=\"hit\"", std::to_string(shared.hits));
    page.row("result=\"miss\"", std::to_string(shared.misses));
    page.row("result=\"away\"", std::to_string(shared.away));
    page.row("result=\"bad\"", std::to_string(shared.bad));
    page.family("shared_lookup_duration_seconds",
                "histogram",
                "Look-ups in the shared policy cache that were answered.");
    page.histogram({}, shared.look_up_seconds);
    page.single("shared_errors_total",
                "counter",
                "Error replies of Redis, and messages that are nobody's.",
                shared.errors);
    page.single("shared_flushes_total",
                "counter",
                "Flushes that came from other replicas.",
                shared.flushes);
}

}  // namespace

void Metrics::count(const TraceRecord& record) {
    ++requests[pack(record)];
    // Takes memory at an API's first request alone.
    const auto api = static_cast<std::size_t>(record.api + 1);
    if (api >= request_seconds.size()) request_seconds.resize(api + 1);
    request_seconds[api].observe(static_cast<double>(record.total_us) / 1e6);
    request_bytes += record.request_bytes;
    response_bytes += record.response_bytes;
    if (record.decision) ++(record.refused ? decisions_refused : decisions_allowed);
}

void Metrics::rename(const Snapshot& from, const Snapshot& to) {
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> renamed;
    for (const auto& [key, value] : requests)
        renamed[pack(translate(unpack(key), from, to))] += value;
    requests = std::move(renamed);
    std::vector<Histogram> by_api(request_seconds.empty() ? 0 : to.apis.size() + 1);
    for (std::size_t i = 0; i < request_seconds.size(); ++i) {
        TraceRecord record;
        record.api = static_cast<std::int16_t>(static_cast<int>(i) - 1);
        const int api = translate(record, from, to).api;
        by_api[static_cast<std::size_t>(api + 1)].add(request_seconds[i]);
    }
    request_seconds = std::move(by_api);
    boost::unordered_flat_map<std::uint32_t, Histogram> by_authorizer;
    for (const auto& [key, histogram] : authorizer_seconds) {
        TraceRecord record;
        record.api = static_cast<std::int16_t>(key >> 16);
        record.authorizer = static_cast<std::int16_t>(key & 0xffff);
        by_authorizer[pack_authorizer(translate(record, from, to))].add(histogram);
    }
    authorizer_seconds = std::move(by_authorizer);
}

void Metrics::observe_authorizer(const TraceRecord& record) {
    authorizer_seconds[pack_authorizer(record)].observe(static_cast<double>(record.authorizer_us) /
                                                        1e6);
}

void Metrics::add(const Metrics& other) {
    for (const auto& [key, value] : other.requests)
        requests[key] += value;
    if (request_seconds.size() < other.request_seconds.size())
        request_seconds.resize(other.request_seconds.size());
    for (std::size_t i = 0; i < other.request_seconds.size(); ++i)
        request_seconds[i].add(other.request_seconds[i]);
    upstream_seconds.add(other.upstream_seconds);
    for (const auto& [key, histogram] : other.authorizer_seconds)
        authorizer_seconds[key].add(histogram);
    cache_hits += other.cache_hits;
    cache_misses += other.cache_misses;
    cache_joined += other.cache_joined;
    cache_negative_hits += other.cache_negative_hits;
    connections_opened += other.connections_opened;
    connections_open += other.connections_open;
    connections_refused += other.connections_refused;
    connections_refused_by_address += other.connections_refused_by_address;
    upstream_active += other.upstream_active;
    upstream_connecting += other.upstream_connecting;
    tls_handshake_failures += other.tls_handshake_failures;
    upstream_connects += other.upstream_connects;
    upstream_failures += other.upstream_failures;
    upstream_reuses += other.upstream_reuses;
    upstream_idle += other.upstream_idle;
    access_log_dropped += other.access_log_dropped;
    request_bytes += other.request_bytes;
    response_bytes += other.response_bytes;
    decisions_allowed += other.decisions_allowed;
    decisions_refused += other.decisions_refused;
    for (const auto& [target, idle] : other.target_idle)
        target_idle[target] += idle;
}

std::string to_prometheus(const Metrics& metrics,
                          const ProcessFacts& facts,
                          const Snapshot& snapshot) {
    Page page;
    page.family("info", "gauge", "Version of the running program.");
    page.row("version=\"" + escape_label(facts.version) + "\"", "1");
    page.family("uptime_seconds", "gauge", "Seconds since the start.");
    page.row({}, number(facts.uptime_seconds));
    page.single("ready", "gauge", "1 when the gateway is ready.", facts.ready ? 1 : 0);
    write_requests(page, metrics, snapshot);
    write_durations(page, metrics, snapshot);
    page.single("authorizer_calls_total",
                "counter",
                "Authorizer calls made (joined and cached requests make none).",
                facts.authorizer_calls);
    page.single(
        "cache_hits_total", "counter", "Requests judged by a cached policy.", metrics.cache_hits);
    page.single("cache_misses_total",
                "counter",
                "Requests whose policy was not cached.",
                metrics.cache_misses);
    page.single("cache_joined_total",
                "counter",
                "Misses that waited for another request's authorizer call.",
                metrics.cache_joined);
    page.single("cache_negative_hits_total",
                "counter",
                "Requests refused by a remembered refusal.",
                metrics.cache_negative_hits);
    page.single("cache_entries", "gauge", "Cached policies.", facts.cache.entries);
    page.single("cache_bytes", "gauge", "Memory of cached policies.", facts.cache.bytes);
    page.single("cache_evictions_total",
                "counter",
                "Entries that left because the cache was full.",
                facts.cache.evictions);
    page.single("cache_expirations_total",
                "counter",
                "Entries that left because their time was over.",
                facts.cache.expirations);
    page.single("cache_flushes_total",
                "counter",
                "Entries dropped by a flush or a retired key.",
                facts.cache.flushes);
    page.single("connections_opened_total",
                "counter",
                "Client connections accepted.",
                metrics.connections_opened);
    page.single(
        "connections_open", "gauge", "Client connections open now.", metrics.connections_open);
    page.family("connections_refused_total", "counter", "Client connections beyond a limit.");
    page.row("limit=\"connections\"", std::to_string(metrics.connections_refused));
    page.row("limit=\"connectionsPerAddress\"",
             std::to_string(metrics.connections_refused_by_address));
    page.single("buffered_bytes",
                "gauge",
                "Content kept in memory now, counted by limits.bufferedBytes.",
                facts.buffered_bytes);
    page.single("tls_handshake_failures_total",
                "counter",
                "Client connections that ended in their TLS handshake.",
                metrics.tls_handshake_failures);
    page.single("upstream_connects_total",
                "counter",
                "Upstream connections begun.",
                metrics.upstream_connects);
    page.single("upstream_reuses_total",
                "counter",
                "Requests sent on an idle upstream connection.",
                metrics.upstream_reuses);
    page.single("upstream_failures_total",
                "counter",
                "Upstream connections and answers that failed.",
                metrics.upstream_failures);
    page.single(
        "upstream_idle_connections", "gauge", "Idle upstream connections.", metrics.upstream_idle);
    page.single("upstream_active_connections",
                "gauge",
                "Upstream connections that serve a request now.",
                metrics.upstream_active);
    page.single("upstream_pending_connections",
                "gauge",
                "Upstream connections being made now.",
                metrics.upstream_connecting);
    page.single("access_log_dropped_total",
                "counter",
                "Access-log lines dropped because the buffer was full.",
                metrics.access_log_dropped);
    page.single(
        "request_bytes_total", "counter", "Request content forwarded.", metrics.request_bytes);
    page.single("response_bytes_total", "counter", "Answer content sent.", metrics.response_bytes);
    if (snapshot.model.decision) {
        page.family("decisions_total", "counter", "Decisions for other proxies, by their result.");
        page.row("result=\"allowed\"", std::to_string(metrics.decisions_allowed));
        page.row("result=\"refused\"", std::to_string(metrics.decisions_refused));
    }
    write_usage(page, snapshot.usage);
    if (!snapshot.upstreams.empty()) {
        write_upstreams(page, snapshot.upstreams);
        write_targets(page, snapshot.upstreams, metrics, facts.now);
    }
    if (facts.shared) write_shared(page, *facts.shared);
    write_key_sources(page, facts.key_sources);
    write_process(page, facts.usage);
    return page.take();
}

}  // namespace gatehouse::app
