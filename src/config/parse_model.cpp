#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "variables.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr std::int64_t kMostBodyBytes = 1LL << 40;
constexpr std::int64_t kMostConnections = 1'000'000;
constexpr std::int64_t kMostRequests = 1'000'000'000;
constexpr std::int64_t kMostUpstreamHead = 1 << 20;
constexpr std::int64_t kMostCacheEntries = 100'000'000;
constexpr std::int64_t kLeastCacheBytes = 1 << 20;  // some grants of the largest kind
constexpr std::int64_t kMostThreads = 1024;
constexpr std::int64_t kMostMillis = 3'600'000;  // an hour: beyond it a time is a typing error

Listener read_listener(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kListener, source);
    Listener listener;
    reader.read_checked("address", listener.address, fault_in_address);
    reader.read_number("port", listener.port, 0, 65535);
    if (const Json* tls = reader.find("tls"))
        listener.tls = read_listener_tls(*tls, reader.at("tls"), source);
    return listener;
}

std::string fault_in_admin_token(std::string_view token) {
    const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (!std::ranges::all_of(token, visible)) {
        return "has a space or another character that an Authorization header cannot carry";
    }
    if (token.find("${") != std::string_view::npos) {
        return "has a ${…} that is no environment reference: their names are capital letters, "
               "digits and \"_\"";
    }
    return {};
}

Admin read_admin(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kAdmin, source);
    Admin admin;
    reader.read_checked("address", admin.address, fault_in_address);
    reader.read_number("port", admin.port, 0, 65535);
    reader.read_checked("token", admin.token, fault_in_admin_token);
    return admin;
}

Limits read_limits(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kLimits, source);
    Limits limits;
    reader.read_number("requestLineBytes", limits.request_line_bytes, 256, 65536);
    reader.read_number("headerBytes", limits.header_bytes, 256, 65536);
    reader.read_number("headerCount", limits.header_count, 1, 1000);
    reader.read_number("bodyBytes", limits.body_bytes, 0, kMostBodyBytes);
    reader.read_number("connections", limits.connections, 1, kMostConnections);
    reader.read_number(
        "connectionsPerAddress", limits.connections_per_address, 0, kMostConnections);
    reader.read_number("requestsPerConnection", limits.requests_per_connection, 0, kMostRequests);
    reader.read_number("upstreamHeaderBytes", limits.upstream_header_bytes, 256, kMostUpstreamHead);
    reader.read_number("upstreamHeaderCount", limits.upstream_header_count, 1, 10000);
    reader.read_number("bufferedBytes", limits.buffered_bytes, 0, kMostBodyBytes);
    reader.read_number("cacheEntries", limits.cache_entries, 1, kMostCacheEntries);
    reader.read_number("cacheBytes", limits.cache_bytes, kLeastCacheBytes, kMostBodyBytes);
    return limits;
}

Timeouts read_timeouts(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kTimeouts, source);
    Timeouts timeouts;
    const auto read = [&reader](std::string_view name, std::chrono::milliseconds& into) {
        reader.read_duration(name, into, 1, kMostMillis);
    };
    read("headerInMillis", timeouts.header);
    read("bodyInMillis", timeouts.body);
    read("bodyTotalInMillis", timeouts.body_total);
    read("keepAliveInMillis", timeouts.keep_alive);
    read("writeInMillis", timeouts.write);
    read("connectInMillis", timeouts.connect);
    read("upstreamIdleInMillis", timeouts.upstream_idle);
    read("drainInMillis", timeouts.drain);
    reader.read_duration("drainDelayInMillis", timeouts.drain_delay, 0, kMostMillis);
    return timeouts;
}

std::string fault_in_log_format(std::string_view text) {
    constexpr auto kNames = std::to_array<std::string_view>({"json", "clf", "off"});
    if (std::ranges::find(kNames, text) != kNames.end()) return {};
    if (text.find('$') != std::string_view::npos) return fault_in_log_template(text);
    return "is \"" + printable(text) + "\"; allowed: " + list_quoted(kNames) +
           " or a template of $context variables" + suggest(text, kNames);
}

AccessLog read_access_log(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kAccessLog, source);
    AccessLog log;
    reader.read_checked("format", log.format, fault_in_log_format);
    reader.read_checked("path", log.path, [](std::string_view text) -> std::string {
        if (text.empty()) return "is empty; allowed: \"-\" for stdout, or a file's path";
        return std::ranges::any_of(text, is_control) ? "has a control character" : "";
    });
    if (log.format == "off") reader.refuse("path", "\"format\" is \"off\"");
    return log;
}

void read_parts(ObjectReader& reader, Model& model) {
    Source& source = reader.source();
    const auto part = [&](std::string_view name, auto& into, auto read) {
        if (const Json* value = reader.find(name)) into = read(*value, reader.at(name), source);
    };
    part("admin", model.admin, read_admin);
    part("limits", model.limits, read_limits);
    part("timeouts", model.timeouts, read_timeouts);
    part("accessLog", model.access_log, read_access_log);
    part("upstreamTls", model.upstream_tls, read_upstream_tls);
    part("resolver", model.name_servers, read_resolver);
}

}  // namespace

Model read_model(const Json& root, Source& source) {
    ObjectReader reader(root, "", keys::kRoot, source);
    Model model;
    std::string schema;
    reader.read("$schema", schema);
    if (const Json* listeners = reader.find("listeners")) {
        model.listeners.clear();
        reader.each_element("listeners", [&](const Json& value, const std::string& pointer) {
            model.listeners.push_back(read_listener(value, pointer, source));
        });
        if (listeners->is_array() && listeners->empty())
            reader.problem("listeners", "is empty; at least one is needed");
    }
    read_parts(reader, model);
    read_functions(reader);
    read_upstreams(reader);
    read_usage(reader, model);
    read_access_keys(reader, model);
    read_decision(reader, model);
    read_shared(reader, model);
    reader.read_number("threads", model.threads, 0, kMostThreads);
    const Json* apis = reader.require("apis", "a list of at least one API");
    reader.each_element("apis", [&](const Json& value, const std::string& pointer) {
        model.apis.push_back(read_api(value, pointer, source));
    });
    if (apis != nullptr && apis->is_array() && apis->empty())
        reader.problem("apis", "is empty; at least one is needed");
    model.functions = source.functions;
    model.upstreams = source.upstreams;
    return model;
}

}  // namespace gatehouse::config
