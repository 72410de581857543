#include "gatehouse/app/metrics.hpp"

#include "gatehouse/app/snapshot.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace gatehouse::app {
namespace {

// (api, route, status, reason) in one number; 0xffff stands for none.
std::uint64_t pack(const TraceRecord& record) noexcept {
    return static_cast<std::uint64_t>(static_cast<std::uint16_t>(record.api)) << 48 |
           static_cast<std::uint64_t>(static_cast<std::uint16_t>(record.route)) << 32 |
           static_cast<std::uint64_t>(record.status) << 16 | record.reason;
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
    std::snprintf(text, sizeof(text), "%.9g", value);
    return text;
}

class Page {
  public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        text_.append("# HELP gatehouse_")
            .append(name)
            .append(" ")
            .append(help)
            .append("\n# TYPE gatehouse_")
            .append(name);
        text_.append(" ").append(type).append("\n");
    }

    void row(std::string_view labels, const std::string& value, std::string_view suffix = {}) {
        text_.append("gatehouse_").append(name_).append(suffix);
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

    void histogram(std::string_view name, std::string_view help, const Histogram& histogram) {
        family(name, "histogram", help);
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
            below += histogram.buckets[i];
            const std::string bound =
                i < kDurationBounds.size() ? number(kDurationBounds[i]) : "+Inf";
            row("le=\"" + bound + "\"", std::to_string(below), "_bucket");
        }
        row({}, number(histogram.sum), "_sum");
        row({}, std::to_string(histogram.count), "_count");
    }

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
    std::string name_;
};

std::string request_labels(std::uint64_t key, const Snapshot& snapshot) {
    const auto api_index = static_cast<std::size_t>(key >> 48 & 0xffff);
    const auto route_index = static_cast<std::size_t>(key >> 32 & 0xffff);
    std::string api = "none";
    std::string route = "none";
    if (api_index < snapshot.apis.size()) {
        const CompiledApi& found = snapshot.apis[api_index];
        api = found.source->name;
        if (route_index < found.routes.size()) route = found.routes[route_index].source->route_key;
    }
    return "api=\"" + escape_label(api) + "\",route=\"" + escape_label(route) + "\",status=\"" +
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

void write_key_sources(Page& page, const std::vector<KeySourceStatus>& sources) {
    const auto each =
        [&](std::string_view name, std::string_view type, std::string_view help, auto&& value) {
            page.family(name, type, help);
            for (const KeySourceStatus& source : sources)
                page.row("issuer=\"" + escape_label(source.issuer) + "\"", value(source));
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

}  // namespace

void Histogram::observe(double seconds) noexcept {
    const auto at = std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), seconds);
    ++buckets[static_cast<std::size_t>(at - kDurationBounds.begin())];
    sum += seconds;
    ++count;
}

void Histogram::add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += other.buckets[i];
    sum += other.sum;
    count += other.count;
}

void Metrics::count(const TraceRecord& record) {
    ++requests[pack(record)];
    request_seconds.observe(static_cast<double>(record.total_us) / 1e6);
    request_bytes += record.request_bytes;
    response_bytes += record.response_bytes;
}

void Metrics::add(const Metrics& other) {
    for (const auto& [key, value] : other.requests)
        requests[key] += value;
    request_seconds.add(other.request_seconds);
    upstream_seconds.add(other.upstream_seconds);
    authorizer_seconds.add(other.authorizer_seconds);
    cache_hits += other.cache_hits;
    cache_misses += other.cache_misses;
    cache_joined += other.cache_joined;
    cache_negative_hits += other.cache_negative_hits;
    connections_opened += other.connections_opened;
    connections_open += other.connections_open;
    connections_refused += other.connections_refused;
    upstream_connects += other.upstream_connects;
    upstream_failures += other.upstream_failures;
    upstream_reuses += other.upstream_reuses;
    upstream_idle += other.upstream_idle;
    access_log_dropped += other.access_log_dropped;
    request_bytes += other.request_bytes;
    response_bytes += other.response_bytes;
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
    page.histogram("request_duration_seconds",
                   "From the whole head to the end of the answer.",
                   metrics.request_seconds);
    page.histogram("upstream_first_byte_seconds",
                   "From the decision to the upstream's answer head.",
                   metrics.upstream_seconds);
    page.histogram("authorizer_duration_seconds",
                   "Authorizer calls as requests saw them, waiting included.",
                   metrics.authorizer_seconds);
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
    page.single("connections_refused_total",
                "counter",
                "Client connections beyond the limit.",
                metrics.connections_refused);
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
    page.single("access_log_dropped_total",
                "counter",
                "Access-log lines dropped because the buffer was full.",
                metrics.access_log_dropped);
    page.single(
        "request_bytes_total", "counter", "Request content forwarded.", metrics.request_bytes);
    page.single("response_bytes_total", "counter", "Answer content sent.", metrics.response_bytes);
    write_usage(page, snapshot.usage);
    write_key_sources(page, facts.key_sources);
    return page.take();
}

}  // namespace gatehouse::app
